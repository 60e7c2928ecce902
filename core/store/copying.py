"""Many rows into PostgreSQL at once: copied into a table of the session's own, and merged from there."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, MetaData, Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from sqlalchemy.dialects.postgresql import Insert


def copy_rows(db: Connection, table: Table, rows: Sequence[dict[str, Any]], keep: Sequence[str]) -> None:
    """Insert rows, or replace those with the same primary key; of two with one key the later counts.

    Args:
        db: The transaction.
        table: Where to.
        rows: All with the same columns.
        keep: Columns that stay as they are in a row that is already there.
    """
    keys = [column.name for column in table.primary_key.columns]
    names = tuple(rows[0])
    last = {tuple(row[key] for key in keys): row for row in rows}
    staged = _stage(db, table)
    types = [table.c[name].type.dialect_impl(db.dialect) for name in names]
    writers = [type.bind_processor(db.dialect) for type in types]
    columns = ", ".join(db.dialect.identifier_preparer.quote(name) for name in names)
    session: Any = db.connection.driver_connection  # psycopg's own
    with session.cursor() as cursor, cursor.copy(f"copy {staged.name} ({columns}) from stdin") as copy:
        for row in last.values():
            values = [write(row[name]) if write else row[name] for name, write in zip(names, writers, strict=True)]
            copy.write_row(values)
    db.execute(_merge(table, staged, names, tuple(keep)))
    db.execute(staged.delete())


def _stage(db: Connection, table: Table) -> Table:
    staged = _staging_table(table)
    db.execute(CreateTable(staged, if_not_exists=True))  # always: a transaction that failed took it along
    return staged


@lru_cache
def _staging_table(table: Table) -> Table:
    columns = [Column(column.name, column.type) for column in table.columns]
    return Table(f"rollbook_new_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])


@lru_cache
def _merge(table: Table, staged: Table, names: tuple[str, ...], keep: tuple[str, ...]) -> Insert:
    adding = insert(table).from_select(names, select(*(staged.c[name] for name in names)))
    keys = [column.name for column in table.primary_key.columns]
    replaced = {name: adding.excluded[name] for name in names if name not in keys and name not in keep}
    if not replaced:
        return adding.on_conflict_do_nothing(index_elements=keys)
    return adding.on_conflict_do_update(index_elements=keys, set_=replaced)
