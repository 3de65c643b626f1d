"""What may be asked about a table, and how its columns are typed: one reading of a `Table` for both ledgers.

Never put here: how an answer is found. A question both ledgers refuse is refused here, so that they refuse alike.
"""

from __future__ import annotations

import types
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from streams.ledger.contract import Row, Table, Where

A = TypeVar("A", bound=Row)


@lru_cache(maxsize=1024)
def column_type(table: Table[Any], column: str) -> tuple[type, bool]:
    """Return the Python type that a column stores (str, int, bool, float or datetime) and whether it may be None.

    Raises:
        TypeError: The field does not exist or holds something a column cannot store.
    """
    field = table.model.model_fields.get(column)
    if field is None:
        raise TypeError(f"table {table.name} has a column {column}, but {table.model.__name__} has no such field")
    annotation: Any = field.annotation
    members = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    kinds = {_stored_as(member) for member in members if member is not types.NoneType}
    if len(kinds) != 1 or None in kinds:
        raise TypeError(f"column {table.name}.{column} is {annotation}: a column stores words, numbers or times only")
    return kinds.pop() or str, types.NoneType in members


def _stored_as(annotation: Any) -> type | None:
    if get_origin(annotation) is Literal:
        annotation = type(get_args(annotation)[0])
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, Enum):
        return str if issubclass(annotation, str) else None
    return next((kind for kind in (bool, int, float, str, datetime) if issubclass(annotation, kind)), None)


def check_question(table: Table[Any], where: Sequence[Where], columns: Sequence[str]) -> None:
    """Refuse a question that the table was not made for, before any ledger answers it in its own way.

    Raises:
        ValueError: A column is not declared, or a condition compares with None or an unaware time.
    """
    for column in (*(condition.column for condition in where), *columns):
        name = column.removeprefix("-")
        if name not in table.columns and name != "id":
            raise ValueError(f"table {table.name} cannot be asked for {name}: add it to the columns of the table")
    for condition in where:
        if condition.op in ("is null", "not null"):
            continue
        for value in condition.value if condition.op in ("in", "not in") else (condition.value,):
            if value is None:
                raise ValueError(f"{table.name}.{condition.column} {condition.op} None: ask `is null` or `not null`")
            if isinstance(value, datetime) and value.tzinfo is None:
                raise ValueError(f"{table.name}.{condition.column} {condition.op} {value}: the time has no zone")


def saved(row: A) -> A:
    """Return a row as it stands once saved: one version on."""
    return row.model_copy(update={"version": row.version + 1})
