"""The small closed sets that everything else is written with: colour, channel, outcome, what a message is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen value with no fields beyond those declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """Make one of values that were validated before, every field among them; nothing is looked at again."""
        made = cls.__new__(cls)
        put = object.__setattr__
        put(made, "__dict__", values)
        put(made, "__pydantic_fields_set__", set(values))
        put(made, "__pydantic_extra__", None)
        put(made, "__pydantic_private__", None)
        return made


class Colour(StrEnum):
    """The four colours of a warning, §63 突发事件应对法; `severity` orders them."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def severity(self) -> int:
        """Return 1 (blue) to 4 (red)."""
        return ("blue", "yellow", "orange", "red").index(self.value) + 1

    @property
    def chinese(self) -> str:
        """Return 蓝色 … 红色."""
        return {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}[self.value]


class Status(StrEnum):
    """What a CAP document is meant as; only ACTUAL ever calls as the real thing."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    """What a warning does to its chain. ACK and ERROR are traffic between systems and call nobody."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Level(StrEnum):
    """The level of a region, or a site inside one."""

    COUNTY = "county"
    TOWNSHIP = "township"
    VILLAGE = "village"
    SITE = "site"


class Channel(StrEnum):
    """How a post is reached: the machine rings, a message goes, or a person calls and writes down what came of it."""

    VOICE = "voice"
    TEXT = "text"
    HAND = "hand"


class Outcome(StrEnum):
    """How one attempt ended. Each has its next step in `agents/callout/outcomes.py`.

    CONFIRMED, FETCHING and CANNOT are keys 1, 2 and 0, and count only after the whole message was played. SPOKEN and
    PROXY are what a person wrote down who made the call: spoken to whom it was for, or to who passes it on.
    """

    CONFIRMED = "confirmed"
    FETCHING = "fetching"
    CANNOT = "cannot"
    HEARD_NO_KEY = "heard_no_key"
    HUNG_UP_EARLY = "hung_up_early"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    VOICEMAIL = "voicemail"
    SWITCHED_OFF = "switched_off"
    NO_COVERAGE = "no_coverage"
    OUT_OF_SERVICE = "out_of_service"
    WRONG_NUMBER = "wrong_number"
    BARRED = "barred"
    VENDOR_BUSY = "vendor_busy"
    VENDOR_FAILED = "vendor_failed"
    NO_NEWS = "no_news"
    STOPPED = "stopped"
    TEXT_SENT = "text_sent"
    TEXT_DELIVERED = "text_delivered"
    TEXT_FAILED = "text_failed"
    SPOKEN = "spoken"
    PROXY = "proxy"
