"""What a shift keeps besides callouts: hard measures in force (刚性措施), and equipment as whoever left saw it.

People enter and lift measures; the machine only carries them from one shift to the next, and orders and lifts none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from agents.duty.decide import DutyReason
from agents.duty.state import HANDOVERS, Equipment, Handover, Measure
from agents.facts import Facts
from rosters.changes import ChangeError
from rosters.model import Person
from streams.ledger.contract import Draft, Step, Where

MEASURES_MAX = 100


def seen(
    handover: Handover, told: Sequence[Equipment], person: Person | None, now: datetime, facts: Facts
) -> tuple[Equipment, ...]:
    """Return the equipment of a handover as whoever leaves saw it: everything the county lists, and what failed before.

    Raises:
        ChangeError: Nothing was said of a piece of it.
    """
    wanted = dict.fromkeys((*facts.book.knobs.duty.equipment, *(each.name for each in handover.equipment)))
    said = {each.name: each for each in told}
    silent = [name for name in wanted if name not in said]
    if silent:
        raise ChangeError(
            "equipment",
            f"请逐项登记设备情况，还缺：{'、'.join(silent)}。",
            f"Say of each piece of equipment whether it works; missing: {', '.join(silent)}.",
        )
    by = person.name if person else ""
    return tuple(each.model_copy(update={"by": by, "at": now}) for each in said.values())


def note_measure(step: Step, post_id: str, text: str, *, on_word_of: str, by: str, now: datetime) -> Handover:
    """Note a measure that is in force at a duty post; it goes on from shift to shift until somebody lifts it.

    Raises:
        ChangeError: No shift of this post was opened yet, nothing is said, or there are too many.
    """
    if not text.strip() or not on_word_of.strip():
        raise ChangeError("text", "请写明措施内容和依据谁的指令。", "Say what the measure is, and on whose word.")
    row = _current(step, post_id, now)
    if len(row.measures) >= MEASURES_MAX:
        raise ChangeError("text", "在办措施过多，请先解除已结束的。", "There are too many measures; lift some first.")
    measure = Measure(text=text.strip(), on_word_of=on_word_of.strip(), by=by, since=now)
    kept = row.model_copy(update={"measures": (*row.measures, measure)})
    step.save(HANDOVERS, [kept])
    noted = {"post": post_id, "text": measure.text, "on_word_of": measure.on_word_of}
    step.append([_entry(row, "measure_noted", DutyReason.MEASURE_NOTED, by, now, noted)])
    return kept


def lift_measure(step: Step, post_id: str, text: str, *, on_word_of: str, by: str, now: datetime) -> Handover:
    """Note that a measure was lifted, named by its words.

    Raises:
        ChangeError: No measure of these words is in force there, or nobody is named.
    """
    row = _current(step, post_id, now)
    if not on_word_of.strip():
        raise ChangeError("on_word_of", "请写明依据谁的指令解除。", "Say on whose word it is lifted.")
    if not any(each.text == text.strip() and each.lifted_at is None for each in row.measures):
        raise ChangeError("text", "没有这项在办措施，请核对内容。", "No such measure is in force; check its words.")
    lifted = {"lifted_at": now, "lifted_by": on_word_of.strip()}
    measures = tuple(
        each.model_copy(update=lifted) if each.text == text.strip() and each.lifted_at is None else each
        for each in row.measures
    )
    kept = row.model_copy(update={"measures": measures})
    step.save(HANDOVERS, [kept])
    noted = {"post": post_id, "text": text.strip(), "on_word_of": on_word_of.strip()}
    step.append([_entry(row, "measure_lifted", DutyReason.MEASURE_LIFTED, by, now, noted)])
    return kept


def _current(step: Step, post_id: str, now: datetime) -> Handover:
    """Return the newest record of a post: a shift about to begin already carries what is in force."""
    rows = step.find(HANDOVERS, Where("post_id", "=", post_id), order=("-starts_at",), limit=1)
    if not rows:
        raise ChangeError(
            "post",
            "这个岗位还没有交接班记录：请核对编号，并开启交接班（duty.handovers）。",
            "This post has no handover yet: check its id, and switch handovers on (duty.handovers).",
        )
    return rows[0]


def _entry(row: Handover, what: str, why: DutyReason, by: str, now: datetime, facts: dict[str, str]) -> Draft:
    return Draft(subject=row.id, what=what, why=why, by=by, at=now, facts=facts)
