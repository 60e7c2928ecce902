"""How long a full read takes at the least: its requests, the quota they share, and how fast the LMS answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..store.tables import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..connection import Connection
    from ..connector import Estimate
    from ..http import Limit

__all__ = ["Earlier", "Forecast", "Quota", "earlier", "estimate", "quotas"]


@dataclass(frozen=True, slots=True)
class Quota:
    """What a rate does to a number of requests."""

    requests: int
    per: float
    """The rate: so many requests in so many seconds."""
    seconds: float
    """How long the requests take at the least: the first ones go at once, each further lot waits for its window."""
    stops: int
    """How often the sync stops because the wait would be longer than `max_wait`, and has to be started again."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a full read will take."""

    estimate: Estimate
    asked: int
    """Requests that it took to find out, sign-in included."""
    pace: float
    """Seconds that each of them took; 0 if none was sent."""
    at_once: int
    """Requests under way at once."""
    quotas: tuple[Quota, ...]
    """Every rate that the LMS is known to have."""

    @property
    def answering(self) -> float:
        """How many seconds the LMS needs to answer at the pace of now, were there no quota."""
        return self.estimate.requests * self.pace / self.at_once

    @property
    def tightest(self) -> Quota | None:
        """The rate that holds it up the longest, if one does."""
        slowest = max(self.quotas, key=lambda quota: quota.seconds, default=None)
        return slowest if slowest and slowest.seconds > 0 else None

    @property
    def seconds(self) -> float:
        """The least that it takes."""
        return max([self.answering, *(quota.seconds for quota in self.quotas)])


async def estimate(connection: Connection, *, clock: Callable[[], float] = time.monotonic) -> Forecast:
    """Ask the LMS a few cheap questions, and work out what a full read takes.

    Raises:
        RollbookError: The LMS does not answer them.
    """
    stats, begun, waited = connection.http.stats, clock(), connection.http.stats.waited
    sent = stats.requests
    found = await connection.connector.estimate()
    asked = stats.requests - sent
    pace = max(clock() - begun - (stats.waited - waited), 0.0) / asked if asked else 0.0
    answering = found.requests * pace / connection.workers
    limits = connection.connector.limits()
    return Forecast(
        found,
        asked,
        pace,
        connection.workers,
        quotas(found.requests, limits, answering, connection.settings.max_wait),
    )


def quotas(requests: int, limits: Iterable[Limit], answering: float, max_wait: float) -> tuple[Quota, ...]:
    """Work out what each rate does to a number of requests that take `answering` seconds by themselves."""
    return tuple(_quota(requests, limit, answering, max_wait) for limit in limits if limit.requests and limit.per)


def _quota(requests: int, limit: Limit, answering: float, max_wait: float) -> Quota:
    lots = max(requests - 1, 0) // limit.requests
    # a lot is sent as fast as the LMS answers; what is left of its window then is waited for, if that is allowed
    wait = limit.per - answering * limit.requests / max(requests, 1)
    return Quota(limit.requests, limit.per, lots * limit.per, lots if wait > max_wait else 0)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier full run took."""

    started_at: datetime
    finished_at: datetime
    requests: int
    outcome: str


def earlier(db: Transaction, connection: str) -> Earlier | None:
    """Give the newest full run that ended well, or with only parts of the tenant missing."""
    query = (
        select(runs.c.started_at, runs.c.finished_at, runs.c.counts, runs.c.outcome)
        .where(
            runs.c.connection == connection,
            runs.c.mode == "full",
            runs.c.finished_at.isnot(None),
            runs.c.outcome.in_(("complete", "partial")),
        )
        .order_by(runs.c.run.desc())
        .limit(1)
    )
    row = db.execute(query).one_or_none()
    return None if row is None else Earlier(row[0], row[1], int(row[2].get("requests", 0)), row[3])
