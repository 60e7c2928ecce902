"""Many rows at once are written as each by itself would be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from rollbook.core.store import PRIVATE, Store
from rollbook.core.store.finding import delete_by_ids, rows_by_ids
from rollbook.core.store.replacing import ROWS
from rollbook.core.store.store import upsert
from rollbook.core.store.tables import clocks, flaws, moment_text, seen
from sqlalchemy import func, select

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def store() -> Iterator[Store]:
    with Store(PRIVATE) as opened:
        yield opened


@pytest.mark.parametrize("count", [1, ROWS - 1, ROWS, ROWS + 1, 3 * ROWS + 7])
def test_any_number_of_rows_is_written_and_found(store: Store, count: int) -> None:
    marks = [{"connection": "acme", "id": str(no), "part": "", "run": no, "partition": "p"} for no in range(count)]
    with store.write() as db:
        upsert(db, seen, marks)
        found = rows_by_ids(db, seen, "acme", [str(no) for no in range(count)], "id", "run")

        assert sorted(found, key=lambda row: row[1]) == [(str(no), no) for no in range(count)]


def test_of_two_rows_with_one_key_the_later_stays_and_what_is_to_be_kept_is_kept(store: Store) -> None:
    mark = {"connection": "acme", "id": "1", "part": "", "run": 1, "partition": "a"}
    with store.write() as db:
        upsert(db, seen, [mark, mark | {"run": 2, "partition": "b"}])
        upsert(db, seen, [mark | {"run": 3, "partition": "c"}], keep=["run"])

        assert rows_by_ids(db, seen, "acme", ["1", "2"], "run", "partition") == [(2, "c")]


def test_rows_are_deleted_by_their_ids_and_those_of_other_connections_stay(store: Store) -> None:
    flaw = {"field": "due_at", "type": "string", "preview": "x", "reason": "no date"}
    with store.write() as db:
        upsert(db, flaws, [flaw | {"connection": name, "id": id} for name in ("acme", "other") for id in ("1", "2")])
        delete_by_ids(db, flaws, "acme", ["1", "3"])
        delete_by_ids(db, flaws, "acme", [])

        assert db.scalar(select(func.count()).select_from(flaws)) == 3


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC), "2026-02-03T04:05:06.000007Z"),
        (datetime(2026, 2, 3, 1, tzinfo=timezone(timedelta(hours=2))), "2026-02-02T23:00:00.000000Z"),
        (datetime(999, 1, 1, tzinfo=UTC), "0999-01-01T00:00:00.000000Z"),
        (None, None),
    ],
)
def test_a_moment_is_written_so_that_texts_compare_as_times_do(moment: datetime | None, text: str | None) -> None:
    assert moment_text(moment) == text


def test_a_moment_is_read_as_it_was_written(store: Store) -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
    with store.write() as db:
        upsert(db, clocks, [{"connection": "acme", "latest": moment}])

        assert db.scalar(select(clocks.c.latest)) == moment
