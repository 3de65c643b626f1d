from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sense_county import HEKOU, NIGHT, REGIONS, SHIMEN, YUNLING

from config.rules import Hazard
from rosters.county import County
from rosters.model import Region
from streams import topics
from streams.doors.orders import CallRequest, ChainRequest, VouchRequest, call_order, chain_order, vouch
from streams.doors.refusal import RefusedError
from streams.ids import make_id
from streams.letters import OrderKind
from streams.words import Colour, Level

TWINS = (
    Region(code="419926001003", name="红岩村", level=Level.VILLAGE, parent=SHIMEN),
    Region(code="419926002003", name="红岩村", level=Level.VILLAGE, parent=YUNLING),
)
COUNTY = County("419926000000", "禾溪县", ZoneInfo("Asia/Shanghai"), (*REGIONS, *TWINS), (), (), (), ())
HAZARDS = (
    Hazard(key="flash_flood", name="山洪", words=("山洪灾害", "洪灾"), valid_h=24, action="立即转移"),
    Hazard(key="flood", name="洪水", words=("洪灾",), valid_h=24, action="远离河道"),
)
CHAIN = make_id("real", "chain", "x")
CALLOUT = make_id("real", "callout", "x")


def call(*villages, ordered_at=NIGHT, realm="real", **changes):
    fields = {
        "villages": villages or ("河口村",),
        "hazard": "山洪",
        "text": "上游出现险情, 请立即转移",
        "by": "张某",
        "on_word_of": "县防指带班领导",
    }
    return call_order(CallRequest(**(fields | changes)), COUNTY, HAZARDS, realm=realm, ordered_at=ordered_at)


def turn(order, ordered_at=NIGHT, chain_id=CHAIN, **changes):
    return chain_order(ChainRequest(order=order, by="张某", **changes), chain_id, ordered_at=ordered_at)


def say(ordered_at=NIGHT, callout_id=CALLOUT, **changes):
    fields = {"by": "张某", "heard_by": "李某", "how": "固定电话听到本人应答"}
    return vouch(VouchRequest(**(fields | changes)), callout_id, ordered_at=ordered_at)


def refusal_of(work, *args, **changes):
    with pytest.raises(RefusedError) as caught:
        work(*args, **changes)
    return caught.value


# Calling


def test_an_order_names_places_by_code_and_says_who_gave_it():
    letter = call("河口村", "云岭乡")
    assert letter.topic == topics.WARNINGS_RAW
    assert (letter.message.regions, letter.message.hazard) == ((HEKOU, YUNLING), "flash_flood")
    assert (letter.message.by, letter.message.on_word_of) == ("张某", "县防指带班领导")


@pytest.mark.parametrize("name", ["河口村", "石门镇河口村", HEKOU, " 河口村 "])
def test_a_village_may_be_named_alone_with_its_township_or_by_code(name):
    assert call(name).message.regions == (HEKOU,)


def test_the_county_by_name_is_all_of_it():
    assert call("禾溪县").message.regions == (COUNTY.code,)


def test_a_place_named_twice_is_called_once():
    assert call("河口村", HEKOU).message.regions == (HEKOU,)


def test_a_village_that_is_not_known_is_refused_with_those_that_are_like_it():
    refusal = refusal_of(call, "河囗村")
    assert (refusal.status, refusal.element) == (400, "villages")
    assert "河囗村" in refusal.reason
    assert "河口村" in refusal.reason


def test_a_village_like_no_other_is_refused_without_a_guess():
    assert "是不是" not in refusal_of(call, "Atlantis").reason


def test_a_name_that_two_villages_share_has_to_say_its_township():
    refusal = refusal_of(call, "红岩村")
    assert "云岭乡红岩村、石门镇红岩村" in refusal.reason
    assert call("云岭乡红岩村").message.regions == ("419926002003",)


@pytest.mark.parametrize("name", ["flash_flood", "山洪", "山洪灾害"])
def test_a_hazard_may_be_named_by_key_name_or_word(name):
    assert call(hazard=name).message.hazard == "flash_flood"


def test_a_word_that_means_two_hazards_is_refused_with_both():
    refusal = refusal_of(call, hazard="洪灾")
    assert refusal.element == "hazard"
    assert "山洪、洪水" in refusal.reason


def test_an_order_that_is_over_before_it_begins_is_refused():
    assert refusal_of(call, until=NIGHT).element == "until"


def test_an_order_is_red_unless_said_otherwise():
    assert (call().message.colour, call(colour="yellow").message.colour) == (Colour.RED, Colour.YELLOW)


def test_the_same_order_pressed_twice_within_a_minute_is_one():
    assert call().id == call(ordered_at=NIGHT + timedelta(seconds=59)).id


def test_the_order_of_the_places_makes_no_other_order():
    assert call("河口村", "云岭乡").id == call("云岭乡", "河口村").id


@pytest.mark.parametrize(
    "changes",
    [
        {"ordered_at": NIGHT + timedelta(seconds=60)},
        {"by": "王某"},
        {"on_word_of": "王县长"},
        {"until": NIGHT + timedelta(hours=3)},
        {"text": "请撤离"},
        {"colour": "orange"},
        {"hazard": "洪水"},
        {"realm": "drill:jul"},
    ],
)
def test_whatever_is_said_otherwise_makes_another_order(changes):
    assert call().message.order_id != call(**changes).message.order_id


@pytest.mark.parametrize("field", ["text", "by", "on_word_of", "villages"])
def test_an_order_lacks_none_of_who_where_and_why(field):
    with pytest.raises(ValidationError, match=field):
        call(**{field: () if field == "villages" else "  "})


# Chains


@pytest.mark.parametrize("order", [OrderKind.CANCEL, OrderKind.PAUSE, OrderKind.RESUME])
def test_an_order_about_a_chain_goes_to_intake_under_the_chain(order):
    letter = turn(order)
    assert (letter.topic, letter.key, letter.message.order) == (topics.WARNINGS_RAW, CHAIN, order)


def test_a_correction_has_to_say_what_is_correct():
    assert refusal_of(turn, OrderKind.CORRECT).element == "text"
    assert turn(OrderKind.CORRECT, text="误发, 实为演练").message.text == "误发, 实为演练"


def test_a_second_cancellation_within_a_minute_is_the_same():
    assert turn(OrderKind.CANCEL).id == turn(OrderKind.CANCEL, NIGHT + timedelta(seconds=30)).id


def test_a_second_pause_within_a_minute_is_another():
    assert turn(OrderKind.PAUSE).id != turn(OrderKind.PAUSE, NIGHT + timedelta(seconds=30)).id


def test_a_pause_lasts_five_minutes_at_the_most():
    with pytest.raises(ValidationError, match="pause_s"):
        turn(OrderKind.PAUSE, pause_s=301)


@pytest.mark.parametrize("chain_id", ["", "real|callout|ab", "real|chain|", "moon|chain|ab", "real|chain|ab\n"])
def test_what_is_no_chain_is_refused(chain_id):
    refusal = refusal_of(turn, OrderKind.CANCEL, chain_id=chain_id)
    assert (refusal.status, refusal.element) == (400, "chain_id")


# Vouching


def test_a_word_for_somebody_goes_to_their_callout():
    letter = say()
    assert (letter.topic, letter.key) == (topics.CALLOUTS, CALLOUT)
    assert (letter.message.heard_by, letter.message.at_the_door) == ("李某", False)


def test_being_at_the_door_is_another_word_than_vouching():
    assert say().message.order_id != say(at_the_door=True).message.order_id


def test_a_word_of_a_drill_stays_in_its_realm():
    callout = make_id("drill:jul", "callout", "x")
    assert say(callout_id=callout).message.order_id.startswith("drill:jul|")


@pytest.mark.parametrize("field", ["by", "heard_by", "how"])
def test_a_word_without_who_and_how_is_none(field):
    with pytest.raises(ValidationError, match=field):
        say(**{field: " "})


def test_what_is_no_callout_is_refused():
    assert refusal_of(say, callout_id=CHAIN).element == "callout_id"
