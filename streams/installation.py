"""An installation on disk: its folder, its secrets, its ledger, county and rules, made ready for a process."""

from __future__ import annotations

import json
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agents.dial.approvals import ApprovedNumbers
from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.protocol import Carrier
from agents.dial.carriers.simulated import SimulatedCarrier, load_habits
from agents.dial.carriers.twilio import TwilioAccount, TwilioCarrier
from agents.facts import Facts
from agents.plan.wording import check_fits
from config.load import load_rules
from config.settings import Settings, SettingsError
from rosters.load import load_county
from streams.clock import SystemClock
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES, House, build

SECRETS = "secrets.json"
DIAL_BURST_WALL_S = 0.5


@dataclass(frozen=True)
class Installation:
    """What a process of an installation holds."""

    settings: Settings
    house: House
    ledger: SqlLedger
    clock: SystemClock
    approved: ApprovedNumbers


def prepare(settings: Settings) -> None:
    """Make the data folder, its secrets and the ledger's tables; safe to run again and by several at once.

    Raises:
        LedgerAwayError: The database is away.
        OSError: The folder cannot be written.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    number_key(settings)
    migrate(settings.ledger, TABLES)


def number_key(settings: Settings) -> bytes:
    """Return the secret by which numbers are matched: from the settings, or made once and kept in the data folder."""
    given = settings.number_key.get_secret_value()
    if given:
        return given.encode()
    path = settings.data_dir / SECRETS
    if not path.exists():
        _write_secret(path, {"number_key": secrets.token_hex(32)})
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept["number_key"].encode()


def open_installation(settings: Settings, owner: str = "") -> Installation:
    """Open the ledger, load county and rules, and wire a house for this process.

    Raises:
        CountyError, ConfigError: A sheet or a rule is faulty; the message names file and line.
        LedgerAwayError: The database is away.
    """
    clock = settings.clock()
    facts = load_facts(settings, clock.now())
    key = number_key(settings)
    ledger = SqlLedger(settings.ledger, TABLES)
    approved = ApprovedNumbers(ledger, key)
    house = build(
        ledger=ledger,
        clock=clock,
        facts=facts,
        carriers=_carriers(settings, key, approved),
        number_key=key,
        owner=owner or f"{socket.gethostname()}:{os.getpid()}",
        burst_s=max(1.0, DIAL_BURST_WALL_S * clock.speed),
    )
    return Installation(settings, house, ledger, clock, approved)


def load_facts(settings: Settings, around: datetime) -> Facts:
    """Load the county, with its rotating shifts around a time, and the rules."""
    county = load_county(settings.county_folder, around=around)
    facts = Facts(county, load_rules(settings.rules_folder, preset=settings.preset, language=settings.language))
    check_fits(facts)
    return facts


def _carriers(settings: Settings, key: bytes, approved: ApprovedNumbers) -> tuple[Carrier, ...]:
    """Return the ways to phones: the simulated network always, a real one only where the county went live."""
    habits = settings.county_folder / "habits.csv"
    carriers: list[Carrier] = [
        SimulatedCarrier(
            load_habits(habits) if habits.exists() else {},
            number_key=key,
            pace_per_s=settings.call_pace_per_s,
            texts_per_s=settings.text_pace_per_s,
        )
    ]
    if not settings.rehearsal:
        carriers += [_real_carrier(name, settings, approved) for name in settings.carriers]
    return tuple(carriers)


def _real_carrier(name: str, settings: Settings, approved: ApprovedNumbers) -> Carrier:
    if name == "twilio":
        return TwilioCarrier(twilio_account(settings), approved)
    try:
        # Only here: the vendor's packages are an extra, and take two seconds to import.
        from agents.dial.carriers.aliyun.carrier import AliyunCarrier
    except ModuleNotFoundError as error:
        raise SettingsError(
            "CARRIER=aliyun 需要阿里云的软件包，请安装 jiaoying[aliyun] / "
            f"CARRIER=aliyun needs the packages of the extra jiaoying[aliyun] ({error.name} is missing)"
        ) from error
    return AliyunCarrier(aliyun_account(settings), approved)


def twilio_account(settings: Settings) -> TwilioAccount:
    """Return the Twilio account that the settings describe."""
    api_base = {"api_base": settings.twilio_api_base} if settings.twilio_api_base else {}
    return TwilioAccount.model_validate(
        {
            "account_sid": settings.twilio_account_sid,
            "auth_token": settings.twilio_auth_token,
            "from_number": settings.twilio_from_number,
            "public_url": settings.twilio_public_url,
            "pace_per_s": min(settings.call_pace_per_s, settings.twilio_calls_per_s),
            "texts_per_s": settings.text_pace_per_s,
            "china_basis": settings.twilio_china_basis,
            **api_base,
        }
    )


def aliyun_account(settings: Settings) -> AliyunAccount:
    """Return the Aliyun account that the settings describe."""
    given = {
        "access_key_id": settings.aliyun_access_key_id,
        "access_key_secret": settings.aliyun_access_key_secret,
        "show_number": settings.aliyun_show_number,
        "ivr_template": settings.aliyun_ivr_template,
        "reply_template": settings.aliyun_reply_template,
        "notice_template": settings.aliyun_notice_template,
        "sign_name": settings.aliyun_sign_name,
        "text_template": settings.aliyun_text_template,
        "text_variables": settings.aliyun_text_variables,
        "text_variable_chars": settings.aliyun_text_variable_chars,
        "chars_per_s": settings.aliyun_chars_per_s,
        "pace_per_s": min(settings.call_pace_per_s, settings.aliyun_calls_per_s),
        "texts_per_s": settings.text_pace_per_s,
        "voice_api": settings.aliyun_voice_api,
        "text_api": settings.aliyun_text_api,
    }
    return AliyunAccount.model_validate({name: value for name, value in given.items() if value != ""})


def environment(settings: Settings) -> dict[str, str]:
    """Return the JIAOYING_ variables by which a child process comes to the same settings."""
    variables: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if value in (None, "", ()):
            continue
        if hasattr(value, "get_secret_value"):
            value = value.get_secret_value()
            if not value:
                continue
        text = ",".join(value) if isinstance(value, tuple) else value
        variables[f"JIAOYING_{name.upper()}"] = text.isoformat() if isinstance(text, datetime) else str(text)
    return variables


def _write_secret(path: Path, content: dict[str, str]) -> None:
    """Write a file that only its owner reads, unless another process was first."""
    part = path.with_suffix(f".{os.getpid()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    try:
        os.link(part, path)
    except FileExistsError:
        return
    finally:
        part.unlink()
