"""CAP and the 12379 dialect, trap by trap."""

from datetime import UTC, datetime

import pytest
from warning_samples import CAP, DIALECT

from config.hazards import load_hazards
from streams.doors.refusal import RefusedError
from streams.doors.warnings import read_warning
from streams.words import Colour, MsgType, Status

HAZARDS = load_hazards()
RECEIVED_AT = datetime(2026, 7, 20, 1, 0, tzinfo=UTC)


def read(document: str):
    (warning,) = read_warning(document.encode(), "application/cap+xml", HAZARDS, received_at=RECEIVED_AT)
    return warning


def refusal(document: str | bytes) -> RefusedError:
    content = document if isinstance(document, bytes) else document.encode()
    with pytest.raises(RefusedError) as caught:
        read_warning(content, "application/xml", HAZARDS, received_at=RECEIVED_AT)
    return caught.value


def without(document: str, element: str) -> str:
    start, end = document.index(f"<{element}>"), document.index(f"</{element}>") + len(element) + 3
    return document[:start] + document[end:]


def test_the_time_of_the_dialect_is_sendTime_in_china_when_it_names_no_zone():
    assert read(DIALECT).sent == datetime(2026, 7, 20, 2, 45, tzinfo=UTC)


def test_full_width_spaces_around_a_sender_are_no_part_of_it():
    assert read(DIALECT).sender == "筠连县气象局"


def test_the_issuer_is_the_office_and_not_the_person_who_signed():
    assert read(DIALECT).issuer == "筠连县气象局"


def test_hazard_and_colour_of_the_dialect_come_from_code_and_severity():
    warning = read(DIALECT.replace("发布暴雨橙色预警[II级/严重]", "发布预警"))
    assert (warning.hazard, warning.colour) == ("rainstorm", Colour.ORANGE)


def test_a_colour_may_be_the_suffix_of_the_event_code():
    document = DIALECT.replace("11B03", "11B0304").replace("Orange", "Unknown").replace("橙色预警[II级/严重]", "预警")
    assert read(document).colour is Colour.RED


def test_a_level_in_brackets_is_a_colour_where_nothing_else_tells_one():
    document = DIALECT.replace("Orange", "Unknown").replace("暴雨橙色预警[II级/严重]", "暴雨预警[IV级/一般]")
    assert read(document).colour is Colour.BLUE


def test_an_empty_expires_is_no_time():
    assert read(DIALECT).expires_at is None


def test_repeated_codes_and_names_of_an_area_are_one():
    warning = read(DIALECT)
    assert warning.geocodes == ("511527000000",)
    assert warning.area_names == ("筠连县",)


def test_an_empty_polygon_is_no_shape():
    assert read(DIALECT).areas_by_shape is False


def test_the_region_of_the_identifier_stands_in_where_no_area_has_a_code():
    document = DIALECT.replace("<geocode>511527000000,511527000000</geocode>", "<geocode/>")
    assert read(document).geocodes == ("511527",)


def test_a_reference_of_the_dialect_is_one_bare_identifier():
    assert read(DIALECT).references == ("51152741600000_20260719121842",)


def test_references_of_cap_are_triples_apart_by_space():
    triples = "<references>a@b.org,x.0,2026-07-19T08:00:00+02:00 a@b.org,y.0,2026-07-19T09:00:00+02:00</references>"
    document = CAP.replace("<info>", f"{triples}<info>")
    assert read(document).references == ("x.0", "y.0")


def test_a_warning_that_refers_to_itself_refers_to_nothing():
    document = DIALECT.replace("51152741600000_20260719121842", "51152741600000_20260720104500")
    assert read(document).references == ()


@pytest.mark.parametrize("spelling", ["Cancle", "Cancel", "cancel"])
def test_cancel_is_understood_however_it_is_spelt(spelling):
    assert read(DIALECT.replace("Update", spelling)).kind is MsgType.CANCEL


def test_a_cancel_may_lack_an_info():
    document = DIALECT.replace("Update", "Cancel")
    start, end = document.index("<info>"), document.index("</info>") + 7
    assert read(document[:start] + document[end:]).kind is MsgType.CANCEL


def test_the_note_of_a_cancel_is_part_of_its_text():
    document = DIALECT.replace("Update", "Cancel").replace("<note/>", "<note>现解除暴雨橙色预警</note>")
    assert "现解除暴雨橙色预警" in read(document).text


def test_a_headline_that_lifts_makes_an_update_a_cancel():
    document = DIALECT.replace("发布暴雨橙色预警[II级/严重]", "解除暴雨橙色预警")
    assert read(document).kind is MsgType.CANCEL


def test_a_cap_severity_is_no_colour():
    warning = read(CAP)
    assert (warning.hazard, warning.colour) == ("rainstorm", None)


def test_an_area_known_by_its_polygon_only_is_marked():
    warning = read(CAP)
    assert warning.areas_by_shape is True
    assert warning.area_names == ("Valley, north",)


@pytest.mark.parametrize("status", ["Exercise", "Test", "System", "Draft"])
def test_a_status_that_is_not_actual_is_kept(status):
    assert read(CAP.replace("Actual", status)).status is Status(status)


def test_of_several_infos_the_chinese_one_speaks_and_all_areas_count():
    info = (
        "<info><language>zh-CN</language><severity>Minor</severity><headline>暴雨黄色预警</headline>"
        "<area><areaDesc>甲县</areaDesc><geocode><valueName>GB</valueName><value>511527</value></geocode></area></info>"
    )
    warning = read(CAP.replace("</alert>", f"{info}</alert>"))
    assert warning.headline == "暴雨黄色预警"
    assert warning.area_names == ("Valley, north", "甲县")
    assert warning.languages == ("en", "zh-CN")


def test_of_several_foreign_infos_the_most_severe_speaks():
    info = "<info><language>fr</language><severity>Minor</severity><headline>pluie</headline></info>"
    assert read(CAP.replace("<info>", f"{info}<info>", 1)).headline == "Heavy rain"


@pytest.mark.parametrize(
    "namespace",
    ["http://www.incident.com/cap/1.0", "urn:oasis:names:tc:emergency:cap:1.0", "urn:oasis:names:tc:emergency:cap:1.1"],
)
def test_older_namespaces_are_read(namespace):
    assert read(CAP.replace("urn:oasis:names:tc:emergency:cap:1.2", namespace)).identifier == "x.1"


def test_a_namespace_that_is_no_cap_is_refused_by_name():
    error = refusal(CAP.replace("cap:1.2", "alerts:1.2"))
    assert (error.status, error.element) == (400, "alert@xmlns")


@pytest.mark.parametrize("element", ["identifier", "sender", "sent", "status", "msgType"])
def test_a_missing_element_that_calling_depends_on_is_named(element):
    error = refusal(without(CAP, element))
    assert (error.status, error.element) == (400, element)
    assert element in error.reason
    assert element in error.reason_en


def test_an_alert_without_info_is_refused():
    assert refusal(without(CAP, "info")).element == "info"


@pytest.mark.parametrize(("element", "value"), [("status", "Real"), ("msgType", "Warn"), ("sent", "yesterday")])
def test_a_value_outside_the_closed_sets_is_refused(element, value):
    document = without(CAP, element).replace("<scope>", f"<{element}>{value}</{element}><scope>")
    assert refusal(document).element == element


def test_a_foreign_time_without_a_zone_is_refused():
    assert refusal(CAP.replace("+02:00", "")).element == "sent"


def test_alerts_in_a_wrapper_are_each_a_warning():
    inner = CAP.partition("?>")[2]
    document = f"<alerts>{inner}{inner.replace('x.1', 'x.2')}</alerts>"
    warnings = read_warning(document.encode(), "text/xml", HAZARDS, received_at=RECEIVED_AT)
    assert [warning.identifier for warning in warnings] == ["x.1", "x.2"]


def test_a_feed_of_links_only_is_refused():
    error = refusal('<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id></entry></feed>')
    assert error.element == "feed"


def test_a_document_in_gb_18030_without_a_declaration_is_read():
    warnings = read_warning(DIALECT.encode("gb18030"), "text/xml", HAZARDS, received_at=RECEIVED_AT)
    assert warnings[0].sender == "筠连县气象局"


def test_a_document_in_utf_16_is_read():
    warnings = read_warning(DIALECT.encode("utf-16"), "text/xml", HAZARDS, received_at=RECEIVED_AT)
    assert warnings[0].sender == "筠连县气象局"


def test_an_encoding_that_could_hide_markup_is_refused():
    assert refusal(CAP.replace("UTF-8", "UTF-7")).element == "encoding"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_doctype_is_refused_before_it_is_read(encoding):
    bomb = '<!DOCTYPE alert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><alert>&b;</alert>'
    assert refusal(f"<!-- hello -->\n{bomb}".encode(encoding)).element == "DOCTYPE"


def test_an_external_entity_is_never_fetched(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    entity = f'<!DOCTYPE alert [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    document = CAP.replace("<alert ", f"{entity}<alert ").replace("x.1", "&x;")
    assert "secret" not in refusal(document).reason_en


def test_a_document_that_was_cut_off_is_refused_with_its_line():
    error = refusal(CAP[:-20])
    assert error.element.startswith("line ")
