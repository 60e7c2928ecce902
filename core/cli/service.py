"""`rollbook sync --every`: connections synced again and again until somebody stops it."""

from __future__ import annotations

import asyncio
import random
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from ..errors import RateLimited
from .failures import COMPLETE, INTERRUPTED, status_of, worst
from .health import Round, health
from .jobs import Jobs, on_signals
from .progress import Silence
from .schedule import Schedule
from .screen import counted, span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from ..connection import Connection
    from ..store import Store
    from .jobs import Ended

__all__ = ["Service", "serve"]

_LOOK = 60.0
"""Seconds after which a service that waits looks at the clock again: a machine may have slept meanwhile."""


def _now() -> datetime:
    return datetime.now(UTC)


class Service:
    """Keeps connections in sync, each on its own schedule and never twice at the same time.

    Args:
        sync: Syncs a connection once; None means that it was not begun, because all is to stop.
        every: How often.
        stopping: Set once all is to stop.
        tell: Takes the line about each round.
        warn: Takes the error of a round.
        clock: Tells the time.
        sleep: Waits.
        rng: Draws the jitter.
    """

    def __init__(
        self,
        sync: Callable[[str], Awaitable[Ended | None]],
        every: timedelta,
        stopping: asyncio.Event,
        *,
        tell: Callable[[str], None] = click.echo,
        warn: Callable[[Exception], object] = status_of,
        clock: Callable[[], datetime] = _now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._sync = sync
        self._every = every
        self._stopping = stopping
        self._tell = tell
        self._warn = warn
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 - jitter is no secret

    async def run(self, names: Sequence[str]) -> None:
        """Sync until all is to stop."""
        begun = self._clock()
        async with asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(self._keep(name, Schedule(begun, self._every, self._rng)))

    async def _keep(self, name: str, schedule: Schedule) -> None:
        failed = 0
        while await self._wait(schedule.due):
            began = self._clock()
            ended = await self._sync(name)
            if ended is None:
                return
            failed = failed + 1 if ended.outcome == "failed" else 0
            now = self._clock()
            pause = ended.error.retry_after if isinstance(ended.error, RateLimited) else None
            skipped = schedule.go_on(now, pause)
            if ended.error:
                self._warn(ended.error)
            self._tell(health(ended, Round(began, now, schedule.due, skipped, failed)))

    async def _wait(self, due: datetime) -> bool:
        """Wait for a moment; false if all is to stop."""
        while not self._stopping.is_set() and (left := (due - self._clock()).total_seconds()) > 0:
            sleeping = asyncio.ensure_future(self._sleep(min(left, _LOOK)))
            stopping = asyncio.ensure_future(self._stopping.wait())
            try:
                await asyncio.wait((sleeping, stopping), return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeping.cancel()
                stopping.cancel()
        return not self._stopping.is_set()


def serve(
    store: Store,
    connect: Callable[[str], Connection],
    names: Sequence[str],
    every: timedelta,
    *,
    at_once: int,
    full: bool = False,
) -> int:
    """Sync connections again and again until SIGTERM or Ctrl-C, and give the exit status.

    A config that is wrong at the start ends it at once; nothing that a round meets does.
    """

    async def run() -> int:
        jobs = Jobs(store, connect, at_once=at_once, full=full)
        if wrong := await jobs.prove(names):
            return worst([status_of(error) for error in wrong])
        often = f"every {span(every.total_seconds())}"
        click.echo(f"rollbook: syncing {counted(len(names), 'connection')} {often}, {at_once} at once", err=True)
        service = Service(lambda name: jobs.sync(name, Silence), every, jobs.stopping)
        with on_signals(jobs.stop, signal.SIGTERM, signal.SIGINT):
            await service.run(names)
        click.echo("rollbook: stopped, as it was told to", err=True)
        return COMPLETE

    try:
        return asyncio.run(run())
    except KeyboardInterrupt:  # where signals cannot be taken, as on Windows
        click.echo("\nInterrupted. Started again, it goes on where it was.", err=True)
        return INTERRUPTED
