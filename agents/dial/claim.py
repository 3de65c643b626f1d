"""Claiming: what wants a call or a message, in order, within pace and budgets, one call per number.

Runs inside one step. The claim is written before anything is dialled, and bumps the version of every callout it
speaks for, so that a claimed callout cannot be escalated behind its back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from agents.callout.decide import attempt_limit
from agents.callout.state import CALLOUTS, Callout
from agents.dial.budget import Budget, free_slots, next_slot, way_to
from agents.dial.carriers.protocol import Carrier, Dial, Script, TwoWay
from agents.dial.health import down_carriers, pace_id
from agents.dial.hear import DialReason
from agents.dial.script import script_of
from agents.dial.state import ATTEMPTS, PACES, Attempt, AttemptState, Pace
from agents.facts import Facts
from agents.phones.codes import with_code
from agents.plan.state import ROUNDS, Round
from rosters.model import Person, Phone
from rosters.numbers import mask, number_digest
from streams.ids import REAL, digest, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.letters import Letter, Move, NobodyHeld, write_letter
from streams.topics import CALLOUTS as CALLOUTS_TOPIC
from streams.words import Channel, Outcome

SPOKEN_MAX = 3
LEASE_S = 60.0
"""As long as a number rests between two diallings: what is dialled again after a lease may have rung before."""
TEXT_NEWS_S = 3600
CALL_NEWS_S = 240
JOIN_WITHIN = timedelta(seconds=180)
OTHERS_MAX = 10_000
CLAIM_MAX = 1000
"""Callouts looked at at once: the first are dialled while others are claimed, and no step grows without end."""
LOOKS_MAX = 5
"""How often one claim looks again because all it saw waits for carriers that take no more, or for stopped rounds."""


@dataclass(frozen=True)
class Target:
    """Whom a callout rings at this moment; `able` are the carriers that may dial the number, the best first."""

    person: Person
    phone_no: int
    phone: Phone
    able: tuple[Carrier, ...]
    number_key: str

    @property
    def carrier(self) -> Carrier:
        """The first of the carriers."""
        return self.able[0]


Groups = dict[tuple[str, str, str], list[tuple[Callout, Target]]]


@dataclass
class ClaimDesk:
    """Claims for one worker.

    Args:
        facts: The county and its rules.
        carriers: In the order in which they are asked whether they may dial a number.
        number_key: Secret of the keyed digests by which numbers are matched.
        owner: Which worker this is.
        budget: What one number may be rung through all carriers together.
        burst_s: Seconds of pace that may be used at once after a pause; the tick length times the clock's speed.
    """

    facts: Facts
    carriers: Sequence[Carrier]
    number_key: bytes
    owner: str
    budget: Budget = field(default_factory=Budget)
    burst_s: float = 1.0

    def claim(self, step: Step, channel: Channel, now: datetime, wall: datetime) -> list[Dial]:
        """Claim what may be dialled now and return it, worst first."""
        paces = step.load(PACES, [pace_id(carrier.name, channel) for carrier in self.carriers])
        claim = _Claim(self, step, channel, now, wall, paces)
        stopped: set[str] = set()
        for _ in range(LOOKS_MAX):
            free = claim.free()
            if not free:
                break
            limit = min(sum(free.values()) * 2 + 20, CLAIM_MAX)
            full = [carrier.name for carrier in self.carriers if carrier.name not in free]
            seen = self._wanted(step, channel, now, limit, full, stopped)
            rounds = step.load(ROUNDS, {row.round_id for row in seen})
            stopped.update(row.id for row in rounds.values() if row.stopped_at is not None)
            claim.place([row for row in seen if row.round_id not in stopped], rounds)
            if len(seen) < limit:
                break
        claim.end()
        return claim.dials

    def is_wanted(self, step: Step, channel: Channel, now: datetime) -> bool:
        """Look whether anything wants this channel: cheaper than a claim that finds nothing."""
        return bool(step.find(CALLOUTS, Where(_column(channel), "<=", now), limit=1))

    def slots(self, paces: Mapping[str, Pace], channel: Channel, now: datetime) -> dict[str, int]:
        """Return how many calls or messages each carrier may be given now."""
        slots = {}
        for carrier in self.carriers:
            pace = paces.get(pace_id(carrier.name, channel))
            per_s = _per_s(carrier, channel)
            since = pace.next_at if pace else now - timedelta(seconds=self.burst_s)
            slots[carrier.name] = free_slots(since, now, per_s, self.burst_s) if per_s > 0 else 0
        return slots

    def _wanted(
        self,
        step: Step,
        channel: Channel,
        now: datetime,
        limit: int,
        full: Sequence[str] = (),
        stopped: Collection[str] = (),
    ) -> list[Callout]:
        """Return callouts that want this channel now: by colour, then a post's first contact, then place, then age.

        The real thing goes before any drill: of the realms, `real` is the last word in the alphabet. What is known to
        wait for a carrier that is `full`, or belongs to a `stopped` round, is passed over: it would fill the window.
        """
        barred = [*(row.id for row in step.find(ROUNDS, Where("paused_until", ">", now))), *sorted(stopped)]
        conditions = [Where(_column(channel), "<=", now)]
        conditions += [Where("round_id", "not in", barred)] if barred else []
        conditions += [Where("waits_for", "not in", full)] if full else []
        return step.find(
            CALLOUTS,
            *conditions,
            order=("-realm", "-severity", "contacted", "-priority", "opened_at"),
            limit=limit,
            lock=True,
        )

    @staticmethod
    def budget_of(carrier: Carrier) -> Budget | None:
        """Return what one number may be rung through a carrier; None where its vendor sets no limit."""
        budget = getattr(carrier, "budget", None)
        return budget if isinstance(budget, Budget) else None

    def target(
        self, callout: Callout, channel: Channel, now: datetime, down: frozenset[str] = frozenset()
    ) -> Target | str:
        """Return whom a callout rings now, or why nobody can be: looked up at the moment of the attempt.

        A carrier that is `down` is taken only where no other may dial the number.
        """
        role = "deputy" if callout.target_role == "deputy" else "holder"
        if callout.target_post not in self.facts.county.posts:
            return "post_gone"
        held = self.facts.county.who(callout.target_post, now, "deputy" if role == "deputy" else "holder")
        # A notice of a shift to come is for the one who will hold the post, and for nobody else.
        person = self.facts.county.people.get(callout.person_id) or (held.person if held else None)
        if person is None:
            return "nobody_on_duty" if role == "holder" else "no_deputy"
        phones = list(enumerate(person.phones))
        if callout.number_key:
            only = callout.number_key
            phones = [(no, phone) for no, phone in phones if number_digest(phone.number, self.number_key) == only]
        if channel is Channel.TEXT:
            phones = [(no, phone) for no, phone in phones if phone.kind == "mobile"]
        elif callout.phone < len(phones):
            phones = phones[callout.phone :] + phones[: callout.phone]
        if not phones:
            return "no_phone" if channel is Channel.VOICE else "no_mobile"
        for no, phone in phones:
            able = [each for each in self.carriers if _per_s(each, channel) > 0 and each.may_dial(phone.number)]
            if able:
                well_first = tuple(sorted(able, key=lambda each: each.name in down))
                return Target(person, no, phone, well_first, number_digest(phone.number, self.number_key))
        return "number_not_approved"


class _Claim:
    """One claiming, while it is being made."""

    def __init__(
        self, desk: ClaimDesk, step: Step, channel: Channel, now: datetime, wall: datetime, paces: Mapping[str, Pace]
    ) -> None:
        self.desk, self.step, self.channel, self.now, self.wall = desk, step, channel, now, wall
        self.paces = paces
        self.slots = desk.slots(paces, channel, now)
        self.down = down_carriers(paces, [carrier.name for carrier in desk.carriers], channel, now)
        self.two_way = {carrier.name: carrier for carrier in desk.carriers if isinstance(carrier, TwoWay)}
        self.rung: set[str] = set()
        self.risen: set[str] = set()
        self.touched: set[str] = set()
        self.used: dict[str, int] = defaultdict(int)
        self.dials: list[Dial] = []
        self.attempts: list[Attempt] = []
        self.callouts: dict[str, Callout] = {}
        self.letters: list[Letter] = []
        self.entries: list[Draft] = []

    def free(self) -> dict[str, int]:
        """Return how many more calls or messages each carrier takes; carriers that take none are left out."""
        left = {name: count - self.used[name] for name, count in self.slots.items()}
        return {name: count for name, count in left.items() if count > 0}

    def place(self, wanted: Sequence[Callout], rounds: Mapping[str, Round]) -> None:
        """Group by number, look at budgets, write claims."""
        if not wanted:
            return
        self.risen |= {row.id for row in rounds.values() if row.move is Move.RAISED}
        groups = self._by_number(wanted)
        history = self._history(groups)
        others = self._others(groups) if self.channel is Channel.VOICE else {}
        for (number_key, _, _), members in groups.items():
            target, ring_at = members[0][1], self.now
            if self.channel is Channel.VOICE and self._takes_one(*target.able):
                target, ring_at = self._way(number_key, members, history)
            if ring_at > self.now:
                for callout, _ in members:
                    self._change(callout, call_at=ring_at)
                continue
            if not self._takes_one(target.carrier):
                self._let_wait(members, target.carrier)
                continue
            spoken = [callout for callout, _ in members]
            if self.channel is Channel.VOICE:
                spoken = self._join(spoken, target, others)
                self.rung.add(number_key)
            self._write(spoken[:SPOKEN_MAX] if self.channel is Channel.VOICE else spoken, target, history)
            self.used[target.carrier.name] += 1
            self.touched.update(carrier.name for carrier in target.able)
        self._save()

    def _takes_one(self, *carriers: Carrier) -> bool:
        """Tell whether any of these carriers takes one more now."""
        return any(self.used[carrier.name] < self.slots[carrier.name] for carrier in carriers)

    def _way(
        self, number_key: str, members: Sequence[tuple[Callout, Target]], history: Mapping[str, Sequence[Attempt]]
    ) -> tuple[Target, datetime]:
        """Say through which carrier a number is rung, and from when."""
        lead, target = members[0]
        overall = self.desk.budget
        if number_key in self.rung:
            # A drill and the real thing want the same phone: two calls, the second when the first is over.
            return target, self.now + timedelta(seconds=overall.gap_s)
        # What is kept for a rise and for red is kept for the real thing: no drill uses it up.
        severity = lead.severity if lead.realm == REAL else 0
        rise = lead.realm == REAL and any(callout.round_id in self.risen for callout, _ in members)
        ways = {carrier.name: self.desk.budget_of(carrier) for carrier in target.able}
        name, at = way_to(history.get(number_key, ()), ways, overall, severity, self.now, rise=rise)
        chosen = sorted(target.able, key=lambda carrier: carrier.name != name)
        return replace(target, able=tuple(chosen)), at

    def _let_wait(self, members: Sequence[tuple[Callout, Target]], carrier: Carrier) -> None:
        """Leave callouts for a carrier that takes no more; where another still does, note it, to look past them."""
        if self.free():
            for callout, _ in members:
                if callout.waits_for != carrier.name:
                    self._change(callout, waits_for=carrier.name)

    def _by_number(self, wanted: Sequence[Callout]) -> Groups:
        """Group by number, carrier and realm: a drill never stands in one call with the real thing."""
        groups: Groups = {}
        for callout in wanted:
            found = self.desk.target(callout, self.channel, self.now, self.down)
            if isinstance(found, str):
                self._nobody(callout, found)
                continue
            groups.setdefault((found.number_key, found.carrier.name, callout.realm), []).append((callout, found))
        return groups

    def _nobody(self, callout: Callout, why: str) -> None:
        """Take a callout that nobody can be rung for out of the queue, and tell CALLOUT."""
        if self.channel is Channel.TEXT:
            changed = self._change(callout, text_at=None)
            if callout.mode == "call":
                # The call is what counts; that no message could be sent beside it is written down only.
                self.entries.append(self._entry(callout, "text_not_sent", {"why": why}))
                return
        else:
            changed = self._change(callout, call_at=None)
        message = NobodyHeld(
            callout_id=callout.id, version=changed.version + 1, post_id=callout.target_post, why=why, at=self.now
        )
        cause = f"{callout.version}:{callout.step}:{self.channel}"
        self.letters.append(write_letter(CALLOUTS_TOPIC, callout.id, message, self.now, cause=cause))

    def _history(self, groups: Iterable[tuple[str, str, str]]) -> Mapping[str, list[Attempt]]:
        """Return the calls of the last 24 hours to each number, whichever post or household shares it."""
        if self.channel is Channel.TEXT:
            return {}
        keys = list(dict.fromkeys(number_key for number_key, _, _ in groups))
        history: dict[str, list[Attempt]] = defaultdict(list)
        since = self.now - timedelta(hours=24)
        for attempt in self.step.find(
            ATTEMPTS, Where("number_key", "in", keys), Where("dialled_at", ">", since), limit=100_000
        ):
            # What a busy vendor did not take never rang: it uses up nothing of what a number may be rung.
            # Nor does a call back, once it is over.
            called_back = attempt.direction == "inbound" and attempt.state is AttemptState.ENDED
            refused = attempt.outcome is Outcome.VENDOR_BUSY
            if attempt.channel is Channel.VOICE and not refused and not called_back:
                history[attempt.number_key].append(attempt)
        return history

    def _others(self, groups: Groups) -> dict[str, list[Callout]]:
        """Return, by post, what else wants a call soon and might share a number that is rung now."""
        numbers = {members[0][1].phone.number for members in groups.values()}
        county = self.desk.facts.county
        posts = {post for number in numbers for post in county.posts_of_number(number, self.now)}
        wanted = {callout.id for members in groups.values() for callout, _ in members}
        waiting = self.step.find(
            CALLOUTS,
            Where("target_post", "in", sorted(posts)),
            Where("call_at", "<=", self.now + JOIN_WITHIN),
            # Most of what waits at these posts is what is claimed now, and reading a row is what costs.
            Where("id", "not in", sorted(wanted)),
            limit=OTHERS_MAX,
        )
        rounds = self.step.load(ROUNDS, {callout.round_id for callout in waiting})
        others: dict[str, list[Callout]] = defaultdict(list)
        for callout in waiting:
            row = rounds[callout.round_id]
            paused = row.paused_until is not None and row.paused_until > self.now
            if row.stopped_at is None and not paused:
                others[callout.target_post].append(callout)
        return others

    def _join(self, spoken: list[Callout], target: Target, others: Mapping[str, list[Callout]]) -> list[Callout]:
        """Bring in everything else that waits for this number, worst first: one phone rings once."""
        posts = self.desk.facts.county.posts_of_number(target.phone.number, self.now) if others else ()
        for callout in (item for post in posts for item in others.get(post, ())):
            if callout.id in self.callouts or callout.realm != spoken[0].realm:
                continue
            found = self.desk.target(callout, self.channel, self.now, self.down)
            if isinstance(found, Target) and found.number_key == target.number_key:
                spoken.append(callout)
        return sorted(spoken, key=lambda item: (-item.severity, -item.priority, item.opened_at, item.id))

    def _write(self, spoken: Sequence[Callout], target: Target, history: Mapping[str, list[Attempt]]) -> None:
        lead = spoken[0]
        recent = [
            item for item in history.get(target.number_key, ()) if item.dialled_at > self.now - timedelta(hours=1)
        ]
        count = lead.calls if self.channel is Channel.VOICE else lead.texts
        attempt_id = make_id(
            lead.realm, "attempt", lead.id, str(lead.step), str(count + 1), self.channel, target.number_key
        )
        two_way = self.two_way.get(target.carrier.name)
        replies = two_way is not None and two_way.takes_replies(target.phone.number)
        said = [with_code(callout, self.desk.number_key) for callout in spoken]
        script = script_of(said, self.channel, self.desk.facts.book, replies=replies)
        news_s = CALL_NEWS_S if self.channel is Channel.VOICE else TEXT_NEWS_S
        attempt = Attempt(
            id=attempt_id,
            realm=lead.realm,
            channel=self.channel,
            carrier=target.carrier.name,
            number_key=target.number_key,
            masked=mask(target.phone.number),
            person_id=target.person.id,
            phone=target.phone_no,
            callouts=tuple(callout.id for callout in spoken),
            rounds=tuple(dict.fromkeys(callout.round_id for callout in spoken)),
            severity=lead.severity,
            voice=script.voice,
            text=script.text,
            prompt=script.prompt,
            language=script.language,
            exercise=script.exercise,
            state=AttemptState.CLAIMED,
            owner=self.desk.owner,
            lease_until=self.wall + timedelta(seconds=LEASE_S),
            dialled_at=self.now,
            dial_no=len(recent) + 1,
            due_at=self.now + timedelta(seconds=news_s),
        )
        self.attempts.append(attempt)
        self.dials.append(dial_of(attempt, target.phone.number))
        for callout in spoken:
            self._claimed(callout, attempt, target)

    def _claimed(self, callout: Callout, attempt: Attempt, target: Target) -> None:
        first = not callout.contacted
        if self.channel is Channel.VOICE:
            self._change(
                callout,
                attempt_id=attempt.id,
                call_at=None,
                calls=callout.calls + 1,
                calls_in_step=callout.calls_in_step + 1,
                contacted=True,
                step_started_at=callout.step_started_at or self.now,
                first_dial_at=callout.first_dial_at or self.now,
                last_dial_at=self.now,
                due_at=attempt_limit(self.now),
            )
        else:
            self._change(callout, text_at=None, texts=callout.texts + 1)
        words = attempt.voice if self.channel is Channel.VOICE else attempt.text
        noted = {
            "attempt": attempt.id,
            "channel": self.channel,
            "carrier": attempt.carrier,
            "number": attempt.masked,
            "person": target.person.id,
            "post": callout.target_post,
            "role": callout.target_role,
            "said": digest(words, length=16),
            "with_others": len(attempt.callouts) - 1,
            "roster": self.desk.facts.county.version,
        }
        if first and self.channel is Channel.VOICE:
            noted["first_after_s"] = round((self.now - callout.opened_at).total_seconds(), 3)
        self.entries.append(self._entry(callout, "dialled", noted))

    def _change(self, callout: Callout, **changes: object) -> Callout:
        changed = self.callouts.get(callout.id, callout).model_copy(update=changes)
        self.callouts[callout.id] = changed
        return changed

    def _entry(self, callout: Callout, what: str, facts: Mapping[str, object]) -> Draft:
        return Draft(subject=callout.id, what=what, why=DialReason.CLAIMED, by="dial", at=self.now, facts=facts)

    def _save(self) -> None:
        step = self.step
        step.save(ATTEMPTS, self.attempts)
        step.save(CALLOUTS, self.callouts.values())
        step.write(self.letters)
        step.append(self.entries)
        # The next look reads anew what this one wrote.
        self.attempts, self.callouts, self.letters, self.entries = [], {}, [], []

    def end(self) -> None:
        """Advance the pace of every carrier that was used.

        Also of those that were not but might have rung the same numbers: of two desks that claim at once, each through
        a carrier of its own, one is told to begin again, and no number rings twice.
        """
        moved = []
        for carrier in self.desk.carriers:
            if carrier.name in self.touched:
                name = pace_id(carrier.name, self.channel)
                # As it was before anything was looked up: of two desks that claim at once, one is told to begin again.
                pace = self.paces.get(name, Pace(id=name, next_at=self.now))
                used, per_s = self.used[carrier.name], _per_s(carrier, self.channel)
                at = next_slot(pace.next_at, self.now, per_s, self.desk.burst_s, used) if used else pace.next_at
                moved.append(pace.model_copy(update={"next_at": at}))
        self.step.save(PACES, moved)


def spoken_by(attempt: Attempt) -> Script:
    """Return what an attempt says, as it was frozen when it was claimed."""
    return Script(
        voice=attempt.voice,
        text=attempt.text,
        prompt=attempt.prompt,
        language=attempt.language,
        exercise=attempt.exercise,
    )


def dial_of(attempt: Attempt, number: str) -> Dial:
    """Return what a carrier is handed for an attempt."""
    return Dial(
        attempt_id=attempt.id,
        channel=attempt.channel,
        number=number,
        script=spoken_by(attempt),
        dial_no=attempt.dial_no,
        at=attempt.dialled_at,
        carrier=attempt.carrier,
    )


def _column(channel: Channel) -> str:
    return "call_at" if channel is Channel.VOICE else "text_at"


def _per_s(carrier: Carrier, channel: Channel) -> float:
    return carrier.pace_per_s if channel is Channel.VOICE else carrier.texts_per_s
