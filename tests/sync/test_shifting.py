"""Lists that are cut by number: one that goes while they are read hides no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

import pytest
from rollbook.core.connector import Partition
from rollbook.core.errors import Gone
from rollbook.core.http.lists import note_page
from rollbook.core.sync import Sync
from rollbook.core.sync.stream import Findings, stream

from .conftest import NOW, Campus, CampusConnector, Killed, WindowsConnector, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollbook.core.connector import Page
    from rollbook.core.native import JSON
    from rollbook.core.store import Store
    from rollbook.core.sync import Report


class Lists(CampusConnector):
    """Lists its courses two a page; one is deleted behind the first page."""

    numbered_partitions: ClassVar[bool] = True

    async def partitions(self) -> AsyncIterator[Partition]:
        self.campus.listings += 1
        start = 0
        while page := list(self.campus.courses)[start : start + 2]:
            note_page(start // 2 + 1, len(page))
            for key in page:
                yield Partition(key)
            if start == 0 and self.campus.listings == 1:
                del self.campus.courses[page[0]]
            start += 2

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        if partition.key not in self.campus.courses:
            raise Gone("no such course")
        async for page in super().pages(partition, cursor, since):
            yield page


class Pages(CampusConnector):
    """Cuts a course's records by number; one is deleted behind the first page."""

    numbered_records: ClassVar[bool] = True

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield page
            rows = self.campus.courses[partition.key]
            if page.cursor == self.campus.size and self.campus.listings > 1:
                del rows[0]
                self.campus.listings = -100


class WindowPages(Pages, WindowsConnector):
    """Does so with parts of enrollments."""


def run(campus: Campus, store: Store, kind: type[CampusConnector]) -> Report:
    return asyncio.run(Sync(open_campus(campus, kind), store, clock=lambda: NOW).run(full=True))


def live(store: Store) -> set[str]:
    return set(table(store, removed=False))


def six() -> Campus:
    return Campus({f"course:{number}": [row(number)] for number in range(1, 7)})


def test_a_course_that_is_deleted_while_courses_are_listed_hides_no_other_not_even_in_the_first_sync(
    store: Store,
) -> None:
    campus = six()
    report = run(campus, store, Lists)

    assert report.outcome == "complete"
    assert live(store) >= {"2", "3", "4", "5", "6"}
    assert campus.listings == 2


def test_a_stream_without_a_store_does_not_miss_it_either_and_gives_nothing_twice() -> None:
    async def read() -> list[str]:
        return [one.id async for one in stream(open_campus(six(), Lists), Findings(), NOW)]

    assert sorted(asyncio.run(read())) in (["1", "2", "3", "4", "5", "6"], ["2", "3", "4", "5", "6"])


def test_a_short_list_is_made_once(store: Store) -> None:
    campus = Campus({"course:1": [row(1)]})
    run(campus, store, Lists)

    assert campus.listings == 1


def rows_of(kind: type[CampusConnector]) -> list[dict[str, JSON]]:
    return (
        [row(number, window=1, seconds=1) for number in range(1, 8)]
        if kind is WindowPages
        else [*map(row, range(1, 8))]
    )


@pytest.mark.parametrize("kind", [Pages, WindowPages])
def test_a_record_that_is_deleted_while_its_list_is_read_hides_no_other(
    kind: type[CampusConnector], store: Store
) -> None:
    campus = Campus({"course:a": rows_of(kind), "course:b": [row(20, window=1, seconds=1)]})
    run(campus, store, kind)
    before, campus.pages = live(store), 0
    report = run(campus, store, kind)

    assert live(store) == before, "who was deleted was served before, and goes with the next sync"
    assert (report.outcome, report.counts.removed, report.counts.duplicates) == ("complete", 0, 0)
    assert report.totals == []
    assert campus.pages == 3 + 3 + 1, "the course is read twice, the other one once"


def test_nothing_is_read_twice_where_nothing_is_missing(store: Store) -> None:
    campus = Campus({"course:a": rows_of(Pages)})
    run(campus, store, Pages)
    campus.pages, campus.listings = 0, -100
    run(campus, store, Pages)

    assert campus.pages == 4


def test_killed_between_the_two_readings_it_still_looks_again(store: Store) -> None:
    campus = Campus({"course:a": rows_of(Pages)})
    run(campus, store, Pages)
    campus.pages, campus.kill_after = 0, 4
    with pytest.raises(Killed):
        run(campus, store, Pages)
    campus.kill_after = None
    report = run(campus, store, Pages)

    assert report.resumed
    assert live(store) == {"1", "2", "3", "4", "5", "6", "7"}
