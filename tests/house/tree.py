"""The tracked files of the repository, and what a Python file of it imports and calls."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "config", "rosters", "streams")


@cache
def tracked() -> tuple[str, ...]:
    """Return the tracked files that are there, by path from the root; of an unpacked archive, all files."""
    if not (ROOT / ".git").exists():
        found = (path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*") if path.is_file())
        return tuple(sorted(path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(sorted(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()))


def python(*folders: str) -> list[str]:
    """Return the Python files below some folders."""
    return [name for name in tracked() if name.endswith(".py") and name.startswith(tuple(f"{one}/" for one in folders))]


@cache
def parsed(name: str) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """Return the modules a file imports, as they are written."""
    found: set[str] = set()
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def calls(name: str) -> Iterator[tuple[int, str]]:
    """Yield each call of a file: its line, and what is called with its dots (`datetime.now`)."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)
