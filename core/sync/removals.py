"""Removals: enrollments that a complete read no longer finds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ..store import parts as stored_parts
from ..store import records as stored_records
from ..store.runs import DONE, forget_unlisted_watermarks, partition_states

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..connector import Connector
    from .report import Report

FEW = 20
SHARE = 3
"""More than `FEW` rows and more than one in `SHARE` of a connection are not removed without being asked."""


def remove_vanished(
    db: Transaction, report: Report, connector: type[Connector[Any]], now: datetime, *, allow: bool
) -> None:
    """Note as removed what this full run should have been served and was not.

    Partitions that failed or may not be read protect their rows. Where suspiciously many would go, none does and
    `report.removals_held` tells how many.
    """
    name, run, planned = report.connection, report.run, report.planned
    if connector.removals == "never":
        return
    states = partition_states(db, run)
    if connector.removals == "run" and (not planned or any(state not in DONE for state in states)):
        return
    stored_records.drop_old_rejected(db, name, run)
    lost_parts: list[tuple[str, str]] = []
    if connector.part is None:
        going = stored_records.vanished(db, name, run, planned=planned)
    else:
        lost_parts = stored_records.vanished_parts(db, name, run, planned=planned)
        going = _without_parts(db, name, lost_parts)
    live = stored_records.live_count(db, name)
    if not allow and len(going) > FEW and len(going) * SHARE > live:
        report.removals_held = len(going)
        return
    report.removals_held = 0
    stored_parts.drop_parts(db, name, lost_parts)
    stored_parts.mark_dirty(db, name, {id for id, _ in lost_parts})
    report.counts.removed += stored_records.remove(db, name, going, now)
    if planned:
        forget_unlisted_watermarks(db, name, run)  # a partition that comes back is served whole


def _without_parts(db: Transaction, connection: str, lost: list[tuple[str, str]]) -> list[str]:
    losing = Counter(id for id, _ in lost)
    have = stored_parts.part_counts(db, connection, losing)
    return [id for id, count in losing.items() if count >= have.get(id, 0)]
