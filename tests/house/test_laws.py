"""The house checks itself: what is pure stays pure, one file reads the clock, nothing is too long."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath

from tests.house.tree import PACKAGES, ROOT, calls, imports, parsed, python, tracked

PURE = {
    "areas.py",
    "budget.py",
    "chains.py",
    "course.py",
    "crossings.py",
    "decide.py",
    "hear.py",
    "outcomes.py",
    "replies.py",
    "resolve.py",
    "select.py",
    "series.py",
    "state.py",
    "take.py",
    "wording.py",
    "words.py",
}
DOERS = ("faust", "sqlalchemy", "fastapi", "twilio", "aiokafka", "kafka", "httpx", "time", "random", "asyncio", "uuid")
CLOCK = "streams/clock.py"
READS_A_CLOCK = re.compile(r"\b(datetime|date)\.(now|utcnow|today)$")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
MEASURING = ("rosters/bench.py", "streams/bench/")
"""Benchmarks count real and CPU time of what they run; nothing else stands on them."""
SEEDED = ("streams/sim/",)
"""A simulated world draws its faults from a seed, which is what a failure prints."""
LOGGED_NUMBER = re.compile(r"\blog\w*\.\w+\(.*\.number\b")


def pure_modules() -> list[str]:
    return [name for name in python("agents", "rosters") if PurePath(name).name in PURE and "carriers" not in name]


def faults(names: Iterable[str], find: Callable[[str], Iterable[object]]) -> dict[str, list[object]]:
    """Return what is found in each file, of those in which anything is."""
    found = {name: list(find(name)) for name in names}
    return {name: of_one for name, of_one in found.items() if of_one}


def roots(name: str) -> set[str]:
    return {module.split(".")[0] for module in imports(name)}


def test_what_decides_imports_nothing_that_does():
    assert faults(pure_modules(), lambda name: roots(name) & set(DOERS)) == {}


def test_there_is_something_that_decides_in_every_room():
    rooms = {PurePath(name).parts[1] for name in pure_modules() if name.endswith("decide.py")}
    assert {"callout", "intake", "plan", "sense", "visit"} <= rooms


def test_only_one_file_reads_a_clock():
    others = [name for name in python(*PACKAGES) if name != CLOCK and not name.startswith(MEASURING)]
    assert faults(others, lambda name: roots(name) & {"time"}) == {}
    assert faults(others, lambda name: [called for _, called in calls(name) if READS_A_CLOCK.search(called)]) == {}


def test_nothing_is_left_to_chance():
    core = [name for name in python("agents", "streams") if not name.startswith(SEEDED)]
    assert faults(core, lambda name: roots(name) & {"random", "uuid"}) == {}


def test_no_function_is_longer_than_one_can_read():
    assert faults(python(*PACKAGES), long_functions) == {}


def long_functions(name: str) -> Iterator[str]:
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name}: {lines} lines"


def test_no_file_is_longer_than_one_can_keep_in_mind():
    def too_long(name: str) -> list[int]:
        lines = [line.strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
        written = len([line for line in lines if line and not line.startswith("#")])
        return [written] if written > FILE_LINES_MAX else []

    assert faults(python(*PACKAGES), too_long) == {}


def test_every_module_says_what_it_is_for():
    assert [name for name in python(*PACKAGES) if not ast.get_docstring(parsed(name))] == []


def test_every_room_says_in_a_readme_what_it_does():
    rooms = {PurePath(name).parts[1] for name in python("agents") if len(PurePath(name).parts) > 2}
    assert [room for room in sorted(rooms) if f"agents/{room}/README.md" not in tracked()] == []


def test_no_telephone_number_is_logged():
    def logged(name: str) -> list[str]:
        return [code for node in calls_of(name) if LOGGED_NUMBER.search(code := ast.unparse(node))]

    assert faults(python(*PACKAGES), logged) == {}


def test_agents_take_one_message_at_a_time():
    def at_once(name: str) -> set[str]:
        given = (word for node in calls_of(name) for word in node.keywords if word.arg == "concurrency")
        return {ast.unparse(word.value) for word in given} - {"1"}

    assert faults(python("agents", "streams"), at_once) == {}


def calls_of(name: str) -> Iterator[ast.Call]:
    return (node for node in ast.walk(parsed(name)) if isinstance(node, ast.Call))
