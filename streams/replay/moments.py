"""The turning points of a night in the order they came, as sentences in both languages, read from the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from agents.plan.state import Round
from agents.visit.state import VisitList
from rosters.county import County
from streams.ledger.contract import Entry, FullStep
from streams.rooms import Trouble
from streams.words import Model

ALARM = "监测告警"
"""The headline of every chain that a sensor opened; its text says more."""
CHAIN_WORDS = {
    "chain_opened": ("开始叫应", "calling begins"),
    "chain_raised": ("升级，重新叫应", "raised: a new round"),
    "chain_widened": ("扩大范围", "more places"),
    "chain_continued": ("继续发布", "issued again"),
    "chain_lowered": ("降级", "lowered"),
    "chain_gated": ("单站告警，先问值班室", "a lone gauge: the duty room is asked first"),
    "chain_shift_changed": ("换班", "change of shift"),
    "chain_cancelled": ("解除", "cancelled"),
    "chain_expired": ("到期", "expired"),
    "alarm_joined": ("监测告警并入", "a sensor says the same"),
    "warning_unclear": ("看不懂的预警，交值班员", "not understood, put to the duty officer"),
    "warning_noted": ("收到，无需动作", "noted, nothing to do"),
    "order_cancel": ("人工解除", "called off by a person"),
    "order_correct": ("误发更正", "corrected: issued by mistake"),
    "order_pause": ("人工暂停", "paused by a person"),
    "order_resume": ("人工恢复", "resumed by a person"),
}
TROUBLE_WORDS = {
    "village_lost": ("全村失联", "villages cut off"),
    "lost_contact": ("失联", "cut off"),
    "visit_overdue": ("转上门未回报", "visits overdue"),
    "number_wrong": ("号码无法使用", "dead numbers"),
    "text_failed": ("短信失败", "messages failed"),
    "text_unsent": ("短信未发出", "messages not sent"),
    "reply_unclear": ("短信回复待核实", "SMS answers to be looked at"),
    "nobody_on_duty": ("无人值班", "nobody on duty"),
    "dial_late": ("拨出超时", "dialled late"),
    "unreached": ("未应且无上级可转", "unreached, nobody to hand it to"),
    "no_duty_post": ("名单无人可转", "no duty post for a list"),
    "unclear_warning": ("看不懂的预警", "warnings not understood"),
    "paused": ("叫应被暂停", "calling paused"),
    "crossing_late": ("迟到的监测数据", "readings that came late"),
    "step_failed": ("内部步骤出错", "a step failed"),
    "dead_letter": ("死信", "dead letters"),
    "stop_asked": ("要求停止的短信", "asked to be left alone"),
}


class Moment(Model):
    """Something that happened; `kind` is chain, round, visit, trouble or fact."""

    at: datetime
    kind: str
    zh: str
    en: str


def moments_of(
    step: FullStep, rounds: Iterable[Round], visits: Iterable[VisitList], troubles: Iterable[Trouble], county: County
) -> tuple[Moment, ...]:
    """Return the turning points in order; troubles of one kind and minute are one."""
    chain_ids = dict.fromkeys(row.chain_id for row in rounds)
    found = [moment for chain_id in chain_ids for entry in step.entries(chain_id) for moment in _of_chain(entry)]
    found += [
        moment for visit in visits for entry in step.entries(visit.id) for moment in _of_visit(entry, visit, county)
    ]
    found += _of_troubles(troubles)
    return tuple(sorted(found, key=lambda moment: moment.at))


def _of_chain(entry: Entry) -> Iterator[Moment]:
    if entry.what in CHAIN_WORDS:
        zh, en = CHAIN_WORDS[entry.what]
        headline, text = str(entry.facts.get("headline", "")), str(entry.facts.get("text", ""))
        said = text if headline in ("", ALARM) else headline
        by = f"（{entry.by}）" if entry.what.startswith("order_") else ""
        yield Moment(at=entry.at, kind="chain", zh=f"{zh}：{said}{by}", en=f"{en}: {said}{by}")
    elif entry.what == "plan_round_opened":
        zh, en = _counts(entry.facts)
        yield Moment(at=entry.at, kind="round", zh=f"新一轮：{zh}", en=f"a round: {en}")


def _counts(facts: Any) -> tuple[str, str]:
    words = (("call", "打电话", "to call"), ("message", "只发短信", "to tell"), ("hold", "留到汇总", "held"))
    counted = [(facts.get(key, 0), zh, en) for key, zh, en in words if facts.get(key)]
    return "，".join(f"{zh}{n}个岗位" for n, zh, _ in counted), ", ".join(f"{n} posts {en}" for n, _, en in counted)


def _of_visit(entry: Entry, visit: VisitList, county: County) -> Iterator[Moment]:
    name = county.regions[visit.region].name if visit.region in county.regions else county.name
    count = len(entry.facts.get("places", ()))
    words = {
        "handed_over": (
            f"{name}：{count}处未叫醒，名单交值班室派人上门",
            f"{name}: a list of {count} places is handed over",
        ),
        "taken": (f"{name}：名单已接", f"{name}: the list is taken"),
        "overdue": (f"{name}：{count}处上门超时未回报", f"{name}: no report from {count} places in time"),
    }
    if entry.what in words:
        zh, en = words[entry.what]
        yield Moment(at=entry.at, kind="visit", zh=zh, en=en)


def _of_troubles(troubles: Iterable[Trouble]) -> list[Moment]:
    """Put troubles of one kind and minute together, but those of visits, which their lists tell of."""
    firsts: dict[tuple[str, datetime], Trouble] = {}
    counts: Counter[tuple[str, datetime]] = Counter()
    for trouble in troubles:
        key = (trouble.kind, trouble.at.replace(second=0, microsecond=0))
        firsts.setdefault(key, trouble)
        counts[key] += 1
    moments = []
    for (kind, minute), first in firsts.items():
        count = counts[kind, minute]
        zh, en = TROUBLE_WORDS.get(kind, (kind, kind))
        more = f" 等{count}项" if count > 1 else ""
        if kind != "visit_overdue":
            moments.append(
                Moment(at=first.at, kind="trouble", zh=f"{zh}：{first.text}{more}", en=f"{en}: {count} ({first.text})")
            )
    return moments
