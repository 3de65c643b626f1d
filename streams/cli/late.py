"""Commands whose modules are loaded when they are asked for, so that a process loads only what it runs.

A worker that was killed is back later by as much as it loads. The names stand in a table; the help of all of them
loads all of them, as it must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

Add = Callable[[typer.Typer], None]


class LateCommands(MutableMapping[str, Any]):
    """Commands by name, each made when it is looked up."""

    def __init__(self, adds: Mapping[str, Callable[[], Add]]) -> None:
        self._adds = dict(adds)
        self._made: dict[str, Any] = dict.fromkeys(adds)

    def __getitem__(self, name: str) -> Any:
        if self._made[name] is None:
            part = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
            self._adds[name]()(part)
            self._made[name] = get_group(part).commands[name]
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def late_group(adds: Mapping[str, Callable[[], Add]]) -> type[TyperGroup]:
    """Return the group of these commands: of each, what loads its module and returns what adds it to an app."""

    class Late(TyperGroup):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.commands = LateCommands(adds)

        def list_commands(self, ctx: Any) -> list[str]:
            """Return the names; the base class would make every command for them."""
            return list(self.commands)

    return Late
