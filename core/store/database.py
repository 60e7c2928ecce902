"""Opening a database: its address, its pragmas, its schema's version, and errors that a person can use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from ..errors import StoreError
from .migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Generator

PRIVATE = "private"
"""In place of an address: a temporary SQLite database that nobody else sees and that leaves nothing behind."""

_PRAGMAS = (
    "PRAGMA page_size=16384",  # of a new database: a row and its native record fit well into one
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # a power cut may lose the last pages; they are read again
    "PRAGMA busy_timeout=10000",
    "PRAGMA cache_size=-8000",  # KiB, which the seven indexes of many rows keep busy
)

_SESSION = ("-c timezone=UTC",)

_SESSIONS = 64
"""Kept open at most: two for each connection that is synced at once, its writer's and its lock's."""


def open_database(address: str) -> Engine:
    """Open the database at an SQLAlchemy address, and make or check its tables.

    Raises:
        StoreError: It cannot be opened, or a newer rollbook made it.
    """
    place = shown(address)
    with database_errors(place):
        engine = _engine(address, place)
        try:
            migrate(engine, place)
        except BaseException:
            engine.dispose()
            raise
    return engine


def _engine(address: str, place: str) -> Engine:
    if address == PRIVATE:
        return create_engine("sqlite://", creator=_private, poolclass=StaticPool, hide_parameters=True)
    try:
        url = _with_driver(make_url(address))
        name = url.get_backend_name()
        if name == "postgresql":
            return _postgresql(url)
        if name == "sqlite" and url.database:
            _make_file(Path(url.database), place)
        engine = create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise StoreError(
            "the store's url is not a database address",
            where=place,
            hint="Expected something like sqlite:///rollbook.db or postgresql://user@host/database.",
        ) from None
    except ImportError as error:
        raise StoreError(
            f"the driver for this database is not installed ({error.name or 'psycopg'})",
            where=place,
            hint="For PostgreSQL: pip install 'rollbook[postgres]'",
        ) from None
    if name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    return engine


def _with_driver(url: URL) -> URL:
    """Name psycopg 3 where an address says only PostgreSQL, in either of its spellings."""
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def _postgresql(url: URL) -> Engine:
    given = url.query.get("options", "")
    options = " ".join([*(given if isinstance(given, tuple) else (given,)), *_SESSION]).strip()
    query = {name: value for name, value in url.query.items() if name != "options"}
    return create_engine(
        url.set(query=query),
        hide_parameters=True,
        pool_size=_SESSIONS,
        pool_pre_ping=True,  # a server that was away is asked anew
        connect_args={"options": options, "connect_timeout": 20, "application_name": "rollbook"},
    )


def _make_file(path: Path, place: str) -> None:
    if not path.parent.is_dir():
        raise StoreError(f"the folder {path.parent} does not exist", where=place, hint="Make it, or mend [store] url.")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # learners' data: for its owner only
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", where=place) from None


def _private() -> sqlite3.Connection:
    return sqlite3.connect("", check_same_thread=False)


def _set_pragmas(connection: sqlite3.Connection, record: Any) -> None:
    del record
    connection.isolation_level = None  # transactions are begun by _begin, so that a read in one is of one moment
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get("alone"):  # what cannot be done inside a transaction
        return
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def shown(address: str) -> str:
    """Write an address for people: without a password."""
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return "store"


@contextmanager
def database_errors(place: str) -> Generator[None]:
    """Turn what the driver raises into errors that a person can use, without the data it was about."""
    try:
        yield
    except DBAPIError as error:
        first = _said(error.orig)
        raise StoreError(f"the database failed: {first}", where=place, hint=_hint(first)) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {type(error).__name__}", where=place) from None
    except Exception as error:
        if not type(error).__module__.startswith("psycopg"):  # what copies rows asks the driver itself
            raise
        raise StoreError(f"the database failed: {_said(error)}", where=place, hint=_hint(_said(error))) from None


def _said(error: BaseException | None) -> str:
    """Give the first line of what a database says of itself; of an error about a row, which may quote it, the kind."""
    state = getattr(error, "sqlstate", None)
    if isinstance(error, sqlite3.Error) or (state is None and _is_of_connecting(error)):
        return str(error).partition("\n")[0]
    if state is not None and (state[:2] in _ABOUT_THE_SERVER or state == "42501"):
        return str(error).partition("\n")[0]
    return " ".join(filter(None, (type(error).__name__, state)))


def _is_of_connecting(error: BaseException | None) -> bool:
    return type(error).__name__ in ("OperationalError", "ConnectionTimeout")


_ABOUT_THE_SERVER = frozenset({"08", "28", "3D", "53", "57", "58"})
"""Classes of SQLSTATE: connection, sign-in, no such database, room, shutdown, its disk. 42501 is about rights."""


def _hint(message: str) -> str:
    for sign, hint in (
        ("full", "Make room on the disk and run the same command again; it goes on where it was."),
        ("No space left", "Make room on the server's disk and run the same command again; it goes on where it was."),
        ("locked", "Another program is writing to it; run the same command again when it has ended."),
        ("readonly", "Give yourself the right to write to the file and its folder."),
        ("unable to open", "Check the path and the folder's permissions."),
        ("not a database", "The file is no SQLite database; name another one under [store] url."),
        ("malformed", "The file is damaged; restore it from a backup, or name a new one and sync again."),
        ("I/O error", "The disk failed or is full; make room and run the same command again."),
        ("password", "Check user and password in [store] url."),
        ("does not exist", "Make the database or the user, or mend [store] url."),
        ("permission denied", "Give the user of [store] url the right to make tables in its schema."),
        ("connection", "Is the server of [store] url running? Run the same command again; it goes on where it was."),
        ("terminating", "The server was stopped. Run the same command again; it goes on where it was."),
    ):
        if sign in message:
            return hint
    return ""
