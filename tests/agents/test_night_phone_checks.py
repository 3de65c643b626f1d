"""A number is verified by what comes back from it: key 1, a text, or the code told to somebody; by nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agents.dial.state import ATTEMPTS
from agents.phones.calls import TRY_REALM, TRYING, OneCall, open_call, trying_words
from agents.phones.codes import PLACE, phone_code
from agents.phones.record import PhoneError, ask, enter_code, with_verified, withdraw
from agents.phones.state import VERIFICATIONS, VERIFIED_PHONES, FailedWhy, VerificationState, VerifiedHow
from agents.plan.state import ROUNDS
from rosters.model import Person, Phone
from streams.replay.night import NUMBER_KEY, Night
from streams.replay.runner import Runner
from streams.wiring import build
from streams.words import Channel

HEAD = "v201-head"
NUMBER = f"sim:{HEAD}"
SECOND = "sim:second"


@pytest.fixture
def county_night(make_night):
    """Return a morning on which a village head has a second mobile."""
    return make_night(start="2021-07-19 10:00", second_phones={HEAD: SECOND})


def ask_for(night: Night, person: str = HEAD, number: str = NUMBER, channel: Channel = Channel.VOICE):
    whose = night.county.people[person]
    phone = next(one for one in whose.phones if one.number == number)
    row = night.ledger.step(
        lambda step: ask(
            step, night.roster, whose, phone, channel=channel, by="张文书", now=night.now, secret=NUMBER_KEY
        )
    )
    night.put()
    return row


def latest(night: Night):
    return night.find(VERIFICATIONS, order=("asked_at",))[-1]


def code(night: Night) -> str:
    return phone_code(latest(night).callout_id, NUMBER_KEY)


def enter(night: Night, given: str, person: str = HEAD):
    return night.ledger.step(
        lambda step: enter_code(step, person, given, by="张文书", now=night.now, secret=NUMBER_KEY)
    )


def verified_numbers(night: Night, person: str = HEAD) -> list[str]:
    county = night.ledger.step(lambda step: with_verified(step, night.county, NUMBER_KEY))
    return [phone.number for phone in county.people[person].phones if phone.verified]


def test_key_1_after_the_whole_call_verifies_the_number_that_was_rung(county_night):
    ask_for(county_night)
    county_night.advance(minutes=2)

    row = latest(county_night)
    assert (row.state, row.how) == (VerificationState.VERIFIED, VerifiedHow.KEY)
    assert verified_numbers(county_night) == [NUMBER]
    (kept,) = county_night.find(VERIFIED_PHONES)
    assert (kept.by, kept.masked) == ("张文书", NUMBER)
    whats = [entry.what for entry in county_night.ledger.step(lambda step: step.entries(row.id))]
    assert whats == ["asked", "called", "verified"]


def test_the_second_phone_is_rung_where_it_is_meant_and_the_first_is_left_alone(county_night):
    ask_for(county_night, number=SECOND)
    county_night.advance(minutes=2)

    county_night.phone(SECOND).expects_call(1)
    county_night.phone(NUMBER).expects_no_call()
    assert verified_numbers(county_night) == [SECOND]


def test_a_wrong_number_is_not_followed_by_another_phone_of_the_same_person(county_night):
    county_night.phone(NUMBER).habit("out_of_service")
    ask_for(county_night)
    county_night.advance(minutes=3)

    county_night.phone(SECOND).expects_no_call()
    assert latest(county_night).failed is FailedWhy.NOT_HEARD
    assert verified_numbers(county_night) == []


@pytest.mark.parametrize("habit", ["sleeps", "voicemail", "hangs_up_early", "switched_off"])
def test_a_call_that_was_not_heard_verifies_nothing_and_its_code_is_not_taken(county_night, habit: str):
    county_night.phone(NUMBER).habit(habit)
    ask_for(county_night)
    county_night.advance(minutes=3)

    assert latest(county_night).state is VerificationState.FAILED
    with pytest.raises(PhoneError):
        enter(county_night, code(county_night))
    assert verified_numbers(county_night) == []


@pytest.mark.parametrize("habit", ["fetches", "cannot"])
def test_the_keys_of_somebody_else_verify_nothing(county_night, habit: str):
    county_night.phone(NUMBER).habit(habit)
    ask_for(county_night)
    county_night.advance(minutes=2)
    assert verified_numbers(county_night) == []


def test_the_code_that_was_heard_is_taken_from_whoever_is_told_it(county_night):
    county_night.phone(NUMBER).habit("child")
    ask_for(county_night)
    county_night.advance(minutes=5)

    assert enter(county_night, code(county_night)).how is VerifiedHow.CODE
    assert verified_numbers(county_night) == [NUMBER]


def test_a_code_is_not_taken_before_the_call_was_heard_to_the_end(county_night):
    ask_for(county_night)
    county_night.advance(seconds=4)
    with pytest.raises(PhoneError, match="听完"):
        enter(county_night, code(county_night))


def test_five_wrong_codes_end_it_and_the_right_one_comes_too_late(county_night):
    county_night.phone(NUMBER).habit("child")
    ask_for(county_night)
    county_night.advance(minutes=5)
    wrong = f"{(int(code(county_night)) + 1) % 10_000:04d}"

    states = [enter(county_night, wrong).state for _ in range(5)]

    assert states[-2:] == [VerificationState.ASKED, VerificationState.FAILED]
    with pytest.raises(PhoneError):
        enter(county_night, code(county_night))
    assert verified_numbers(county_night) == []


def test_a_code_runs_out_after_half_an_hour(county_night):
    county_night.phone(NUMBER).habit("child")
    ask_for(county_night)
    county_night.advance(minutes=31)
    assert latest(county_night).failed is FailedWhy.NO_CODE
    with pytest.raises(PhoneError):
        enter(county_night, code(county_night))


def test_a_text_with_the_code_from_that_number_verifies_it_hours_later(county_night):
    ask_for(county_night, channel=Channel.TEXT)
    county_night.advance(hours=5)
    county_night.phone(NUMBER).expects_no_call()
    county_night.phone(NUMBER).replies(f"核实码 {code(county_night)}")

    assert (latest(county_night).how, verified_numbers(county_night)) == (VerifiedHow.REPLY, [NUMBER])
    assert county_night.troubles() == []


def test_the_right_code_from_another_number_verifies_nothing(county_night):
    ask_for(county_night, channel=Channel.TEXT)
    county_night.advance(minutes=5)
    county_night.phone(SECOND).replies(code(county_night))

    assert latest(county_night).state is VerificationState.ASKED
    assert verified_numbers(county_night) == []


def test_a_receipt_of_a_warning_is_never_taken_for_a_code(county_night):
    """While a warning waits for its answer, its own four digits count for it, whatever else is being asked."""
    ask_for(county_night, channel=Channel.TEXT)
    county_night.advance(minutes=1)
    county_night.phone(NUMBER).habit("sleeps")
    county_night.warning(townships=["溪口镇"]).advance(seconds=50)
    county_night.phone(NUMBER).replies("收到")
    assert verified_numbers(county_night) == []


def test_a_number_already_asked_is_not_asked_twice(county_night):
    first, second = ask_for(county_night, channel=Channel.TEXT), ask_for(county_night)
    assert first.id == second.id


def test_nobody_is_rung_for_a_code_while_something_real_is_called_for(make_night):
    night = make_night(start="2021-07-19 10:00")
    night.phone("sim:t100-duty-1").habit("sleeps")
    night.warning(townships=["溪口镇"])
    before = len(night.phone(NUMBER).calls)
    ask_for(night)
    night.advance(seconds=30)
    assert latest(night).state is VerificationState.WAITING
    assert len(night.phone(NUMBER).calls) <= max(before, 1)

    night.advance(hours=1, minutes=30)
    assert latest(night).state is VerificationState.VERIFIED


def test_what_was_verified_stays_so_in_a_new_roster_and_falls_with_the_number_or_the_name(county_night):
    ask_for(county_night)
    county_night.advance(minutes=2)

    def marks(person: Person) -> list[bool]:
        county = county_night.county
        others = [one for one in county.people.values() if one.id != HEAD]
        again = type(county)(
            county.code, county.name, county.zone, county.regions.values(), county.units.values(),
            (), [*others, person], (),
        )  # fmt: skip
        with_marks = county_night.ledger.step(lambda step: with_verified(step, again, NUMBER_KEY))
        return [phone.verified for phone in with_marks.people[person.id].phones]

    name = county_night.county.people[HEAD].name
    assert marks(Person(id="renumbered", name=name, phones=(Phone(number=NUMBER),))) == [True]
    assert marks(Person(id="renumbered", name=name, phones=(Phone(number="+8613800000009"),))) == [False]
    assert marks(Person(id="renumbered", name="另一人", phones=(Phone(number=NUMBER),))) == [False]


def test_a_number_given_up_is_withdrawn_with_who_and_why(county_night):
    ask_for(county_night)
    county_night.advance(minutes=2)
    person = county_night.county.people[HEAD]

    def take_back():
        county_night.ledger.step(
            lambda step: withdraw(
                step,
                person,
                person.phones[0],
                by="张文书",
                why="换号",
                now=county_night.now + timedelta(minutes=1),
                secret=NUMBER_KEY,
            )
        )

    take_back()
    assert verified_numbers(county_night) == []
    with pytest.raises(PhoneError):
        take_back()


def test_the_code_stands_in_no_callout_and_no_entry_but_is_what_was_said(county_night):
    ask_for(county_night)
    county_night.advance(minutes=2)
    row = latest(county_night)
    callouts = [one for one in county_night.callouts() if one.id == row.callout_id]
    assert [PLACE in one.voice for one in callouts] == [True]
    entries = county_night.ledger.step(lambda step: [*step.entries(row.id), *step.entries(row.callout_id)])
    assert not any(code(county_night) in entry.model_dump_json() for entry in entries)
    (said,) = county_night.find(ATTEMPTS)
    assert "、".join(code(county_night)) in said.voice
    assert PLACE not in said.voice


def test_the_same_morning_asks_the_same_codes(make_night):
    def play() -> tuple[str, ...]:
        night = make_night(start="2021-07-19 10:00", second_phones={HEAD: SECOND})
        ask_for(night)
        return night.advance(minutes=2).history()

    assert play() == play()


def test_a_try_call_rings_one_person_says_that_it_is_a_test_and_is_nobodys_warning(county_night):
    def place(step):
        one = OneCall(
            realm=TRY_REALM,
            what=TRYING,
            cause=f"{TRY_REALM}|trial|1",
            person_id=HEAD,
            post_id=HEAD,
            words=trying_words("某人", county_night.house.facts),
        )
        row, letter, _ = open_call(one, county_night.now, county_night.house.facts)
        step.save(ROUNDS, [row])
        step.write([letter])

    county_night.ledger.step(place)
    county_night.advance(minutes=2)

    (call,) = county_night.find(ATTEMPTS)
    assert (call.number_key, call.realm) == (county_night.phone(NUMBER).calls[0].number_key, TRY_REALM)
    assert call.voice.startswith("【测试】")
    assert county_night.troubles() == []


def test_a_power_cut_after_the_call_was_claimed_verifies_all_the_same(county_night):
    """The claim and the verification are rows: whoever starts again goes on where they stand."""
    ask_for(county_night)
    county_night.advance(seconds=1)
    again = Night(county=county_night.county, rules=county_night.rules, start=county_night.now)
    house = build(
        ledger=county_night.ledger,
        clock=again.clock,
        facts=county_night.house.facts,
        carriers=county_night.house.carriers,
        number_key=NUMBER_KEY,
        owner="after the cut",
    )
    Runner(house, again.clock).run_until(county_night.now + timedelta(minutes=3))

    assert verified_numbers(county_night) == [NUMBER]
    assert len(county_night.phone(NUMBER).calls) == 1


def test_two_workers_that_look_at_once_place_one_call(county_night):
    ask_for(county_night)
    room = next(room for room in county_night.house.timed if room.name == "phones")
    for _ in range(2):
        county_night.ledger.step(lambda step: room.tick(step, county_night.now, 10))
    county_night.advance(minutes=2)
    county_night.phone(NUMBER).expects_call(1)
