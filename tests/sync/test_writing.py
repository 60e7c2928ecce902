"""Pages that wait for the store together are one transaction, which stays or fails as a whole."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from rollbook.core.errors import StoreError
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync.writing import TOGETHER, Writing

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from sqlalchemy import Connection as Transaction


class Desk:
    """A store whose thread is kept busy until it is let go."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.written: list[str] = []
        self.go = threading.Event()

    def page(self, name: str, error: Exception | None = None) -> Callable[[Transaction], None]:
        def write(db: Transaction) -> None:
            del db
            self.written.append(name)
            if error:
                raise error

        return write

    def settle(self, db: Transaction) -> None:
        del db
        self.transactions.append(self.written)
        self.written = []

    def run(self, work: Callable[[Writing], Coroutine[None, None, None]]) -> None:
        async def main() -> None:
            with Store(PRIVATE) as store:
                writing = Writing(store, lambda: None)
                writing.settle = self.settle
                busy = asyncio.ensure_future(writing.alone(lambda _: self.go.wait()))
                await asyncio.sleep(0)
                try:
                    await work(writing)
                finally:
                    self.go.set()
                    await busy
                    writing.close()

        asyncio.run(main())


def test_pages_that_wait_at_the_same_time_are_one_transaction() -> None:
    desk = Desk()

    async def work(writing: Writing) -> None:
        pages = [writing.together(desk.page(name), 100) for name in "abc"]
        desk.go.set()
        await asyncio.gather(*pages)
        await writing.together(desk.page("d"), 100)

    desk.run(work)

    assert desk.transactions == [["a", "b", "c"], ["d"]]


def test_a_transaction_has_a_bound() -> None:
    desk = Desk()

    async def work(writing: Writing) -> None:
        pages = [writing.together(desk.page(name), TOGETHER // 2) for name in "abc"]
        desk.go.set()
        await asyncio.gather(*pages)

    desk.run(work)

    assert desk.transactions == [["a", "b"], ["c"]]


def test_a_transaction_that_fails_fails_for_each_of_its_pages() -> None:
    desk = Desk()
    found: list[object] = []

    async def work(writing: Writing) -> None:
        pages = [writing.together(desk.page("a"), 1), writing.together(desk.page("b", StoreError("full")), 1)]
        desk.go.set()
        found.extend(await asyncio.gather(*pages, return_exceptions=True))

    desk.run(work)

    assert [str(one) for one in found] == ["full", "full"]
    assert desk.transactions == []


def test_a_page_that_nobody_waits_for_any_more_is_not_written() -> None:
    desk = Desk()

    async def work(writing: Writing) -> None:
        pages = [writing.together(desk.page(name), 1) for name in "ab"]
        pages[0].cancel()
        await asyncio.sleep(0)
        desk.go.set()
        with pytest.raises(asyncio.CancelledError):
            await pages[0]
        await pages[1]

    desk.run(work)

    assert desk.transactions == [["b"]]
