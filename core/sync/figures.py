"""A run's figures, as they are noted in the store while it goes on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ..store.runs import note_run, partition_states

if TYPE_CHECKING:
    from sqlalchemy import Connection as Transaction

    from ..http import Stats
    from .report import Report

__all__ = ["Figures"]

MANY_PARTITIONS = 1_000
"""Above this, their states are not counted after each one."""


class Figures:
    """Keeps a report's figures, and their copy in the store, up to date.

    Args:
        report: Of the run; one that was taken up goes on from what it has.
        stats: Of the connection's requests.
    """

    def __init__(self, report: Report, stats: Stats) -> None:
        counts = report.counts
        self.has_ended = False
        """Set when a partition has ended, until they are counted."""
        self._report = report
        self._stats = stats
        self._before = (counts.requests, counts.retries, counts.waited)
        self._counted = 0.0

    def note(self, db: Transaction) -> None:
        """Note the counts."""
        counts, stats = self._report.counts, self._stats
        counts.requests = self._before[0] + stats.requests
        counts.retries = self._before[1] + stats.retries
        counts.waited = self._before[2] + stats.waited
        note_run(db, self._report.run, counts=counts.to_json())

    def count_partitions(self, db: Transaction) -> None:
        """Count them by state for whoever watches: of very many, once a second, as it takes longer than a page."""
        if self._report.listed > MANY_PARTITIONS and time.monotonic() - self._counted < 1:
            return
        self._report.partitions = partition_states(db, self._report.run)
        self._counted = time.monotonic()

    def settle(self, db: Transaction) -> None:
        """Note at the end of a transaction of pages what is noted once for all of them."""
        if self.has_ended:
            self.has_ended = False
            self.count_partitions(db)
        self.note(db)
