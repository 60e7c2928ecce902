"""Opening a database: its address, its pragmas, its schema's version, and errors that a person can use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event, insert, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from ..errors import StoreError
from .tables import VERSION, fields, meta, metadata

if TYPE_CHECKING:
    from collections.abc import Generator

PRIVATE = "private"
"""In place of an address: a temporary SQLite database that nobody else sees and that leaves nothing behind."""

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # a power cut may lose the last pages; they are read again
    "PRAGMA busy_timeout=10000",
)


def open_database(address: str) -> Engine:
    """Open the database at an SQLAlchemy address, and make or check its tables.

    Raises:
        StoreError: It cannot be opened, or a newer rollbook made it.
    """
    place = shown(address)
    with database_errors(place):
        engine = _engine(address, place)
        with engine.begin() as connection:
            _tables(connection, place)
    return engine


def _engine(address: str, place: str) -> Engine:
    if address == PRIVATE:
        return create_engine("sqlite://", creator=_private, poolclass=StaticPool, hide_parameters=True)
    try:
        url = make_url(address)
        name = url.get_backend_name()
        if name == "sqlite" and url.database:
            _make_file(Path(url.database), place)
        engine = create_engine(url, hide_parameters=True)
    except (ArgumentError, NoSuchModuleError):
        raise StoreError(
            "the store's url is not a database address",
            where=place,
            hint="Expected something like sqlite:///rollbook.db.",
        ) from None
    except ModuleNotFoundError as error:
        raise StoreError(f"the driver for this database is not installed ({error.name})", where=place) from None
    if name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    return engine


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
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _tables(connection: Connection, place: str) -> None:
    if not inspect(connection).has_table(meta.name):
        metadata.create_all(connection)
        connection.execute(insert(meta).values(version=VERSION))
        return
    found = connection.scalar(select(meta.c.version)) or 0
    if found > VERSION:
        raise StoreError(
            f"the database has schema version {found}, and this rollbook knows {VERSION}",
            where=place,
            hint="Upgrade rollbook.",
        )
    if not inspect(connection).has_table(fields.name):  # a database that is older than this table
        connection.execute(CreateTable(fields, if_not_exists=True))


def shown(address: str) -> str:
    """Write an address for people: without a password."""
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return "store"


@contextmanager
def database_errors(place: str) -> Generator[None]:
    """Turn a database's errors into StoreError, without statements, parameters or rows."""
    try:
        yield
    except DBAPIError as error:
        first = (
            str(error.orig).partition("\n")[0] if isinstance(error.orig, sqlite3.Error) else type(error.orig).__name__
        )
        raise StoreError(f"the database failed: {first}", where=place, hint=_hint(first)) from None
    except SQLAlchemyError as error:
        raise StoreError(f"the database failed: {type(error).__name__}", where=place) from None


def _hint(message: str) -> str:
    for sign, hint in (
        ("full", "Make room on the disk and run the same command again; it goes on where it was."),
        ("locked", "Another program is writing to it; run the same command again when it has ended."),
        ("readonly", "Give yourself the right to write to the file and its folder."),
        ("unable to open", "Check the path and the folder's permissions."),
        ("not a database", "The file is no SQLite database; name another one under [store] url."),
        ("malformed", "The file is damaged; restore it from a backup, or name a new one and sync again."),
        ("I/O error", "The disk failed or is full; make room and run the same command again."),
    ):
        if sign in message:
            return hint
    return ""
