"""A pretend LMS for each vendor, and stores that it is read into; in between, time passes only when somebody waits."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connection import open_connection
from rollbook.core.errors import RollbookError
from rollbook.core.http import no_waits
from rollbook.core.store import Store
from rollbook.core.sync import Sync
from rollbook.sandbox import Sandbox, Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
VENDORS = ("talentlms", "canvas")


class Book:
    """A store that a pretend LMS is read into.

    Args:
        vendor: Whose connector reads.
        folder: Where it lies.
        like: Another book, to begin as a copy of.
    """

    def __init__(self, vendor: str, folder: Path, like: Book | None = None) -> None:
        self.vendor = vendor
        self.file = folder / "book.db"
        if like:
            folder.mkdir(exist_ok=True)
            shutil.copy(like.file, self.file)

    def sync(self, sandbox: Sandbox, **settings: Any) -> tuple[str, str]:
        """Sync; gives the outcome, and everything that was said."""

        async def run() -> tuple[str, str]:
            values = {**sandbox.settings, "concurrency": 1, **settings}
            with no_waits(), Store(f"sqlite:///{self.file}") as store:
                async with asyncio.timeout(60), open_connection("acme", self.vendor, values) as connection:
                    report = await Sync(connection, store, clock=lambda: AS_OF).run()
                    return str(report.outcome), f"{report.failures} {report.forbidden} {report.error} {report.totals}"

        try:
            return asyncio.run(run())
        except RollbookError as error:
            return "failed", f"{error} {error!r}"

    def rows(self) -> dict[str, tuple[Any, ...]]:
        """Give every row, removed ones too, as far as a sync at the same moment makes the same."""
        with Store(f"sqlite:///{self.file}") as store:
            return {
                row["id"]: (row["status"], row["user_name"], row["course_title"], row["remote_data"], row["removed_at"])
                for row in store.rows("acme", removed=True)
            }


class Lms:
    """A pretend LMS, what a sync without a fault makes of it, and the requests that takes."""

    def __init__(self, vendor: str, sandbox: Sandbox, folder: Path, empty: Path) -> None:
        self.vendor = vendor
        self.sandbox = sandbox
        self.book = Book(vendor, folder)
        self.outcome, _ = self.book.sync(sandbox)
        self.rows = self.book.rows()
        self.asked = list(sandbox.requests)
        self.empty = Book(vendor, empty)
        with Store(f"sqlite:///{self.empty.file}"):
            pass

    def path(self, number: int) -> str:
        """Give the path, with the query, of a request by its number from 1."""
        return self.asked[number - 1].partition(" ")[2]


@pytest.fixture(scope="module", params=VENDORS)
def standing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lms]:
    """Serve one for all tests of a module: they change no tenant."""
    with Sandbox(request.param, tenant=Tenant(size=4, courses=3, as_of=AS_OF)) as sandbox:
        made = Lms(request.param, sandbox, tmp_path_factory.mktemp("clean"), tmp_path_factory.mktemp("empty"))

        assert made.outcome == "complete"
        yield made


@pytest.fixture
def lms(standing: Lms) -> Iterator[Lms]:
    """Give one without a fault."""
    standing.sandbox.faults.clear()
    standing.sandbox.requests.clear()
    yield standing
    standing.sandbox.faults.clear()


@pytest.fixture
def book() -> type[Book]:
    """Make books."""
    return Book
