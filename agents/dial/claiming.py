"""Writing claims: by number, within budgets and pace, one call for everything that is open for a number.

Nothing is dialled here, and nothing is decided about a callout: the claim is what DIAL does to the row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from agents.callout.decide import attempt_limit
from agents.callout.state import CALLOUTS, Callout
from agents.dial import hand
from agents.dial.budget import next_slot, way_to
from agents.dial.carriers import by_hand
from agents.dial.carriers.protocol import Carrier, Dial, TwoWay
from agents.dial.health import down_carriers, pace_id
from agents.dial.hear import DialReason
from agents.dial.script import dial_of, script_of
from agents.dial.state import ATTEMPTS, PACES, Attempt, AttemptState, Pace
from agents.dial.target import Groups, Members, Target, per_s
from agents.duty.notices import Notice, open_notices
from agents.phones.codes import with_code
from agents.plan.state import ROUNDS, Round
from rosters.numbers import BY_HAND_SCHEME, mask
from streams.ids import REAL, digest, make_id
from streams.ledger.contract import Draft, Step, Where
from streams.letters import Letter, Move, NobodyHeld, write_letter
from streams.topics import CALLOUTS as CALLOUTS_TOPIC
from streams.words import Channel, Outcome

if TYPE_CHECKING:
    from agents.dial.claim import ClaimDesk

SPOKEN_MAX = 3
LEASE_S = 60.0
"""As long as a number rests between two diallings: what is dialled again after a lease may have rung before."""
NEWS_WITHIN = {
    Channel.VOICE: timedelta(seconds=240),
    Channel.TEXT: timedelta(seconds=3600),
    Channel.HAND: hand.OPEN_FOR,
}
"""So long news of an attempt are waited for before its carrier is asked."""
JOIN_WITHIN = timedelta(seconds=180)
OTHERS_MAX = 2_000
"""Of what waits for numbers that are rung now, so much is looked at, the worst first: one call speaks for three."""


class Claim:
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
        self.asked: dict[str, dict[str, hand.Asked]] = defaultdict(dict)

    def free(self) -> dict[str, int]:
        """Return how many more calls or messages each carrier takes; people, and those that take none, are left out."""
        left = {name: count - self.used[name] for name, count in self.slots.items() if name != by_hand.NAME}
        return {name: count for name, count in left.items() if count > 0}

    def place(self, wanted: Sequence[Callout], rounds: Mapping[str, Round]) -> None:
        """Group by number, look at budgets, write claims."""
        if not wanted:
            return
        self.risen |= {row.id for row in rounds.values() if row.move is Move.RAISED}
        groups = self._by_number(wanted)
        history = self._history(groups)
        now_rung: list[tuple[Members, Target]] = []
        for (number_key, _, _), members in groups.items():
            target, ring_at = members[0][1], self.now
            if target.carrier.name == by_hand.NAME:
                self._by_hand(members, target, history)
                continue
            if self.channel is Channel.VOICE and self._takes_one(*target.able):
                target, ring_at = self._way(number_key, members, history)
            if ring_at > self.now:
                for callout, _ in members:
                    self._change(callout, call_at=ring_at)
                if ring_at > self.now + hand.AFTER:
                    self._ask(members, target, hand.HandWhy.BUDGET_USED_UP)
                continue
            if not self._takes_one(target.carrier):
                self._let_wait(members, target.carrier)
                continue
            if self.channel is Channel.VOICE:
                self.rung.add(number_key)
            now_rung.append((members, target))
            self._use(*target.able)
        self._speak(now_rung, wanted, history)
        self._save()

    def _speak(
        self,
        now_rung: Sequence[tuple[Members, Target]],
        wanted: Sequence[Callout],
        history: Mapping[str, list[Attempt]],
    ) -> None:
        """Write the calls and messages that go out now, each for everything that its number is to hear."""
        is_call = self.channel is Channel.VOICE
        others = self._others([target for _, target in now_rung], wanted) if is_call and now_rung else {}
        for members, target in now_rung:
            spoken = [callout for callout, _ in members]
            if is_call:
                spoken = self._join(spoken, target, others)[:SPOKEN_MAX]
            self._write(spoken, target, history)

    def _takes_one(self, *carriers: Carrier) -> bool:
        """Tell whether any of these carriers takes one more now."""
        return any(self.used[carrier.name] < self.slots[carrier.name] for carrier in carriers)

    def _way(
        self, number_key: str, members: Members, history: Mapping[str, Sequence[Attempt]]
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
        real = lead.realm == REAL
        name, at = way_to(history.get(number_key, ()), ways, overall, severity, self.now, rise=rise, real=real)
        chosen = sorted(target.able, key=lambda carrier: carrier.name != name)
        return replace(target, able=tuple(chosen)), at

    def _let_wait(self, members: Members, carrier: Carrier) -> None:
        """Leave callouts for a carrier that takes no more; where another still does, note it, to look past them."""
        if self.free():
            for callout, _ in members:
                if callout.waits_for != carrier.name:
                    self._change(callout, waits_for=carrier.name)

    def _person_first(self, callout: Callout, found: Target) -> Target:
        """Return a target as it is, or as people's to call where the ladder leaves the first call to a person."""
        people = self.desk.people
        first = callout.step == 0 and callout.calls == 0 and not callout.hand_asked
        meant = first and callout.ladder.human_first_s > 0 and not callout.realm.startswith("check:")
        if self.channel is not Channel.VOICE or people is None or not meant:
            return found
        return found if found.carrier is people else replace(found, able=(people,))

    def _by_hand(self, members: Members, target: Target, history: Mapping[str, list[Attempt]]) -> None:
        """Put a call before people: one the machine makes itself a little later, or one it cannot make at all."""
        if not self._takes_one(target.carrier):
            self._let_wait(members, target.carrier)
        elif target.phone.number.startswith(BY_HAND_SCHEME):
            spoken = [callout for callout, _ in members][:SPOKEN_MAX]
            self._write(spoken, target, history, Channel.HAND)
            self._note_asked(spoken[0], target, hand.HandWhy.NO_NUMBER)
            self._use(target.carrier)
        else:
            self._ask(members, target, hand.HandWhy.LEADER_FIRST)
            for callout, _ in members:
                call_at = self.now + timedelta(seconds=callout.ladder.human_first_s)
                due_at = call_at + timedelta(seconds=callout.ladder.dial_within_s)
                self._change(callout, call_at=call_at, due_at=due_at, waits_for="")

    def _ask(self, members: Members, target: Target, why: hand.HandWhy) -> None:
        """Put a call into people's hands beside the ladder, whose clock goes on; once for each of its steps."""
        people = self.desk.people
        asked = [callout for callout, _ in members if not callout.hand_asked]
        if people is None or not asked or asked[0].realm.startswith("check:") or not self._takes_one(people):
            return
        by_people = replace(target, able=(people,))
        attempt = self._attempt(asked, by_people, Channel.HAND, nth=len(asked[0].hand_ids) + 1, dial_no=1, why=why)
        for callout in asked:
            self._change(callout, hand_ids=(*callout.hand_ids, attempt.id), hand_asked=True)
            noted = self._noted(callout, attempt, target)
            self.entries.append(self._entry(callout, "hand_asked", noted, DialReason.ASKED_BY_HAND))
        self._note_asked(asked[0], target, why)
        self._use(people)

    def _note_asked(self, lead: Callout, target: Target, why: hand.HandWhy) -> None:
        post = self.desk.facts.county.posts[lead.target_post]
        asked = hand.Asked(post, target.person.name, mask(target.phone.number), why, lead.ladder.human_first_s)
        self.asked[lead.realm][self.attempts[-1].id] = asked

    def _use(self, *carriers: Carrier) -> None:
        """Count a call or message through the first of these carriers; the others might have taken it."""
        self.used[carriers[0].name] += 1
        self.touched.update(carrier.name for carrier in carriers)

    def _by_number(self, wanted: Sequence[Callout]) -> Groups:
        """Group by number, carrier and realm: a drill never stands in one call with the real thing."""
        groups: Groups = {}
        for callout in wanted:
            found = self.desk.target(callout, self.channel, self.now, self.down)
            if isinstance(found, str):
                self._nobody(callout, found)
                continue
            found = self._person_first(callout, found)
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
        calls = self.step.find(
            ATTEMPTS,
            Where("number_key", "in", keys),
            Where("dialled_at", ">", since),
            Where("channel", "=", Channel.VOICE),
            limit=100_000,
        )
        for attempt in calls:
            # What a busy vendor did not take never rang: it uses up nothing of what a number may be rung.
            # Nor does a call back, once it is over.
            called_back = attempt.direction == "inbound" and attempt.state is AttemptState.ENDED
            refused = attempt.outcome is Outcome.VENDOR_BUSY
            if not refused and not called_back:
                history[attempt.number_key].append(attempt)
        return history

    def _others(self, targets: Sequence[Target], wanted: Sequence[Callout]) -> dict[str, list[Callout]]:
        """Return, by post, what else wants a call soon and might share a number that is rung now, worst first."""
        numbers = {target.phone.number for target in targets}
        county = self.desk.facts.county
        posts = {post for number in numbers for post in county.posts_of_number(number, self.now)}
        waiting = self.step.find(
            CALLOUTS,
            Where("target_post", "in", sorted(posts)),
            Where("call_at", "<=", self.now + JOIN_WITHIN),
            # Most of what waits at these posts is what is claimed now, and reading a row is what costs.
            Where("id", "not in", sorted(callout.id for callout in wanted)),
            order=("-severity", "-priority", "opened_at"),
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

    def _write(
        self,
        spoken: Sequence[Callout],
        target: Target,
        history: Mapping[str, list[Attempt]],
        channel: Channel | None = None,
    ) -> None:
        """Write the claim of one call or message, and into every callout that it speaks for."""
        lead, hour_ago = spoken[0], self.now - timedelta(hours=1)
        recent = sum(item.dialled_at > hour_ago for item in history.get(target.number_key, ()))
        nth = (lead.calls if self.channel is Channel.VOICE else lead.texts) + 1
        attempt = self._attempt(spoken, target, channel or self.channel, nth=nth, dial_no=recent + 1)
        for callout in spoken:
            self._claimed(callout, attempt, target)

    def _attempt(
        self,
        spoken: Sequence[Callout],
        target: Target,
        channel: Channel,
        *,
        nth: int,
        dial_no: int,
        why: hand.HandWhy | None = None,
    ) -> Attempt:
        """Write down an attempt, and hand it to the dialler."""
        lead = spoken[0]
        two_way = self.two_way.get(target.carrier.name)
        replies = two_way is not None and two_way.takes_replies(target.phone.number)
        said = [with_code(callout, self.desk.number_key) for callout in spoken]
        script = script_of(said, self.channel, self.desk.facts.book, replies=replies)
        parts = (lead.id, str(lead.step), str(nth), channel, target.number_key)
        by_people = channel is Channel.HAND
        attempt = Attempt(
            id=make_id(lead.realm, "attempt", *parts),
            realm=lead.realm,
            channel=channel,
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
            dial_no=dial_no,
            due_at=self.now + NEWS_WITHIN[channel],
            hand_why=(why or hand.HandWhy.NO_NUMBER) if by_people else "",
        )
        self.attempts.append(attempt)
        # Whoever calls by hand has the number from the roster: the page, and its carrier, are told the masked one only.
        number = f"{BY_HAND_SCHEME}{attempt.masked}" if by_people else target.phone.number
        self.dials.append(dial_of(attempt, number))
        return attempt

    def _claimed(self, callout: Callout, attempt: Attempt, target: Target) -> None:
        first = not callout.contacted
        by_people = attempt.channel is Channel.HAND
        if self.channel is Channel.VOICE:
            self._change(
                callout,
                attempt_id=attempt.id,
                hand_ids=(*callout.hand_ids, attempt.id) if by_people else callout.hand_ids,
                call_at=None,
                waits_for="",
                calls=callout.calls + 1,
                calls_in_step=callout.calls_in_step + 1,
                contacted=True,
                step_started_at=callout.step_started_at or self.now,
                first_dial_at=callout.first_dial_at or self.now,
                last_dial_at=self.now,
                due_at=self.now + hand.AFTER if by_people else attempt_limit(self.now),
            )
        else:
            self._change(callout, text_at=None, texts=callout.texts + 1)
        noted = self._noted(callout, attempt, target)
        if first and self.channel is Channel.VOICE:
            noted["first_after_s"] = round((self.now - callout.opened_at).total_seconds(), 3)
            if callout.due_at is not None and self.now > callout.due_at:
                # Nobody was there to say in time that it was late: then the call itself says so.
                noted["late_s"] = round((self.now - callout.due_at).total_seconds(), 3)
        self.entries.append(self._entry(callout, "dialled", noted))

    def _noted(self, callout: Callout, attempt: Attempt, target: Target) -> dict[str, object]:
        """Return what is written down about an attempt for one of its callouts."""
        words = attempt.text if attempt.channel is Channel.TEXT else attempt.voice
        noted: dict[str, object] = {
            "attempt": attempt.id,
            "channel": attempt.channel,
            "carrier": attempt.carrier,
            "number": attempt.masked,
            "person": target.person.id,
            "post": callout.target_post,
            "role": callout.target_role,
            "said": digest(words, length=16),
            "with_others": len(attempt.callouts) - 1,
            "roster": self.desk.facts.county.version,
        }
        return noted | ({"because": attempt.hand_why} if attempt.hand_why else {})

    def _change(self, callout: Callout, **changes: object) -> Callout:
        changed = self.callouts.get(callout.id, callout).model_copy(update=changes)
        self.callouts[callout.id] = changed
        return changed

    def _entry(
        self, callout: Callout, what: str, facts: Mapping[str, object], why: DialReason = DialReason.CLAIMED
    ) -> Draft:
        return Draft(subject=callout.id, what=what, why=why, by="dial", at=self.now, facts=facts)

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
        self._tell_duty_rooms()
        moved = []
        for carrier in self.desk.carriers:
            if carrier.name in self.touched:
                name = pace_id(carrier.name, self.channel)
                # As it was before anything was looked up: of two desks that claim at once, one is told to begin again.
                pace = self.paces.get(name, Pace(id=name, next_at=self.now))
                used, pace_per_s = self.used[carrier.name], per_s(carrier, self.channel)
                at = next_slot(pace.next_at, self.now, pace_per_s, self.desk.burst_s, used) if used else pace.next_at
                moved.append(pace.model_copy(update={"next_at": at}))
        self.step.save(PACES, moved)

    def _tell_duty_rooms(self) -> None:
        """Send each duty room one message about all that it was just asked to call."""
        facts = self.desk.facts
        for realm, asked in self.asked.items():
            told = hand.notices(list(asked.values()), facts, realm)
            if told:
                items = [Notice(post_id, text) for post_id, text in told.items()]
                row, letters = open_notices("hand_call", min(asked), items, self.now, facts, realm=realm)
                self.step.save(ROUNDS, [row])
                self.step.write(letters)
