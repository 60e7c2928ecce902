"""Joins: which piece of a looked-up record is attached."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

import pytest
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.sync.joins import Joins

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.http import Http
    from rollbook.core.native import JSON, NativeRecord

PICK = "pick(found.courses, 'id', record.course)"


class Shelf(Connector[Settings]):
    """A list of courses for each learner, of which a record needs one."""

    name: ClassVar[str] = "shelf"
    title: ClassVar[str] = "Shelf"
    Settings: ClassVar[type[Settings]] = Settings
    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("lists", "id", whole=False, batch=1),)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        del partition, cursor, since
        yield Page(())

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        del lookup
        lists: dict[str, NativeRecord] = {
            "7": {"id": "7", "courses": [{"id": 1, "progress": 10}, {"id": 2, "progress": 20}]},
            "8": {"id": "8", "courses": [{"id": 2, "progress": 80}]},
        }
        yield [lists[key] for key in keys or () if key in lists]


def attached(join: Join, *records: NativeRecord) -> list[JSON]:
    """Attach a join to records, and give what was attached."""
    kind = type("Shelf", (Shelf,), {"joins": (join,), "__module__": __name__})

    async def attach() -> list[NativeRecord]:
        joins = Joins(kind(Settings(), cast("Http", None)), whole=False)
        try:
            return await joins.attach(records)
        finally:
            joins.close()

    return [record[join.into] for record in asyncio.run(attach())]


@pytest.mark.parametrize(
    ("record", "piece"),
    [
        ({"who": 7, "course": 2}, {"id": 2, "progress": 20}),
        ({"who": 8, "course": "2"}, {"id": 2, "progress": 80}),
        ({"who": 8, "course": 1}, None),
        ({"who": 9, "course": 1}, None),
        ({"who": None, "course": 1}, None),
    ],
)
def test_a_join_attaches_the_piece_that_it_picks(record: dict[str, Any], piece: Any) -> None:
    assert attached(Join("course_of", "lists", "who", PICK), record) == [piece]


def test_of_a_list_of_keys_it_picks_a_piece_each() -> None:
    [found] = attached(Join("all", "lists", "who", PICK), {"who": [7, 8, 9], "course": 2})

    assert found == [{"id": 2, "progress": 20}, {"id": 2, "progress": 80}, None]


def test_without_a_pick_all_of_it_is_attached() -> None:
    [found] = attached(Join("all", "lists", "who"), {"who": 8, "course": 2})

    assert found == {"id": "8", "courses": [{"id": 2, "progress": 80}]}


def test_what_is_not_picked_changes_nothing() -> None:
    """Records of one learner in two courses: each holds its own course only."""
    both = attached(Join("mine", "lists", "who", PICK), {"who": 7, "course": 1}, {"who": 7, "course": 2})

    assert both == [{"id": 1, "progress": 10}, {"id": 2, "progress": 20}]
