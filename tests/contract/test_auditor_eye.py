"""The auditor reads both databases as the engine left them, and can write to neither."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from agents.auditor.look import Kind, Patience, When, judge
from agents.auditor.questions import Eye
from streams.ledger.contract import Draft
from streams.ledger.migrate import migrate
from streams.ledger.sql import SqlLedger
from streams.letters import DeadLetter, write_letter
from streams.rooms import TROUBLES, trouble
from streams.wiring import TABLES

NOW = datetime(2021, 7, 19, 14, 0, tzinfo=UTC)


def test_it_sees_what_the_engine_left_open(database_url: str, tmp_path: Path) -> None:
    migrate(database_url, TABLES)
    ledger = SqlLedger(database_url, TABLES)
    letter = write_letter("warnings", "real|x|1", DeadLetter(door="d", reason="r", at=NOW), NOW, cause="c")
    draft = Draft(subject="real|x|1", what="w", by="b", at=NOW)
    ledger.step(lambda step: step.write([letter]))
    ledger.step(lambda step: step.append([draft]))
    ledger.step(lambda step: step.lease("sealer", "worker", NOW, 15))
    ledger.step(lambda step: step.save(TROUBLES, [trouble("dead_letter", "real|x|1", "死信一封", NOW)]))
    ledger.close()
    eye = Eye(database_url, tmp_path)
    seen = eye.look(NOW)
    assert [row.id for row in seen.due[Kind.LETTER_LATE]] == [letter.id]
    assert seen.due[Kind.LETTER_LATE][0].at == NOW
    assert [row.subject for row in seen.heads] == ["real|x|1", "real|x|1"]
    assert [row.word for row in seen.troubles] == ["死信一封"]
    assert seen.worker_until is not None
    assert Kind.HEAD_BROKEN not in {finding.kind for finding in judge(seen, When(NOW, NOW), Patience())}
    eye.close()


def test_it_cannot_write(database_url: str, tmp_path: Path) -> None:
    migrate(database_url, TABLES)
    eye = Eye(database_url, tmp_path)
    with (
        eye._engine.connect() as connection,
        pytest.raises(sa.exc.DBAPIError, match=r"readonly|read-only"),
    ):
        connection.exec_driver_sql("DELETE FROM letters")
    eye.close()
