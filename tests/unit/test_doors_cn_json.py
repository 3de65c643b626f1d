"""Chinese JSON shapes, each trap in its smallest form."""

import json
from datetime import UTC, datetime

import pytest

from config.hazards import load_hazards
from streams.doors.refusal import RefusedError
from streams.doors.warnings import read_warning
from streams.words import Colour, MsgType, Status

HAZARDS = load_hazards()
RECEIVED_AT = datetime(2026, 9, 20, tzinfo=UTC)
TITLE = "甲市气象台发布暴雨蓝色预警信号"
NMC = {"alertid": "53058141600000_20260919110753", "title": TITLE, "issuetime": "2026/09/19 11:06"}


def read_all(document):
    content = json.dumps(document, ensure_ascii=False).encode()
    return read_warning(content, "application/json", HAZARDS, received_at=RECEIVED_AT)


def read(document):
    (warning,) = read_all(document)
    return warning


def test_the_prefix_of_an_identifier_is_the_region():
    assert read(NMC).geocodes == ("530581",)


def test_the_time_in_an_identifier_counts_where_no_field_tells_one():
    warning = read({key: value for key, value in NMC.items() if key != "issuetime"})
    assert warning.sent == datetime(2026, 9, 19, 3, 7, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    "envelope",
    [
        lambda row: [row],
        lambda row: {"data": {"page": {"list": [row]}}},
        lambda row: {"code": "200", "title": "各地预警", "warning": [row]},
        lambda row: {"HeWeather6": [{"basic": {"location": "甲市"}, "alarm": [row], "status": "ok"}]},
    ],
)
def test_a_row_is_found_in_its_envelope(envelope):
    assert read(envelope(NMC)).identifier == NMC["alertid"]


def test_fields_of_weather_com_cn_are_understood():
    warning = read(
        {
            "ALERTID": "202609192129514372雷电黄色",
            "PROVINCE": "甲省",
            "CITY": "乙州",
            "STATIONNAME": "丙县",
            "SIGNALTYPE": "雷电",
            "SIGNALLEVEL": "黄色",
            "ISSUETIME": "2026-09-19 21:29:27",
            "ISSUECONTENT": "丙县气象台发布雷电黄色预警信号：可能伴有短时强降水。",
            "RELIEVETIME": "2026-09-20 09:29:27",
        }
    )
    assert (warning.hazard, warning.colour) == ("lightning", Colour.YELLOW)
    assert warning.expires_at == datetime(2026, 9, 20, 1, 29, 27, tzinfo=UTC)
    assert warning.area_names == ("丙县",)


def test_nested_fields_are_understood():
    warning = read(
        {
            "id": "202609191119105837988676",
            "senderName": "甲区气象台",
            "issuedTime": "2026-09-19T11:19+08:00",
            "messageType": {"code": "update", "supersedes": ["202609181140100706230391"]},
            "eventType": {"name": "大风", "code": "1006"},
            "severity": "minor",
            "color": {"code": "blue", "red": 30},
            "headline": "甲区气象台更新大风预警信号",
        }
    )
    assert (warning.kind, warning.hazard, warning.colour) == (MsgType.UPDATE, "gale", Colour.BLUE)
    assert warning.references == ("202609181140100706230391",)
    assert warning.continued


def test_a_file_name_in_the_title_is_no_headline():
    warning = read(NMC | {"title": "Z_SEVP_C_BCSH_20260919", "content": "甲市气象台发布暴雨蓝色预警信号"})
    assert warning.headline == ""


@pytest.mark.parametrize(("digit", "colour"), list(zip("1234", ("red", "orange", "yellow", "blue"), strict=True)))
def test_a_picture_tells_hazard_and_colour_where_no_word_does(digit, colour):
    warning = read(NMC | {"title": "甲市气象台发布预警信号", "pic": f"/assets/img/alarm/p000200{digit}.png"})
    assert (warning.hazard, warning.colour) == ("rainstorm", Colour(colour))


def test_the_title_counts_before_the_picture():
    assert read(NMC | {"pic": "/p0002001.png"}).colour is Colour.BLUE


def test_numbers_of_kind_and_level_count_up_from_blue():
    warning = read(NMC | {"title": "甲市气象台发布预警信号", "TYPECODE": "02", "LEVELCODE": "03"})
    assert (warning.hazard, warning.colour) == ("rainstorm", Colour.ORANGE)


@pytest.mark.parametrize(
    "change",
    [
        {"msgType": "Cancel"},
        {"status": "预警解除"},
        {"warningstate": "解除"},
        {"title": "甲市解除暴雨蓝色预警"},
    ],
)
def test_a_lifted_warning_is_a_cancel_that_refers_to_its_own_identifier(change):
    warning = read(NMC | change)
    assert warning.kind is MsgType.CANCEL
    assert warning.references == (NMC["alertid"],)


def test_a_cancel_under_the_same_identifier_has_another_id():
    assert read(NMC).id != read(NMC | {"status": "预警解除"}).id


def test_a_warning_without_an_identifier_gets_one_of_its_content():
    row = {"title": NMC["title"], "time": "1789700000"}
    assert read(row).identifier == read(dict(row)).identifier
    assert read(row).id != read(row | {"title": "甲市气象台发布暴雨红色预警信号"}).id


def test_the_year_a_text_leaves_out_is_that_of_the_receipt():
    warning = read({"title": "甲市气象台发布大雾黄色预警", "desc": "甲市气象台9月15日07时00分发布大雾黄色预警信号"})
    assert warning.sent == datetime(2026, 9, 14, 23, 0, tzinfo=UTC)


def test_numbers_that_are_no_administrative_codes_are_left_out():
    assert read({**NMC, "alertid": "7", "regionId": "101180201"}).geocodes == ()


@pytest.mark.parametrize(
    ("title", "status"), [("【演练】", Status.EXERCISE), ("【测试】", Status.TEST), ("", Status.ACTUAL)]
)
def test_a_headline_that_says_it_is_a_drill_is_no_real_warning(title, status):
    assert read(NMC | {"title": title + NMC["title"]}).status is status


def test_a_cap_status_in_json_is_kept():
    assert read(NMC | {"status": "Test"}).status is Status.TEST


def test_english_words_are_understood():
    warning = read(
        {
            "id": "1012302012021",
            "sender": "Some_observatory",
            "pubTime": "2026-09-19T11:08+08:00",
            "text": "At 11:08 Some observatory issued a typhoon yellow warning signal: heavy rain may come along.",
        }
    )
    assert (warning.hazard, warning.colour) == ("typhoon", Colour.YELLOW)


def test_control_characters_that_no_database_keeps_are_dropped():
    content = json.dumps(NMC | {"title": f"{TITLE}\x00\ud800"}).encode()
    (warning,) = read_warning(content, "application/json", HAZARDS, received_at=RECEIVED_AT)
    assert warning.headline == TITLE


def test_the_first_line_of_a_plain_text_may_be_its_headline():
    text = "甲县气象台发布雷电黄色预警信号\n甲县气象台2026年9月19日18时03分发布雷电黄色预警信号：达扎寺镇有雷电。"
    (warning,) = read_warning(text.encode(), "text/plain", HAZARDS, received_at=RECEIVED_AT)
    assert warning.headline == "甲县气象台发布雷电黄色预警信号"
    assert warning.text.startswith("甲县气象台2026年")


@pytest.mark.parametrize(
    ("row", "element"),
    [
        ({"title": "甲市气象台发布暴雨蓝色预警信号"}, "sent"),
        ({"title": "暴雨蓝色预警", "time": "2026-09-19 11:06"}, "sender"),
        (NMC | {"msgType": "Warn"}, "msgType"),
        ({"code": 0, "data": []}, "$"),
    ],
)
def test_what_calling_depends_on_is_named_when_it_is_missing(row, element):
    with pytest.raises(RefusedError) as caught:
        read_all(row)
    assert (caught.value.status, caught.value.element) == (400, element)


def test_a_plain_text_that_is_no_warning_is_refused():
    with pytest.raises(RefusedError, match="text"):
        read_warning("预计28日傍晚有雨".encode(), "text/plain", HAZARDS, received_at=RECEIVED_AT)
