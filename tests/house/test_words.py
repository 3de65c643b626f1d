"""What no tracked file may hold, and what no test may do."""

from __future__ import annotations

import ast
import re

from tests.house.tree import ROOT, calls, imports, parsed, python, tracked

TEXTS = (".py", ".md", ".toml", ".yaml", ".yml", ".json", ".jsonl", ".csv", ".html", ".css", ".js", ".txt", ".lock", "")
THIS_MACHINE = re.compile(r"(?<![\w.~/-])/(?:work|home|root|Users)/\w")
REGISTRIES = re.compile(r"pypi\.org|pythonhosted|test\.pypi|npmjs|mirrors?\.[a-z]+\.(?:com|cn|edu)|repo1?\.maven", re.I)
OWN_DATA = {"tests/wire/test_gateway_pages.py": "a knocker is put into a roster: data, not code"}


def texts() -> list[str]:
    return [name for name in tracked() if name != "tests/house/test_words.py" and name.endswith(TEXTS)]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def test_no_file_names_a_path_of_one_machine():
    assert [name for name in texts() if THIS_MACHINE.search(read(name))] == []


def test_no_file_names_a_registry_of_packages():
    assert [name for name in texts() if REGISTRIES.search(read(name))] == []


def test_no_test_puts_something_else_in_the_place_of_our_own_code():
    mocking = [name for name in python("tests") if any(module.endswith("mock") for module in imports(name))]
    replacing = [name for name in python("tests") if "monkeypatch.setattr" in called(name)]
    assert mocking == []
    assert set(replacing) <= set(OWN_DATA)


def test_no_test_sleeps_and_hopes():
    """A short sleep between two looks, in a loop with a deadline, is waiting; any other is hoping."""
    assert [name for name in python("tests") if sleeps(parsed(name)) > sleeps_between_looks(name)] == []


def sleeps(tree: ast.AST) -> int:
    return sum(isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep" for node in ast.walk(tree))


def sleeps_between_looks(name: str) -> int:
    return sum(sleeps(node) for node in ast.walk(parsed(name)) if isinstance(node, ast.While))


def called(name: str) -> set[str]:
    return {what for _, what in calls(name)}
