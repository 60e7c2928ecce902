"""A connector in memory whose enrollments are folded from parts, over a tenant that comes in two states."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar

from rollbook.core.connection import Connection
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.http import Http
from rollbook.core.mapping import compile, load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.native import JSON, NativeRecord

WINDOWS, LEARNERS, SIZE = 6, 40, 9
LEFT = 3
"""Who is no longer in the changed tenant."""
MAPPING = """
connector = "folded"
[course_enrollment]
id = "id(no)"
user.id = "id(who)"
user.name = "text(person.name)"
due_at = "datetime(due)"
time_spent_seconds = "number(seconds)"
[course_enrollment.skip]
teacher = "role == 'teacher'"
[course_enrollment.status]
source = "state"
values = { open = "enrolled", busy = "in_progress", done = "completed" }
"""


def tenant(*, changed: bool) -> dict[str, list[dict[str, Any]]]:
    """Give the parts by window; in the changed tenant some are others, some are new, some are gone."""
    rng = random.Random(4)  # noqa: S311 - made-up people
    windows = {f"window:{number}": [_part(number, no, rng) for no in range(LEARNERS)] for number in range(WINDOWS)}
    if changed:
        for window, parts in windows.items():
            windows[window] = [_moved(part) for part in parts if part["who"] != LEFT]
        windows["window:new"] = [_part(WINDOWS, no, rng) | {"changed": 2} for no in range(0, LEARNERS + 5, 2)]
        del windows["window:0"]
    return windows


def _part(window: int, no: int, rng: random.Random) -> dict[str, Any]:
    return {
        "no": no or None,  # the first has no id, and is rejected
        "who": no % 7,
        "window": f"w{window}",
        "seconds": rng.randrange(3600),
        "state": rng.choice(["open", "busy", "done", "paused"]),
        "role": "teacher" if no % 13 == 5 else "learner",  # noqa: PLR2004 - one in thirteen
        "due": rng.choice([None, "2026-07-01T00:00:00Z", "2026-05-01T00:00:00Z", "soon"]),
        "changed": 1,
    }


def _moved(part: dict[str, Any]) -> dict[str, Any]:
    return part if part["seconds"] % 3 else part | {"seconds": part["seconds"] + 60, "state": "done", "changed": 2}


class Folded(Connector[Settings]):
    """Reads the tenant in pages; can be asked for what changed."""

    name: ClassVar[str] = "folded"
    title: ClassVar[str] = "Folded"
    Settings: ClassVar[type[Settings]] = Settings
    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id", batch=2),)
    joins: ClassVar[tuple[Join, ...]] = (Join("person", "people", "who"),)
    part: ClassVar[str | None] = "window"
    incremental: ClassVar[bool] = True
    held: dict[str, list[dict[str, Any]]]

    async def partitions(self) -> AsyncIterator[Partition]:
        """Name the windows."""
        for key in self.held:
            yield Partition(key)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Give the parts that changed since then."""
        asked = since if isinstance(since, int) else 0
        parts = [part for part in self.held[partition.key] if part["changed"] > asked]
        newest = max([asked, *(part["changed"] for part in parts)])
        start = cursor if isinstance(cursor, int) else 0
        while start + SIZE < len(parts):
            yield Page(parts[start : start + SIZE], start + SIZE, watermark=newest)
            start += SIZE
        yield Page(parts[start:], watermark=newest)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Give people; one of them is unknown."""
        del lookup
        yield [{"id": str(no), "name": f"Learner {no}"} for no in range(6) if keys is None or str(no) in keys]

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        """Add the seconds up; the last window tells the rest."""
        seconds = sum(part["seconds"] for part in parts if isinstance(part["seconds"], int))
        return {**parts[-1], "seconds": seconds, "windows": [part["window"] for part in parts]}


def open_folded(*, changed: bool) -> Connection:
    """Give a connection to one of the tenant's two states."""
    definition = load(MAPPING, file="folded.toml")
    http = Http("http://127.0.0.1:9")
    connector = Folded(Settings(), http)
    connector.held = tenant(changed=changed)
    return Connection("acme", connector, definition, compile(definition, Settings().public()), http)
