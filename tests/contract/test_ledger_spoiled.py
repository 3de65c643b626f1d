"""A letter whose message cannot be read: who asks for it by its id learns that it is known, and that it is lost."""

from __future__ import annotations

import pytest
from ledger_samples import letter

from streams.ledger.schema import LETTERS
from streams.ledger.sql import SqlLedger
from streams.letters import SCHEMA_VERSION, UNREAD


@pytest.mark.parametrize("body", ["{", '{"kind":"from_the_future"}', ""])
@pytest.mark.parametrize(("of_program", "spoiled"), [(SCHEMA_VERSION, True), (SCHEMA_VERSION + 1, False)])
def test_one_letter_is_found_though_its_message_cannot_be_read(sql_ledger: SqlLedger, body, of_program, spoiled):
    written = letter("bad").model_copy(update={"schema_version": of_program})
    sql_ledger.step(lambda step: step.write([written]))
    spoil = LETTERS.update().values(body=body)
    sql_ledger.step(lambda step: step._connection.execute(spoil))
    found = sql_ledger.step(lambda step: step.letter(written.id))
    assert (found.id, found.topic, found.message, found.is_spoiled) == (written.id, written.topic, UNREAD, spoiled)
