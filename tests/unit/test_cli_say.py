"""`jiaoying say`: the preview of what would be said."""

from __future__ import annotations

import shutil
import wave
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from streams.cli import say
from tests.wire.gateway_house import cap

app = typer.Typer()
say.add_to(app)


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.fixture
def warning(tmp_path: Path) -> str:
    file = tmp_path / "warning.xml"
    file.write_bytes(cap())
    return str(file)


def test_a_warning_is_shown_as_a_call_with_its_length_and_seconds(warning: str) -> None:
    told = run(warning, "--place", "回龙村").output
    assert "禾溪县叫应：暴雨红色预警，涉及回龙村。请查看低洼处和山边住户。收到按1" in told
    assert "最多 80" in told
    assert "秒" in told


def test_a_warning_is_shown_as_a_text_with_its_parts(warning: str) -> None:
    told = run(warning, "--medium", "text").output
    assert told.startswith("【禾溪县叫应】暴雨红色预警，涉及全县。预计未来3小时降雨量将达100毫米以上")
    assert "分 2 条" in told


def test_a_warning_is_shown_in_english(warning: str) -> None:
    assert "red rainstorm warning, for the whole county" in run(warning, "--language", "en").output


def test_an_order_is_shown_without_a_file() -> None:
    told = run("--order", "立即转移", "--hazard", "flash_flood", "--medium", "text").output
    assert "山洪紧急叫应（人工叫应），涉及全县。立即转移" in told


@pytest.mark.parametrize("medium", ["voice", "text"])
@pytest.mark.parametrize(
    ("realm", "mark"), [("drill:x", "【演练】"), ("check:x", "【测试】"), ("check:spot", "【抽查】")]
)
def test_what_is_not_real_says_so_first(medium: str, realm: str, mark: str) -> None:
    assert run("--order", "立即转移", "--realm", realm, "--medium", medium).output.startswith(mark)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed here")
def test_the_listening_copy_says_in_its_head_how_long_it_is(tmp_path: Path) -> None:
    audio = tmp_path / "out.wav"
    run("--order", "后山有落石，请立即转移", "--audio", str(audio))
    with wave.open(str(audio)) as spoken:
        assert 5 < spoken.getnframes() / spoken.getframerate() < 40


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--order"),
        (("--order", "x", "--colour", "pink"), "pink"),
        (("--order", "x", "--medium", "fax"), "voice 和 text"),
        (("--order", "x", "--language", "fr"), "zh 和 en"),
    ],
)
def test_what_cannot_be_said_is_told_in_a_sentence(arguments: tuple[str, ...], reason: str) -> None:
    result = run(*arguments, TERMINAL_WIDTH="200")
    assert result.exit_code == 2
    assert reason in result.output


def test_without_a_speaking_program_the_text_is_shown_and_no_file_is_written(tmp_path: Path) -> None:
    audio = tmp_path / "out.wav"
    told = run("--order", "立即转移", "--audio", str(audio), PATH=str(tmp_path))
    assert told.exit_code == 0
    assert "没有安装 espeak-ng" in told.output
    assert not audio.exists()


def test_a_speaking_program_is_handed_the_words_and_none_as_an_option(tmp_path: Path) -> None:
    program = tmp_path / "espeak-ng"
    cat = shutil.which("cat")
    program.write_text(f'#!/bin/sh\nshift 2\nshift\n{cat} > "$1"\n', encoding="utf-8")
    program.chmod(0o755)
    audio = tmp_path / "out.wav"
    told = run("--order", "立即转移", "--audio", str(audio), PATH=str(tmp_path))
    assert "语音已存" in told.output
    assert audio.read_text(encoding="utf-8").startswith("禾溪县叫应：暴雨紧急叫应")
