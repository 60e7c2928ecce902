"""Incremental runs: only what changed, from watermarks that move when a partition is complete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from rollbook.core.connector import Lookup, Page
from rollbook.core.errors import AuthError, Gone, VendorError
from rollbook.core.sync import Sync

from .conftest import NOW, Campus, CampusConnector, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.connector import Partition
    from rollbook.core.native import JSON, NativeRecord
    from rollbook.core.store import Store
    from rollbook.core.sync import Report


class Changes(CampusConnector):
    """Serves records that changed since a watermark."""

    incremental: ClassVar[bool] = True

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        del cursor
        if error := self.campus.broken.get(partition.key):
            raise error
        rows = [one for one in self.campus.courses[partition.key] if since is None or one["changed"] > since]
        self.campus.pages += len(rows)
        yield Page(rows, watermark=max((one["changed"] for one in rows), default=since))


def changed(no: int, day: int, **more: Any) -> dict[str, Any]:
    return row(no, changed=f"2026-05-{day:02}T00:00:00Z", **more)


def sync(campus: Campus, store: Store, **options: Any) -> Report:
    return asyncio.run(Sync(open_campus(campus, Changes), store, clock=lambda: NOW).run(**options))


def test_the_second_run_reads_only_what_changed_and_removes_nothing(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1), changed(2, 2)], "b": [changed(3, 1)]})
    first = sync(campus, store)
    campus.courses["a"] = [changed(2, 9, state="done")]  # the first is gone, which only a full read can notice

    second = sync(campus, store)

    assert [first.mode, second.mode] == ["full", "incremental"]
    assert second.counts.records == 1
    assert (table(store)["2"]["status"], table(store)["1"]["removed_at"]) == ("completed", None)


class Peopled(Changes):
    """Its lookup is read whole where four people or more are asked for."""

    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id", batch=1, whole_from=4),)
    asked: ClassVar[list[list[str] | None]] = []

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        self.asked.append(keys if keys is None else list(keys))
        async for records in super().load(lookup, keys):
            yield records


@pytest.mark.parametrize(
    ("people", "asked"), [(3, [["p1"], ["p2"], ["p3"]]), (5, [None])], ids=["a few one by one", "many at once"]
)
def test_many_looked_up_records_are_read_at_once_though_little_changed(
    store: Store, people: int, asked: list[list[str] | None]
) -> None:
    campus = Campus({"a": [changed(9, 1)]}, {f"p{no}": f"Name {no}" for no in range(1, 6)})
    run = Sync(open_campus(campus, Peopled), store, clock=lambda: NOW)
    asyncio.run(run.run())
    Peopled.asked.clear()
    campus.courses["a"] = [changed(no, 9, who=f"p{no}") for no in range(1, people + 1)]

    report = asyncio.run(Sync(open_campus(campus, Peopled), store, clock=lambda: NOW).run())

    assert report.mode == "incremental"
    assert sorted(Peopled.asked, key=str) == asked
    assert [table(store)[str(no)]["user_name"] for no in (1, people)] == ["Name 1", f"Name {people}"]


def test_a_full_run_can_be_asked_for_and_notices_removals(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1), changed(2, 2)]})
    sync(campus, store)
    campus.courses["a"].pop(0)

    report = sync(campus, store, full=True)

    assert (report.mode, report.counts.removed) == ("full", 1)


def test_a_watermark_stays_where_it_was_if_the_partition_fails(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1)], "b": [changed(3, 1)]})
    sync(campus, store)
    campus.courses["a"] = [changed(1, 5, state="done")]
    campus.broken["a"] = VendorError("down")
    failed = sync(campus, store)
    campus.broken.clear()

    sync(campus, store)

    assert failed.outcome == "partial"
    assert table(store)["1"]["status"] == "completed"


def test_a_partition_that_never_was_complete_is_read_from_its_start(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1)], "b": [changed(3, 1)]})
    campus.broken["b"] = VendorError("down")
    sync(campus, store)
    campus.broken.clear()

    report = sync(campus, store)

    assert report.mode == "incremental"
    assert "3" in table(store)


def test_removals_that_were_held_are_made_once_they_are_allowed(store: Store) -> None:
    campus = Campus({"a": [changed(no, 1) for no in range(60)]})
    sync(campus, store)
    campus.courses["a"] = campus.courses["a"][:10]
    held = sync(campus, store, full=True)

    allowed = sync(campus, store, allow_removals=True)

    assert held.removals_held == 50
    assert (allowed.mode, allowed.resumed, allowed.counts.removed) == ("full", True, 50)


def test_a_full_run_that_was_cut_goes_on_as_a_full_run(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1), changed(2, 1)], "b": [changed(3, 1)]})
    sync(campus, store)
    campus.courses["a"].pop()
    campus.broken["b"] = AuthError("refused")
    with pytest.raises(AuthError):
        sync(campus, store, full=True)
    campus.broken.clear()

    report = sync(campus, store)

    assert (report.mode, report.resumed, report.counts.removed) == ("full", True, 1)


def test_after_a_change_of_settings_no_partition_goes_on_from_where_the_old_ones_came(store: Store) -> None:
    campus = Campus({"a": [changed(1, 1)], "b": [changed(3, 1)]})
    sync(campus, store)

    class OtherSettings(Changes):
        """Stands for a setting by which more is served: the fingerprint is another."""

    campus.courses["b"].insert(0, changed(4, 1))  # as old as what was read
    campus.broken["b"] = VendorError("down")
    partial = asyncio.run(Sync(open_campus(campus, OtherSettings), store, clock=lambda: NOW).run())
    campus.broken.clear()

    asyncio.run(Sync(open_campus(campus, OtherSettings), store, clock=lambda: NOW).run())

    assert (partial.mode, partial.outcome) == ("full", "partial")
    assert "4" in table(store)


@pytest.mark.parametrize("gone", ["unlisted", "not found"])
def test_a_partition_that_comes_back_unchanged_is_served_whole(store: Store, gone: str) -> None:
    campus = Campus({"a": [changed(1, 1)], "b": [changed(3, 1)]})
    sync(campus, store)
    course = campus.courses["b"]
    if gone == "unlisted":
        del campus.courses["b"]
    else:
        campus.broken["b"] = Gone("no such course")
    sync(campus, store, full=True)

    assert table(store)["3"]["removed_at"] == NOW

    campus.courses["b"] = course
    campus.broken.clear()
    report = sync(campus, store)

    assert (report.mode, table(store)["3"]["removed_at"]) == ("incremental", None)
