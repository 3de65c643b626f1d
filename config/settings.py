"""What one installation sets: folders, addresses, carrier, pace. Read from the environment, names start JIAOYING_.

Rules, people and ladders are not here: those are the county's files. It must never print a secret, and never make a
real phone ring by default: the carrier is simulated and a new county starts in rehearsal.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.faults import Language, Word, say
from config.sheet import misfit
from streams.clock import SystemClock
from streams.ids import make_id

PREFIX = "JIAOYING_"
OWN_FOLDER = Path(__file__).parent
SECRET_CHARS_MIN = 24
LINE_CHECK_EVERY_MIN_LEAST = 120
"""Twelve calls a day: a number has sixteen for what is not red (agents/dial/budget.py), and a miss is tried again."""
ACCOUNTS: dict[str, tuple[str, ...]] = {
    "twilio": ("twilio_account_sid", "twilio_auth_token", "twilio_from_number", "twilio_public_url"),
    "aliyun": (
        "aliyun_access_key_id",
        "aliyun_access_key_secret",
        "aliyun_show_number",
        "aliyun_ivr_template",
        "aliyun_sign_name",
        "aliyun_text_template",
        "aliyun_receipt_secret",
    ),
}
"""What each real carrier cannot do without."""
INSTEAD: dict[str, str] = {"twilio_public_url": "twilio_flow_sid", "aliyun_receipt_secret": "aliyun_queue_account"}
"""What does as well, where nothing outside can reach us: everything is asked for instead of being told."""


class SettingsError(ValueError):
    """The environment does not make a valid installation; the message names each variable and what to do."""


class Settings(BaseSettings):
    """The settings of one installation; each is the variable JIAOYING_ and its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True
    )

    data_dir: Path = Field(default=Path("data"), description="Folder of the ledger, reports and logs.")
    ledger_url: str = Field(default="", repr=False, description="URL of the ledger; empty = SQLite in data_dir.")
    kafka: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Bootstrap servers host:port, comma-separated; empty = the embedded broker."
    )
    county_folder: Path = Field(default=OWN_FOLDER / "sample", description="The county's sheets.")
    rules_folder: Path = Field(default=OWN_FOLDER, description="hazards.yaml, thresholds.yaml and presets/.")
    preset: str = Field(default="mianxian", pattern=r"^[a-z0-9_-]+$", description="A file of presets/, no suffix.")
    language: Language = Field(default="zh", description="What people see: zh or en.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    host: str = Field(default="127.0.0.1", description="Address that the HTTP door binds to.")
    port: int = Field(default=8010, ge=1, le=65535, description="TCP port of the HTTP door.")
    metrics_port: int = Field(default=8011, ge=1, le=65535, description="TCP port of the worker's /metrics.")

    realm: str = Field(default="real", description="real, drill:<id> or check:<id>.")
    rehearsal: bool = Field(default=True, description="True: everything runs, but no real phone is dialled.")
    speed: float = Field(default=1.0, gt=0, le=3600, description="Story seconds in one real second (demo only).")
    wall_origin: datetime | None = Field(default=None, description="Real time when the story began, with offset.")
    story_origin: datetime | None = Field(default=None, description="Story time at wall_origin, with offset.")

    carrier: Literal["simulated", "twilio", "aliyun"] = "simulated"
    carrier_fallback: Literal["", "twilio", "aliyun"] = Field(
        default="", description="The carrier used where the first is down or may not dial the number."
    )
    call_pace_per_s: float = Field(default=50.0, gt=0, le=10_000, description="Calls begun in one second at most.")
    text_pace_per_s: float = Field(default=50.0, gt=0, le=10_000, description="Texts sent in one second at most.")
    alarm_url: str = Field(default="", repr=False, description="URL that the auditor POSTs its alarms to, as JSON.")
    heartbeat_url: str = Field(default="", repr=False, description="URL that the auditor GETs while all is well.")
    line_check_every_min: int = Field(
        default=0, ge=0, le=7 * 24 * 60, description="Minutes from one line check of the auditor to the next; 0 = none."
    )
    line_check_within_min: int = Field(default=5, ge=2, le=60, description="Minutes in which it has to come back.")
    line_check_area: str = Field(default="", pattern=r"^(\d{12})?$", description="Code of the county, 12 digits.")
    line_check_token: SecretStr = Field(default=SecretStr(""), description="Token of a sender, for the line check.")
    line_check_url: str = Field(default="", description="URL of the HTTP door; empty = that of host and port.")
    embedded_broker: bool = Field(default=False, description="Set by `jiaoying up`: the broker in kafka is its own.")
    number_key: SecretStr = Field(default=SecretStr(""), description="Key of the HMAC that stands for phone numbers.")
    twilio_account_sid: str = Field(default="", pattern=r"^(AC[0-9a-fA-F]{32})?$", description="AC and 32 hex digits.")
    twilio_auth_token: SecretStr = Field(default=SecretStr(""), description="Signs requests and callbacks.")
    twilio_auth_token_next: SecretStr = Field(default=SecretStr(""), description="Also accepted while tokens rotate.")
    twilio_from_number: str = Field(default="", pattern=r"^(\+[1-9]\d{6,14})?$", description="E.164.")
    twilio_public_url: str = Field(default="", description="https URL under which callbacks reach the HTTP door.")
    twilio_flow_sid: str = Field(
        default="",
        pattern=r"^(FW[0-9a-fA-F]{32})?$",
        description="The Studio flow of calls; then nothing is called back.",
    )
    twilio_api_base: str = Field(default="", description="Another address of the vendor's API, for tests.")
    twilio_calls_per_s: float = Field(default=1.0, gt=0, le=10_000, description="Calls per second the account has.")
    twilio_china_basis: str = Field(
        default="", description="Legal basis for sending +86 numbers abroad (PIPL 36 ff.); empty = never dialled."
    )
    aliyun_access_key_id: str = Field(default="", description="Of a RAM user that may call and text.")
    aliyun_access_key_secret: SecretStr = Field(default=SecretStr(""), description="Signs requests.")
    aliyun_show_number: str = Field(default="", pattern=r"^(\d{5,16})?$", description="The number that calls, digits.")
    aliyun_ivr_template: str = Field(default="", pattern=r"^(TTS_\d+)?$", description="TTS_…, asks for a key.")
    aliyun_reply_template: str = Field(default="", pattern=r"^(TTS_\d+)?$", description="TTS_…, reads back the key.")
    aliyun_notice_template: str = Field(default="", pattern=r"^(TTS_\d+)?$", description="TTS_…, asks for no key.")
    aliyun_sign_name: str = Field(default="", description="The approved SMS signature, without 【】.")
    aliyun_text_template: str = Field(default="", pattern=r"^(SMS_\d+)?$", description="SMS_….")
    aliyun_text_variables: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("text",), description="Its variables in their order, comma-separated; a text is spread over them."
    )
    aliyun_text_variable_chars: int = Field(default=35, ge=1, le=500, description="How long each variable may be.")
    aliyun_chars_per_s: float = Field(default=4.0, gt=1, le=10, description="How fast its voice reads; time one call.")
    aliyun_calls_per_s: float = Field(default=3.0, gt=0, le=100, description="Calls begun in one second at most.")
    aliyun_calls_at_once: int = Field(default=0, ge=0, description="What the show number carries; 0 = not known.")
    aliyun_receipt_secret: SecretStr = Field(default=SecretStr(""), description="Part of the addresses of receipts.")
    aliyun_queue_account: str = Field(
        default="", pattern=r"^\d*$", description="Account id in the names of receipt queues; then they are fetched."
    )
    aliyun_repeat_template: str = Field(
        default="", pattern=r"^(TTS_\d+)?$", description="TTS_…, says it again (key 3)."
    )
    aliyun_play_times: int = Field(default=1, ge=1, le=3, description="How often a call says its message by itself.")
    aliyun_queue_api: str = Field(default="", description="Another address of the vendor's queues, for tests.")
    aliyun_base_api: str = Field(default="", description="Another address of the vendor's API, for tests.")
    aliyun_voice_api: str = Field(default="", description="Another address of the vendor's API, for tests.")
    aliyun_text_api: str = Field(default="", description="Another address of the vendor's API, for tests.")

    @field_validator("kafka", "aliyun_text_variables", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Take a comma-separated list apart."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("kafka")
    @classmethod
    def _check_servers(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse a server without a port."""
        for server in servers:
            host, _, port = server.rpartition(":")
            if not host or not port.isdecimal():
                raise ValueError(f"「{server}」应写成 host:port / {server!r} should be host:port")
        return servers

    @field_validator("realm")
    @classmethod
    def _check_realm(cls, realm: str) -> str:
        """Refuse a realm that no id could start with."""
        try:
            make_id(realm, "realm")
        except ValueError as error:
            raise ValueError(
                "应为 real、drill:<id> 或 check:<id> / should be real, drill:<id> or check:<id>"
            ) from error
        return realm

    @field_validator("wall_origin", "story_origin")
    @classmethod
    def _check_aware(cls, at: datetime | None) -> datetime | None:
        """Refuse a time whose zone would have to be guessed."""
        if at is not None and at.tzinfo is None:
            raise ValueError("要带时区,如 2021-07-19T21:59:00+08:00 / give the offset, as in 2021-07-19T21:59:00+08:00")
        return at

    @field_validator(
        "twilio_public_url",
        "twilio_api_base",
        "aliyun_queue_api",
        "aliyun_base_api",
        "aliyun_voice_api",
        "aliyun_text_api",
        "alarm_url",
        "heartbeat_url",
        "line_check_url",
    )
    @classmethod
    def _check_url(cls, url: str) -> str:
        """Refuse what is no web address, and cut the last slash."""
        parts = urlsplit(url)
        if url and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError(f"「{url}」不是网址,应以 https:// 开头 / {url!r} is no URL; begin with https://")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Refuse half a clock, half a carrier, and two doors on one port."""
        if (self.wall_origin is None) != (self.story_origin is None):
            raise ValueError("WALL_ORIGIN 与 STORY_ORIGIN 要一起设 / set WALL_ORIGIN and STORY_ORIGIN together")
        if self.speed != 1.0 and self.story_origin is None:
            raise ValueError("SPEED 只与两个 ORIGIN 一起用 / SPEED needs WALL_ORIGIN and STORY_ORIGIN")
        if self.port == self.metrics_port:
            raise ValueError("PORT 与 METRICS_PORT 不能相同 / PORT and METRICS_PORT must differ")
        if self.carrier_fallback and self.carrier in ("simulated", self.carrier_fallback):
            raise ValueError(
                "CARRIER_FALLBACK 应是另一家真实线路 / CARRIER_FALLBACK is a real carrier other than CARRIER"
            )
        for name in self.carriers:
            self._check_real_carrier(name)
        self._check_line_check()
        return self

    def _check_line_check(self) -> None:
        """Refuse a line check that could not be posted, or that comes again before the last one is over."""
        missing = "、".join(
            PREFIX + field.upper() for field in ("line_check_area", "line_check_token") if not _told(self, field)
        )
        if self.line_check_every_min and missing:
            raise ValueError(f"线路自检还要设 {missing} / a line check also needs {missing}")
        if 0 < self.line_check_every_min < LINE_CHECK_EVERY_MIN_LEAST:
            raise ValueError(
                f"LINE_CHECK_EVERY_MIN 至少 {LINE_CHECK_EVERY_MIN_LEAST}：自检电话也有每日限次 / "
                f"LINE_CHECK_EVERY_MIN is at least {LINE_CHECK_EVERY_MIN_LEAST}: its phone has a daily budget too"
            )

    @property
    def carriers(self) -> tuple[str, ...]:
        """Return the real carriers in the order in which they are used; none where the carrier is simulated."""
        return tuple(name for name in (self.carrier, self.carrier_fallback) if name not in ("", "simulated"))

    def _check_real_carrier(self, name: str) -> None:
        """Refuse a real carrier without its account, with a fast clock, or without a key for numbers."""
        missing = "、".join(
            PREFIX + field.upper()
            for field in (*ACCOUNTS[name], "number_key")
            if not _told(self, field) and not (field in INSTEAD and _told(self, INSTEAD[field]))
        )
        if missing:
            raise ValueError(f"CARRIER={name} 还要设 {missing} / CARRIER={name} also needs {missing}")
        secret = self.aliyun_receipt_secret.get_secret_value()
        if name == "aliyun" and len(secret) < SECRET_CHARS_MIN and (secret or not self.aliyun_queue_account):
            raise ValueError(
                f"ALIYUN_RECEIPT_SECRET 至少 {SECRET_CHARS_MIN} 个字符 / "
                f"ALIYUN_RECEIPT_SECRET needs {SECRET_CHARS_MIN} characters at least"
            )
        elsewhere = self.twilio_api_base if name == "twilio" else self.aliyun_voice_api and self.aliyun_text_api
        if self.story_origin is not None and not elsewhere:
            raise ValueError(
                "真实电话只用真实时间,请去掉 STORY_ORIGIN / a real carrier keeps real time: unset STORY_ORIGIN"
            )

    @property
    def ledger(self) -> str:
        """Return the URL of the ledger, `ledger_url` or the SQLite file in `data_dir`."""
        return self.ledger_url or f"sqlite:///{self.data_dir.absolute() / 'ledger.sqlite3'}"

    def clock(self) -> SystemClock:
        """Return the clock of this installation; all processes with the same settings agree on the time."""
        return SystemClock(self.speed, self.wall_origin, self.story_origin)


def _told(settings: Settings, field: str) -> bool:
    value = getattr(settings, field)
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def read_settings(language: Language | None = None, **given: Any) -> Settings:
    """Read the settings from the environment; `given` ones, by field name, go first.

    Args:
        language: In what language faults speak; that of the settings if None.
        given: Fields that do not come from the environment.

    Raises:
        SettingsError: One or more do not fit, or a variable's name is misspelt; no secret is repeated.
    """
    told = given.get("language") or os.environ.get(f"{PREFIX}LANGUAGE", "zh")
    speak: Language = language or ("en" if told == "en" else "zh")
    faults = [f"{PREFIX}{name}: {say('extra', speak, near=PREFIX + near)}" for name, near in _misspelt()]
    settings = None
    try:
        settings = Settings(**given)
    except ValidationError as error:
        faults += [_line(detail, speak) for detail in error.errors(include_url=False)]
    if settings is None or faults:
        head = Word("设置有误,请改正这些环境变量:", "The settings are wrong; correct these variables:")
        raise SettingsError("\n  ".join([head.said(speak), *faults]))
    return settings


def _misspelt() -> Iterator[tuple[str, str]]:
    """Yield variables of ours that no field reads, where one has nearly that name: REHERSAL=false must not be lost."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if name != variable and name not in known:
            yield from ((name, near) for near in difflib.get_close_matches(name, known, n=1, cutoff=0.85))


def _line(detail: ErrorDetails, language: Language) -> str:
    """Return one fault: the variable and the reason, in the one language where a sentence stands in both."""
    name = str(detail["loc"][0]) if detail["loc"] else ""
    variable = PREFIX + name.upper() if name else "·"
    if detail["type"] == "value_error":
        chinese, _, english = detail["msg"].removeprefix("Value error, ").partition(" / ")
        return f"{variable}: {Word(chinese, english).said(language)}"
    field = Settings.model_fields.get(name)
    if field and (detail["type"] == "string_pattern_mismatch" or field.annotation is SecretStr):
        return f"{variable}: {say('shape', language, why=field.description)}"
    found = misfit(detail)
    return f"{variable}: {say(found.text, language, **found.values)}"
