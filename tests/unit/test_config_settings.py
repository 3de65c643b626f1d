"""The settings of one installation: safe by default, and readable when wrong."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import PREFIX, Settings, SettingsError, read_settings

LIVE = {
    "carrier": "twilio",
    "twilio_account_sid": "AC" + "0" * 32,
    "twilio_auth_token": "token-that-nobody-may-see",
    "twilio_from_number": "+15005550006",
    "twilio_public_url": "https://county.example/",
    "number_key": "key-that-nobody-may-see",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away whatever this machine sets."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def refusal(language: str = "zh", **given: object) -> str:
    """Return what is said about wrong settings."""
    with pytest.raises(SettingsError) as caught:
        read_settings(language, **given)
    return str(caught.value)


def test_by_default_nothing_real_rings_and_the_door_is_on_loopback() -> None:
    settings = read_settings()
    assert (settings.carrier, settings.rehearsal, settings.host, settings.realm) == (
        "simulated", True, "127.0.0.1", "real",
    )  # fmt: skip


def test_by_default_the_ledger_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    assert read_settings(data_dir=tmp_path).ledger == f"sqlite:///{tmp_path}/ledger.sqlite3"


def test_variables_of_the_environment_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIAOYING_KAFKA", "one:9092, two:9092")
    monkeypatch.setenv("JIAOYING_REHEARSAL", "false")
    settings = read_settings()
    assert (settings.kafka, settings.rehearsal) == (("one:9092", "two:9092"), False)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIAOYING_PORT", "")
    assert read_settings().port == 8010


def test_a_misspelt_variable_is_refused_with_the_right_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIAOYING_REHERSAL", "false")
    assert "JIAOYING_REHERSAL: 不认识的键,请删去或检查拼写,是不是 JIAOYING_REHEARSAL" in refusal()


def test_a_variable_that_resembles_no_setting_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIAOYING_SOMETHING_ELSE", "1")
    assert read_settings().port == 8010


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"port": 0}, "JIAOYING_PORT: 写的是 0,不能小于 1"),
        ({"port": "http"}, 'JIAOYING_PORT: 写的是 "http",应为整数'),
        ({"rehearsal": "maybe"}, 'JIAOYING_REHEARSAL: 写的是 "maybe",应为 true 或 false'),
        ({"carrier": "pigeon"}, 'JIAOYING_CARRIER: 写的是 "pigeon",只能是 simulated, twilio'),
        ({"kafka": "one"}, "JIAOYING_KAFKA: 「one」应写成 host:port"),
        ({"realm": "drill"}, "JIAOYING_REALM: 应为 real、drill:<id> 或 check:<id>"),
        ({"twilio_api_base": "api"}, "JIAOYING_TWILIO_API_BASE: 「api」不是网址"),
        ({"wall_origin": "2021-07-19T21:59:00", "story_origin": "2021-07-19T21:59:00+08:00"}, "要带时区"),
        ({"story_origin": "2021-07-19T21:59:00+08:00"}, "WALL_ORIGIN 与 STORY_ORIGIN 要一起设"),
        ({"speed": 60}, "SPEED 只与两个 ORIGIN 一起用"),
        ({"line_check_every_min": 60}, "线路自检还要设 JIAOYING_LINE_CHECK_AREA、JIAOYING_LINE_CHECK_TOKEN"),
        (
            {"line_check_every_min": 60, "line_check_area": "419926000000", "line_check_token": "s" * 24},
            "LINE_CHECK_EVERY_MIN 至少 120",
        ),
        ({"port": 8011}, "PORT 与 METRICS_PORT 不能相同"),
        ({"carrier": "twilio"}, "CARRIER=twilio 还要设 JIAOYING_TWILIO_ACCOUNT_SID"),
        ({"twilio_from_number": "110"}, "JIAOYING_TWILIO_FROM_NUMBER: 写法不对:E.164."),
    ],
)
def test_a_wrong_value_is_refused_with_its_variable_and_what_to_do(given: dict[str, object], said: str) -> None:
    assert said in refusal(**given)


def test_every_wrong_value_is_told_at_once_and_in_english_where_asked() -> None:
    told = refusal("en", port=0, realm="x").splitlines()
    assert told[1:] == [
        "  JIAOYING_PORT: 0 is too small: at least 1",
        "  JIAOYING_REALM: should be real, drill:<id> or check:<id>",
    ]


def test_a_real_carrier_with_all_it_needs_is_taken_and_its_url_has_no_last_slash() -> None:
    assert read_settings(**LIVE).twilio_public_url == "https://county.example"


def test_a_real_carrier_on_a_story_clock_is_refused() -> None:
    origin = "2021-07-19T21:59:00+08:00"
    assert "真实电话只用真实时间" in refusal(**LIVE, wall_origin=origin, story_origin=origin)


def test_no_secret_is_shown_when_settings_are_printed() -> None:
    settings = read_settings(**LIVE, ledger_url="postgresql://user:nobody-may-see@db/jiaoying")
    assert "nobody-may-see" not in repr(settings)


def test_no_secret_is_shown_when_it_is_wrong() -> None:
    assert "4711" not in refusal(number_key=4711)


def test_the_clock_of_a_demo_starts_at_its_story_and_runs_at_its_speed() -> None:
    story = datetime(2021, 7, 19, 13, 59, tzinfo=UTC)
    wall = datetime(2025, 1, 1, tzinfo=UTC)
    clock = read_settings(speed=60, wall_origin=wall, story_origin=story).clock()
    before = clock.wall()
    assert clock.now() - story >= (before - wall) * 60
    assert clock.now() - story <= (clock.wall() - wall) * 60 + timedelta(seconds=1)


def test_every_setting_but_the_plain_choices_says_what_it_is() -> None:
    silent = {name for name, field in Settings.model_fields.items() if not field.description}
    assert silent == {"log_level", "carrier"}
