"""The store: a database with the unified enrollments and what a sync must remember."""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, Table, select

from .database import database_errors, open_database, shown
from .lock import held
from .replacing import replace_rows
from .rows import enrollment_of
from .tables import enrollments

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from types import TracebackType

    from ..schema import CourseEnrollment

_BATCH = 500
_ONE_MOMENT: dict[str, dict[str, Any]] = {
    "sqlite": {},  # a transaction there sees one moment anyway
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


class Store:
    """An open database.

    Args:
        address: An SQLAlchemy address such as `sqlite:///rollbook.db`, or `PRIVATE`.

    Raises:
        StoreError: It cannot be opened, or a newer rollbook made it.
    """

    def __init__(self, address: str) -> None:
        self.place = shown(address)
        self._engine = open_database(address)
        self.kind = self._engine.dialect.name
        """`sqlite` or `postgresql`."""
        # SQLite has one writer at a time: those of this process queue here, where none is kept waiting for long by luck
        self._turn = threading.Lock() if self.kind == "sqlite" else nullcontext()

    @contextmanager
    def write(self) -> Generator[Connection]:
        """Give a transaction: all of what is written in it stays, or nothing."""
        with database_errors(self.place), self._turn, self._engine.execution_options(writes=True).begin() as db:
            yield db

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Give a transaction to read in."""
        with database_errors(self.place), self._engine.execution_options(**_ONE_MOMENT[self.kind]).begin() as db:
            yield db

    @contextmanager
    def alone(self) -> Generator[Connection]:
        """Give a connection outside of any transaction, for what the database does only there."""
        level = {} if self.kind == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
        with (
            database_errors(self.place),
            self._turn,
            self._engine.execution_options(alone=True, **level).connect() as db,
        ):
            yield db

    @contextmanager
    def held(self, connection: str) -> Generator[Callable[[], None]]:
        """Keep every other sync of a connection out, wherever it runs.

        Gives what raises `StoreError` once that is no longer so, because the server ended the session.

        Raises:
            StoreError: One is under way.
        """
        with database_errors(self.place), held(self._engine, connection) as ask:

            def still() -> None:
                with database_errors(self.place):
                    ask()

            yield still

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def enrollment(self, connection: str, id: str) -> CourseEnrollment | None:
        """Give one stored enrollment, removed ones too."""
        with self.read() as db:
            row = row_of(db, connection, id)
        return enrollment_of(row) if row else None

    def rows(self, connection: str, *, removed: bool = False, batch: int = _BATCH) -> Iterator[dict[str, Any]]:
        """Give the stored rows of a connection by id, a batch in memory at a time.

        Args:
            connection: The connection's name.
            removed: Also give those that the LMS no longer has.
            batch: How many are in memory at once.
        """
        after = ""
        while True:
            query = select(enrollments).where(enrollments.c.connection == connection, enrollments.c.id > after)
            if not removed:
                query = query.where(enrollments.c.removed_at.is_(None))
            with self.read() as db:
                found = [dict(row) for row in db.execute(query.order_by(enrollments.c.id).limit(batch)).mappings()]
            yield from found
            if len(found) < batch:
                return
            after = found[-1]["id"]


def row_of(db: Connection, connection: str, id: str) -> dict[str, Any] | None:
    """Give one stored row."""
    query = select(enrollments).where(enrollments.c.connection == connection, enrollments.c.id == id)
    row = db.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def upsert(db: Connection, table: Table, rows: Sequence[dict[str, Any]], *, keep: Sequence[str] = ()) -> None:
    """Insert rows, or replace those with the same primary key.

    Args:
        db: The transaction.
        table: Where to.
        rows: All with the same columns.
        keep: Columns that stay as they are in a row that is already there.
    """
    if not rows:
        return
    if db.dialect.name == "postgresql":
        from .copying import copy_rows  # noqa: PLC0415 - PostgreSQL's dialect is slow to import

        copy_rows(db, table, rows, keep)
        return
    replace_rows(db, table, rows, keep)
