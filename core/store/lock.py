"""The lock of a connection: one sync of it at a time, let go by itself when its process ends in any way."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from ..errors import StoreError
from ..native import digest

if TYPE_CHECKING:
    from collections.abc import Generator

    from sqlalchemy import Engine


@contextmanager
def held(engine: Engine, connection: str) -> Generator[None]:
    """Keep every other sync of a connection out, in this process and in others, on this machine and elsewhere.

    Raises:
        StoreError: One is under way.
    """
    if engine.dialect.name == "postgresql":
        with _advisory(engine, connection):
            yield
    elif (database := engine.url.database) and database != ":memory:":
        with _beside(Path(f"{database}.{digest(connection)[:12]}.lock"), connection):
            yield
    else:  # a private database: nobody else can see it
        yield


def _busy(connection: str) -> StoreError:
    return StoreError(
        f"another sync of {connection!r} is under way",
        hint="Nothing was changed. It lets go by itself when it ends, or when its process is killed.",
    )


@contextmanager
def _advisory(engine: Engine, connection: str) -> Generator[None]:
    """Hold an advisory lock of the server's; it belongs to a session, so that a crash ends it."""
    key = int(digest(f"rollbook sync of {connection}")[:16], 16) - (1 << 63)
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as session:
        if not session.scalar(text("select pg_try_advisory_lock(:key)"), {"key": key}):
            raise _busy(connection)
        try:
            yield
        finally:
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
