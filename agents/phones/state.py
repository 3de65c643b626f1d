"""What PHONES remembers: each verification that was asked for, and each number that is verified."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from streams.ledger.contract import Row, Table
from streams.words import Channel

REALM = "check:phones"


class VerificationState(StrEnum):
    """Where a verification stands. ASKED: the code is out, and what comes back is waited for."""

    WAITING = "waiting"
    ASKED = "asked"
    VERIFIED = "verified"
    FAILED = "failed"


class VerifiedHow(StrEnum):
    """How it came back: key 1 in the call, the code by text from that number, or the code told to somebody."""

    KEY = "key"
    REPLY = "reply"
    CODE = "code"

    @property
    def chinese(self) -> str:
        """Return it as a table shows it."""
        return {"key": "接听并按 1", "reply": "短信回复核实码", "code": "报回核实码"}[self.value]


class FailedWhy(StrEnum):
    """Why a number was not verified, in words that claim no more than was seen."""

    NOT_HEARD = "not_heard"
    NOT_DIALLED = "not_dialled"
    NO_CODE = "no_code"
    WRONG_CODES = "wrong_codes"
    GAVE_WAY = "gave_way"

    @property
    def chinese(self) -> str:
        """Return it as a table shows it."""
        return {
            "not_heard": "没有听完或没有送达",
            "not_dialled": "没有拨出（号码未获批准，或不在名册）",
            "no_code": "逾时没有收到核实码",
            "wrong_codes": "核实码错了多次",
            "gave_way": "有预警，没有拨",
        }[self.value]


class Verification(Row):
    """One asking whether a number is that of a person, as the roster had both when it was asked.

    The number itself is not kept: `number_key` is its keyed digest. `ends_at` is when the code is no longer taken.
    """

    realm: str = REALM
    person_id: str
    name: str
    post_id: str
    number_key: str
    masked: str
    channel: Channel
    state: VerificationState = VerificationState.WAITING
    failed: FailedWhy | None = None
    how: VerifiedHow | None = None
    asked_by: str
    asked_at: datetime
    callout_id: str = ""
    round_id: str = ""
    called_at: datetime | None = None
    ends_at: datetime | None = None
    wrong_codes: int = 0
    due_at: datetime | None = None
    errors: int = 0

    @property
    def standing(self) -> str:
        """Say for people where it stands, in both languages."""
        match self.state:
            case VerificationState.WAITING:
                return "等待拨出 / waiting"
            case VerificationState.ASKED if self.due_at == self.ends_at:
                return "已送到，等核实码 / the code was heard or sent"
            case VerificationState.ASKED:
                return "正在拨 / under way"
            case VerificationState.VERIFIED:
                return f"已核实（{self.how.chinese if self.how else ''}） / verified"
            case VerificationState.FAILED:
                return f"未核实：{self.failed.chinese if self.failed else ''} / not verified"


VERIFICATIONS: Table[Verification] = Table(
    "verifications",
    Verification,
    ("realm", "person_id", "number_key", "state", "asked_at", "due_at"),
    (("due_at",), ("number_key",), ("asked_at",)),
)


class VerifiedPhone(Row):
    """A number that was verified as that of a person of this name: it stays so while name and number stay the same."""

    number_key: str
    name: str
    masked: str
    person_id: str
    how: VerifiedHow
    by: str
    verified_at: datetime
    verification_id: str
    withdrawn_at: datetime | None = None


VERIFIED_PHONES: Table[VerifiedPhone] = Table(
    "verified_phones", VerifiedPhone, ("number_key", "withdrawn_at"), (("withdrawn_at",),)
)
