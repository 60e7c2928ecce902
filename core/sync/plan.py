"""The plan of a run: its partitions, stored as they are listed, and given out to be read meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from ..errors import AuthError, RollbookError, StoreError
from ..store import runs as stored_runs
from .reading import read_partitions, unforeseen

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol, TypeVar

    from sqlalchemy import Connection as Transaction

    from ..connection import Connection
    from ..connector import Partition
    from ..store.runs import Planned
    from .report import Report

    T = TypeVar("T")

    class InStore(Protocol):
        """Does work in a transaction, off the event loop."""

        def __call__(self, work: Callable[[Transaction], T], /) -> Awaitable[T]:
            """Run the work and give what it gives."""
            ...


LISTED_AT_ONCE = 100
"""Partitions stored in one transaction while they are listed."""


class Plan:
    """Lists a run's partitions and gives them out.

    Args:
        connection: Its connector lists them.
        report: Of the run; tells whether the list was completed before.
        in_store: Does work in a transaction.
        observe: Told of the report as the list grows.
        workers: How many read from the queue; each gets a None at the end.
    """

    def __init__(
        self,
        connection: Connection,
        report: Report,
        in_store: InStore,
        observe: Callable[[Report], None],
        workers: int,
    ) -> None:
        self.queue: asyncio.Queue[Planned | None] = asyncio.Queue(workers)
        """Partitions to read, in the order they were listed."""
        self._connection = connection
        self._report = report
        self._in_store = in_store
        self._observe = observe
        self._workers = workers
        self._more = asyncio.Event()
        self._listing = not report.planned
        self._position = 0

    async def fill(self) -> None:
        """Store the partitions as the connector lists them; a list that was completed before is not made again.

        A list that fails half-way leaves what was listed to be read, and says so in the report.
        """
        if not self._listing:
            return
        self._position = await self._in_store(lambda db: stored_runs.last_position(db, self._report.run)) + 1
        listed: list[Partition] = []
        try:
            async with aclosing(read_partitions(self._connection)) as partitions:
                async for partition in partitions:
                    listed.append(partition)
                    if len(listed) == LISTED_AT_ONCE:
                        await self._add(listed)
                        listed = []
            await self._add(listed)
            await self._in_store(lambda db: stored_runs.note_run(db, self._report.run, planned=True))
            self._report.planned = True
        except StoreError:
            raise
        except Exception as error:
            await self._add(listed)  # what was listed is read all the same
            known = error if isinstance(error, RollbookError) else unforeseen(error)
            if isinstance(known, AuthError) or not self._report.listed:
                raise known from error
            self._report.error = str(known.at("listing the partitions"))
        finally:
            self._listing = False
            self._more.set()

    async def _add(self, listed: list[Partition]) -> None:
        def add(db: Transaction) -> dict[str, int]:
            stored_runs.add_partitions(db, self._report.run, self._position, listed)
            return stored_runs.partition_states(db, self._report.run)

        self._report.partitions = await self._in_store(add)
        self._position += len(listed)
        self._more.set()
        self._observe(self._report)

    async def feed(self) -> None:
        """Put the partitions that are still to be read into the queue, also while the list is being made."""
        after = -1
        while True:
            listing = self._listing
            self._more.clear()
            found = await self._in_store(
                lambda db, after=after: stored_runs.next_partitions(db, self._report.run, after, LISTED_AT_ONCE)
            )
            for planned in found:
                await self.queue.put(planned)
                after = planned.position
            if not found:
                if not listing:
                    break
                await self._more.wait()
        for _ in range(self._workers):
            await self.queue.put(None)
