"""Runs and their plans: which partitions there are, how far each is read, where the next one starts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, Update, and_, bindparam, delete, func, insert, select, update

from ..connector import Partition
from ..native import JSON, dump, parse
from .store import upsert
from .tables import plan, runs, seen, watermarks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

DONE = ("complete", "gone")
"""States of a partition that was read to its end."""
OPEN = ("waiting", "reading")
"""States of a partition that is still to be read."""


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run."""

    run: int
    connection: str
    connector: str
    mode: str
    fingerprint: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None
    planned: bool
    counts: dict[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class Planned:
    """A partition of a plan, with where to go on."""

    position: int
    partition: Partition
    cursor: JSON
    records: int


def last_run(db: Connection, connection: str, *, finished: bool | None = None) -> Run | None:
    """Give the connection's latest run; `finished` picks among the finished or the unfinished ones."""
    query = select(runs).where(runs.c.connection == connection)
    if finished is not None:
        query = query.where(runs.c.finished_at.isnot(None) if finished else runs.c.finished_at.is_(None))
    row = db.execute(query.order_by(runs.c.run.desc()).limit(1)).mappings().one_or_none()
    return Run(**row) if row else None


def begin_run(db: Connection, *, connection: str, connector: str, mode: str, fingerprint: str, now: datetime) -> int:
    """Store a new run and give its number; the connection's unfinished ones are given up."""
    db.execute(
        update(runs)
        .where(runs.c.connection == connection, runs.c.finished_at.is_(None))
        .values(finished_at=now, outcome=func.coalesce(runs.c.outcome, "failed"), error="given up for a newer run")
    )
    added = db.execute(
        insert(runs).values(
            connection=connection,
            connector=connector,
            mode=mode,
            fingerprint=fingerprint,
            started_at=now,
            planned=False,
            counts={},
        )
    )
    return int(added.inserted_primary_key[0])  # type: ignore[index]


def note_run(db: Connection, run: int, **values: Any) -> None:
    """Change what is stored of a run."""
    db.execute(_changing(runs, ("run",), tuple(values)), {"at_run": run, **values})


def add_partitions(db: Connection, run: int, position: int, partitions: Sequence[Partition]) -> None:
    """Store partitions that were listed; those that are already in the plan stay as they are."""
    if not partitions:
        return
    rows: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(partitions, position):
        row = {"run": run, "partition": one.key, "position": place, "context": dump(one.context)}
        rows.setdefault(one.key, row | {"state": "waiting", "records": 0})
    upsert(db, plan, list(rows.values()), keep=("position", "context", "state", "records"))


def next_partitions(db: Connection, run: int, after: int, limit: int) -> list[Planned]:
    """Give partitions that are still to be read, in the order they were listed, from a position on."""
    query = (
        select(plan)
        .where(plan.c.run == run, plan.c.position > after, plan.c.state.in_(OPEN))
        .order_by(plan.c.position)
        .limit(limit)
    )
    return [
        Planned(
            row["position"],
            Partition(row["partition"], parse(row["context"])),
            None if row["cursor"] is None else parse(row["cursor"]),
            row["records"],
        )
        for row in db.execute(query).mappings()
    ]


def last_position(db: Connection, run: int) -> int:
    """Give the position of the last partition that was listed; -1 for none."""
    found = db.scalar(select(func.max(plan.c.position)).where(plan.c.run == run))
    return -1 if found is None else int(found)


def note_partition(db: Connection, run: int, partition: str, **values: Any) -> None:
    """Change what is stored of a partition; `cursor` and `watermark` are JSON values."""
    for name in ("cursor", "watermark"):
        if name in values:
            values[name] = None if values[name] is None else dump(values[name])
    at = {"at_run": run, "at_partition": partition}
    db.execute(_changing(plan, ("run", "partition"), tuple(values)), {**at, **values})


@lru_cache
def _changing(table: Table, keys: tuple[str, ...], names: tuple[str, ...]) -> Update:
    """Make the statement that changes some columns of a row, once: it is asked for with each page."""
    at = [table.c[key] == bindparam(f"at_{key}") for key in keys]
    return update(table).where(*at).values({name: bindparam(name) for name in names})


def restart_partition(db: Connection, connection: str, run: int, partition: str) -> None:
    """Forget how far a partition was read; what was served of it counts as not seen yet."""
    db.execute(
        update(seen)
        .where(seen.c.connection == connection, seen.c.run == run, seen.c.partition == partition)
        .values(run=0)
    )
    note_partition(db, run, partition, state="waiting", cursor=None, watermark=None, records=0)


def partition_states(db: Connection, run: int) -> dict[str, int]:
    """Count a plan's partitions by state."""
    query = select(plan.c.state, func.count()).where(plan.c.run == run).group_by(plan.c.state)
    return {row[0]: row[1] for row in db.execute(query)}


def partitions_in(db: Connection, run: int, state: str) -> dict[str, str]:
    """Give the partitions in a state, with their errors."""
    query = select(plan.c.partition, plan.c.error).where(plan.c.run == run, plan.c.state == state)
    return {key: error or "" for key, error in db.execute(query)}


def differing_totals(db: Connection, run: int) -> list[tuple[str, int, int]]:
    """Give the complete partitions whose number of records is not what the LMS said: key, said, read."""
    query = select(plan.c.partition, plan.c.total, plan.c.records).where(
        plan.c.run == run, plan.c.state == "complete", plan.c.total != plan.c.records
    )
    return [(key, total, records) for key, total, records in db.execute(query)]


def watermark(db: Connection, connection: str, partition: str) -> JSON:
    """Give where the next incremental read of a partition starts; null for its beginning."""
    found = db.scalar(
        select(watermarks.c.since).where(
            and_(watermarks.c.connection == connection, watermarks.c.partition == partition)
        )
    )
    return None if found is None else parse(found)


def has_watermarks(db: Connection, connection: str) -> bool:
    """Tell whether any partition of the connection can be read from a watermark on."""
    query = select(watermarks.c.partition).where(watermarks.c.connection == connection).limit(1)
    return db.execute(query).first() is not None


def forget_watermarks(db: Connection, connection: str, partition: str | None = None) -> None:
    """Let partitions be read from their start again: one, or all of a connection."""
    gone = delete(watermarks).where(watermarks.c.connection == connection)
    db.execute(gone if partition is None else gone.where(watermarks.c.partition == partition))


def forget_unlisted_watermarks(db: Connection, connection: str, run: int) -> None:
    """Let partitions that are not in a run's plan be read from their start, should the LMS list them again."""
    listed = select(plan.c.partition).where(plan.c.run == run)
    db.execute(delete(watermarks).where(watermarks.c.connection == connection, watermarks.c.partition.notin_(listed)))


def complete_partition(db: Connection, connection: str, run: int, partition: str) -> None:
    """Note that a partition was read to its end, and let its watermark move."""
    note_partition(db, run, partition, state="complete", cursor=None, context="null")  # nobody needs it any more
    since = db.scalar(select(plan.c.watermark).where(plan.c.run == run, plan.c.partition == partition))
    if since is not None:
        upsert(db, watermarks, [{"connection": connection, "partition": partition, "since": since}])
