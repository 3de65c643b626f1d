"""Every real warning at hand is read as its index, or its own fields, say. The data stay outside the repository."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.hazards import load_hazards
from streams.doors.reading_hazard import read_colour, read_hazard_word
from streams.doors.refusal import RefusedError
from streams.doors.warnings import read_warning

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
HAZARDS = load_hazards()
RECEIVED_AT = datetime(2026, 11, 1, tzinfo=UTC)
REQUIRED = ("identifier", "sender", "sent", "status", "msgType", "info")


def cap_index() -> list[dict[str, str]]:
    index = DATA / "cap" / "INDEX.tsv"
    return (
        list(csv.DictReader(index.read_text(encoding="utf-8").splitlines(), delimiter="\t")) if index.exists() else []
    )


def cn_rows() -> list[dict]:
    source = DATA / "cn" / "warnings.jsonl"
    return [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()] if source.exists() else []


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data lie beside the repository, and are not here")


def read_cap_file(row: dict[str, str]):
    return read_warning((DATA / "cap" / row["file"]).read_bytes(), "application/xml", HAZARDS, received_at=RECEIVED_AT)


def lacks_something(row: dict[str, str]) -> bool:
    content = (DATA / "cap" / row["file"]).read_text(encoding="utf-8", errors="replace")
    lacking = [name for name in REQUIRED[:5] if f"{name}>" not in content or f"{name}></" in content.replace(" ", "")]
    return bool(lacking) or not row["sender"] or (row["infos"] == "0" and row["msgType"] != "Cancel")


def readable_cap_files() -> list[dict[str, str]]:
    return [row for row in cap_index() if row["alerts"] != "0" and not lacks_something(row)]


@needs_data
@pytest.mark.parametrize("row", cap_index(), ids=lambda row: row["file"])
def test_a_cap_file_is_read_as_its_index_says(row):
    if row["alerts"] == "0" or lacks_something(row):
        with pytest.raises(RefusedError) as caught:
            read_cap_file(row)
        assert caught.value.status == 400
        return
    warnings = read_cap_file(row)
    assert len(warnings) == int(row["alerts"])
    first = warnings[0]
    assert (first.status.value, first.kind.value) == (row["status"], row["msgType"])
    assert first.sender.startswith(row["sender"])
    languages = {language for warning in warnings for language in warning.languages}
    assert languages == set(row["languages"].split(",")) - {""}
    assert bool(first.references) == ("references:" in row["features"] and "canada_errors" not in row["file"])


@needs_data
@pytest.mark.parametrize("row", readable_cap_files(), ids=lambda row: row["file"])
def test_a_foreign_severity_never_becomes_a_colour(row):
    assert all(warning.colour is None for warning in read_cap_file(row))


def told_by_fields(raw: dict) -> tuple[str | None, str | None]:
    """Return hazard and colour as the row's own type and level fields tell them, without any reading of text."""
    folded = {key.lower(): value for key, value in raw.items() if isinstance(value, str)}
    hazard = next((folded[key] for key in ("signaltype", "alertname", "w5", "type") if key in folded), "")
    colour = next((folded[key] for key in ("signallevel", "alertlevel", "w7", "level") if key in folded), "")
    read = read_colour(colour)
    return read_hazard_word(hazard, HAZARDS), read and read.value


@needs_data
@pytest.mark.parametrize("row", cn_rows(), ids=lambda row: f"{row['n']} {row['format']}")
def test_a_chinese_row_tells_hazard_and_colour(row):
    content = json.dumps(row["raw"]).encode()
    if row["n"] == 106:
        # A forecast quoted in the news: it names no issuer, no time of issue and no colour.
        with pytest.raises(RefusedError):
            read_warning(content, "application/json", HAZARDS, received_at=RECEIVED_AT)
        return
    (warning,) = read_warning(content, "application/json", HAZARDS, received_at=RECEIVED_AT)
    hazard, colour = told_by_fields(row["raw"])
    assert warning.hazard
    assert warning.colour
    assert warning.hazard == (hazard or warning.hazard)
    assert warning.colour.value == (colour or warning.colour.value)
    words = (row["title"] if "预警" in row["title"] else row["text"]).split("：")[0]
    if "色" in words:
        assert warning.colour.chinese[0] in words


def rows_with_a_time_in_words() -> list[dict]:
    """Leave out the translated row and those whose words tell no time of issue."""
    return [row for row in cn_rows() if row["n"] not in (25, 106, 111, 113, 141)]


@needs_data
@pytest.mark.parametrize("row", rows_with_a_time_in_words(), ids=lambda row: str(row["n"]))
def test_a_chinese_text_alone_tells_the_same_as_its_fields(row):
    text = f"{row['title']}\n{row['text']}" if "预警" in row["title"] else row["text"]
    (plain,) = read_warning(text.encode(), "text/plain", HAZARDS, received_at=RECEIVED_AT)
    (warning,) = read_warning(json.dumps(row["raw"]).encode(), "application/json", HAZARDS, received_at=RECEIVED_AT)
    assert (plain.hazard, plain.colour) == (warning.hazard, warning.colour)


@needs_data
def test_every_row_of_the_nmc_list_is_read_with_the_region_of_its_identifier():
    source = DATA / "cn" / "nmc_alarm_list.json"
    rows = json.loads(source.read_text(encoding="utf-8"))["data"]["page"]["list"]
    warnings = read_warning(source.read_bytes(), "application/json", HAZARDS, received_at=RECEIVED_AT)
    assert [warning.identifier for warning in warnings] == [row["alertid"] for row in rows]
    assert [warning.geocodes for warning in warnings] == [(row["alertid"][:6],) for row in rows]
    for warning, row in zip(warnings, rows, strict=True):
        assert warning.colour is not None
        assert f"{warning.colour.chinese}预警" in row["title"]
        assert warning.hazard == ("rainstorm" if "暴雨" in row["title"] else "geohazard")
