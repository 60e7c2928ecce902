"""Connectors that read from memory, so that the engine can be driven, cut and re-ordered at will."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from rollbook.core.connection import Connection
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.errors import Forbidden, Gone, VendorError
from rollbook.core.http import Http
from rollbook.core.mapping import compile, load
from rollbook.core.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from rollbook.core.native import JSON, NativeRecord

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

MAPPING = """
connector = "campus"
[course_enrollment]
id = "id(no)"
user.id = "id(who)"
user.name = "text(person.name)"
due_at = "datetime(due)"
updated_at = "datetime(changed)"
time_spent_seconds = "number(seconds)"
[course_enrollment.skip]
teacher = "role == 'teacher'"
[course_enrollment.status]
source = "state"
values = { open = "enrolled", busy = "in_progress", done = "completed", "" = "unknown" }
"""


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


@dataclass
class Campus:
    """What the pretend LMS holds: native records by partition."""

    courses: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    people: dict[str, str] = field(default_factory=dict[str, str])
    size: int = 2
    broken: dict[str, Exception] = field(default_factory=dict[str, Exception])
    kill_after: int | None = None
    pages: int = 0
    listings: int = 0

    def page(self) -> None:
        self.pages += 1
        if self.kill_after is not None and self.pages > self.kill_after:
            raise Killed


class CampusConnector(Connector[Settings]):
    name: ClassVar[str] = "campus"
    title: ClassVar[str] = "Campus"
    Settings: ClassVar[type[Settings]] = Settings
    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id", batch=2),)
    joins: ClassVar[tuple[Join, ...]] = (Join("person", "people", "who"),)
    credentials: ClassVar[frozenset[str]] = frozenset({"login_key"})
    campus: Campus

    async def partitions(self) -> AsyncIterator[Partition]:
        self.campus.listings += 1
        for key in list(self.campus.courses):
            yield Partition(key)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        if error := self.campus.broken.get(partition.key):
            raise error
        rows = self.campus.courses[partition.key]
        start = cursor if isinstance(cursor, int) else 0
        while True:
            self.campus.page()
            end = start + self.campus.size
            yield Page([dict(row) for row in rows[start:end]], end if end < len(rows) else None, total=len(rows))
            if end >= len(rows):
                return
            start = end

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        yield [
            {"id": key, "name": name, "login_key": "secret"}
            for key, name in self.campus.people.items()
            if keys is None or key in keys
        ]


class WindowsConnector(CampusConnector):
    """Reports activity in windows: an enrollment is folded from what each window says of it."""

    name: ClassVar[str] = "windows"
    part: ClassVar[str | None] = "window"

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        seconds = sum(part["seconds"] for part in parts if isinstance(part["seconds"], int))
        return {**parts[-1], "seconds": seconds, "windows": [part["window"] for part in parts]}


def open_campus(
    campus: Campus, kind: type[CampusConnector] = CampusConnector, name: str = "acme", mapping: str = MAPPING
) -> Connection:
    definition = load(mapping, file="campus.toml")
    http = Http("http://127.0.0.1:9")
    connector = kind(Settings(), http)
    connector.campus = campus
    return Connection(name, connector, definition, compile(definition, Settings().public()), http)


def row(no: object, who: object = 1, state: str = "open", **more: Any) -> dict[str, Any]:
    return {"no": no, "who": who, "state": state, "role": "learner", "due": None, "changed": None, **more}


@pytest.fixture
def campus() -> Campus:
    return Campus(
        {
            "course:a": [row(1, 1), row(2, 2, "busy", due="2026-07-01T00:00:00Z"), row(3, 3, "done")],
            "course:b": [row(4, 1, due="2026-05-01T00:00:00Z"), row(5, 2, role="teacher"), row(6, 9)],
        },
        {"1": "Ada Example", "2": "Ben Example", "3": "Cy Example"},
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database, of each sort in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'book.db'}"
    postgres: Callable[[], str] = request.getfixturevalue("postgres")
    return postgres()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    with Store(address) as opened:
        yield opened


Rows = "Callable[[Store], dict[str, dict[str, Any]]]"


def table(store: Store, connection: str = "acme", *, removed: bool = True) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in store.rows(connection, removed=removed)}


__all__ = ["MAPPING", "NOW", "Campus", "Forbidden", "Gone", "Killed", "VendorError"]
