"""What stands in a Kafka message: a page of letter ids for our rooms, or bodies for others. Never raises.

Kafka is not trusted: a page is only a hint of which letters to look up in the ledger, so garbage on a topic can start
nothing. What cannot be read comes out as `Unreadable` with its bytes.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from streams.letters import SCHEMA_VERSION, Letter
from streams.words import Model

PAGE_MAX = 200


class Page(Model):
    """At most 200 letters of one topic, by id. `schema_version` lets an older worker pass a newer page over."""

    kind: Literal["page"] = "page"
    schema_version: int = SCHEMA_VERSION
    topic: str
    ids: tuple[str, ...] = Field(max_length=PAGE_MAX)


class Unreadable(Model):
    """Bytes that are no page, and why."""

    raw: bytes
    reason: str


_PAGE = TypeAdapter(Page)


def write_page(topic: str, letter_ids: tuple[str, ...]) -> bytes:
    """Return the message that carries a page."""
    return Page(topic=topic, ids=letter_ids).model_dump_json().encode()


def write_body(letter: Letter) -> bytes:
    """Return the message that carries a whole letter for readers outside."""
    return letter.model_dump_json().encode()


def read_page(raw: bytes | None) -> Page | Unreadable:
    """Read a page; anything else is `Unreadable`, never an exception."""
    if not raw:
        return Unreadable(raw=raw or b"", reason="empty message")
    try:
        page: Any = _PAGE.validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Unreadable(raw=raw[:65536], reason=f"{where}: {first['msg']}")
    if page.schema_version > SCHEMA_VERSION:
        return Unreadable(raw=raw[:65536], reason=f"schema version {page.schema_version} is newer than this program")
    result: Page = page
    return result
