"""Enrollments as a sync writes them: rows, seen marks, flaws, drift, rejected records, removals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, or_, select, update

from .clock import is_ahead
from .finding import delete_by_ids, rows_by_ids
from .runs import DONE
from .store import upsert
from .tables import drift, enrollments, flaws, parts, plan, rejected, runs, seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime


class Known(NamedTuple):
    """What is stored of an enrollment: enough to tell whether it has to be mapped again."""

    native_hash: str
    mapping: str
    kind: str
    stale_at: datetime | None
    removed_at: datetime | None
    updated_at: datetime | None


def known(db: Connection, connection: str, ids: Collection[str]) -> dict[str, Known]:
    """Give what is stored of the enrollments with these ids."""
    return {row[0]: Known(*row[1:]) for row in rows_by_ids(db, enrollments, connection, ids, "id", *Known._fields)}


def seen_in(db: Connection, connection: str, ids: Collection[str], run: int) -> set[str]:
    """Give those of the ids that this run was served before."""
    found = rows_by_ids(db, seen, connection, ids, "id", "part", "run")
    return {id for id, part, last in found if not part and last == run}


def mark_seen(db: Connection, connection: str, run: int, partition: str, keys: Iterable[tuple[str, str]]) -> None:
    """Note that enrollments (id, "") or parts (id, part) were served by a partition in this run."""
    upsert(
        db,
        seen,
        [{"connection": connection, "id": id, "part": part, "run": run, "partition": partition} for id, part in keys],
    )


def put_rows(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Write enrollments with all their columns."""
    upsert(db, enrollments, rows)


def put_findings(
    db: Connection,
    connection: str,
    ids: Sequence[str],
    found_flaws: Sequence[dict[str, Any]],
    found_drift: Sequence[dict[str, Any]],
) -> None:
    """Replace the flaws and the drift of the enrollments with these ids."""
    delete_by_ids(db, flaws, connection, ids)
    upsert(db, flaws, found_flaws)
    stored = rows_by_ids(db, drift, connection, ids, "id", "what", "value")
    gone = set(stored).difference((row["id"], row["what"], row["value"]) for row in found_drift)
    for id, what, value in gone:
        ours = drift.c.connection == connection, drift.c.id == id
        db.execute(delete(drift).where(*ours, drift.c.what == what, drift.c.value == value))
    upsert(db, drift, found_drift, keep=["first_seen"])


def put_rejected(db: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep records that could not become an enrollment, whole, with the reason."""
    upsert(db, rejected, rows)


def drop_rejected(db: Connection, connection: str, ids: Collection[str]) -> None:
    """Forget earlier rejections of records that have become enrollments since."""
    delete_by_ids(db, rejected, connection, ids, key="key")  # which is the id, where there is one


def drop_old_rejected(db: Connection, connection: str, run: int) -> None:
    """Forget rejected records that a complete partition of this run no longer served."""
    read = select(plan.c.partition).where(plan.c.run == run, plan.c.state.in_(DONE))
    db.execute(
        delete(rejected).where(
            rejected.c.connection == connection, rejected.c.run != run, rejected.c.partition.in_(read)
        )
    )


def remove(db: Connection, connection: str, ids: Collection[str], now: datetime) -> int:
    """Note that the LMS no longer has these enrollments; their status stays. Gives how many were live."""
    changed = db.execute(
        update(enrollments)
        .where(enrollments.c.connection == connection, enrollments.c.id.in_(ids), enrollments.c.removed_at.is_(None))
        .values(removed_at=now)
    )
    return changed.rowcount


def live_count(db: Connection, connection: str) -> int:
    """Count the stored enrollments that the LMS still has."""
    query = select(func.count()).where(enrollments.c.connection == connection, enrollments.c.removed_at.is_(None))
    return db.scalar(query) or 0


def removed_count(db: Connection, connection: str) -> int:
    """Count the stored enrollments that it no longer has."""
    query = select(func.count()).where(enrollments.c.connection == connection, enrollments.c.removed_at.isnot(None))
    return db.scalar(query) or 0


def _unseen(connection: str, run: int, *, everywhere: bool) -> Any:
    """Tell a seen mark of an earlier run whose partition this run read to its end, or no longer has in its plan."""
    states = select(plan.c.state).where(plan.c.run == run, plan.c.partition == seen.c.partition).scalar_subquery()
    read = or_(states.in_(DONE), states.is_(None)) if everywhere else states.in_(DONE)
    return and_(seen.c.connection == connection, seen.c.run != run, read)


def vanished(db: Connection, connection: str, run: int, *, planned: bool) -> list[str]:
    """Give the live enrollments that this run should have been served, and was not.

    Args:
        db: The transaction.
        connection: The connection's name.
        run: A full run.
        planned: Whether its plan is complete, so that a partition that is not in it no longer exists.
    """
    query = (
        select(enrollments.c.id)
        .join(seen, and_(seen.c.connection == enrollments.c.connection, seen.c.id == enrollments.c.id))
        .where(enrollments.c.removed_at.is_(None), seen.c.part == "", _unseen(connection, run, everywhere=planned))
    )
    return list(db.scalars(query))


def vanished_parts(db: Connection, connection: str, run: int, *, planned: bool) -> list[tuple[str, str]]:
    """Give the parts (id, part) that this run should have been served, and was not."""
    query = (
        select(parts.c.id, parts.c.part)
        .join(
            seen,
            and_(seen.c.connection == parts.c.connection, seen.c.id == parts.c.id, seen.c.part == parts.c.part),
        )
        .where(_unseen(connection, run, everywhere=planned))
    )
    return [(str(row[0]), str(row[1])) for row in db.execute(query)]


def is_any_missing(db: Connection, connection: str, run: int, partition: str) -> bool:
    """Tell whether a partition was to serve live enrollments, or parts of them, which this run has not got of it."""
    here = and_(seen.c.connection == connection, seen.c.partition == partition, seen.c.run != run)
    row = select(enrollments.c.id).where(enrollments.c.connection == connection, enrollments.c.removed_at.is_(None))
    part = select(parts.c.id).where(parts.c.connection == connection, parts.c.part == seen.c.part)
    live = or_(
        and_(seen.c.part == "", row.where(enrollments.c.id == seen.c.id).exists()),
        and_(seen.c.part != "", part.where(parts.c.id == seen.c.id).exists()),
    )
    return db.execute(select(seen.c.id).where(here, live).limit(1)).first() is not None


def _is_to_map_again(db: Connection, connection: str, mapping: str, now: datetime) -> Any:
    """Tell a live row whose status may be another by now, or that another mapping made."""
    table = enrollments.c
    outdated = or_(table.stale_at < now, and_(table.mapping != mapping, table.later.is_(None)))
    if is_ahead(db, connection, now):
        outdated = or_(outdated, table.mapped_at > now)  # the clock was set back: deadlines may be ahead once more
    return and_(table.connection == connection, table.removed_at.is_(None), outdated)


def to_map_again(
    db: Connection, connection: str, mapping: str, now: datetime, after: str, limit: int, *, whole: bool = False
) -> list[dict[str, Any]]:
    """Give live rows whose status may be another by now, or that another mapping made, by id.

    Args:
        db: The transaction.
        connection: The connection's name.
        mapping: Fingerprint of today's mapping.
        now: The instant that statuses are told for.
        after: The id before the first.
        limit: How many at most.
        whole: Give all columns, not only those that mapping needs.
    """
    table = enrollments.c
    query = (
        (
            select(enrollments)
            if whole
            else select(table.id, table.kind, table.remote_data, table.native_hash, table.later)
        )
        .where(_is_to_map_again(db, connection, mapping, now), enrollments.c.id > after)
        .order_by(enrollments.c.id)
        .limit(limit)
    )
    rows = [dict(row) for row in db.execute(query).mappings()]
    return rows if whole else [row if row["later"] is None else _whole(db, connection, row["id"]) for row in rows]


def _whole(db: Connection, connection: str, id: str) -> dict[str, Any]:
    query = select(enrollments).where(enrollments.c.connection == connection, enrollments.c.id == id)
    return dict(db.execute(query).mappings().one())


def outdated_removed(db: Connection, connection: str, mapping: str, limit: int) -> list[dict[str, Any]]:
    """Give rows that the LMS no longer has, and whose native record was kept by other rules than today's."""
    table = enrollments.c
    query = select(enrollments).where(
        table.connection == connection, table.removed_at.isnot(None), table.mapping != mapping, table.later.is_(None)
    )
    return [dict(row) for row in db.execute(query.limit(limit)).mappings()]


def count_to_map_again(db: Connection, connection: str, mapping: str, now: datetime) -> int:
    """Count the rows that `to_map_again` gives."""
    query = select(func.count()).select_from(enrollments).where(_is_to_map_again(db, connection, mapping, now))
    return db.scalar(query) or 0


def flaw_counts(db: Connection, connection: str, ids: Collection[str] | None = None) -> dict[str, int]:
    """Count the stored flaws by field; of the enrollments with these ids, or of all."""
    query = select(flaws.c.field, func.count()).where(flaws.c.connection == connection).group_by(flaws.c.field)
    if ids is not None:
        query = query.where(flaws.c.id.in_(ids))
    return {row[0]: row[1] for row in db.execute(query)}


def drift_counts(db: Connection, connection: str, ids: Collection[str] | None = None) -> dict[tuple[str, str], int]:
    """Count the stored enrollments with a native word that the mapping has never heard of, by what and word."""
    query = (
        select(drift.c.what, drift.c.value, func.count())
        .where(drift.c.connection == connection)
        .group_by(drift.c.what, drift.c.value)
    )
    if ids is not None:
        query = query.where(drift.c.id.in_(ids))
    return {(what, value): count for what, value, count in db.execute(query)}


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A native word that the mapping has never heard of, in the records of one kind."""

    what: str
    value: str
    kind: str
    count: int
    """How many stored enrollments have it."""
    first_seen: datetime
    last_seen: datetime | None
    """When the newest run began that was served such an enrollment."""


def unknown_words(db: Connection, connection: str) -> list[UnknownWord]:
    """Give the native words that the mapping has never heard of, the most frequent first."""
    count = func.count(drift.c.id.distinct())
    query = (
        select(
            drift.c.what,
            drift.c.value,
            enrollments.c.kind,
            count,
            func.min(drift.c.first_seen),
            func.max(runs.c.started_at),
        )
        .join(enrollments, and_(enrollments.c.connection == drift.c.connection, enrollments.c.id == drift.c.id))
        .outerjoin(seen, and_(seen.c.connection == drift.c.connection, seen.c.id == drift.c.id))  # a row for each part
        .outerjoin(runs, runs.c.run == seen.c.run)
        .where(drift.c.connection == connection)
        .group_by(drift.c.what, drift.c.value, enrollments.c.kind)
        .order_by(count.desc(), drift.c.what, drift.c.value, enrollments.c.kind)
    )
    return [UnknownWord(*row) for row in db.execute(query)]


def rejected_rows(db: Connection, connection: str) -> list[dict[str, Any]]:
    """Give the rejected records of a connection."""
    query = select(rejected).where(rejected.c.connection == connection).order_by(rejected.c.key)
    return [dict(row) for row in db.execute(query).mappings()]
