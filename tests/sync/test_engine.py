"""What a sync promises, driven through connectors in memory."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollbook.core.connector import Lookup, Page
from rollbook.core.errors import (
    AuthError,
    ContractError,
    CursorExpired,
    Forbidden,
    Gone,
    RollbookError,
    Stopped,
    VendorError,
)
from rollbook.core.store import PRIVATE, Store
from rollbook.core.store.records import rejected_rows
from rollbook.core.store.runs import last_run
from rollbook.core.sync import Sync
from rollbook.core.sync.stream import Findings, stream

from .conftest import MAPPING, NOW, Campus, CampusConnector, Killed, WindowsConnector, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from rollbook.core.connection import Connection
    from rollbook.core.connector import Partition
    from rollbook.core.native import JSON, NativeRecord
    from rollbook.core.sync import Report


def sync(
    campus: Campus,
    store: Store,
    kind: type[CampusConnector] = CampusConnector,
    at: datetime = NOW,
    mapping: str = MAPPING,
    **options: Any,
) -> Report:
    return asyncio.run(Sync(open_campus(campus, kind, mapping=mapping), store, clock=lambda: at).run(**options))


def contents(store: Store) -> dict[str, tuple[object, ...]]:
    return {id: (one["status"], one["remote_data"], one["removed_at"]) for id, one in table(store).items()}


def test_a_sync_stores_learners_and_counts_what_it_leaves_out(campus: Campus, store: Store) -> None:
    report = sync(campus, store)

    assert report.outcome == "complete"
    assert {id: one["status"] for id, one in table(store).items()} == {
        "1": "enrolled",
        "2": "in_progress",
        "3": "completed",
        "4": "overdue",
        "6": "enrolled",
    }
    assert report.counts.skipped == {"teacher": 1}


def test_an_unchanged_tenant_rewrites_no_row(campus: Campus, store: Store) -> None:
    sync(campus, store)
    before = table(store)

    report = sync(campus, store, at=NOW + timedelta(hours=1))

    assert (report.counts.unchanged, report.counts.new, report.counts.changed) == (5, 0, 0)
    assert before == table(store)  # mapped_at included


def test_people_are_joined_and_an_unknown_one_is_null(campus: Campus, store: Store) -> None:
    sync(campus, store)

    assert table(store)["1"]["user_name"] == "Ada Example"
    assert table(store)["6"]["user_name"] is None
    assert '"person":null' in table(store)["6"]["remote_data"]


def test_live_credentials_are_stored_nowhere(campus: Campus, store: Store) -> None:
    sync(campus, store)

    assert not [one for one in table(store).values() if "login_key" in one["remote_data"]]


def test_a_row_that_a_complete_read_no_longer_finds_is_kept_as_removed(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.courses["course:a"].pop()

    report = sync(campus, store, at=NOW + timedelta(days=1))

    assert report.counts.removed == 1
    assert table(store)["3"]["removed_at"] == NOW + timedelta(days=1)
    assert table(store)["3"]["status"] == "completed"


def test_a_removed_row_that_comes_back_is_live_again(campus: Campus, store: Store) -> None:
    sync(campus, store)
    last = campus.courses["course:a"].pop()
    sync(campus, store)
    campus.courses["course:a"].append(last)

    sync(campus, store)

    assert table(store)["3"]["removed_at"] is None


@pytest.mark.parametrize("error", [VendorError("down"), Forbidden("no")])
def test_a_partition_that_could_not_be_read_protects_its_rows_and_stops_no_other(
    campus: Campus, store: Store, error: Exception
) -> None:
    sync(campus, store)
    campus.courses["course:b"].append(row(7))
    campus.broken["course:a"] = error

    report = sync(campus, store)

    assert report.outcome == "partial"
    assert "7" in table(store)
    assert all(one["removed_at"] is None for one in table(store).values())


def test_a_partition_that_was_forbidden_before_is_no_news(campus: Campus, store: Store) -> None:
    campus.broken["course:a"] = Forbidden("no")

    assert [sync(campus, store).outcome, sync(campus, store).outcome] == ["partial", "complete"]


def test_a_partition_that_is_gone_is_read_as_empty(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.broken["course:a"] = Gone("it is not there")

    report = sync(campus, store)

    assert report.outcome == "complete"
    assert {"1", "2", "3"} == {id for id, one in table(store).items() if one["removed_at"]}


def test_suspiciously_many_removals_wait_for_a_person(store: Store) -> None:
    campus = Campus({"course:a": [row(no) for no in range(60)]}, size=50)
    sync(campus, store)
    campus.courses["course:a"] = campus.courses["course:a"][:10]

    held = sync(campus, store)

    assert (held.outcome, held.removals_held, held.live) == ("partial", 50, 60)

    pages = campus.pages
    allowed = sync(campus, store, allow_removals=True)

    assert (allowed.outcome, allowed.counts.removed, allowed.live) == ("complete", 50, 10)
    assert campus.pages == pages  # taken up where it was held: nothing is read again


def test_a_status_that_follows_a_date_is_told_anew_at_each_sync(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.broken["course:a"] = VendorError("down")  # not even served again

    report = sync(campus, store, at=NOW + timedelta(days=40))

    assert table(store)["2"]["status"] == "overdue"
    assert report.counts.remapped == 1


def test_a_changed_mapping_is_applied_to_what_is_stored(campus: Campus, store: Store) -> None:
    sync(campus, store)

    sync(campus, store, mapping=MAPPING.replace('done = "completed"', 'done = "passed"'))

    assert table(store)["3"]["status"] == "passed"


def test_a_record_without_an_id_is_kept_with_its_reason_and_forgotten_once_it_is_mended(
    campus: Campus, store: Store
) -> None:
    campus.courses["course:a"][0]["no"] = None
    report = sync(campus, store)
    with store.read() as db:
        [kept] = rejected_rows(db, "acme")

    assert report.counts.rejected == 1
    assert '"who":1' in kept["native"]

    campus.courses["course:a"][0]["no"] = 1
    sync(campus, store)
    with store.read() as db:
        assert rejected_rows(db, "acme") == []


def test_of_two_records_with_one_id_the_later_stays(store: Store) -> None:
    later = row(1, state="done", changed="2026-03-02T00:00:00Z")
    earlier = row(1, state="busy", changed="2026-03-01T00:00:00Z")
    for rows in ([later, earlier, row(2)], [earlier, row(2), later]):
        with Store(PRIVATE) as fresh:
            report = sync(Campus({"course:a": rows}), fresh)

            assert table(fresh)["1"]["status"] == "completed"
            assert report.counts.duplicates == 1


def test_a_native_word_nobody_heard_of_is_unknown_and_reported(campus: Campus, store: Store) -> None:
    campus.courses["course:a"][0]["state"] = "Paused"
    report = sync(campus, store)

    assert table(store)["1"]["status"] == "unknown"
    assert report.drift == {("status", "Paused"): 1}


def test_refused_credentials_end_the_run(campus: Campus, store: Store) -> None:
    campus.broken["course:a"] = AuthError("refused")

    with pytest.raises(AuthError, match="acme"):
        sync(campus, store)


def test_a_lookup_that_fails_ends_the_run_before_names_become_null(campus: Campus, store: Store) -> None:
    class NoPeople(CampusConnector):
        async def load(self, lookup: str, keys: object) -> AsyncIterator[Any]:
            raise Forbidden("no right to read people")
            yield

    with pytest.raises(RollbookError, match="people"):
        sync(campus, store, NoPeople)

    assert table(store) == {}


def test_an_lms_that_is_down_is_not_asked_for_each_of_its_thousand_courses(store: Store) -> None:
    campus = Campus({f"course:{no}": [row(no)] for no in range(100)})
    campus.broken = {key: VendorError("down") for key in campus.courses}

    with pytest.raises(VendorError):
        sync(campus, store)


def test_a_bug_in_a_connector_is_reported_without_what_its_message_says(campus: Campus, store: Store) -> None:
    campus.broken["course:a"] = KeyError("Ada Example")

    report = sync(campus, store)

    assert "KeyError" in report.failures["course:a"]
    assert "Ada" not in report.failures["course:a"]


def test_an_expired_cursor_starts_the_partition_again_and_counts_nothing_twice(campus: Campus, store: Store) -> None:
    class Forgetful(CampusConnector):
        expired = False

        async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
            async for page in super().pages(partition, cursor, since):
                yield page
                if page.cursor is not None and not Forgetful.expired:
                    Forgetful.expired = True
                    raise CursorExpired("the server forgot")

    report = sync(campus, store, Forgetful)

    assert (report.counts.duplicates, report.outcome, len(table(store))) == (0, "complete", 5)


def test_a_total_that_differs_from_what_was_served_is_reported(campus: Campus, store: Store) -> None:
    class Short(CampusConnector):
        async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
            async for page in super().pages(partition, cursor, since):
                yield page.__class__(page.records, page.cursor, total=9)

    assert sorted(sync(campus, store, Short).totals) == [("course:a", 9, 3), ("course:b", 9, 3)]


@pytest.mark.parametrize("kind", [CampusConnector, WindowsConnector])
def test_killed_at_any_page_and_started_again_it_ends_the_same(kind: type[CampusConnector]) -> None:
    def tenant() -> Campus:
        rows = [row(no % 7, who=no % 3 + 1, window=f"w{no // 7}", seconds=no) for no in range(23)]
        return Campus({"a": rows[:9], "b": rows[9:15], "c": rows[15:]}, {"1": "Ada", "2": "Ben", "3": "Cy"})

    with Store(PRIVATE) as whole:
        pages = tenant()
        sync(pages, whole, kind)
        expected = contents(whole)
    for cut in range(pages.pages):
        with Store(PRIVATE) as store:
            campus = tenant()
            campus.kill_after = cut
            with pytest.raises((Killed, BaseExceptionGroup)):
                sync(campus, store, kind)
            campus.kill_after = None

            report = sync(campus, store, kind)

            assert expected == contents(store)
            assert report.resumed


def test_a_finished_listing_is_not_repeated_when_a_run_is_taken_up(campus: Campus, store: Store) -> None:
    campus.kill_after = 2
    with pytest.raises((Killed, BaseExceptionGroup)):
        sync(campus, store)
    campus.kill_after = None
    listings = campus.listings

    sync(campus, store)

    assert campus.listings in (listings, listings + 1)  # only a listing that was itself cut is made again


def test_a_run_that_is_too_old_is_not_taken_up(campus: Campus, store: Store) -> None:
    campus.kill_after = 1
    with pytest.raises((Killed, BaseExceptionGroup)):
        sync(campus, store)
    campus.kill_after = None

    assert not sync(campus, store, at=NOW + timedelta(days=2)).resumed


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), size=st.integers(1, 5), again=st.booleans())
def test_folded_records_are_the_same_whatever_the_order_and_cut_of_their_parts(
    seed: int,
    size: int,
    again: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    windows = {
        f"w{window}": [row(no, no, window=f"w{window}", seconds=no + window) for no in range(4)] for window in range(3)
    }
    with Store(PRIVATE) as plain:
        sync(Campus(dict(windows)), plain, WindowsConnector)
        expected = contents(plain)
    rng = random.Random(seed)
    keys = list(windows)
    rng.shuffle(keys)
    shuffled = {key: rng.sample(windows[key], 4) for key in keys}

    with Store(PRIVATE) as store:
        campus = Campus(shuffled, size=size)
        sync(campus, store, WindowsConnector)
        if again:
            sync(campus, store, WindowsConnector)

        assert expected == contents(store)


def test_a_part_that_is_no_longer_served_is_taken_out_of_the_fold(store: Store) -> None:
    campus = Campus({"w0": [row(1, window="w0", seconds=5)], "w1": [row(1, window="w1", seconds=7)]})
    sync(campus, store, WindowsConnector)
    campus.courses["w1"] = []

    sync(campus, store, WindowsConnector)

    assert table(store)["1"]["time_spent_seconds"] == 5


def test_two_connections_of_one_lms_never_touch_each_others_rows(campus: Campus, store: Store) -> None:
    sync(campus, store)
    other = open_campus(Campus({"course:a": [row(1, state="done")]}), name="other")
    asyncio.run(Sync(other, store, clock=lambda: NOW).run())

    assert (table(store)["1"]["status"], table(store, "other")["1"]["status"]) == ("enrolled", "completed")
    assert len(table(store)) == 5


# -- stopping ---------------------------------------------------------------------------------------------------------


def test_a_run_that_is_asked_to_stop_ends_at_a_page_and_is_taken_up_there(campus: Campus, store: Store) -> None:
    async def stopped() -> None:
        one = Sync(open_campus(campus), store, clock=lambda: NOW)
        with pytest.raises(Stopped, match="goes on where it was"):
            await one.run(observe=lambda report: one.stop() if report.counts.records else None)

    asyncio.run(stopped())
    before = campus.pages

    assert 0 < len(table(store)) < 5
    with store.read() as db:
        run = last_run(db, "acme")
    assert run is not None
    assert (run.finished_at, run.outcome) == (None, None)

    report = asyncio.run(Sync(open_campus(campus), store, clock=lambda: NOW).run())

    assert (report.outcome, report.resumed) == ("complete", True)
    assert sorted(table(store)) == ["1", "2", "3", "4", "6"]
    assert campus.pages > before


def test_a_run_that_waits_for_an_answer_is_not_waited_for_without_end(
    campus: Campus, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.core.sync.reader.GRACE", 0.01)

    class Silent(CampusConnector):
        async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
            one.stop()
            await asyncio.Event().wait()
            yield Page([])

    async def stopped() -> None:
        with pytest.raises(Stopped):
            await one.run()

    one = Sync(open_campus(campus, Silent), store, clock=lambda: NOW)
    asyncio.run(stopped())

    assert not table(store)


@pytest.mark.parametrize("batch", [0, 2])
def test_a_lookup_that_is_not_there_is_told_and_takes_no_enrollment_away(
    campus: Campus, store: Store, batch: int
) -> None:
    class NoPeople(CampusConnector):
        lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id", batch=batch),)

        async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
            raise Gone("it does not exist")
            yield []

    with pytest.raises(ContractError, match="lookup 'people': the list is not there"):
        sync(campus, store, NoPeople)
    with pytest.raises(ContractError, match="lookup 'people': the list is not there"):
        asyncio.run(_read_all(open_campus(campus, NoPeople)))


async def _read_all(connection: Connection) -> None:
    async for _ in stream(connection, Findings(), NOW):
        pass


def test_partitions_that_are_all_gone_are_more_likely_a_wrong_address(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.broken = {key: Gone("it does not exist") for key in campus.courses}
    report = sync(campus, store, full=True)

    assert report.outcome == "partial"
    assert "none of the 2 partitions is there" in report.error
    assert not [one for one in table(store).values() if one["removed_at"]]
