"""Who gets copies: the file, its faults, and that no address is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from agents.copies.receivers import COPIES_FILE, load_receivers
from agents.copies.state import Event
from config.load import ConfigError
from streams.cli.root import app

WECOM = "wecombot://a-key-that-is-secret"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / COPIES_FILE
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return folder


def test_without_a_file_nobody_gets_copies(tmp_path):
    assert load_receivers(tmp_path) == ()


def test_a_receiver_is_told_everything_unless_it_says_what(tmp_path):
    folder = written(
        tmp_path,
        f"copies:\n  - {{name: 一群, url: '{WECOM}'}}\n  - {{name: 二群, url: '{WECOM}2', events: [ended]}}\n",
    )

    first, second = load_receivers(folder)

    assert (first.service, first.events, second.events) == ("企业微信 WeCom", tuple(Event), (Event.ENDED,))


def test_a_file_that_others_may_read_is_refused(tmp_path):
    folder = written(tmp_path, f"copies:\n  - {{name: 一群, url: '{WECOM}'}}\n", 0o644)

    with pytest.raises(ConfigError, match="chmod 600"):
        load_receivers(folder)


@pytest.mark.parametrize("scheme", ["twilio", "sms", "https", "exec", "whatsapp"])
def test_a_way_to_telephones_or_to_anything_unknown_is_refused_without_repeating_the_address(tmp_path, scheme):
    folder = written(tmp_path, f"copies:\n  - {{name: 一群, url: '{scheme}://the-secret'}}\n")

    with pytest.raises(ConfigError) as refused:
        load_receivers(folder)

    assert "copies.yaml:2" in str(refused.value)
    assert "the-secret" not in str(refused.value)


def test_an_address_that_is_no_text_is_refused_without_repeating_it(tmp_path):
    folder = written(tmp_path, "copies:\n  - {name: 一群, url: {key: the-secret}}\n")

    with pytest.raises(ConfigError) as refused:
        load_receivers(folder)

    assert "the-secret" not in str(refused.value)


def test_two_receivers_of_one_name_are_refused(tmp_path):
    folder = written(tmp_path, f"copies:\n  - {{name: 群, url: '{WECOM}'}}\n  - {{name: 群, url: '{WECOM}2'}}\n")

    with pytest.raises(ConfigError, match="重复"):
        load_receivers(folder)


def test_the_check_says_plainly_that_copies_count_for_nothing_and_shows_no_address(tmp_path, monkeypatch):
    written(tmp_path, f"copies:\n  - {{name: 应急局群, url: '{WECOM}'}}\n")
    monkeypatch.setenv("JIAOYING_DATA_DIR", str(tmp_path))

    shown = CliRunner().invoke(app, ["copies", "check"])

    assert shown.exit_code == 0, shown.output
    assert "抄送不计为叫到，也不计为应答" in shown.output
    assert "应急局群" in shown.output
    assert "secret" not in shown.output


def test_the_check_tells_an_address_that_cannot_be_read(tmp_path, monkeypatch):
    written(tmp_path, "copies:\n  - {name: 应急局群, url: 'dingtalk://no token'}\n")
    monkeypatch.setenv("JIAOYING_DATA_DIR", str(tmp_path))

    shown = CliRunner().invoke(app, ["copies", "check"])

    assert shown.exit_code == 1
    assert "✗" in shown.output
