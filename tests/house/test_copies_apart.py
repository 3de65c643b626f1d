"""A law of the house: no copy can become a receipt, whatever COPIES does."""

from __future__ import annotations

import ast

from agents.callout.state import ANSWERED
from streams.words import Channel, Outcome
from tests.house.tree import calls, imports, parsed, python

COPIES = [*python("agents/copies"), "streams/copying.py"]
OWN_TABLES = {"COPIES", "BULLETINS", "TOLD_TROUBLES"}


def test_copies_write_no_letter_to_any_room():
    written = [(name, what) for name in COPIES for _, what in calls(name) if what in ("write_letter", "step.write")]
    assert written == []


def test_copies_save_no_row_but_their_own():
    saved = {
        ast.unparse(node.args[0])
        for name in COPIES
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "step.save"
    }
    assert saved == OWN_TABLES


def test_no_room_knows_of_copies():
    others = [name for name in python("agents") if not name.startswith("agents/copies/")]
    assert [name for name in others if any(module.startswith("agents.copies") for module in imports(name))] == []


def test_a_copy_is_no_channel_no_outcome_and_no_way_to_be_answered():
    assert [word for word in (*Channel, *Outcome, *ANSWERED) if "cop" in word] == []
