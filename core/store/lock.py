"""The lock of a connection: one sync of it at a time, let go by itself when its process ends in any way."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from ..errors import StoreError
from ..native import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from sqlalchemy import Engine


@contextmanager
def held(engine: Engine, connection: str) -> Generator[Callable[[], None]]:
    """Keep every other sync of a connection out, in this process and in others, on this machine and elsewhere.

    Gives what fails once the lock is lost, which only a server can lose.

    Raises:
        StoreError: One is under way.
    """
    if engine.dialect.name == "postgresql":
        with _advisory(engine, connection) as still:
            yield still
    elif (database := engine.url.database) and database != ":memory:":
        with _beside(Path(f"{database}.{digest(connection)[:12]}.lock"), connection):
            yield _certainly
    else:  # a private database: nobody else can see it
        yield _certainly


def _certainly() -> None:
    """Say nothing: the system keeps a file's lock as long as the process lives."""


def _busy(connection: str) -> StoreError:
    return StoreError(
        f"another sync of {connection!r} is under way",
        hint="Nothing was changed. It lets go by itself when it ends, or when its process is killed.",
    )


_NOT_IDLE = """
select set_config('idle_session_timeout', '0', false) from pg_settings where name = 'idle_session_timeout'
"""
"""A server that ends idle sessions must not end this one: it knows that setting from version 14 on."""


@contextmanager
def _advisory(engine: Engine, connection: str) -> Generator[Callable[[], None]]:
    """Hold an advisory lock of the server's; it belongs to a session, so that a crash ends it."""
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as session:
        schema = session.scalar(text("select current_schema()"))  # another schema is another store
        key = int(digest(f"rollbook sync in {schema} of {connection}")[:16], 16) - (1 << 63)
        if not session.scalar(text("select pg_try_advisory_lock(:key)"), {"key": key}):
            raise _busy(connection)
        session.execute(text(_NOT_IDLE))
        try:
            yield lambda: session.execute(text("select 1")).close()
        finally:
            with suppress(SQLAlchemyError):  # a server takes a moment to notice that a session has ended
                session.execute(text("select pg_advisory_unlock(:key)"), {"key": key})
            session.invalidate()  # the session ends, and its lock with it, whatever state it is in


@contextmanager
def _beside(path: Path, connection: str) -> Generator[None]:
    """Hold a lock file beside the database; the system lets it go with the process."""
    file = _locked(path, connection)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is still held: nobody can have locked it in between
        os.close(file)


def _locked(path: Path, connection: str) -> int:
    while True:
        try:
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from None
        try:
            _try_lock(file)
        except OSError:
            os.close(file)
            raise _busy(connection) from None
        if _is_still(path, file):
            return file
        os.close(file)  # its holder removed it between our opening and our locking


def _is_still(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
