"""The parts: each puts its question to a stand of its own and returns figures. Real time throughout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from agents.callout.state import CALLOUTS, Callout, CalloutState
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from streams.bench.carrier import BenchCarrier
from streams.bench.county import CODE, synthetic_county
from streams.bench.figures import Figure, cpu_s, forget_peak, peak_mib, percentile
from streams.bench.stand import REALM, Stand, Tell
from streams.clock import SystemClock
from streams.ids import make_id
from streams.ledger.contract import Where
from streams.letters import IssuedWarning, Letter, Mode, Move, Received, write_letter
from streams.topics import WARNINGS_RAW
from streams.words import Colour, Level, MsgType, Status

WITHIN_S = 60.0
WITHIN_S_PER_POST = 0.02
DUE_SHARE = 0.2
DUE_WITHIN_S = 20.0
DUE_FROM_S = 3.0
DAY = timedelta(days=1)
AIM_DIALLED_S = {10_000: 5.0}


async def red_warning(posts: int, tell: Tell, ledger_url: str = "", *, answers: bool = False) -> list[Figure]:
    """One red warning for a whole county: seconds until planned, dialled, and with `answers` confirmed by all."""
    name = "receipts" if answers else "red-warning"
    clock = SystemClock()
    tell(f"{name} {posts}: 造县 / making the county", 0.0)
    forget_peak()
    carrier = BenchCarrier(answers=answers)
    stand = Stand(synthetic_county(posts, clock.now()), carrier=carrier, ledger_url=ledger_url)
    try:
        await stand.start()
        within_s = WITHIN_S + posts * WITHIN_S_PER_POST
        began, used_s = clock.wall(), cpu_s()
        await stand.ledger.run(lambda step: step.write([_warning(clock.now())]))
        planned_s = await stand.until(lambda: _is_full(stand, posts), within_s)
        tell(f"{name} {posts}: 拨出 / dialling", 0.3)
        await stand.until(lambda: carrier.calls >= posts, within_s)
        first_s, dialled_s = _since(began, carrier.first_call_at), _since(began, carrier.last_call_at)
        figures = [
            Figure(name, posts, "first call placed", first_s, "s"),
            Figure(name, posts, "all callouts planned", planned_s, "s"),
            Figure(name, posts, "calls placed", carrier.calls, "calls"),
            Figure(name, posts, "all calls placed", dialled_s, "s", None if answers else AIM_DIALLED_S.get(posts)),
            Figure(name, posts, "processor time of the worker until then", cpu_s() - used_s, "s"),
        ]
        if answers:
            tell(f"{name} {posts}: 应答 / answering", 0.6)
            figures += await _confirmed(stand, posts, began, within_s)
        peak = [("peak memory of the worker", peak_mib()), ("memory of the broker", stand.broker.rss_mib())]
        return [*figures, *(Figure(name, posts, what, value, "MiB") for what, value in peak)]
    finally:
        await stand.stop()


async def _is_full(stand: Stand, posts: int) -> bool:
    return await stand.count(CALLOUTS) >= posts


async def _confirmed(stand: Stand, posts: int, began: datetime, within_s: float) -> list[Figure]:
    """Wait until every callout is confirmed; the rate counts from the first call."""

    async def all_confirmed() -> bool:
        return await stand.count(CALLOUTS, Where("state", "=", CalloutState.CONFIRMED)) >= posts

    ended = await stand.until(all_confirmed, within_s)
    if ended is None:
        return [Figure("receipts", posts, "all confirmed", None, "s")]
    confirmed_s = _since(began, stand.clock.wall()) or 0.0
    from_first_s = confirmed_s - (_since(began, stand.carrier.first_call_at) or 0.0)
    return [
        Figure("receipts", posts, "all confirmed", confirmed_s, "s"),
        Figure("receipts", posts, "receipts per second, dialling included", posts / from_first_s, "1/s"),
    ]


async def deadlines(open_callouts: int, tell: Tell, ledger_url: str = "") -> list[Figure]:
    """Lateness of deadlines with many callouts open: from due until the entry of the step left the worker."""
    clock = SystemClock()
    forget_peak()
    due: dict[str, datetime] = {}
    late_s: dict[str, float] = {}

    def see(entries: Sequence[Any]) -> None:
        wall = clock.wall()
        for entry in entries:
            if entry["subject"] in due:
                late_s.setdefault(entry["subject"], (wall - due[entry["subject"]]).total_seconds())

    stand = Stand(synthetic_county(500, clock.now()), carrier=BenchCarrier(), ledger_url=ledger_url, see=see)
    try:
        await _seed(stand, open_callouts, tell)
        await stand.start()
        await _make_due(stand, due, min(2000, int(open_callouts * DUE_SHARE)))
        tell(f"deadlines {open_callouts}: 等到期 / waiting for them to fall due", 0.7)
        await stand.until(lambda: len(late_s) >= len(due), DUE_FROM_S + DUE_WITHIN_S + WITHIN_S)
        late = list(late_s.values())
        name, size = "deadlines", open_callouts
        return [
            Figure(name, size, "deadlines met", len(late), f"of {len(due)}"),
            Figure(name, size, "lateness p50", percentile(late, 0.5), "s"),
            Figure(name, size, "lateness p99", percentile(late, 0.99), "s", 1.0),
            Figure(name, size, "lateness worst", max(late, default=None), "s"),
            Figure(name, size, "peak memory of the worker", peak_mib(), "MiB"),
        ]
    finally:
        await stand.stop()


async def _seed(stand: Stand, count: int, tell: Tell) -> None:
    """Put a round with open callouts into the ledger, all of them due tomorrow."""
    name = f"deadlines {count}: 放入叫应 / opening callouts"
    await stand.save(ROUNDS, [open_round(stand.clock.now())], lambda _: None)
    rows = open_callouts(list(stand.house.facts.county.posts), count, stand.clock.now() + DAY)
    await stand.save(CALLOUTS, rows, lambda saved: tell(name, 0.6 * saved / count))


async def _make_due(stand: Stand, due: dict[str, datetime], count: int) -> None:
    """Let some of them fall due, evenly over the next seconds."""
    begins = stand.clock.now() + timedelta(seconds=DUE_FROM_S)
    rows = await stand.ledger.look(lambda step: step.find(CALLOUTS, order=("id",), limit=count))
    changed = []
    for number, row in enumerate(rows):
        due[row.id] = begins + timedelta(seconds=DUE_WITHIN_S * number / count)
        changed.append(row.model_copy(update={"due_at": due[row.id]}))
    await stand.ledger.run(lambda step: step.save(CALLOUTS, changed))


def open_round(now: datetime) -> Round:
    """Return the round that seeded callouts belong to."""
    return Round(
        id=make_id(REALM, "round", "bench"),
        realm=REALM,
        chain_id=make_id(REALM, "chain", "bench"),
        cause_id="bench",
        move=Move.OPENED,
        hazard="rainstorm",
        colour=Colour.RED,
        opened_at=now,
    )


def open_callouts(posts: Sequence[str], count: int, due_at: datetime) -> Iterator[Callout]:
    """Yield open callouts that wait for nothing but `due_at`; posts come round again and again."""
    round_row = open_round(due_at - DAY)
    first = Callout(
        id="",
        realm=REALM,
        chain_id=round_row.chain_id,
        round_id=round_row.id,
        post_id="",
        unit_id="",
        region=CODE,
        township="",
        level=Level.VILLAGE,
        place="测试村",
        hazard="rainstorm",
        colour=Colour.RED,
        severity=Colour.RED.severity,
        priority=0,
        mode=Mode.CALL,
        ladder=load_rules().ladders["village"],
        ladder_name="village",
        rules_hash="bench",
        voice="测试",
        text="测试",
        state=CalloutState.CALLING,
        opened_at=round_row.opened_at,
        target_post="",
        due_at=due_at,
    )
    for number in range(count):
        post = posts[number % len(posts)]
        callout_id = make_id(REALM, "callout", round_row.id, post, str(number))
        yield first.model_copy(update={"id": callout_id, "post_id": post, "target_post": post})


def _warning(now: datetime) -> Letter:
    """Return a red rainstorm warning for the whole synthetic county."""
    warning = IssuedWarning(
        id=make_id(REALM, "warning", now.isoformat()),
        realm=REALM,
        status=Status.ACTUAL,
        kind=MsgType.ALERT,
        identifier=now.isoformat(),
        sender="bench",
        sent=now,
        issuer="测试县气象台",
        hazard="rainstorm",
        colour=Colour.RED,
        headline="测试县气象台发布暴雨红色预警",
        text="测速用，不是预警。",
        geocodes=(CODE,),
        area_names=("测试县",),
    )
    message = Received(warning=warning, raw_id="", source="bench", received_at=now)
    return write_letter(WARNINGS_RAW, warning.id, message, now, cause=warning.id)


def _since(began: datetime, at: datetime | None) -> float | None:
    return None if at is None else (at - began).total_seconds()
