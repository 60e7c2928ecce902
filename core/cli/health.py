"""The line that a service prints for each connection and round: one JSON object, to be alerted on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

from ..errors import RollbookError

if TYPE_CHECKING:
    from datetime import datetime

    from .jobs import Ended

__all__ = ["Round", "health"]


@dataclass(frozen=True, slots=True)
class Round:
    """One sync of a connection, as the service sees it."""

    began: datetime
    ended: datetime
    following: datetime
    """When the next one begins."""
    skipped: int
    """Rounds that are left out until then."""
    failed_in_a_row: int
    """How many rounds up to this one failed, one after another."""


def health(ended: Ended, one: Round) -> str:
    """Write the line. It holds no learner's data and no secret."""
    report, error = ended.report, ended.error
    counts = report.counts if report else None
    return json.dumps(
        {
            "time": _instant(one.began),
            "connection": ended.name,
            "outcome": ended.outcome,
            "seconds": round((one.ended - one.began).total_seconds(), 1),
            "mode": report.mode if report else None,
            "resumed": report.resumed if report else None,
            "rows": report.live if report and report.outcome else None,
            "new": counts.new if counts else 0,
            "changed": counts.changed if counts else 0,
            "removed": counts.removed if counts else 0,
            "removals_held": report.removals_held if report else 0,
            "rejected": counts.rejected if counts else 0,
            "drift": sum(report.drift.values()) if report else 0,
            "partitions_failed": len(report.failures) if report else 0,
            "partitions_forbidden": len(report.forbidden) if report else 0,
            "requests": counts.requests if counts else 0,
            "failed_in_a_row": one.failed_in_a_row,
            "error": _said(error) if error else (report.error.partition("\n")[0] if report else ""),
            "next": _instant(one.following),
            "skipped_rounds": one.skipped,
        }
    )


def _said(error: Exception) -> str:
    """Give the first line of an error of ours; of another, whose text may hold a learner's data, only the kind."""
    return str(error).partition("\n")[0] if isinstance(error, RollbookError) else f"a bug: {type(error).__name__}"


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
