"""What is counted, for Prometheus: a projection of the entries that were committed to the ledger, and nothing besides.

The pump shows each entry it publishes to `Metrics.see`; so a count is of something that happened and stands in the
ledger, never of something that was only tried. Labels come from closed sets: a word that is not in them is counted
under `other`. Never put here: a number, a name, an id, or any text that came from outside.

Each worker counts what it published itself: sum over workers to get the whole.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from agents.callout.course import CalloutReason
from agents.dial.hear import DialReason
from agents.duty.decide import DutyReason
from agents.intake.decide import IntakeReason
from agents.phones.decide import PhonesReason
from agents.plan.decide import PlanReason
from agents.sense.decide import Reason as SenseReason
from agents.sense.state import Verdict
from agents.visit.decide import VisitReason
from streams.ids import REAL
from streams.ledger.contract import Entry
from streams.letters import HandResult
from streams.rooms import DueReason
from streams.words import Channel, Outcome

OTHER = "other"
REALM_KINDS = (REAL, "drill", "check")
CARRIERS = ("simulated", "twilio", "by_hand")
DIAL_BUCKETS_S = (0.5, 1, 2, 5, 10, 30, 60, 120, 180, 300, 600)
CONFIRM_BUCKETS_S = (10, 20, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
SEEN_MAX = 20_000

REASONS: Mapping[str, frozenset[str]] = {
    "intake": frozenset([*IntakeReason, DueReason.RAISED]),
    "plan": frozenset([*PlanReason, DueReason.RAISED]),
    "callout": frozenset([*CalloutReason, DueReason.RAISED]),
    "dial": frozenset([*DialReason, DueReason.RAISED]),
    "visit": frozenset([*VisitReason, DueReason.RAISED]),
    "duty": frozenset([*DutyReason, DueReason.RAISED]),
    "phones": frozenset([*PhonesReason, DueReason.RAISED]),
    "sense": frozenset([*SenseReason, Verdict.ABSURD, DueReason.RAISED]),
}
"""Every room, and the reasons it gives."""

DOORS = "doors"
DONE_AT_DOORS = frozenset({"number_approved", "ordered", "refused", "token_issued", "token_revoked", "trouble_closed"})
"""What doors and pages write down; they give no reasons of a closed set, so what was done stands in their place."""

ROOM_OF_KIND = {
    "chain": "intake",
    "callout": "callout",
    "attempt": "dial",
    "number": "dial",
    "visit": "visit",
    "duty": "duty",
    "handover": "duty",
    "zeroreport": "duty",
    "spotcheck": "duty",
    "verification": "phones",
    "phone": "phones",
    "ask": "duty",
    "change": "duty",
    "rosterversion": "duty",
    "station": "sense",
    "door": DOORS,
    "order": DOORS,
    "token": DOORS,
    "trouble": DOORS,
    "approval": DOORS,
}
"""Which room writes entries about a subject of a kind, where the entry itself does not tell."""

WARNING_REASONS: Mapping[str, tuple[IntakeReason, ...]] = {
    "warning": (
        IntakeReason.OPENED,
        IntakeReason.RAISED,
        IntakeReason.WIDENED,
        IntakeReason.CONTINUED,
        IntakeReason.LOWERED,
        IntakeReason.CANCELLED,
        IntakeReason.CANCELLED_BEFORE_ARRIVAL,
        IntakeReason.DUPLICATE,
        IntakeReason.OLDER,
        IntakeReason.NOT_ACTUAL,
        IntakeReason.NO_CALL_TYPE,
        IntakeReason.OUTSIDE,
        IntakeReason.UNCLEAR,
        IntakeReason.TOO_OLD,
        IntakeReason.CLOSED,
    ),
    "order": (
        IntakeReason.OPENED,
        IntakeReason.CANCELLED,
        IntakeReason.CORRECTED,
        IntakeReason.PAUSED,
        IntakeReason.RESUMED,
        IntakeReason.CLOSED,
    ),
    "monitor": (
        IntakeReason.OPENED,
        IntakeReason.GATED,
        IntakeReason.CORROBORATED,
        IntakeReason.RAISED,
        IntakeReason.WIDENED,
        IntakeReason.JOINED,
    ),
    "time": (IntakeReason.GATE_PASSED, IntakeReason.SHIFT_CHANGED, IntakeReason.EXPIRED),
}
"""What moves a chain, and the reasons INTAKE gives for it: the series that stand at 0 before anything happened."""

CALLOUT_TURNS: Mapping[str, tuple[CalloutReason, ...]] = {
    "opened": (CalloutReason.OPENED, CalloutReason.OPENED_TO_TELL),
    "held": (CalloutReason.HELD_QUIET,),
    "confirmed": (CalloutReason.CONFIRMED, CalloutReason.CONFIRMED_LATE),
    "vouched": (CalloutReason.VOUCHED,),
    "knocked": (CalloutReason.KNOCKED,),
    "replied": (CalloutReason.REPLIED,),
    "told": (CalloutReason.TEXT_HANDED_OVER,),
    "gave_up": (
        CalloutReason.CALLS_USED_UP,
        CalloutReason.NEXT_PERSON,
        CalloutReason.CANNOT_COME,
        CalloutReason.NOBODY_HOLDS,
        CalloutReason.NO_DEPUTY,
        CalloutReason.DIAL_GIVEN_UP,
        CalloutReason.OPENED,
    ),
    "stopped": (CalloutReason.STOPPED,),
}
"""The entries by which a callout begins or ends, and why."""

NOBODY_BECAUSE = ("nobody_on_duty", "no_deputy", "post_gone", "no_phone", "no_mobile", "number_not_approved", OTHER)
DEAD_DOORS = ("warnings", "readings", *REASONS, OTHER)
ALARM_REASONS = (
    SenseReason.RAIN_CROSSED,
    SenseReason.LEVEL_CROSSED,
    SenseReason.CROSSED_LONG_AGO,
    Verdict.ABSURD,
)
CHANNELS, OUTCOMES = frozenset(Channel), frozenset(Outcome)
CHANNEL_OUTCOMES = (
    *((Channel.VOICE, outcome) for outcome in Outcome if not outcome.startswith("text_")),
    *((Channel.HAND, Outcome(each.value)) for each in HandResult if each is not HandResult.TAKEN),
    *((Channel.HAND, outcome) for outcome in (Outcome.NO_NEWS, Outcome.STOPPED)),
    *((Channel.TEXT, outcome) for outcome in Outcome if outcome.startswith(("text_", "vendor_"))),
)


class Metrics:
    """The families of one process, on a registry of its own, every known combination of labels at 0 from the start."""

    def __init__(self, registry: CollectorRegistry, carriers: Sequence[str] = CARRIERS) -> None:
        """Build the families; `carriers` are the names that a carrier may have."""
        self._carriers = frozenset(carriers)
        self._seen: OrderedDict[str, None] = OrderedDict()

        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(f"jiaoying_{name}", meaning, ("realm_kind", *labels), registry=registry)

        def histogram(name: str, meaning: str, buckets_s: Sequence[float]) -> Histogram:
            return Histogram(f"jiaoying_{name}", meaning, ("realm_kind",), registry=registry, buckets=buckets_s)

        self.warnings = counter(
            "warnings", "Moves of chains: what came in, or the time, and what it did.", "source", "reason"
        )
        self.callouts = counter("callouts", "Callouts begun and ended, and why.", "what", "reason")
        self.attempts = counter(
            "attempts",
            "Ends of calls and messages; one that was corrected later counts under both.",
            "carrier",
            "channel",
            "outcome",
        )
        self.alarms = counter("alarms", "Thresholds crossed, and values left out.", "reason")
        self.nobody = counter("nobody_on_duty", "Posts that nobody could be rung for, and why.", "because")
        self.visits = counter("visits", "Steps of visit lists.", "reason")
        self.dead_letters = counter("dead_letters", "Input refused or not handled, kept with its reason.", "door")
        self.steps = counter("steps", "Entries written, by the room that decided and its reason.", "room", "reason")
        self.to_dial = histogram("seconds_to_dial", "From opening a callout to its first dialling.", DIAL_BUCKETS_S)
        self.to_confirm = histogram("seconds_to_confirm", "From opening a callout to the key 1.", CONFIRM_BUCKETS_S)
        self._start_at_zero()

    def see(self, entries: Iterable[Mapping[str, Any] | Entry]) -> None:
        """Count entries that were committed; one shown twice (the pump may) counts once."""
        for shown in entries:
            entry = shown.model_dump(mode="json") if isinstance(shown, Entry) else shown
            if self._is_new(str(entry["hash"])):
                self._count(entry)

    def _is_new(self, entry_hash: str) -> bool:
        if entry_hash in self._seen:
            return False
        self._seen[entry_hash] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        return True

    def _count(self, entry: Mapping[str, Any]) -> None:
        what, why, facts = str(entry["what"]), str(entry["why"]), entry["facts"]
        realm_kind, kind = _parts_of(str(entry["subject"]))
        room = _room_of(entry, kind)
        reason = _among(what, DONE_AT_DOORS) if room == DOORS else _among(why, REASONS.get(room, ()))
        self.steps.labels(realm_kind, room, reason).inc()
        if what == "refused":
            self.dead_letters.labels(realm_kind, _among(str(facts.get("door")), DEAD_DOORS)).inc()
        elif what == "letter_dead":
            self.dead_letters.labels(realm_kind, room).inc()
        elif what == "step_failed":
            # Nothing moved: the step is only put off, and is counted under its room already.
            return
        elif room == "intake":
            self.warnings.labels(realm_kind, _source_of(what, facts), _among(why, REASONS["intake"])).inc()
        elif room == "sense":
            self.alarms.labels(realm_kind, _among(why, REASONS["sense"])).inc()
        elif room == "visit":
            self.visits.labels(realm_kind, _among(why, REASONS["visit"])).inc()
        elif kind == "attempt" and what == "attempt_ended":
            self._count_attempt(realm_kind, facts)
        elif kind == "callout":
            self._count_callout(realm_kind, what, why, facts)

    def _count_attempt(self, realm_kind: str, facts: Mapping[str, Any]) -> None:
        carrier = _among(str(facts.get("carrier")), self._carriers)
        channel = _among(str(facts.get("channel")), CHANNELS)
        self.attempts.labels(realm_kind, carrier, channel, _among(str(facts.get("outcome")), OUTCOMES)).inc()

    def _count_callout(self, realm_kind: str, what: str, why: str, facts: Mapping[str, Any]) -> None:
        if what in CALLOUT_TURNS:
            self.callouts.labels(realm_kind, what, _among(why, REASONS["callout"])).inc()
        if what == "dialled" and "first_after_s" in facts:
            self.to_dial.labels(realm_kind).observe(float(facts["first_after_s"]))
        elif what == "confirmed":
            self.to_confirm.labels(realm_kind).observe(float(facts["after_s"]))
        elif what == "nobody_held":
            self.nobody.labels(realm_kind, _among(str(facts.get("because")), NOBODY_BECAUSE)).inc()

    def _start_at_zero(self) -> None:
        """Make every series that can be foreseen: one that appears only with its first event has no increase."""
        foreseen: Mapping[Counter, Iterable[tuple[str, ...]]] = {
            self.warnings: [(source, reason) for source, reasons in WARNING_REASONS.items() for reason in reasons],
            self.callouts: [(what, reason) for what, reasons in CALLOUT_TURNS.items() for reason in reasons],
            self.attempts: [(carrier, *pair) for carrier in sorted(self._carriers) for pair in CHANNEL_OUTCOMES],
            self.alarms: [(reason,) for reason in ALARM_REASONS],
            self.nobody: [(because,) for because in NOBODY_BECAUSE],
            self.visits: [(reason,) for reason in VisitReason],
            self.dead_letters: [(door,) for door in DEAD_DOORS],
            self.steps: [
                (room, reason)
                for room, reasons in {**REASONS, DOORS: DONE_AT_DOORS}.items()
                for reason in sorted(reasons)
            ],
        }
        for realm_kind in REALM_KINDS:
            for family, rows in foreseen.items():
                for row in rows:
                    family.labels(realm_kind, *row)
            self.to_dial.labels(realm_kind)
            self.to_confirm.labels(realm_kind)


def realm_kind_of(realm: str) -> str:
    """Return real, drill or check for a realm; what has no realm of its own (a door, a vendor) is real."""
    return _among(realm.split(":", 1)[0], REALM_KINDS, REAL)


def _parts_of(subject: str) -> tuple[str, str]:
    """Return the realm's kind and the kind of thing that a subject names."""
    realm, _, rest = subject.partition("|")
    return realm_kind_of(realm), rest.partition("|")[0]


def _room_of(entry: Mapping[str, Any], kind: str) -> str:
    """Return the room that decided, which is not always the `by` of the entry: that may be a person or a carrier."""
    if entry["what"] == "letter_dead":
        return _among(str(entry["by"]), REASONS)
    if entry["why"] in (DialReason.CLAIMED, DialReason.CALLED_BACK, DialReason.ASKED_BY_HAND):
        return "dial"
    if kind == "chain" and entry["by"] in ("plan", "callout"):
        return str(entry["by"])
    return ROOM_OF_KIND.get(kind, OTHER)


def _source_of(what: str, facts: Mapping[str, Any]) -> str:
    """Return what moved a chain: a warning, a person's order, an internal alarm, or the time."""
    if what.startswith("order_"):
        return "order"
    if what == "alarm_joined":
        return "monitor"
    if "warning" in facts:
        return "warning"
    _, kind = _parts_of(str(facts.get("cause", "")))
    return {"warning": "warning", "order": "order", "alarm": "monitor", "chain": "time"}.get(kind, OTHER)


def _among(word: str, words: Iterable[str], otherwise: str = OTHER) -> str:
    """Return a word if it is one of a closed set."""
    return word if word in words else otherwise
