"""Which rules the house goes by: those that were last published in the ledger, not what a file of one machine says.

Rules come into force when `jiaoying up` or `setup` finds files that were never in force, or when a person publishes
them. A worker that is started again at night goes by what is in force, also where the files beside it are faulty, older
or half edited by then. To go back, the older files are published again: they come into force under a new number.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import ValidationError

from config.load import hash_of
from config.rules import RuleBook
from streams.ledger.contract import Draft, Edition, EditionKind, FullStep, LedgerError
from streams.rooms import record_troubles, trouble

SUBJECT = "real|rules"
FAULTY, NOT_IN_FORCE = "rules_faulty", "rules_not_in_force"


class InForce(NamedTuple):
    """A rule book and the number under which it is in force."""

    n: int
    book: RuleBook


class Told(StrEnum):
    """What became of a set of files that was handed in."""

    PUBLISHED = "published"
    IN_FORCE = "in_force"
    FOLLOWED = "followed"


class Who(NamedTuple):
    """Who acts, and when: real time for the edition, story time for the entry."""

    by: str
    wall: datetime
    now: datetime


def in_force(step: FullStep) -> InForce | None:
    """Return the rules in force, or None where none were ever published.

    Raises:
        LedgerError: This program cannot read them.
    """
    known = step.editions(EditionKind.RULES)
    return _read(known[-1]) if known else None


def publish(step: FullStep, book: RuleBook, who: Who) -> InForce:
    """Put rules into force on purpose, also such as were in force before; the same rules again change nothing.

    Raises:
        StaleRowError: Somebody published at the same time; run the step again.
    """
    known = step.editions(EditionKind.RULES)
    if known and known[-1].mark == book.hash:
        return InForce(known[-1].n, book)
    n = len(known) + 1
    body = book.model_dump_json()
    step.publish_edition(
        Edition(kind=EditionKind.RULES, n=n, mark=book.hash, at=who.wall, by=who.by, body=body),
    )
    before = next((edition.n for edition in reversed(known) if edition.mark == book.hash), None)
    facts = {"edition": n, "rules_hash": book.hash, "preset": book.preset, "again_of": before}
    why = "rolled_back" if before else "published"
    step.append([Draft(subject=SUBJECT, what="rules_in_force", why=why, by=who.by, at=who.now, facts=facts)])
    return InForce(n, book)


def bring_in(step: FullStep, own: RuleBook, who: Who) -> Told:
    """Put the files of a deployment into force where they never were; files that were followed since stay out.

    Raises:
        StaleRowError: Somebody published at the same time; run the step again.
    """
    known = step.editions(EditionKind.RULES)
    if known and known[-1].mark == own.hash:
        return Told.IN_FORCE
    if any(edition.mark == own.hash for edition in known):
        _tell(step, NOT_IN_FORCE, _older(known, own), who.now)
        return Told.FOLLOWED
    publish(step, own, who)
    return Told.PUBLISHED


def go_by(step: FullStep, own: RuleBook | None, fault: str, who: Who) -> InForce | None:
    """Return the rules that a process goes by, and tell people where its own files are not those.

    Args:
        step: The step it is asked in.
        own: What the process' files say, None where they are faulty.
        fault: What is wrong with them.
        who: The process.

    Returns:
        None where nothing is in force and the files are faulty.

    Raises:
        LedgerError: This program cannot read the rules in force.
        StaleRowError: Somebody published at the same time; run the step again.
    """
    current = in_force(step)
    if current is None:
        return None if own is None else publish(step, own, who)
    if own is None:
        text = f"叫应规则文件有误，仍按第 {current.n} 版规则叫应；改好后请发布：{fault[:300]}"
        _tell(step, FAULTY, text, who.now)
    elif hash_of(current.book) != hash_of(own):
        _tell(step, NOT_IN_FORCE, _older(step.editions(EditionKind.RULES), own), who.now)
    return current


def _older(known: list[Edition], own: RuleBook) -> str:
    before = next((edition.n for edition in reversed(known) if edition.mark == own.hash), None)
    what = f"是第 {before} 版" if before else "尚未发布"
    return (
        f"本机的叫应规则文件{what}，现行的是第 {known[-1].n} 版，仍按现行规则叫应；"
        "要改用这些文件，请运行 jiaoying config publish"
    )


def _tell(step: FullStep, kind: str, text: str, now: datetime) -> None:
    record_troubles(step, [trouble(kind, SUBJECT, text, now)])


def _read(edition: Edition) -> InForce:
    try:
        book = RuleBook.model_validate_json(edition.body)
    except ValidationError as error:
        raise LedgerError(
            f"现行的第 {edition.n} 版叫应规则，本版程序读不懂；请核对规则文件后运行 jiaoying config publish "
            f"/ this program cannot read edition {edition.n} of the rules: check the files and publish them "
            f"({error.error_count()} faults)"
        ) from error
    return InForce(edition.n, book)
