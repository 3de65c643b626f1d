"""What is wrong, judged from plain rows. Pure: no clock, no database, no file.

It knows the tables by their names and columns only, and never imports what wrote them: a fault of the engine must not
blind the one who looks for it. That its words are the engine's words is shown by a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

OPEN_STATES = ("held", "calling", "fetching", "heard_no_key")
OUTGOING_TOPICS = ("audit", "dead.letters")
SERIOUS_TROUBLES = (
    "step_failed",
    "dead_letter",
    "vendor_refused",
    "vendor_down",
    "dial_late",
    "text_unsent",
    "clock_off",
)
WORKER_LEASE = "sealer"
LINE_CHECK = "line_check"
"""The hazard of the auditor's own test warnings."""
ROWS_MAX = 200
"""How many rows one question reads: enough to say "many"; the oldest come first."""


class Kind(StrEnum):
    """What can be found. Each has its sentence below."""

    BLIND = "blind"
    CALLOUT_LATE = "callout_late"
    CALLOUT_UNDATED = "callout_undated"
    LETTER_LATE = "letter_late"
    LETTER_NOT_SENT = "letter_not_sent"
    CLAIM_ABANDONED = "claim_abandoned"
    ATTEMPT_SILENT = "attempt_silent"
    CALLS_STAND_STILL = "calls_stand_still"
    TEXTS_STAND_STILL = "texts_stand_still"
    CHAIN_LATE = "chain_late"
    VISIT_LATE = "visit_late"
    TROUBLE_OPEN = "trouble_open"
    NO_WORKER = "no_worker"
    DISK_FULL = "disk_full"
    CLOCK_OFF = "clock_off"
    CLOCK_STEPPED = "clock_stepped"
    HEAD_BROKEN = "head_broken"
    LINE_CHECK_MISSED = "line_check_missed"
    DOOR_CLOSED = "door_closed"


_CHINESE = {
    Kind.BLIND: "审计进程读不到台账：{detail}。请检查数据库和磁盘",
    Kind.CALLOUT_LATE: "{count} 项叫应到点没有处理，最早的已拖延 {late}。请检查工作进程",
    Kind.CALLOUT_UNDATED: "{count} 项未结束的叫应没有下一步时间，系统不会再看它们。请人工叫应并核对台账",
    Kind.LETTER_LATE: "{count} 封内部信件没有人处理，最早的已等待 {late}。请检查工作进程",
    Kind.LETTER_NOT_SENT: "{count} 封对外消息没有发出，最早的已等待 {late}。请检查 Kafka",
    Kind.CLAIM_ABANDONED: "{count} 个已领取的呼叫没有下文，领取期满 {late} 无人接手。请检查工作进程",
    Kind.ATTEMPT_SILENT: "{count} 个已拨出的呼叫过了时限没有结果，也没有人去查，最早的超时 {late}。请检查线路",
    Kind.CALLS_STAND_STILL: "有 {count} 个电话等着拨出，却已停拨，最早的等了 {late}。请检查线路和工作进程",
    Kind.TEXTS_STAND_STILL: "有 {count} 条短信等着发出，却已停发，最早的等了 {late}。请检查线路和工作进程",
    Kind.CHAIN_LATE: "{count} 条预警链到点没有处理，最早的已拖延 {late}。请检查工作进程",
    Kind.VISIT_LATE: "{count} 张上门名单到点没有处理，最早的已拖延 {late}。请检查工作进程",
    Kind.TROUBLE_OPEN: "{count} 个严重异常还没有人处理，最早的已 {late}：{detail}。请到值班页处理",
    Kind.NO_WORKER: "没有工作进程在运行，最后一次动静在 {late} 前。请运行 jiaoying up",
    Kind.DISK_FULL: "数据目录所在磁盘只剩 {detail}。请清理磁盘",
    Kind.CLOCK_OFF: "本机时钟与数据库相差 {detail}。请检查时间同步",
    Kind.CLOCK_STEPPED: "本机时钟跳了 {detail}。请检查时间同步",
    Kind.HEAD_BROKEN: "台账有 {count} 条链的链头与记录不符。请运行 jiaoying ledger verify",
    Kind.LINE_CHECK_MISSED: "线路自检已 {late} 没有叫通：自检电话没有应答回来。请查网关、工作进程、线路和自检电话",
    Kind.DOOR_CLOSED: "线路自检的测试预警送不进去：{detail}。请检查网关 (jiaoying gateway) 和令牌",
}
_ENGLISH = {
    Kind.BLIND: "the auditor cannot read the ledger: {detail}; look at the database and the disk",
    Kind.CALLOUT_LATE: "{count} callouts are due and not taken, the oldest for {late}; look at the workers",
    Kind.CALLOUT_UNDATED: "{count} open callouts have no next time, nothing will look at them again; call by hand",
    Kind.LETTER_LATE: "{count} letters are not handled, the oldest for {late}; look at the workers",
    Kind.LETTER_NOT_SENT: "{count} messages for others are not sent, the oldest for {late}; look at Kafka",
    Kind.CLAIM_ABANDONED: "{count} claimed calls were abandoned, the oldest lease ended {late} ago; see the workers",
    Kind.ATTEMPT_SILENT: "{count} placed calls are silent and nobody asks, the oldest for {late}; look at the carrier",
    Kind.CALLS_STAND_STILL: "{count} calls wait and none is placed, the oldest for {late}; look at the carrier",
    Kind.TEXTS_STAND_STILL: "{count} texts wait and none is sent, the oldest for {late}; look at the carrier",
    Kind.CHAIN_LATE: "{count} chains are due and not taken, the oldest for {late}; look at the workers",
    Kind.VISIT_LATE: "{count} visit lists are due and not taken, the oldest for {late}; look at the workers",
    Kind.TROUBLE_OPEN: "{count} serious troubles are open, the oldest for {late}: {detail}; see the board",
    Kind.NO_WORKER: "no worker is running, the last sign of one was {late} ago; run jiaoying up",
    Kind.DISK_FULL: "the disk of the data folder has only {detail} left; make room",
    Kind.CLOCK_OFF: "this machine's clock is {detail} off the database's; look at NTP",
    Kind.CLOCK_STEPPED: "this machine's clock was stepped by {detail}; look at NTP",
    Kind.HEAD_BROKEN: "{count} chains have a head that is not their last entry; run jiaoying ledger verify",
    Kind.LINE_CHECK_MISSED: "no line check came back for {late}; look at the workers, the carrier and its phone",
    Kind.DOOR_CLOSED: "the line check's test warning is not taken: {detail}; look at the gateway and the token",
}


@dataclass(frozen=True)
class Finding:
    """One kind of thing that is wrong: how many, which is the oldest, for how long (story seconds)."""

    kind: Kind
    count: int = 1
    subject: str = ""
    late_s: float = 0.0
    detail: str = ""

    def said(self, language: str = "zh") -> str:
        """Return the finding as a sentence for a duty room."""
        chinese = language != "en"
        count = f"{self.count}{' 以上' if chinese else ' or more'}" if self.count >= ROWS_MAX else str(self.count)
        late = _span(self.late_s, chinese=chinese)
        return (_CHINESE if chinese else _ENGLISH)[self.kind].format(count=count, late=late, detail=self.detail)


@dataclass(frozen=True)
class Patience:
    """How long something may take before it is wrong; all in real seconds, whatever the speed of the story.

    Args:
        step_s: A due step, an open letter, a claim: with a look every 2 s it is noticed within 10 s.
        trouble_s: A trouble shown to people before it is told again.
        start_s: How long workers have to appear after the auditor began.
        clock_s: How far two clocks may part (law 7 of the house: 2 s).
        disk_bytes: What must be free in the data folder.
    """

    step_s: float = 6.0
    trouble_s: float = 600.0
    start_s: float = 30.0
    clock_s: float = 2.0
    disk_bytes: int = 500 * 2**20


@dataclass(frozen=True)
class Row:
    """Something that was due at a time. `word` is its topic, kind or text, where it has one."""

    id: str
    at: datetime
    word: str = ""


@dataclass(frozen=True)
class HeadRow:
    """A head beside the entry it points to, and the number of an entry beyond it, if there is one."""

    subject: str
    head_hash: str
    entry_hash: str | None
    beyond_n: int | None


@dataclass(frozen=True)
class Queue:
    """What waits to be dialled or sent, oldest first, and when the carrier was last used or will be free."""

    waiting: Sequence[Row] = ()
    moved_at: datetime | None = None


@dataclass(frozen=True)
class Seen:
    """Everything one look read: rows oldest first, at most ROWS_MAX of a kind.

    Args:
        due: Rows by the kind of finding they make when they are overdue; times of the story.
        claims: Claimed attempts by the end of their lease; real time.
        undated: Open callouts without a next time.
        calls: The queue of calls.
        texts: The queue of messages.
        troubles: Open troubles of serious kinds.
        heads: Heads beside their entries.
        line_checks: Confirmed line checks by when their callouts were opened, the latest only.
        worker_until: Until when a worker said it is there; None where none ever did. Real time.
        database_at: The database's own clock, where it has one.
        disk_free_bytes: In the data folder.
    """

    due: Mapping[Kind, Sequence[Row]] = field(default_factory=dict)
    claims: Sequence[Row] = ()
    undated: Sequence[Row] = ()
    calls: Queue = Queue()
    texts: Queue = Queue()
    troubles: Sequence[Row] = ()
    heads: Sequence[HeadRow] = ()
    line_checks: Sequence[Row] = ()
    worker_until: datetime | None = None
    database_at: datetime | None = None
    disk_free_bytes: int = 2**62


@dataclass(frozen=True)
class When:
    """The time of one look.

    Args:
        now: Of the story.
        wall: Real.
        speed: Story seconds in one real second.
        running_s: Real seconds since the auditor began.
        stepped_s: By how much the wall clock was stepped since the look before.
    """

    now: datetime
    wall: datetime
    speed: float = 1.0
    running_s: float = 0.0
    stepped_s: float = 0.0


def judge(seen: Seen, when: When, patience: Patience) -> tuple[Finding, ...]:
    """Return everything that is wrong, at most one finding of a kind."""
    found = [*_late(seen, when, patience), *_standing_still(seen, when, patience), *_of_machine(seen, when, patience)]
    if seen.undated:
        found.append(Finding(Kind.CALLOUT_UNDATED, len(seen.undated), seen.undated[0].id))
    broken = [row for row in seen.heads if row.head_hash != row.entry_hash or row.beyond_n is not None]
    if broken:
        found.append(Finding(Kind.HEAD_BROKEN, len(broken), broken[0].subject))
    return tuple(found)


def _late(seen: Seen, when: When, patience: Patience) -> Iterator[Finding]:
    """Find what is overdue: story times by story patience, leases by real time."""
    story = timedelta(seconds=patience.step_s * when.speed)
    for kind, rows in seen.due.items():
        yield from _overdue(kind, rows, when.now, story)
    yield from _overdue(Kind.CLAIM_ABANDONED, seen.claims, when.wall, timedelta(seconds=patience.step_s))
    shown = timedelta(seconds=patience.trouble_s * when.speed)
    yield from _overdue(Kind.TROUBLE_OPEN, seen.troubles, when.now, shown)


def _overdue(kind: Kind, rows: Sequence[Row], now: datetime, patience: timedelta) -> Iterator[Finding]:
    late = [row for row in rows if row.at < now - patience]
    if late:
        oldest = min(late, key=lambda row: row.at)
        yield Finding(kind, len(late), oldest.id, (now - oldest.at).total_seconds(), oldest.word)


def _standing_still(seen: Seen, when: When, patience: Patience) -> Iterator[Finding]:
    """Find a queue that waits while the carrier is free: a long queue that moves is pace, not a fault."""
    story = timedelta(seconds=patience.step_s * when.speed)
    for kind, queue in ((Kind.CALLS_STAND_STILL, seen.calls), (Kind.TEXTS_STAND_STILL, seen.texts)):
        if queue.moved_at is None or queue.moved_at < when.now - story:
            yield from _overdue(kind, queue.waiting, when.now, story)


def _of_machine(seen: Seen, when: When, patience: Patience) -> Iterator[Finding]:
    """Find what is wrong around the ledger: no worker, a full disk, a wrong clock."""
    if when.running_s >= patience.start_s and (seen.worker_until is None or seen.worker_until < when.wall):
        silent_s = (when.wall - seen.worker_until).total_seconds() if seen.worker_until else when.running_s
        yield Finding(Kind.NO_WORKER, late_s=silent_s)
    if seen.disk_free_bytes < patience.disk_bytes:
        yield Finding(Kind.DISK_FULL, detail=f"{seen.disk_free_bytes / 2**20:.0f} MiB")
    off_s = (when.wall - seen.database_at).total_seconds() if seen.database_at else 0.0
    if abs(off_s) > patience.clock_s:
        yield Finding(Kind.CLOCK_OFF, detail=f"{off_s:+.1f} s")
    if abs(when.stepped_s) > patience.clock_s:
        yield Finding(Kind.CLOCK_STEPPED, detail=f"{when.stepped_s:+.1f} s")


def _span(seconds: float, *, chinese: bool) -> str:
    if seconds < 120:
        return f"{seconds:.0f} 秒" if chinese else f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} 分钟" if chinese else f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} 小时" if chinese else f"{seconds / 3600:.0f} h"
