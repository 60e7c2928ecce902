"""Rows found by their ids: what a sync asks for with each page, in few words to the database's driver."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Column, Connection, Select, Table, cast, delete, func, select, true

from .tables import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

__all__ = ["delete_by_ids", "rows_by_ids"]

MARKS = 30_000
"""Ids of one statement at most; SQLite takes 32,766 values."""


def rows_by_ids(
    db: Connection, table: Table, connection: str, ids: Collection[str], *columns: str
) -> list[tuple[Any, ...]]:
    """Give columns of the rows of a connection that have one of these ids, by way of the primary key."""
    if db.dialect.name == "postgresql":
        return [tuple(row) for row in db.execute(_looked_up(table, connection, ids, columns))]
    found: list[Any] = []
    for some in _portions(ids):
        found += db.exec_driver_sql(_select(table, columns, len(some)), (connection, *some)).all()
    readers = _readers(table, columns)
    return [tuple(read(value) if read else value for read, value in zip(readers, row, strict=True)) for row in found]


def delete_by_ids(db: Connection, table: Table, connection: str, ids: Collection[str], *, key: str = "id") -> None:
    """Delete the rows of a connection that have one of these ids in a column of the primary key."""
    if db.dialect.name == "postgresql":
        db.execute(delete(table).where(table.c.connection == connection, table.c[key].in_(ids)))
        return
    for some in _portions(ids):
        db.exec_driver_sql(_delete(table, key, len(some)), (connection, *some))


def _looked_up(table: Table, connection: str, ids: Collection[str], columns: Sequence[str]) -> Select[*tuple[Any, ...]]:
    """Look each id up by itself.

    A table that has just been filled has no statistics yet in PostgreSQL, and a list of ids would be answered by
    reading all of the connection's rows.
    """
    wanted = func.unnest(cast(list(ids), ARRAY(Text))).table_valued(Column("id", Text), name="wanted").render_derived()
    ours = select(*(table.c[name] for name in columns)).where(
        table.c.connection == connection, table.c.id == wanted.c.id
    )
    found = ours.offset(0).lateral("found")
    return select(*(found.c[name] for name in columns)).select_from(wanted.join(found, true()))


def _portions(ids: Collection[str]) -> Iterator[list[str]]:
    wanted = list(ids)
    return (wanted[start : start + MARKS] for start in range(0, len(wanted), MARKS))


@lru_cache
def _select(table: Table, columns: tuple[str, ...], count: int) -> str:
    return f"SELECT {', '.join(columns)} FROM {table.name} WHERE {_these('id', count)}"  # noqa: S608 - our own names


@lru_cache
def _delete(table: Table, key: str, count: int) -> str:
    return f"DELETE FROM {table.name} WHERE {_these(key, count)}"  # noqa: S608 - our own names


def _these(key: str, count: int) -> str:
    return f"connection = ? AND {key} IN ({', '.join('?' * count)})"


@lru_cache
def _readers(table: Table, columns: tuple[str, ...]) -> tuple[Callable[[Any], Any] | None, ...]:
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - once

    dialect = sqlite.dialect()
    kinds = [table.c[name].type.dialect_impl(dialect) for name in columns]
    return tuple(kind.result_processor(dialect, None) for kind in kinds)
