"""One telephone of a simulated night: what it does, what came to it, and what is expected of it.

Everything that came to it is read from the ledger; what it does by itself is its habit.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from agents.dial.carriers.simulated import Habit, Kind
from agents.dial.state import ATTEMPTS, Attempt
from rosters.numbers import mask, number_digest
from streams import topics
from streams.ledger.contract import Where
from streams.letters import CallNews, TextReplied, write_letter
from streams.words import Channel, Outcome

if TYPE_CHECKING:
    from streams.replay.night import Night


class UnexpectedError(AssertionError):
    """A night went another way than was expected."""


class SimPhone:
    """A telephone by its number."""

    def __init__(self, night: Night, number: str) -> None:
        self.night = night
        self.number = number

    def habit(self, kind: str, *, after: int = 0) -> Self:
        """Give it a habit from now on; see `agents/dial/carriers/simulated.py`."""
        self.night.habits[self.number] = Habit(kind=Kind(kind), after=after)
        return self

    def replies(self, text: str) -> Self:
        """Let its holder send an SMS answer now."""
        night = self.night
        message = TextReplied(
            realm=night.realm,
            number_key=self._key,
            masked=mask(self.number),
            text=text,
            vendor_id=f"sms-{night.now.isoformat()}",
            at=night.now,
        )
        key = f"{night.realm}|number|{self._key}"
        night.put(write_letter(topics.CALLS, key, message, night.now, cause=message.vendor_id))
        return self

    def reports(
        self,
        progress: str,
        *,
        call: int = -1,
        key: str = "",
        outcome: Outcome | None = None,
        at: datetime | None = None,
    ) -> Self:
        """Let the network tell something about one of its calls only now, however late (`call` counts from 0)."""
        night, attempt = self.night, self.calls[call]
        news = CallNews.model_validate(
            {
                "attempt_id": attempt.id,
                "seq": attempt.seq + 1,
                "progress": progress,
                "key": key,
                "outcome": outcome,
                "at": at or night.now,
            }
        )
        night.put(write_letter(topics.CALLS, attempt.id, news, night.now, cause=f"{attempt.id}:late:{news.seq}"))
        return self

    @property
    def calls(self) -> list[Attempt]:
        """Every call to this number, oldest first."""
        return self._attempts(Channel.VOICE)

    @property
    def texts(self) -> list[Attempt]:
        """Every message to this number, oldest first."""
        return self._attempts(Channel.TEXT)

    @property
    def new_calls(self) -> list[Attempt]:
        """The calls since the last thing that came in."""
        return [call for call in self.calls if self.night.is_news(call)]

    @property
    def new_texts(self) -> list[Attempt]:
        """The messages since the last thing that came in."""
        return [text for text in self.texts if self.night.is_news(text)]

    def expects_call(self, times: int | None = None) -> Self:
        """Say that it rang since the last thing that came in: at least once, or so many times.

        Raises:
            UnexpectedError: It did not.
        """
        return self._expect("call", self.new_calls, times)

    def expects_no_call(self) -> Self:
        """Say that it did not ring since the last thing that came in.

        Raises:
            UnexpectedError: It did.
        """
        return self._expect("call", self.new_calls, 0)

    def expects_text(self, words: str = "") -> Self:
        """Say that a message came since the last thing that came in, one that holds these words.

        Raises:
            UnexpectedError: None did.
        """
        return self._expect("text", [text for text in self.new_texts if words in text.text], None)

    def expects_no_text(self, words: str = "") -> Self:
        """Say that no message came since the last thing that came in, or none that holds these words.

        Raises:
            UnexpectedError: One did.
        """
        return self._expect("text", [text for text in self.new_texts if words in text.text], 0)

    @property
    def _key(self) -> str:
        return number_digest(self.number, self.night.house.number_key)

    def _attempts(self, channel: Channel) -> list[Attempt]:
        mine = self.night.find(ATTEMPTS, Where("number_key", "=", self._key), order=("dialled_at",))
        return [attempt for attempt in mine if attempt.channel is channel]

    def _expect(self, what: str, found: list[Attempt], times: int | None) -> Self:
        if (len(found) > 0) if times is None else (len(found) == times):
            return self
        wanted = "at least one" if times is None else str(times or "no")
        zone = self.night.county.zone
        seen = [
            f"{item.dialled_at.astimezone(zone):%H:%M:%S} {item.channel} {item.outcome or 'under way'}"
            for item in (*self.calls, *self.texts)
        ]
        raise UnexpectedError(
            f"{self.number} expected {wanted} {what} since the last thing that came in, by {self.night.local}, "
            f"and had {len(found)}; all that ever came to it: {', '.join(seen) or 'nothing'}"
        )
