"""Who gets copies: `copies.yaml` in the data folder, read and checked. Its addresses are secrets.

A receiver is a group chat or a mailbox and never a telephone: numbers are dialled by carriers alone, each of them
approved. It must never show an address, in a fault neither.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from agents.copies.state import Event
from config.faults import ConfigError, Fault, Language, Word
from config.sheet import read_sheet, shaped
from streams.words import Model

COPIES_FILE = "copies.yaml"
SERVICES = {
    "wecombot": "企业微信 WeCom",
    "dingtalk": "钉钉 DingTalk",
    "feishu": "飞书 Feishu",
    "mailto": "邮件 mail",
    "mailtos": "邮件 mail",
    "json": "HTTP",
    "jsons": "HTTP",
}
"""By the scheme of the address. Everything else that apprise knows is left out, the ways to telephones above all."""
RECEIVERS_MAX = 20


class NotTakenError(Exception):
    """The receiver's server did not take a message, or nobody can tell.

    Args:
        why: In words, without address or body.
        retry_after_s: How long it asks to be left alone, where it said so.
    """

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s


class Receiver(Model):
    """One group chat or mailbox.

    Args:
        name: What people call it; it stands in entries and on screens.
        url: Its address, as apprise writes it.
        events: What it is told; everything if not said.
        gap_s: Seconds between two messages to it. A robot of WeCom or DingTalk takes 20 a minute.
        timeout_s: How long one handing over may take, as a whole.
    """

    name: str = Field(min_length=1, max_length=30)
    url: SecretStr
    events: tuple[Event, ...] = tuple(Event)
    gap_s: float = Field(default=4.0, ge=0.0, le=600.0)
    timeout_s: float = Field(default=10.0, gt=0.0, le=60.0)

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: SecretStr) -> SecretStr:
        """Refuse what is none of the services; the address itself is not repeated."""
        if url.get_secret_value().partition("://")[0].lower() not in SERVICES:
            raise ValueError(
                f"地址应以 {'、'.join(f'{name}://' for name in SERVICES)} 之一开头 / begin with one of these schemes"
            )
        return url

    @property
    def service(self) -> str:
        """Return what kind of chat or mailbox it is."""
        return SERVICES[self.url.get_secret_value().partition("://")[0].lower()]


class Copies(Model):
    """The whole file."""

    copies: tuple[Receiver, ...] = Field(max_length=RECEIVERS_MAX)


def load_receivers(data_dir: Path, language: Language = "zh") -> tuple[Receiver, ...]:
    """Read the receivers of an installation; none where there is no file.

    Raises:
        ConfigError: The file cannot be used, or others than its owner may read it; no address is repeated.
    """
    file = data_dir / COPIES_FILE
    if not file.is_file():
        return ()
    faults = list(_open_to_others(file, language))
    sheet = read_sheet(file, COPIES_FILE, language)
    read, wrong = shaped(sheet, Copies)
    # What pydantic says of an address may repeat it: of those, only the place is told.
    faults += [fault if not fault.path.endswith(".url") else _bad_url(fault, language) for fault in wrong]
    faults += list(_same_names(read.copies if read else (), language))
    if read is None or faults:
        raise ConfigError(tuple(faults), language)
    return read.copies


def _open_to_others(file: Path, language: Language) -> Iterator[Fault]:
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        reason = Word(
            "里面的地址是密钥，只能由本人读写：chmod 600",
            "its addresses are secrets: only its owner may read it, chmod 600",
        )
        yield Fault(COPIES_FILE, 1, "", reason.said(language))


def _bad_url(fault: Fault, language: Language) -> Fault:
    known = "、".join(f"{name}://" for name in SERVICES)
    reason = Word(f"地址应写成 {known} 之一开头的一行文字", f"an address is text that begins with one of {known}")
    return Fault(fault.file, fault.line, fault.path, reason.said(language))


def _same_names(receivers: Sequence[Receiver], language: Language) -> Iterator[Fault]:
    names = [each.name for each in receivers]
    for index, name in enumerate(names):
        if name in names[:index]:
            reason = Word(f"名称「{name}」重复", f"the name {name!r} stands here twice")
            yield Fault(COPIES_FILE, 1, f"copies[{index}].name", reason.said(language))
