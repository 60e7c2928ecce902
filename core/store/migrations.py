"""The schema's versions: a database is brought to today's by itself, and one of a later rollbook is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, inspect, select, text, update
from sqlalchemy.schema import CreateTable

from ..errors import StoreError
from .tables import Moment, Text, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Engine

__all__ = ["STEPS", "VERSION", "migrate"]


def _add_fields(db: Connection) -> None:
    """1 to 2: which paths native records have."""
    texts = [Column(name, Text, primary_key=True) for name in ("connection", "kind", "path")]
    seen = [
        Column("first_run", Integer, nullable=False),
        Column("first_seen", Moment, nullable=False),
        Column("last_run", Integer, nullable=False),
        Column("last_seen", Moment, nullable=False),
    ]
    db.execute(CreateTable(Table("fields", MetaData(), *texts, *seen), if_not_exists=True))


def _add_forgotten(db: Connection) -> None:
    """2 to 3: rows without native records, and learners who are kept out."""
    kind = "JSONB" if db.dialect.name == "postgresql" else "JSON"
    if "later" not in {column["name"] for column in inspect(db).get_columns("enrollments")}:
        db.execute(text(f"ALTER TABLE enrollments ADD COLUMN later {kind}"))
    keys = [Column(name, Text, primary_key=True) for name in ("connection", "person")]
    db.execute(CreateTable(Table("forgotten", MetaData(), *keys), if_not_exists=True))


def _add_clocks(db: Connection) -> None:
    """3 to 4: the latest instant that statuses were told for. Until it is known, that of the newest run."""
    made = Table(
        "clocks", MetaData(), Column("connection", Text, primary_key=True), Column("latest", Moment, nullable=False)
    )
    db.execute(CreateTable(made, if_not_exists=True))
    newest = "SELECT connection, max(started_at) FROM runs GROUP BY connection"
    missing = f"SELECT * FROM ({newest}) AS newest WHERE connection NOT IN (SELECT connection FROM clocks)"  # noqa: S608 - ours
    db.execute(text(f"INSERT INTO clocks (connection, latest) {missing}"))


STEPS: tuple[Callable[[Connection], None], ...] = (_add_fields, _add_forgotten, _add_clocks)
"""What leads from each version to the next, from 1 on. A step that has been released never changes."""

VERSION = len(STEPS) + 1
"""Today's version of the schema."""

_LOCK = 7_064_290_417  # any number, the same for ever: one process at a time makes or changes the tables


def migrate(engine: Engine, place: str) -> None:
    """Make the tables, or bring them to today's version, in one transaction; nothing is written if they are.

    Raises:
        StoreError: A newer rollbook made them.
    """
    with engine.begin() as db:
        found = _version(db)
    if found != VERSION:
        if found is not None:
            _refuse_newer(found, place)
        with engine.execution_options(writes=True).begin() as db:
            if db.dialect.name == "postgresql":
                db.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _bring_up(db, place)


def _version(db: Connection) -> int | None:
    if not inspect(db).has_table(meta.name):
        return None
    return db.scalar(select(meta.c.version))


def _bring_up(db: Connection, place: str) -> None:
    found = _version(db)  # again: another process may have been faster
    if found is None:
        metadata.create_all(db)
        db.execute(meta.insert().values(version=VERSION))
        return
    _refuse_newer(found, place)
    for step in STEPS[found - 1 :]:
        step(db)
    db.execute(update(meta).values(version=VERSION))


def _refuse_newer(found: int, place: str) -> None:
    if found > VERSION:
        raise StoreError(
            f"the database has schema version {found}, and this rollbook knows {VERSION}",
            where=place,
            hint="Upgrade rollbook.",
        )
