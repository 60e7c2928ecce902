"""Reading a run's partitions into the store: several at once, each page with the place to go on at."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from ..errors import (
    AuthError,
    CursorExpired,
    Forbidden,
    Gone,
    RateLimited,
    RollbookError,
    Stopped,
    StoreError,
    VendorError,
)
from ..store import records as stored_records
from ..store import runs as stored_runs
from .intake import Place
from .plan import Plan
from .reading import read_pages

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection as Transaction

    from ..connection import Connection
    from ..connector import Page, Partition
    from ..native import JSON
    from ..store.runs import Planned
    from .figures import Figures
    from .intake import Intake
    from .joins import Joins
    from .report import Report
    from .writing import Writing

__all__ = ["Reader"]

FAILURES_IN_A_ROW = 10
"""So many partitions failing one after another, with none read between, say that the LMS is down: the run stops."""

GRACE = 20.0
"""Seconds that a run which is to stop waits for answers under way."""


class _LookupFailed(Exception):  # noqa: N818 - carries an error out of a partition, so that it ends the run
    def __init__(self, error: RollbookError) -> None:
        super().__init__(str(error))
        self.error = error


class Reader:
    """Reads the partitions of one run.

    Args:
        connection: What to read.
        report: Of the run.
        intake: Takes the records.
        joins: Completes them.
        part_key: Gives a part's key, where enrollments are put together from parts.
        writing: Writes to the store.
        figures: Of the run.
        observe: Told of the report after each page and partition.
        stopping: Set once the run is to stop.
    """

    def __init__(
        self,
        connection: Connection,
        report: Report,
        *,
        intake: Intake,
        joins: Joins,
        part_key: Callable[[JSON], JSON] | None,
        writing: Writing,
        figures: Figures,
        observe: Callable[[Report], None],
        stopping: asyncio.Event,
    ) -> None:
        self._connection = connection
        self._report = report
        self._intake = intake
        self._joins = joins
        self._part_key = part_key
        self._writing = writing
        self._figures = figures
        self._observe = observe
        self._stopping = stopping
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._failures = 0

    async def read(self) -> None:
        """Read all partitions that are not read yet; those that fail are noted, and stop no other.

        Raises:
            RollbookError: What ends the run: refused credentials, a spent quota, an LMS or a database that is down.
            Stopped: The run is to stop.
        """
        workers = self._connection.workers
        self._plan = Plan(self._connection, self._report, self._writing.alone, self._observe, workers)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                listing = [tasks.create_task(self._plan.fill()), tasks.create_task(self._plan.feed())]
                working = [tasks.create_task(self._work()) for _ in range(workers)]
                await self._ended(working)
                for task in (*listing, *working):
                    task.cancel()  # they have ended, unless the run is to stop
        except BaseExceptionGroup as group:
            raise _first(group) from None
        self.go_on()

    def go_on(self) -> None:
        """Raise `Stopped` if the run is to stop."""
        if self._stopping.is_set():
            raise Stopped("the sync was stopped", hint="Run the same command again, and it goes on where it was.")

    async def _ended(self, working: list[asyncio.Task[None]]) -> None:
        """Wait for the workers to end; once the run is to stop, for the answers under way and not much longer."""
        all_of_them = asyncio.gather(*working, return_exceptions=True)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((all_of_them, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not all_of_them.done():
                await asyncio.wait(working, timeout=GRACE)
        finally:
            stopping.cancel()

    async def _next(self) -> Planned | None:
        """Give the next partition to read; None if there is none, or the run is to stop."""
        taking = asyncio.ensure_future(self._plan.queue.get())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((taking, stopping), return_when=asyncio.FIRST_COMPLETED)
            return None if self._stopping.is_set() else taking.result()
        finally:
            taking.cancel()
            stopping.cancel()

    async def _work(self) -> None:
        while (planned := await self._next()) is not None:
            key = planned.partition.key
            try:
                await self._read_planned(planned)
                self._failures = 0
            except Stopped:
                return
            except (AuthError, RateLimited, StoreError):
                raise
            except Gone:
                await self._note_partition(key, "gone")  # should it come back, it is read from its start
            except Forbidden as error:
                await self._note_partition(key, "forbidden", str(error))
            except RollbookError as error:
                await self._note_partition(key, "failed", str(error))
                self._failures += isinstance(error, VendorError)
                if self._failures >= FAILURES_IN_A_ROW:
                    raise
            self._observe(self._report)

    async def _read_planned(self, planned: Planned) -> None:
        """Read a partition; from its start if its place is no longer good, or if others may have hidden records."""
        partition, name, run = planned.partition, self._connection.name, self._report.run
        try:
            again = await self._read(partition, planned.cursor, planned.records)
        except CursorExpired:
            await self._writing.alone(lambda db: stored_runs.restart_partition(db, name, run, partition.key))
            again = await self._read(partition, None, 0)
        if again:
            self.go_on()
            await self._read(partition, None, 0, again=True)

    async def _read(self, partition: Partition, cursor: JSON, records: int, *, again: bool = False) -> bool:
        """Read a partition from a place on; true if it was read, but is to be read once more."""
        since: JSON = None
        if self._report.mode == "incremental":
            name = self._connection.name
            since = await self._writing.alone(lambda db: stored_runs.watermark(db, name, partition.key))
        may_shift = self._connection.connector.numbered_records and self._report.mode == "full" and not again
        several, missing = int(cursor is not None), list[bool]()
        try:
            async with aclosing(read_pages(self._connection, partition, cursor, since)) as pages:
                async for page, last in pages:
                    records += len(page.records)
                    several += bool(page.records)
                    look = missing if may_shift and several > 1 else None
                    await self._keep(partition.key, page, records, last=last, again=again, missing=look)
                    if not last:
                        self.go_on()
        finally:
            await self._written(partition.key)
        return any(missing)

    async def _written(self, key: str) -> None:
        """Wait for the page of a partition that is being written."""
        if writing := self._under_way.pop(key, None):
            await writing

    async def _told(self, written: asyncio.Future[None]) -> None:
        """Tell who watches once a page is written."""
        await asyncio.shield(written)  # a page that is read is written, even if the run ends meanwhile
        self._observe(self._report)

    async def _keep(
        self,
        key: str,
        page: Page,
        records: int,
        *,
        last: bool,
        again: bool = False,
        missing: list[bool] | None = None,
    ) -> None:
        """Have a page written with its place, while the next one is read.

        Args:
            key: The partition's.
            page: The page.
            records: How many the partition has given so far.
            last: Whether it is the last one: the partition is complete with it.
            again: Whether the partition is read for the second time.
            missing: Takes whether anything is missing in the partition; then it is not complete yet.
        """
        place = Place(self._report.run, key, page.kind)
        good, bad = self._intake.identify(page.records, page.kind)
        if self._part_key is None and good:
            try:
                joined = await self._joins.attach([record for _, record in good])
            except RollbookError as error:
                raise _LookupFailed(error) from error
            good = [(id, record) for (id, _), record in zip(good, joined, strict=True)]

        def write(db: Transaction) -> None:
            self._intake.reject(db, place, bad)
            if self._part_key is None:
                self._intake.take(db, place, good, again=again)
            else:
                self._intake.take_parts(db, place, good, self._part_key)
            values: dict[str, Any] = {"state": "reading", "cursor": page.cursor, "records": records}
            if page.total is not None:
                values["total"] = page.total
            if page.watermark is not None:
                values["watermark"] = page.watermark
            stored_runs.note_partition(db, place.run, key, **values)
            if last:
                self._end(db, key, missing)
            self._report.counts.records += len(page.records)

        if (before := self._under_way.get(key)) and not before.done():  # one page is written while the next is read
            await self._written(key)
            self.go_on()
        written = self._writing.together(write, len(page.records))
        self._under_way[key] = self._tasks.create_task(self._told(written))

    def _end(self, db: Transaction, key: str, missing: list[bool] | None) -> None:
        name, run = self._connection.name, self._report.run
        if missing is not None and stored_records.is_any_missing(db, name, run, key):
            stored_runs.note_partition(db, run, key, cursor=None, watermark=None, records=0)
            missing.append(True)
        else:
            stored_runs.complete_partition(db, name, run, key)
            self._figures.has_ended = True

    async def _note_partition(self, key: str, state: str, error: str | None = None) -> None:
        def write(db: Transaction) -> None:
            stored_runs.note_partition(db, self._report.run, key, state=state, error=error)
            if state == "gone":
                stored_runs.forget_watermarks(db, self._connection.name, key)
            self._figures.count_partitions(db)
            self._figures.note(db)

        await self._writing.alone(write)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the error that ended the reading, out of those of all the tasks."""
    found = [error.error if isinstance(error, _LookupFailed) else error for error in _leaves(group)]
    for kind in (StoreError, AuthError, RateLimited, RollbookError):
        for error in found:
            if isinstance(error, kind):
                return error
    return found[0]


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            found += _leaves(cast("BaseExceptionGroup[BaseException]", error))
        else:
            found.append(error)
    return found
