"""The parts: each puts its question to a stand of its own and returns figures. Real time throughout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from agents.callout.state import CALLOUTS, Callout, CalloutState
from agents.dial.state import ATTEMPTS
from agents.plan.state import ROUNDS, Round
from config.load import load_rules
from rosters.county import County
from streams.bench.carrier import BenchCarrier
from streams.bench.county import CODE, synthetic_county
from streams.bench.crew import WorkerTold
from streams.bench.figures import Figure, forget_peak, peak_mib, percentile
from streams.bench.stand import REALM, Ground, Stand, Tell
from streams.clock import SystemClock
from streams.ids import make_id
from streams.ledger.contract import Where
from streams.letters import IssuedWarning, Letter, Mode, Move, Received, write_letter
from streams.topics import WARNINGS_RAW
from streams.words import Channel, Colour, Level, MsgType, Status

HERE = Ground()
WITHIN_S = 60.0
WITHIN_S_PER_POST = 0.02
DUE_SHARE = 0.2
DUE_WITHIN_S = 20.0
DUE_FROM_S = 3.0
DAY = timedelta(days=1)
AIM_DIALLED_S = {10_000: 5.0}


async def red_warning(
    posts: int, tell: Tell, ground: Ground = HERE, *, answers: bool = False, workers: int = 1
) -> list[Figure]:
    """One red warning for a whole county: seconds until planned, dialled, and with `answers` confirmed by all."""
    name = _named("receipts" if answers else "red-warning", workers)
    clock = SystemClock()
    tell(f"{name} {posts}: 启动工作进程 / starting the workers", 0.0)
    stand = Stand(ground)
    try:
        await stand.start()
        crew = await stand.start_crew(workers, posts, answers=answers)
        within_s = WITHIN_S + posts * WITHIN_S_PER_POST
        tell(f"{name} {posts}: 计划 / planning", 0.1)
        began = clock.wall()
        await stand.ledger.run(lambda step: step.write([_warning(clock.now())]))
        planned_s = await stand.until(lambda: _is_full(stand, posts), within_s)
        tell(f"{name} {posts}: 拨出 / dialling", 0.3)
        await stand.until(lambda: _is_dialled(stand, posts), within_s)
        figures = [Figure(name, posts, "all callouts planned", planned_s, "s")]
        if answers:
            tell(f"{name} {posts}: 应答 / answering", 0.6)
            confirmed_s = await _confirmed(stand, posts, began, within_s)
        broker_mib = stand.broker.rss_mib() if stand.broker is not None else None
        told = await crew.stop()
        figures += _dialled(name, posts, began, told, None if answers else AIM_DIALLED_S.get(posts))
        if answers:
            figures += _receipts(name, posts, confirmed_s, _first_s(began, told))
        figures += [Figure(name, posts, "memory of the broker", broker_mib, "MiB")] if broker_mib is not None else []
        return figures
    finally:
        await stand.stop()


def _named(part: str, workers: int) -> str:
    return part if workers == 1 else f"{part}, {workers} workers"


async def _is_full(stand: Stand, posts: int) -> bool:
    return await stand.count(CALLOUTS) >= posts


async def _is_dialled(stand: Stand, posts: int) -> bool:
    return await stand.count(ATTEMPTS, Where("channel", "=", Channel.VOICE), Where("state", "!=", "claimed")) >= posts


def _first_s(began: datetime, told: Sequence[WorkerTold]) -> float | None:
    return min((_since(began, one.first_call_at) for one in told if one.first_call_at), default=None)


def _dialled(name: str, posts: int, began: datetime, told: Sequence[WorkerTold], aim: float | None) -> list[Figure]:
    """Return what the workers say of their calls; the last call is the last of whichever worker."""
    last_s = max((_since(began, one.last_call_at) for one in told if one.last_call_at), default=None)
    return [
        Figure(name, posts, "first call placed", _first_s(began, told), "s"),
        Figure(name, posts, "calls placed", sum(one.calls for one in told), "calls"),
        Figure(name, posts, "all calls placed", last_s, "s", aim),
        Figure(name, posts, "processor time of the workers until then", sum(one.cpu_s for one in told), "s"),
        Figure(name, posts, "peak memory of a worker", max((one.memory_mib for one in told), default=None), "MiB"),
    ]


async def _confirmed(stand: Stand, posts: int, began: datetime, within_s: float) -> float | None:
    """Wait until every callout is confirmed; return after how many seconds it was, or None."""

    async def all_confirmed() -> bool:
        return await stand.count(CALLOUTS, Where("state", "=", CalloutState.CONFIRMED)) >= posts

    if await stand.until(all_confirmed, within_s) is None:
        return None
    return _since(began, stand.clock.wall())


def _receipts(name: str, posts: int, confirmed_s: float | None, first_s: float | None) -> list[Figure]:
    """Return when all were confirmed, and the rate, which counts from the first call."""
    rate = None if confirmed_s is None or first_s is None else posts / (confirmed_s - first_s)
    return [
        Figure(name, posts, "all confirmed", confirmed_s, "s"),
        Figure(name, posts, "receipts per second, dialling included", rate, "1/s"),
    ]


async def deadlines(open_callouts: int, tell: Tell, ground: Ground = HERE) -> list[Figure]:
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

    stand = Stand(ground)
    county = synthetic_county(500, clock.now())
    try:
        await _seed(stand, county, open_callouts, tell)
        await stand.start()
        await stand.start_worker(county, BenchCarrier(), see)
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


async def _seed(stand: Stand, county: County, count: int, tell: Tell) -> None:
    """Put a round with open callouts into the ledger, all of them due tomorrow."""
    name = f"deadlines {count}: 放入叫应 / opening callouts"
    await stand.save(ROUNDS, [open_round(stand.clock.now())], lambda _: None)
    rows = open_callouts(list(county.posts), count, stand.clock.now() + DAY)
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


def _since(began: datetime, at: datetime) -> float:
    return (at - began).total_seconds()
