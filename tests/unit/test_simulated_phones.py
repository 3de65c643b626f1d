"""The simulated network: what each habit brings, and that it always brings the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.dial.carriers.protocol import Carrier, Dial, RefusedByVendorError, Script
from agents.dial.carriers.simulated import Habit, Kind, SimulatedCarrier, deliver, load_habits, ring
from rosters.numbers import number_digest
from streams.letters import CallNews, TextReplied
from streams.words import Channel, Outcome

AT = datetime(2026, 7, 19, 14, 0, tzinfo=UTC)
KEY = b"a key for the digests of numbers"
SCRIPT = Script(voice="字" * 80, text="全文", prompt="请按键")


def dial(number: str = "sim:zhang", channel: Channel = Channel.VOICE, dial_no: int = 1, attempt: str = "a1") -> Dial:
    return Dial(
        attempt_id=f"drill:d1|attempt|{attempt}", channel=channel, number=number, script=SCRIPT, dial_no=dial_no, at=AT
    )


def told(kind: Kind, nth_call: int = 0, after: int = 0) -> tuple[CallNews, ...]:
    return ring(Habit(kind=kind, after=after), dial(), nth_call)


@pytest.mark.parametrize(
    ("kind", "key"), [(Kind.ANSWERS, "1"), (Kind.SLOW, "1"), (Kind.FETCHES, "2"), (Kind.CANNOT, "0")]
)
def test_who_answers_hears_the_message_and_presses_the_key_of_the_habit(kind: Kind, key: str):
    news = told(kind)
    assert [each.progress for each in news] == ["ringing", "answered", "played", "key", "ended"]
    assert news[3].key == key


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (Kind.SLEEPS, Outcome.NO_ANSWER),
        (Kind.REPLIES_BY_SMS, Outcome.NO_ANSWER),
        (Kind.SWITCHED_OFF, Outcome.SWITCHED_OFF),
        (Kind.OUT_OF_SERVICE, Outcome.OUT_OF_SERVICE),
        (Kind.NO_COVERAGE, Outcome.NO_COVERAGE),
    ],
)
def test_who_is_not_reached_ends_with_the_network_s_word_and_was_never_answered(kind: Kind, outcome: Outcome):
    news = told(kind)
    assert news[-1].outcome is outcome
    assert "answered" not in [each.progress for each in news]


def test_who_hangs_up_early_never_heard_the_whole_message():
    news = told(Kind.HANGS_UP_EARLY)
    assert [each.progress for each in news] == ["ringing", "answered", "ended"]
    assert 0 < news[-1].heard_s < 10


def test_a_child_hears_to_the_end_and_presses_nothing():
    assert [each.progress for each in told(Kind.CHILD)] == ["ringing", "answered", "played", "ended"]


def test_a_voicemail_is_told_as_one_and_played_nothing():
    news = told(Kind.VOICEMAIL)
    assert news[-1].outcome is Outcome.VOICEMAIL
    assert "played" not in [each.progress for each in news]


@pytest.mark.parametrize("kind", [Kind.ANSWERS, Kind.CHILD, Kind.HANGS_UP_EARLY])
def test_what_became_of_an_answered_call_is_left_to_whoever_reads_its_facts(kind: Kind):
    assert {each.outcome for each in told(kind)} == {None}


def test_eighty_characters_take_about_twenty_seconds_to_play():
    answered, played = told(Kind.ANSWERS)[1:3]
    assert 17 <= (played.at - answered.at).total_seconds() <= 21


def test_the_slow_take_longer_to_answer_than_anybody_else():
    assert told(Kind.SLOW)[1].at > told(Kind.ANSWERS)[1].at


@pytest.mark.parametrize("kind", list(Kind))
def test_news_come_in_order_of_time_and_seq_and_after_the_dialling(kind: Kind):
    news = told(kind)
    assert [each.seq for each in news] == list(range(1, len(news) + 1))
    assert [each.at for each in news] == sorted(each.at for each in news)
    assert AT < news[0].at <= news[-1].at < AT + timedelta(minutes=3)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_same_call_brings_the_same_news(kind: Kind):
    assert told(kind) == told(kind)


def test_another_attempt_takes_other_seconds_but_ends_the_same():
    many = [ring(Habit(), dial(attempt=str(n)), 0) for n in range(20)]
    assert len({each[1].at for each in many}) > 3
    assert {each[3].key for each in many} == {"1"}


def test_another_seed_takes_other_seconds_but_ends_the_same():
    many = [ring(Habit(kind=Kind.CANNOT), dial(), 0, seed=str(n)) for n in range(20)]
    assert len({each[1].at for each in many}) > 3
    assert {each[3].key for each in many} == {"0"}


def test_who_sleeps_through_two_calls_answers_the_third():
    assert [told(Kind.SLEEPS, nth_call, after=2)[-2].progress for nth_call in range(3)] == ["ringing", "ringing", "key"]


def test_who_goes_to_fetch_somebody_answers_with_one_when_called_again():
    assert [told(Kind.FETCHES, nth_call)[3].key for nth_call in (0, 1)] == ["2", "1"]


def test_who_sleeps_without_an_end_is_never_reached():
    assert told(Kind.SLEEPS, nth_call=50)[-1].outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        (Kind.ANSWERS, "delivered"),
        (Kind.SLEEPS, "delivered"),
        (Kind.SWITCHED_OFF, "sent"),
        (Kind.NO_COVERAGE, "sent"),
        (Kind.OUT_OF_SERVICE, "failed"),
    ],
)
def test_a_text_gets_as_far_as_the_telephone_allows(kind: Kind, last: str):
    assert deliver(Habit(kind=kind), dial(channel=Channel.TEXT), 0)[-1].progress == last


def place(carrier: SimulatedCarrier, attempt: Dial):
    return asyncio.run(carrier.place(attempt))


def test_who_replies_by_sms_writes_after_the_text_came():
    carrier = SimulatedCarrier({"sim:zhang": Habit(kind=Kind.REPLIES_BY_SMS)}, number_key=KEY)
    *news, reply = place(carrier, dial(channel=Channel.TEXT)).to_come
    assert isinstance(reply, TextReplied)
    assert reply.at > news[-1].at
    assert (reply.realm, reply.text, reply.number_key) == ("drill:d1", "收到", number_digest("sim:zhang", KEY))


def test_a_number_without_a_habit_answers():
    assert place(SimulatedCarrier({}), dial("sim:new")).to_come[3].key == "1"


def test_the_number_of_the_dialling_counts_the_calls_before():
    carrier = SimulatedCarrier({"sim:zhang": Habit(kind=Kind.SLEEPS, after=1)})
    assert [place(carrier, dial(dial_no=n)).to_come[-1].outcome for n in (1, 2)] == [Outcome.NO_ANSWER, None]


def test_a_look_up_tells_the_same_as_the_placing():
    carrier = SimulatedCarrier({})
    assert asyncio.run(carrier.look_up(dial())) == place(carrier, dial())


def test_a_real_number_is_never_served():
    carrier = SimulatedCarrier({})
    assert not carrier.may_dial("+8613800001234")
    with pytest.raises(RefusedByVendorError, match="sim:"):
        place(carrier, dial("+8613800001234"))


def test_it_is_a_carrier_like_any_other():
    carrier: Carrier = SimulatedCarrier({}, pace_per_s=3)
    assert (carrier.name, carrier.pace_per_s) == ("simulated", 3)


def test_habits_are_read_from_a_sheet(tmp_path: Path):
    sheet = tmp_path / "habits.csv"
    sheet.write_text("number,habit,after\nsim:zhang,sleeps,2\nsim:li,cannot,\n", encoding="utf-8")
    assert load_habits(sheet) == {"sim:zhang": Habit(kind=Kind.SLEEPS, after=2), "sim:li": Habit(kind=Kind.CANNOT)}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("phone,habit\nsim:zhang,sleeps\n", "number,habit,after"),
        ("number,habit,after\nsim:zhang,flies,\n", "line 2: kind"),
        ("number,habit,after\nsim:zhang,sleeps,soon\n", "line 2: after"),
        ("number,habit,after\n+8613800001234,sleeps,\n", "line 2: only sim: numbers"),
        ("number,habit,after\nsim:li,sleeps,\nsim:li,cannot,\n", "line 3: sim:li stands there twice"),
    ],
)
def test_a_faulty_sheet_says_where_and_what(tmp_path: Path, lines: str, says: str):
    sheet = tmp_path / "habits.csv"
    sheet.write_text(lines, encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        load_habits(sheet)
