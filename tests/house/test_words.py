"""What no tracked file may hold, and what no test may do."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, calls, imports, python, tracked

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
    assert [name for name in python("tests") if "time.sleep" in called(name)] == []


def called(name: str) -> set[str]:
    return {what for _, what in calls(name)}
