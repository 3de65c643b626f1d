"""What DUTY remembers: the handover of each shift, the spot checks, and until when its calendar was worked off."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from streams.ids import REAL, make_id
from streams.ledger.contract import Row, Table
from streams.words import Colour, Model


class HandoverState(StrEnum):
    """Where a handover stands: LATE was not taken over in time; TAKEN has the signature of whoever came."""

    OPEN = "open"
    LATE = "late"
    TAKEN = "taken"

    @property
    def chinese(self) -> str:
        """Return its Chinese name."""
        return {"open": "待交接", "late": "逾时未签到", "taken": "已接班"}[self.value]


class ChainCarried(Model):
    """A warning in force, as it is handed over."""

    chain_id: str
    hazard: str
    colour: Colour
    headline: str = ""
    until: datetime


class Carried(Model):
    """What is handed over, counted in the ledger at `at`: callouts by state, visit lists, warnings, troubles."""

    at: datetime
    callouts: dict[str, int] = Field(default_factory=dict)
    callout_ids: tuple[str, ...] = ()
    visit_ids: tuple[str, ...] = ()
    chains: tuple[ChainCarried, ...] = ()
    troubles: int = 0


class Signature(Model):
    """Who signed and when; what is proved is that this name was entered with this token, and nothing more."""

    person_id: str
    name: str
    at: datetime
    by: str = ""


class Note(Model):
    """Something to know: equipment, a road closed, who was told."""

    by: str
    text: str
    at: datetime


class Equipment(Model):
    """A piece of the duty room's equipment as whoever left saw it; one that does not work is carried over."""

    name: str
    works: bool
    note: str = ""
    by: str = ""
    at: datetime | None = None


class Measure(Model):
    """A hard measure (刚性措施) in force, as somebody entered it: work stopped, a place closed, people moved.

    The machine orders and lifts none: it carries over what people told it, until a person says that it is lifted.
    """

    text: str
    on_word_of: str
    by: str
    since: datetime
    lifted_at: datetime | None = None
    lifted_by: str = ""


class Handover(Row):
    """The handover (交接班) of one shift of a duty post. `outgoing` is "" where nobody held the post before.

    `change_id` names the change by which whoever was on duty is held over because the relief has not come.
    """

    post_id: str
    unit_id: str
    region: str
    township: str
    starts_at: datetime
    outgoing: str
    incoming: str
    state: HandoverState = HandoverState.OPEN
    opened_at: datetime
    carried: Carried
    notes: tuple[Note, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    measures: tuple[Measure, ...] = ()
    signed_out: Signature | None = None
    signed_in: Signature | None = None
    change_id: str = ""
    due_at: datetime | None = None
    errors: int = 0


HANDOVERS: Table[Handover] = Table(
    "handovers",
    Handover,
    ("post_id", "unit_id", "township", "state", "starts_at", "due_at"),
    (("due_at",), ("starts_at",), ("state",)),
)


class ZeroReport(Row):
    """The daily report of one duty post (零报告), also where there is nothing to report. `day` is the county's."""

    post_id: str
    unit_id: str
    region: str
    day: str
    nothing: bool
    text: str = ""
    person_id: str
    name: str
    at: datetime
    by: str


ZERO_REPORTS: Table[ZeroReport] = Table(
    "zero_reports", ZeroReport, ("post_id", "unit_id", "day", "at"), (("day",), ("at",))
)


class DutyCalendar(Row):
    """Until when everything that falls due by the day was done. What falls due follows from roster and rules."""

    done_until: datetime
    due_at: datetime | None = None
    errors: int = 0


CALENDARS: Table[DutyCalendar] = Table("duty_calendars", DutyCalendar, ("due_at",), (("due_at",),))


def calendar_id() -> str:
    """Return the id of the one calendar row."""
    return make_id(REAL, "duty", "calendar")


class CheckState(StrEnum):
    """Where a spot check stands. SKIPPED: something real was under way, and nobody was rung."""

    PLANNED = "planned"
    CALLING = "calling"
    DONE = "done"
    SKIPPED = "skipped"


class CheckResult(StrEnum):
    """What a spot check found, in words that claim no more than was seen: nobody answered is never 缺岗.

    Which key was pressed is what the one who answered said of who that was, beside whom the roster names; it proves
    no more than that the key was pressed.
    """

    IN_PLACE = "in_place"
    SOMEBODY_ELSE = "somebody_else"
    CANNOT_COME = "cannot_come"
    HEARD_NO_KEY = "heard_no_key"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    NO_WAY = "no_way"
    NOBODY_ON_DUTY = "nobody_on_duty"

    @property
    def chinese(self) -> str:
        """Return it as it stands in the table."""
        return {
            "in_place": "接听按1",
            "somebody_else": "接听按2",
            "cannot_come": "接听按0",
            "heard_no_key": "接听未按键",
            "no_answer": "未接听",
            "busy": "占线",
            "no_way": "打不通",
            "nobody_on_duty": "值班表无人",
        }[self.value]


class SpotCheck(Row):
    """One spot check (抽查) of a duty post at a drawn time. `month` is the county's, as 2026-11."""

    realm: str
    post_id: str
    unit_id: str
    region: str
    month: str
    at: datetime
    seed: str
    state: CheckState = CheckState.PLANNED
    person_id: str = ""
    callout_id: str = ""
    round_id: str = ""
    result: CheckResult | None = None
    called_at: datetime | None = None
    answered_at: datetime | None = None
    due_at: datetime | None = None
    errors: int = 0


SPOT_CHECKS: Table[SpotCheck] = Table(
    "spot_checks",
    SpotCheck,
    ("realm", "post_id", "unit_id", "month", "state", "at", "due_at"),
    (("due_at",), ("month",), ("state",)),
)
