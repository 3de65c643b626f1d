"""`jiaoying say`: what would be said about a warning or an order, how long it takes, how it sounds. Calls nobody."""

from __future__ import annotations

import mimetypes
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.facts import Facts
from agents.plan import wording
from agents.plan.lengths import sms_parts, speech_s, voice_chars_max
from config.faults import Language, Word
from config.load import load_rules
from config.settings import Settings
from config.speech import Medium
from rosters.load import load_county
from streams.cli.orders import MEDIA_TYPES
from streams.cli.screen import console, settings
from streams.doors.warnings import read_warning
from streams.letters import ChainMoved, Move
from streams.listening import can_speak, speech_of
from streams.words import Colour


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(say)


def say(
    file: Annotated[Path | None, typer.Argument(exists=True, readable=True, help="预警文件 / a warning file")] = None,
    order: Annotated[str, typer.Option(help="人工叫应说什么 / the words of an order, instead of a file")] = "",
    hazard: Annotated[str, typer.Option(help="灾种（人工叫应用） / hazard of an order")] = "rainstorm",
    colour: Annotated[str, typer.Option(help="red orange yellow blue")] = "red",
    medium: Annotated[str, typer.Option(help="voice 语音 · text 短信")] = "voice",
    language: Annotated[str, typer.Option(help="zh en")] = "",
    place: Annotated[str, typer.Option(help="念给哪里听，默认全县 / for which place")] = "",
    realm: Annotated[str, typer.Option(help="real、drill:<id>、check:<id>")] = "real",
    audio: Annotated[Path | None, typer.Option(help="存成语音文件 .wav（需要 espeak-ng） / as audio")] = None,
) -> None:
    """预览要说的话：内容、字数、秒数、短信条数 / preview what is said; nobody is called."""
    chosen = settings()
    said_medium, spoken = _medium(medium), _language(language, chosen.language)
    facts = _facts(chosen)
    at = chosen.clock().now()
    moved = _ordered(order, hazard, colour, realm, at) if order else _warned(file, facts, realm, at)
    shown = place or facts.county.name
    if said_medium == "voice":
        words = wording.voice_of(moved, shown, facts, spoken)
        whole = words + wording.prompt_of(facts.book, spoken)
        limit = voice_chars_max(facts.book.knobs.voice_chars_max, spoken)
        told = Word(
            f"{len(whole)} 字（最多 {limit}，含按键提示），约 {speech_s(whole, spoken):.0f} 秒",
            f"{len(whole)} characters (at most {limit}, the keys included), about {speech_s(whole, spoken):.0f} s",
        )
    else:
        whole = wording.text_of(moved, shown, facts, spoken)
        told = Word(
            f"{len(whole)} 字，分 {sms_parts(whole)} 条", f"{len(whole)} characters, {sms_parts(whole)} part(s)"
        )
    console().print(whole, highlight=False, markup=False, soft_wrap=True)
    console().print(f"[dim]{told.said(chosen.language)}[/]", highlight=False)
    if audio is not None:
        _speak(whole, spoken, audio, chosen.language)


def _facts(chosen: Settings) -> Facts:
    """Load the county and its rules; nothing is opened and nothing is written."""
    county = load_county(chosen.county_folder, around=chosen.clock().now())
    return Facts(county, load_rules(chosen.rules_folder, preset=chosen.preset, language=chosen.language))


def _ordered(text: str, hazard: str, colour: str, realm: str, at: datetime) -> ChainMoved:
    try:
        severity = Colour(colour)
    except ValueError:
        raise typer.BadParameter(f"没有颜色 {colour}，只有 red、orange、yellow、blue / no such colour") from None
    return ChainMoved(
        realm=realm,
        chain_id="",
        move=Move.OPENED,
        cause_id="",
        hazard=hazard,
        colour=severity,
        regions=(),
        text=text,
        source="order",
        at=at,
    )


def _warned(file: Path | None, facts: Facts, realm: str, at: datetime) -> ChainMoved:
    """Return the first warning of a file as PLAN would hear of it.

    Raises:
        BadParameter: There is no file, or it names no hazard or colour: such a warning is put to the duty officer.
        RefusedError: The file is no warning.
    """
    if file is None:
        raise typer.BadParameter("请给出预警文件，或用 --order 写出要说的话 / give a warning file, or --order")
    media_type = MEDIA_TYPES.get(file.suffix.lower()) or mimetypes.guess_type(file.name)[0] or "application/xml"
    warning = read_warning(file.read_bytes(), media_type, facts.book.hazards, realm=realm, received_at=at)[0]
    if warning.hazard is None or warning.colour is None:
        raise typer.BadParameter(
            f"{file.name} 看不出灾种或颜色，这样的预警只交值班员，不直接叫应 / no hazard or colour can be read from it"
        )
    return ChainMoved(
        realm=realm,
        chain_id="",
        move=Move.OPENED,
        cause_id=warning.id,
        hazard=warning.hazard,
        colour=warning.colour,
        regions=(),
        issuer=warning.issuer,
        text=warning.text,
        headline=warning.headline,
        until=warning.expires_at,
        exercise=warning.status.value == "Exercise",
        at=warning.sent,
    )


def _medium(given: str) -> Medium:
    if given == "voice":
        return "voice"
    if given == "text":
        return "text"
    raise typer.BadParameter(f"--medium 只有 voice 和 text，没有 {given} / --medium is voice or text")


def _language(given: str, otherwise: Language) -> Language:
    if given in ("", otherwise):
        return otherwise
    if given == "zh":
        return "zh"
    if given == "en":
        return "en"
    raise typer.BadParameter(f"--language 只有 zh 和 en，没有 {given} / --language is zh or en")


def _speak(words: str, spoken: Language, audio: Path, language: Language) -> None:
    """Write what is said as audio, where a program that speaks is installed; else say so."""
    if not can_speak():
        missing = Word(
            "没有安装 espeak-ng，不能存成语音；文字如上。", "espeak-ng is not installed: no audio is written."
        )
        console().print(missing.said(language))
        return
    audio.write_bytes(speech_of(words, spoken))
    console().print(Word(f"语音已存：{audio}", f"audio written: {audio}").said(language), highlight=False)
