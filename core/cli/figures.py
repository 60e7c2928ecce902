"""What the store holds of a connection, in figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from ..store.fields import new_fields
from ..store.records import drift_counts, flaw_counts
from ..store.runs import last_run, partition_states
from ..store.tables import enrollments, rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..store import Store
    from ..store.fields import NativeField
    from ..store.runs import Run

__all__ = ["Figures", "figures"]


@dataclass(frozen=True, slots=True)
class Figures:
    """A connection as the store knows it."""

    run: Run | None
    """Its last run."""
    partitions: Mapping[str, int]
    """That run's partitions, by state."""
    live: Mapping[str, int]
    """Enrollments that the LMS still has, by status."""
    removed: int
    """Enrollments that it no longer has."""
    flaws: Mapping[str, int]
    drift: Mapping[tuple[str, str], int]
    rejected: int
    new_fields: Sequence[NativeField]
    """Native fields that no record had until after the first full run."""


def figures(store: Store, name: str) -> Figures:
    """Count what is stored of a connection."""
    gone = enrollments.c.removed_at.isnot(None)
    by_status = (
        select(enrollments.c.status, gone, func.count())
        .where(enrollments.c.connection == name)
        .group_by(enrollments.c.status, gone)
    )
    bad = select(func.count()).where(rejected.c.connection == name)
    with store.read() as db:
        run = last_run(db, name)
        found = [(status, removed, count) for status, removed, count in db.execute(by_status)]
        return Figures(
            run=run,
            partitions=partition_states(db, run.run) if run else {},
            live={status: count for status, removed, count in found if not removed},
            removed=sum(count for _, removed, count in found if removed),
            flaws=flaw_counts(db, name),
            drift=drift_counts(db, name),
            rejected=db.scalar(bad) or 0,
            new_fields=new_fields(db, name),
        )
