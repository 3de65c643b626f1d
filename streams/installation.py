"""An installation on disk: its folder, its secrets, its ledger, county and rules, made ready for a process."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from agents.dial.approvals import ApprovedNumbers
from agents.dial.carriers.aliyun.account import AliyunAccount
from agents.dial.carriers.protocol import Carrier
from agents.dial.carriers.simulated import SimulatedCarrier, load_habits
from agents.dial.manned import Switchboard
from agents.facts import Facts
from agents.plan.wording import check_fits
from config.load import ConfigError, load_rules
from config.rules import RuleBook
from config.settings import Settings, SettingsError
from rosters.holidays import duty_year_of
from rosters.ledger import pulse_of
from rosters.load import load_county
from streams import county_in_force as county
from streams import rules_in_force as rules
from streams.clock import SystemClock
from streams.fake_phones import phones_are_fake
from streams.ledger.contract import EditionKind, FullStep, LedgerError, StaleRowError
from streams.ledger.editions import records_mark
from streams.ledger.sql import SqlLedger
from streams.wiring import TABLES, House, build

if TYPE_CHECKING:
    from agents.dial.carriers.twilio import TwilioAccount

T = TypeVar("T")
log = logging.getLogger(__name__)
SECRETS = "secrets.json"
STALE_TRIES = 5
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
        OutdatedError: A newer program has written this ledger.
        OSError: The folder cannot be written.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    number_key(settings)
    _migrate(settings)


def _migrate(settings: Settings) -> None:
    # Only here: Alembic takes half a second to import, and a worker that is started again has its tables.
    from streams.ledger.migrate import migrate

    migrate(settings.ledger, TABLES)


def deploy(settings: Settings) -> str:
    """Make everything ready and put the rules' files into force where they never were.

    Returns:
        What people must be told: files that are faulty, or that were followed by others since. Empty where all is well.

    Raises:
        ConfigError: The files are faulty, and no rules were ever in force.
        LedgerAwayError: The database is away.
        OutdatedError: A newer program has written this ledger.
        OSError: The folder cannot be written.
    """
    prepare(settings)
    ledger = SqlLedger(settings.ledger, TABLES)
    try:
        own, fault = _own_rules(settings)
        who = _who(settings)
        if own is None:
            found = _retried(ledger, lambda step: rules.go_by(step, None, str(fault), who))
            if found is None and fault is not None:
                raise fault
            return f"叫应规则文件有误，仍按现行规则叫应 / the rules' files are faulty, those in force go on: {fault}"
        if _retried(ledger, lambda step: rules.bring_in(step, own, who)) is rules.Told.FOLLOWED:
            return (
                "叫应规则文件是旧版，仍按现行规则叫应；要退回旧版请运行 jiaoying config publish "
                "/ the rules' files were followed by newer ones, which go on; to go back, publish them"
            )
        return ""
    finally:
        ledger.close()


def publish_rules(settings: Settings, by: str) -> rules.InForce:
    """Put the rules' files into force on purpose, also such as were in force before.

    Raises:
        ConfigError, CountyError: The files are faulty, or do not fit the county; what is in force stays.
        LedgerAwayError: The database is away.
    """
    prepare(settings)
    book = load_facts(settings, settings.clock().now()).book
    ledger = SqlLedger(settings.ledger, TABLES)
    try:
        return _retried(ledger, lambda step: rules.publish(step, book, _who(settings)._replace(by=by)))
    finally:
        ledger.close()


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
        CountyError: A sheet is faulty, and no county was ever taken in; the message names file and line.
        ConfigError: The rules are faulty, and none were ever in force.
        OutdatedError: A newer program has written this ledger.
        LedgerAwayError: The database is away.
    """
    clock = settings.clock()
    key = number_key(settings)
    ledger = SqlLedger(settings.ledger, TABLES)
    try:
        facts = _facts_in_force(settings, ledger, clock.now())
    except BaseException:
        ledger.close()
        raise
    approved = ApprovedNumbers(ledger, key)
    house = build(
        ledger=ledger,
        clock=clock,
        facts=facts,
        carriers=_carriers(settings, key, approved, Switchboard(ledger, clock, key)),
        number_key=key,
        owner=owner or _process_name(),
        burst_s=max(1.0, DIAL_BURST_WALL_S * clock.speed),
    )
    return Installation(settings, house, ledger, clock, approved)


def load_facts(settings: Settings, around: datetime, book: RuleBook | None = None, folder: Path | None = None) -> Facts:
    """Load the county, with its rotating shifts around a time, and the rules of the files where none are given.

    Args:
        settings: Of the installation.
        around: Aware.
        book: The rules; those of the files where none are given.
        folder: Of the county; the installation's own where none is given.

    Raises:
        CountyError, ConfigError: The sheets or the rules are faulty, or do not fit each other.
    """
    folder = folder or settings.county_folder
    facts = Facts(load_county(folder, around=around), book or _load_rules(settings), year=duty_year_of(folder))
    check_fits(facts)
    return facts


def _facts_in_force(settings: Settings, ledger: SqlLedger, now: datetime) -> Facts:
    """Return the county and the rules in force, and bind the ledger to what is in force now."""
    own, fault = _own_rules(settings)
    mine = _retried(ledger, _edition_of_ours)
    if not mine:
        # The program was changed under a running house: whoever starts first takes over, and the others follow.
        _migrate(settings)
        mine = _retried(ledger, _edition_of_ours)
    ledger.hold_to({EditionKind.RECORDS: mine})
    found = _retried(ledger, lambda step: rules.go_by(step, own, str(fault or ""), _who(settings)))
    if found is None:
        raise fault or LedgerError("no rules")
    ledger.hold_to({EditionKind.RECORDS: mine, EditionKind.RULES: found.n})
    taken = county.take_in(
        settings.county_folder,
        settings.data_dir,
        _retried(ledger, pulse_of).published,
        lambda folder: load_facts(settings, now, found.book, folder),
    )
    if taken.kind:
        log.warning("%s", taken.told)
        _retried(ledger, partial(county.tell, taken, now))
    return taken.facts


def _edition_of_ours(step: FullStep) -> int:
    """Return the number of this program's records, 0 where the ledger has never seen them."""
    mark = records_mark(TABLES)
    return max((edition.n for edition in step.editions(EditionKind.RECORDS) if edition.mark == mark), default=0)


def _load_rules(settings: Settings) -> RuleBook:
    return load_rules(settings.rules_folder, preset=settings.preset, language=settings.language)


def _own_rules(settings: Settings) -> tuple[RuleBook | None, ConfigError | None]:
    """Return the rules of this machine's files, or what is wrong with them."""
    try:
        return _load_rules(settings), None
    except ConfigError as error:
        return None, error


def _who(settings: Settings) -> rules.Who:
    return rules.Who(_process_name(), SystemClock().wall(), settings.clock().now())


def _process_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def _retried(ledger: SqlLedger, work: Callable[[FullStep], T]) -> T:
    """Run a step of a starting process; others start at the same time."""
    for _ in range(STALE_TRIES):
        with suppress(StaleRowError):
            return ledger.step(work)
    return ledger.step(work)


def _carriers(
    settings: Settings, key: bytes, approved: ApprovedNumbers, switchboard: Switchboard
) -> tuple[Carrier, ...]:
    """Return the ways to phones: the simulated network always, a real one only where the county went live."""
    habits = settings.county_folder / "habits.csv"
    carriers: list[Carrier] = [
        SimulatedCarrier(
            load_habits(habits) if habits.exists() else {},
            number_key=key,
            pace_per_s=settings.call_pace_per_s,
            texts_per_s=settings.text_pace_per_s,
            is_manned=switchboard.is_manned if phones_are_fake(settings) else None,
        )
    ]
    if not settings.rehearsal:
        carriers += [_real_carrier(name, settings, approved) for name in settings.carriers]
    return tuple(carriers)


def _real_carrier(name: str, settings: Settings, approved: ApprovedNumbers) -> Carrier:
    # A vendor's packages take a second or two to import, so only here, and only those of the vendor that is used.
    if name == "twilio":
        from agents.dial.carriers.studio import StudioCarrier
        from agents.dial.carriers.twilio import TwilioCarrier

        account = twilio_account(settings)
        return StudioCarrier(account, approved) if account.flow_sid else TwilioCarrier(account, approved)
    try:
        from agents.dial.carriers.aliyun.carrier import AliyunCarrier
    except ModuleNotFoundError as error:
        raise SettingsError(
            "CARRIER=aliyun 需要阿里云的软件包，请安装 jiaoying[aliyun] / "
            f"CARRIER=aliyun needs the packages of the extra jiaoying[aliyun] ({error.name} is missing)"
        ) from error
    return AliyunCarrier(aliyun_account(settings), approved)


def twilio_account(settings: Settings) -> TwilioAccount:
    """Return the Twilio account that the settings describe."""
    from agents.dial.carriers.twilio import TwilioAccount

    api_base = {"api_base": settings.twilio_api_base} if settings.twilio_api_base else {}
    return TwilioAccount.model_validate(
        {
            "account_sid": settings.twilio_account_sid,
            "auth_token": settings.twilio_auth_token,
            "from_number": settings.twilio_from_number,
            "public_url": settings.twilio_public_url,
            "flow_sid": settings.twilio_flow_sid,
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
        "repeat_template": settings.aliyun_repeat_template,
        "play_times": settings.aliyun_play_times,
        "sign_name": settings.aliyun_sign_name,
        "text_template": settings.aliyun_text_template,
        "text_variables": settings.aliyun_text_variables,
        "text_variable_chars": settings.aliyun_text_variable_chars,
        "chars_per_s": settings.aliyun_chars_per_s,
        "pace_per_s": min(settings.call_pace_per_s, settings.aliyun_calls_per_s),
        "texts_per_s": settings.text_pace_per_s,
        "queue_account": settings.aliyun_queue_account,
        "queue_api": settings.aliyun_queue_api,
        "base_api": settings.aliyun_base_api,
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
