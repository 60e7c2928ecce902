"""Mapping again what is stored: what it tells, what it writes, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.mapping import Normalizer, compile, load
from rollbook.core.store import PRIVATE, Store
from rollbook.core.store.records import drift_counts, flaw_counts, rejected_rows
from rollbook.core.sync import Sync
from rollbook.core.sync import remap as remapping
from rollbook.core.sync.remap import Change, Remapped, remap

from .conftest import MAPPING, NOW, Campus, CampusConnector, WindowsConnector, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

OTHER = MAPPING.replace(
    'user.name = "text(person.name)"', 'course.title = "text(title)"\nscore = "number(points)"'
).replace('busy = "in_progress"', 'busy = "failed"')
"""It has no name any more, a title and a score; and another meaning for `busy`."""


def normalizer(mapping: str) -> Normalizer:
    return compile(load(mapping, file="campus.toml"), {"timezone": "UTC", "pass_mark": None})


def sync(campus: Campus, store: Store, mapping: str = MAPPING, kind: type[CampusConnector] = CampusConnector) -> None:
    asyncio.run(Sync(open_campus(campus, kind, mapping=mapping), store, clock=lambda: NOW).run(full=True))


def again(
    store: Store,
    mapping: str,
    *,
    at: datetime = NOW,
    dry_run: bool = False,
    observe: Callable[[Remapped], None] | None = None,
) -> Remapped:
    return remap(store, "acme", "campus", normalizer(mapping), at, dry_run=dry_run, observe=observe)


def everything(store: Store) -> tuple[Any, ...]:
    with store.read() as db:
        found = flaw_counts(db, "acme"), drift_counts(db, "acme"), rejected_rows(db, "acme")
    return table(store), *found


@pytest.fixture
def titled(campus: Campus) -> Campus:
    """Give a tenant whose records say more than the first mapping reads."""
    campus.courses["course:a"][0] |= {"title": "Safety", "points": 90}
    campus.courses["course:a"][1] |= {"title": "Safety", "points": "many"}
    campus.courses["course:b"].append(row(7, 1, "asleep"))
    return campus


def test_it_counts_what_changed_by_field_and_by_status(titled: Campus, store: Store) -> None:
    sync(titled, store)
    told = again(store, OTHER)

    assert (told.outdated, told.live, told.mapped, told.changed) == (6, 6, 6, 5)
    assert told.in_order() == [
        ("user.name", Change(emptied=5)),
        ("course.title", Change(filled=2)),
        ("score", Change(filled=1)),
    ]
    assert told.statuses == {("in_progress", "failed"): 1}
    assert (told.flaws_before, told.flaws_after) == (Counter(), Counter({"score": 1}))


def test_a_value_that_becomes_another_is_told_apart_from_one_that_comes_or_goes(titled: Campus, store: Store) -> None:
    sync(titled, store)
    shouting = MAPPING.replace("text(person.name)", "first(text(title), text(person.name))")

    assert again(store, shouting).fields == {"user.name": Change(altered=2)}


def test_custom_fields_are_told_member_by_member(titled: Campus, store: Store) -> None:
    sync(titled, store)
    more = f'{MAPPING}[course_enrollment.custom_fields]\nheading = "title"\nnative_status = false\n'
    told = again(store, more)

    assert told.in_order() == [
        ("custom_fields.heading", Change(filled=2)),
        ("custom_fields.native_status", Change(emptied=6)),
    ]


def test_a_dry_run_tells_the_same_and_writes_nothing(titled: Campus, store: Store) -> None:
    sync(titled, store)
    before = everything(store)
    dry = again(store, OTHER, dry_run=True)
    after = everything(store)

    assert before == after
    assert dry == again(store, OTHER)


def test_it_leaves_what_a_fresh_sync_with_the_new_mapping_would_write(titled: Campus, store: Store) -> None:
    sync(titled, store)
    again(store, OTHER)
    with Store(PRIVATE) as fresh:
        sync(titled, fresh, OTHER)

        assert everything(fresh) == everything(store)


def test_folded_enrollments_are_mapped_from_what_was_folded(store: Store) -> None:
    campus = Campus({"may": [row(1, seconds=60, window="5")], "june": [row(1, seconds=30, window="6", title="Safety")]})
    sync(campus, store, kind=WindowsConnector)
    told = again(store, OTHER)

    assert told.fields["course.title"] == Change(filled=1)
    assert table(store)["1"]["time_spent_seconds"] == 90


def test_an_unchanged_mapping_has_nothing_to_do(campus: Campus, store: Store) -> None:
    sync(campus, store)
    before = everything(store)
    told = again(store, MAPPING)

    assert (told.outdated, told.mapped, told.live) == (0, 0, 5)
    assert before == everything(store)


def test_a_deadline_that_has_passed_counts_as_outdated(campus: Campus, store: Store) -> None:
    sync(campus, store)
    told = again(store, MAPPING, at=NOW + timedelta(days=60))

    assert told.outdated == 1
    assert told.statuses == {("in_progress", "overdue"): 1}


def test_rows_that_the_lms_no_longer_has_stay_as_they_are(titled: Campus, store: Store) -> None:
    sync(titled, store)
    del titled.courses["course:a"][1]
    sync(titled, store)
    told = again(store, OTHER)

    assert (told.live, told.removed) == (5, 1)
    assert table(store)["2"]["status"] == "in_progress"
    assert table(store)["2"]["user_name"] == "Ben Example"


def test_rows_that_are_no_learners_any_more_are_removed_and_counted_by_reason(campus: Campus, store: Store) -> None:
    sync(campus, store)
    told = again(store, MAPPING.replace("teacher = ", "finished = \"state == 'done'\"\nteacher = "))

    assert told.skipped == {"finished": 1}
    assert told.done == told.outdated == 5
    assert table(store)["3"]["removed_at"] == NOW
    assert table(store)["3"]["status"] == "completed"


def test_a_row_that_cannot_be_mapped_any_more_stays_as_it_was_and_is_told(campus: Campus, store: Store) -> None:
    sync(campus, store)
    before = table(store)["2"]
    told = again(store, MAPPING.replace('"id(no)"', "\"when(state != 'busy', id(no))\""))
    with store.read() as db:
        [kept] = rejected_rows(db, "acme")

    assert told.rejected == {"no id": 1}
    assert before == table(store)["2"]
    assert (kept["id"], kept["reason"]) == ("2", "no id")


def test_a_row_that_can_be_mapped_again_is_no_longer_rejected(campus: Campus, store: Store) -> None:
    sync(campus, store)
    again(store, MAPPING.replace('"id(no)"', "\"when(state != 'busy', id(no))\""))
    again(store, OTHER)
    with store.read() as db:
        kept = rejected_rows(db, "acme")

    assert kept == []


def test_flaws_and_drift_are_told_as_the_store_has_them(titled: Campus, store: Store) -> None:
    sync(titled, store)
    aware = OTHER.replace('done = "completed"', 'asleep = "enrolled"')
    told = again(store, aware)
    with store.read() as db:
        flaws, drift = flaw_counts(db, "acme"), drift_counts(db, "acme")

    assert told.drift_before == {("status", "asleep"): 1}
    assert told.drift_after == drift == {("status", "done"): 1}
    assert told.flaws_after == flaws == {"score": 1}


def test_it_works_in_batches_and_goes_on_after_an_interruption(
    titled: Campus, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remapping, "MAPPED_AT_ONCE", 2)
    sync(titled, store)

    def interrupt(told: Remapped) -> None:
        assert told.done == 2
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        again(store, OTHER, observe=interrupt)
    seen: list[int] = []
    rest = again(store, OTHER, observe=lambda told: seen.append(told.done))

    assert (rest.outdated, rest.mapped, seen) == (4, 4, [2, 4])
    assert {one["mapping"] for one in table(store).values()} == {normalizer(OTHER).digest}
