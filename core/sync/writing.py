"""Writing: work on the store, piece after piece in a thread of its own; pages that wait are written together."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection as Transaction

    from ..store import Store

__all__ = ["Writing"]

T = TypeVar("T")

TOGETHER = 2_000
"""Pages that wait are put into one transaction until they hold so many records."""


@dataclass(frozen=True, slots=True, eq=False)
class _Page:
    write: Callable[[Transaction], None]
    size: int
    written: Future[None] = field(default_factory=Future)


class Writing:
    """What a run does with its store.

    Args:
        store: Where to.
        still_held: Raises once another sync of the connection may be under way.
    """

    def __init__(self, store: Store, still_held: Callable[[], None]) -> None:
        self.settle: Callable[[Transaction], None] = _nothing
        """Called at the end of a transaction of pages: what is noted once for all of them."""
        self._store = store
        self._still_held = still_held
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rollbook-store")
        self._waiting: deque[_Page] = deque()

    async def alone(self, work: Callable[[Transaction], T]) -> T:
        """Do work in a transaction of its own, and give what it gives."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def together(self, write: Callable[[Transaction], None], size: int) -> asyncio.Future[None]:
        """Write a page, in one transaction with those that wait at the same time.

        Args:
            write: Writes it.
            size: How many records it has.

        Returns:
            Done with the transaction; if that fails, it fails for each of its pages.
        """
        page = _Page(write, size)
        self._waiting.append(page)
        self._thread.submit(self._write_waiting)
        return asyncio.wrap_future(page.written)

    def close(self) -> None:
        """Wait for what is under way, and end the thread."""
        self._thread.shutdown(wait=True)

    def _transaction(self, work: Callable[[Transaction], T]) -> T:
        self._still_held()  # a server that was away has given the lock away, too
        with self._store.write() as db:
            return work(db)

    def _write_waiting(self) -> None:
        pages = self._next_pages()
        if not pages:  # an earlier call has taken them along
            return

        def work(db: Transaction) -> None:
            for page in pages:
                page.write(db)
            self.settle(db)

        try:
            self._transaction(work)
        except BaseException as error:  # noqa: BLE001 - carried to those who wait for it
            for page in pages:
                page.written.set_exception(error)
        else:
            for page in pages:
                page.written.set_result(None)

    def _next_pages(self) -> list[_Page]:
        pages, size = list[_Page](), 0
        while self._waiting and size < TOGETHER:
            page = self._waiting.popleft()
            if page.written.set_running_or_notify_cancel():
                pages.append(page)
                size += page.size
        return pages


def _nothing(db: Transaction) -> None:
    del db
