"""The private table gives back what it was given, by the keys' text."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from rollbook.core.table import FEW, Table, as_key

if TYPE_CHECKING:
    from rollbook.core.native import JSON, NativeRecord


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (7, "7"),
        ("7", "7"),
        (7.0, "7"),
        (" 7 ", "7"),
        (7.5, "7.5"),
        (10**30, str(10**30)),
        (0, "0"),
        ("", None),
        ("  ", None),
        (None, None),
        (True, None),
        ([7], None),
        ({"id": 7}, None),
        (float("nan"), "nan"),
    ],
)
def test_keys_are_compared_as_text(value: JSON, key: str | None) -> None:
    assert as_key(value) == key


def test_records_are_found_by_their_keys() -> None:
    with Table() as table:
        table.add({"1": {"name": "Ada"}, "2": {"name": "Ben"}})

        assert table.many([1, "1", 3, None, [2]]) == {"1": {"name": "Ada"}}
        assert len(table) == 2


def test_a_later_record_takes_the_place_of_an_earlier_one() -> None:
    with Table() as table:
        table.add({"1": {"name": "Ada"}})
        table.add({"1": {"name": "Ada Example"}})

        assert table.many([1]) == {"1": {"name": "Ada Example"}}
        assert len(table) == 1


def test_more_keys_than_one_select_takes() -> None:
    records: dict[str, NativeRecord] = {str(number): {"no": number} for number in range(1_234)}
    with Table() as table:
        table.add(records)

        assert table.many(list(range(2_000))) == records


def test_records_lose_nothing() -> None:
    record: NativeRecord = {"id": 10**50, "name": "\ud800", "note": "a\0b", "in": [{"none": None}]}
    with Table() as table:
        table.add({"1": record})

        assert table.many(["1"]) == {"1": record}


def test_nothing_is_asked_of_an_empty_list() -> None:
    with Table() as table:
        table.add({})

        assert table.many([]) == {}


def test_it_is_closed_at_the_end() -> None:
    with Table() as table:
        pass

    with pytest.raises(sqlite3.ProgrammingError):
        len(table)


def test_few_records_and_many_are_found_alike() -> None:
    few: dict[str, NativeRecord] = {str(number): {"no": number, "note": "é\0"} for number in range(FEW)}
    with Table() as table:
        table.add(few)
        before = table.many(few)
        table.add({"1": {"no": "later"}, "one more": {"no": None}})

        assert before == few
        assert table.many([*few, "one more"]) == few | {"1": {"no": "later"}, "one more": {"no": None}}
        assert len(table) == FEW + 1


@pytest.mark.parametrize("count", [FEW - 1, 2 * FEW])
def test_all_records_are_given_in_the_order_of_their_keys_from_behind_one_on(count: int) -> None:
    records: dict[str, NativeRecord] = {f"{number:04}": {"no": number} for number in range(count)}
    with Table() as table:
        table.add(dict(reversed(records.items())))
        batches = list(table.batches())
        rest = list(table.batches("0799"))

    assert [key for some in batches for key in some] == sorted(records)
    assert {key: record for some in batches for key, record in some.items()} == records
    assert [key for some in rest for key in some] == [f"{number:04}" for number in range(800, count)]
