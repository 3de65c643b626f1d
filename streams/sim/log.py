"""The log between workers: it carries pages as bytes, and doubles, delays, reorders, loses and forgets them.

Like the embedded broker it keeps nothing over a restart. Like any broker it may have a message whose sender was told
that it failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streams.sim.faults import Chance, Fault
from streams.sim.tasks import Tasks

Message = tuple[str, int | None, bytes, bytes]
DELIVERY_S = (0.02, 0.3)
LATE_S = (3.0, 90.0)


class Log:
    """One broker for all workers."""

    def __init__(self, tasks: Tasks, chance: Chance, hand: Callable[[str, bytes], None]) -> None:
        """Take what hands a message (topic, value) to one of the workers."""
        self.faults: frozenset[Fault] = frozenset()
        self.is_away = False
        self.lost = self.doubled = 0
        self._tasks, self._chance, self._hand = tasks, chance, hand
        self._life = 0

    def send(self, messages: Sequence[Message]) -> bool:
        """Take messages; False where their sender is told that it failed."""
        if self.is_away:
            return False
        for topic, _, _, value in messages:
            if Fault.LOG_LOSS in self.faults and self._chance.happens(0.08):
                self.lost += 1
                continue
            self._carry(topic, value)
            if Fault.LOG_DOUBLE in self.faults and self._chance.happens(0.15):
                self.doubled += 1
                self._carry(topic, value)
        return not (Fault.LOG_AWAY in self.faults and self._chance.happens(0.02))

    def restart(self) -> None:
        """Forget everything that is under way."""
        self._life += 1

    def _carry(self, topic: str, value: bytes) -> None:
        late = Fault.LOG_DELAY in self.faults and self._chance.happens(0.12)
        life = self._life

        def arrive() -> None:
            if life == self._life:
                self._hand(topic, value)

        self._tasks.do(self._chance.between(*(LATE_S if late else DELIVERY_S)), arrive)
