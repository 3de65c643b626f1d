"""`jiaoying carriers`, as it is typed."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from streams.cli.carriers import app
from tests.wire.fake_studio import FakeStudio


def test_the_flow_that_is_printed_can_be_followed():
    shown = CliRunner().invoke(app, ["flow"])
    assert shown.exit_code == 0, shown.output
    fake = FakeStudio(json.loads(shown.stdout))
    fake.close()
    assert fake.unexpected == []
    assert "Polly.Zhiyu" in shown.stdout


def test_the_check_says_what_each_carrier_cannot_keep():
    shown = CliRunner().invoke(app, ["check", "--carrier", "twilio", "--carrier", "aliyun"])
    assert shown.exit_code == 0, shown.output
    assert "短信不能回复" in shown.stdout
    assert "不能挂断" in shown.stdout


def test_a_carrier_that_is_misspelt_is_told_by_name():
    shown = CliRunner().invoke(app, ["check", "--carrier", "twillio"])
    assert shown.exit_code == 2
