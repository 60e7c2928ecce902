"""Many rows into SQLite at once: one statement for all of them, which runs while Python does something else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Table

__all__ = ["replace_rows"]

MARKS = 30_000
"""Values of one statement at most; SQLite takes 32,766."""
ROWS = 100
"""Rows of one statement at most: further ones make it no faster."""


def replace_rows(db: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str]) -> None:
    """Insert rows, or replace those with the same primary key; of two with one key the later counts.

    Args:
        db: The transaction.
        table: Where to.
        rows: All with the same columns.
        keep: Columns that stay as they are in a row that is already there.
    """
    shape = _shape(table, tuple(rows[0]), tuple(keep))
    for start in range(0, len(rows), shape.at_once):
        some = rows[start : start + shape.at_once]
        db.exec_driver_sql(shape.statement(len(some)), tuple(chain.from_iterable(map(shape.values, some))))


@dataclass(frozen=True, slots=True)
class _Shape:
    """How rows with certain columns are written."""

    pick: Callable[[dict[str, Any]], tuple[Any, ...]]
    writers: tuple[tuple[int, Callable[[Any], Any]], ...]
    """What some of the values have to go through, by place."""
    before: str
    row: str
    after: str
    at_once: int

    def values(self, row: dict[str, Any]) -> list[Any]:
        """Give a row's values as SQLite takes them."""
        values = list(self.pick(row))
        for place, write in self.writers:
            if values[place] is not None:
                values[place] = write(values[place])
        return values

    def statement(self, count: int) -> str:
        """Give the statement for so many rows."""
        return f"{self.before}{self.row}{f', {self.row}' * (count - 1)}{self.after}"


@lru_cache
def _shape(table: Table, names: tuple[str, ...], keep: tuple[str, ...]) -> _Shape:
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - once

    dialect = sqlite.dialect()
    quote = dialect.identifier_preparer.quote
    keys = [column.name for column in table.primary_key.columns]
    replaced = [f"{quote(name)} = excluded.{quote(name)}" for name in names if name not in keys and name not in keep]
    then = f"UPDATE SET {', '.join(replaced)}" if replaced else "NOTHING"
    found = [(place, table.c[name].type.dialect_impl(dialect)) for place, name in enumerate(names)]
    writers = [(place, write) for place, kind in found if (write := kind.bind_processor(dialect))]
    return _Shape(
        pick=cast("Callable[[dict[str, Any]], tuple[Any, ...]]", itemgetter(*names)),
        writers=tuple(writers),
        before=f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, names))}) VALUES ",  # noqa: S608 - our own names
        row=f"({', '.join('?' * len(names))})",
        after=f" ON CONFLICT ({', '.join(keys)}) DO {then}",
        at_once=min(ROWS, MARKS // len(names)),
    )
