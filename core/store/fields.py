"""Native fields: which paths an LMS's records have, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from .store import upsert
from .tables import fields, runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["NativeField", "baseline", "native_fields", "new_fields", "put_fields"]


@dataclass(frozen=True, slots=True)
class NativeField:
    """A path at which records of a kind hold a value."""

    kind: str
    path: str
    """As a mapping writes it: `enrollment.grades.final`, `certifications[].id`."""
    first_run: int
    first_seen: datetime
    last_seen: datetime


def put_fields(db: Connection, connection: str, run: int, now: datetime, paths: Iterable[tuple[str, str]]) -> None:
    """Note that a run was served records with these paths, by (kind, path)."""
    upsert(
        db,
        fields,
        [
            {
                "connection": connection,
                "kind": kind,
                "path": path,
                "first_run": run,
                "first_seen": now,
                "last_run": run,
                "last_seen": now,
            }
            for kind, path in paths
        ],
        keep=["first_run", "first_seen"],
    )


def native_fields(db: Connection, connection: str) -> list[NativeField]:
    """Give every path that was ever seen."""
    table = fields.c
    query = (
        select(table.kind, table.path, table.first_run, table.first_seen, table.last_seen)
        .where(table.connection == connection)
        .order_by(table.kind, table.path)
    )
    return [NativeField(*row) for row in db.execute(query)]


def baseline(db: Connection, connection: str) -> int | None:
    """Give the run whose fields count as known: the first full one that ended after paths were first noted."""
    began = select(func.min(fields.c.first_run)).where(fields.c.connection == connection).scalar_subquery()
    return db.scalar(
        select(func.min(runs.c.run)).where(
            runs.c.connection == connection,
            runs.c.mode == "full",
            runs.c.outcome.in_(("complete", "partial")),
            runs.c.run >= began,
        )
    )


def new_fields(db: Connection, connection: str) -> list[NativeField]:
    """Give the paths that no record had until after the first full run."""
    known = baseline(db, connection)
    return [] if known is None else [one for one in native_fields(db, connection) if one.first_run > known]
