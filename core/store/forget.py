"""Taking one person out of the store, and out of the bytes that the database has put aside."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select, update

from ..errors import StoreError
from ..native import parse
from .store import Store, upsert
from .tables import dirty, drift, enrollments, flaws, forgotten, parts, plan, rejected, runs, seen, watermarks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    Person = Callable[[Any, str], str | None]

__all__ = ["Forgotten", "forget", "kept_out", "wipe"]

_MANY = 500
_PEOPLE = frozenset(("user", "users", "learner", "learners", "person", "people", "student", "students", "member"))
"""What partitions that are a person's are called."""


@dataclass(slots=True)
class Forgotten:
    """What went."""

    rows: int = 0
    parts: int = 0
    rejected: int = 0
    assigned: int = 0
    """Other learners' rows that this person assigned: they stay, and name the person."""
    interrupted: bool = False
    """Whether a run was given up that could have been taken up."""


def forget(
    db: Connection, connection: str, user: str, person: Person, now: datetime, mark: str | None = None
) -> Forgotten:
    """Delete what is stored of a learner.

    Args:
        db: The transaction.
        connection: The connection's name.
        user: The learner's id.
        person: Tells whose a native record is.
        now: This moment.
        mark: Remembered, so that later syncs keep the learner out.
    """
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("PRAGMA secure_delete=ON")
    told = Forgotten()
    ids = set(
        db.scalars(
            select(enrollments.c.id).where(enrollments.c.connection == connection, enrollments.c.user_id == user)
        )
    )
    told.rows = len(ids)
    ids |= _ids_of_parts(db, connection, user, person)
    refused = _refused(db, connection, user, person, ids)
    told.rejected = len(refused)
    for start in range(0, len(refused), _MANY):
        some = refused[start : start + _MANY]
        db.execute(delete(rejected).where(rejected.c.connection == connection, rejected.c.key.in_(some)))
    told.parts = _delete_ids(db, connection, list(ids))
    told.interrupted = _close_runs(db, connection, user, now)
    by = enrollments.c.assigned_by_id == user
    told.assigned = db.scalar(select(func.count()).where(enrollments.c.connection == connection, by)) or 0
    if mark is not None:
        upsert(db, forgotten, [{"connection": connection, "person": mark}])
    return told


def _delete_ids(db: Connection, connection: str, ids: list[str]) -> int:
    count = 0
    for start in range(0, len(ids), _MANY):
        some = ids[start : start + _MANY]
        for table in (enrollments, dirty, seen, flaws, drift):
            db.execute(delete(table).where(table.c.connection == connection, table.c.id.in_(some)))
        count += db.execute(delete(parts).where(parts.c.connection == connection, parts.c.id.in_(some))).rowcount
    return count


def _ids_of_parts(db: Connection, connection: str, user: str, person: Person) -> set[str]:
    """Give the enrollments that were not folded yet, and that one of their parts says to be the learner's."""
    query = select(parts.c.id, parts.c.kind, parts.c.native).where(parts.c.connection == connection)
    return {id for id, kind, native in db.execute(query) if _is_of(native, kind, user, person)}


def _refused(db: Connection, connection: str, user: str, person: Person, ids: Collection[str]) -> list[str]:
    query = select(rejected.c.key, rejected.c.id, rejected.c.kind, rejected.c.native)
    rows = db.execute(query.where(rejected.c.connection == connection))
    return [key for key, id, kind, native in rows if id in ids or _is_of(native, kind, user, person)]


def _is_of(native: str, kind: str, user: str, person: Person) -> bool:
    record = parse(native)
    inner = record.get("parts") if isinstance(record, dict) else None
    return any(person(one, kind) == user for one in (record, *(inner if isinstance(inner, list) else ())))


def _close_runs(db: Connection, connection: str, user: str, now: datetime) -> bool:
    """Take the person out of plans; a run that could be taken up is given up, since its plan may name anybody."""
    ours = runs.c.connection == connection
    closed = db.execute(
        update(runs)
        .where(ours, runs.c.finished_at.is_(None))
        .values(finished_at=now, outcome=func.coalesce(runs.c.outcome, "failed"), error="given up to forget a person")
    )
    mine = select(runs.c.run).where(ours)
    db.execute(update(plan).where(plan.c.run.in_(mine)).values(context="null", cursor=None))
    keys = set(db.scalars(select(plan.c.partition).where(plan.c.run.in_(mine)).distinct()))
    keys |= set(db.scalars(select(watermarks.c.partition).where(watermarks.c.connection == connection)))
    theirs = [key for key in keys if _is_theirs(key, user)]
    for start in range(0, len(theirs), _MANY):
        some = theirs[start : start + _MANY]
        db.execute(delete(plan).where(plan.c.run.in_(mine), plan.c.partition.in_(some)))
        db.execute(delete(watermarks).where(watermarks.c.connection == connection, watermarks.c.partition.in_(some)))
        db.execute(delete(seen).where(seen.c.connection == connection, seen.c.partition.in_(some)))
    _clean_errors(db, connection, user)
    return bool(closed.rowcount)


def _is_theirs(key: str, user: str) -> bool:
    kind, *names = key.split(":")
    return kind in _PEOPLE and (user in names or ":".join(names) == user)


def _clean_errors(db: Connection, connection: str, user: str) -> None:
    """Take the person's id out of the texts of errors: an address that was asked may have held it."""
    word = re.compile(rf"(?<!\w){re.escape(user)}(?!\w)")
    mine = select(runs.c.run).where(runs.c.connection == connection)
    for number, error in db.execute(
        select(runs.c.run, runs.c.error).where(runs.c.run.in_(mine), runs.c.error.isnot(None))
    ):
        if word.search(error):
            db.execute(update(runs).where(runs.c.run == number).values(error=word.sub("***", error)))
    rows = db.execute(
        select(plan.c.run, plan.c.partition, plan.c.error).where(plan.c.run.in_(mine), plan.c.error.isnot(None))
    ).all()
    for number, key, error in rows:
        if word.search(error):
            place = update(plan).where(plan.c.run == number, plan.c.partition == key)
            db.execute(place.values(error=word.sub("***", error)))


def kept_out(db: Connection, connection: str) -> frozenset[str]:
    """Give the marks of learners who are kept out."""
    return frozenset(db.scalars(select(forgotten.c.person).where(forgotten.c.connection == connection)))


_TABLES = ("enrollments", "parts", "dirty", "seen", "rejected", "flaws", "drift", "plan", "runs", "watermarks")


def wipe(store: Store) -> None:
    """Write the database anew without what was deleted or replaced in it, in its free pages and in its log, too.

    Raises:
        StoreError: Another program has it open, so that it cannot be written anew.
    """
    with store.alone() as db:
        if store.kind == "postgresql":
            for table in _TABLES:
                db.exec_driver_sql(f"VACUUM (FULL) {table}")
            return
        db.exec_driver_sql("VACUUM")
        busy = db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar()
    if busy:
        raise StoreError(
            "the rows are deleted, but traces of them are still in the file",
            where=store.place,
            hint="Another program has it open. Close it and run the same command again.",
        )
