"""Native fields: which are noted, which of them are new, and which the mapping does not read."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollbook.core.mapping import load
from rollbook.core.native import dump, parse
from rollbook.core.store import Store
from rollbook.core.store.fields import NativeField, native_fields
from rollbook.core.store.records import UnknownWord, unknown_words
from rollbook.core.store.tables import fields, meta
from rollbook.core.sync import Sync
from rollbook.core.sync.shapes import MOST, Shapes, filled_paths
from rollbook.core.sync.unread import unread
from sqlalchemy import inspect, update

from .conftest import MAPPING, NOW, Campus, Killed, WindowsConnector, open_campus, row

if TYPE_CHECKING:
    from pathlib import Path

    from rollbook.core.sync import Report

DAY = timedelta(days=1)


def sync(campus: Campus, store: Store, day: int = 0, mapping: str = MAPPING) -> Report:
    connection = open_campus(campus, mapping=mapping)
    return asyncio.run(Sync(connection, store, clock=lambda: NOW + day * DAY).run(full=True))


def paths(store: Store) -> dict[str, NativeField]:
    with store.read() as db:
        return {one.path: one for one in native_fields(db, "acme")}


def noted(*records: dict[str, Any]) -> set[str]:
    shapes = Shapes()
    for record in records:
        shapes.note("", record)
    return {path for _, path in shapes.take()}


# -- what is noted -------------------------------------------------------------------------------------------------


def test_paths_are_written_as_a_mapping_writes_them() -> None:
    record = {
        "enrollment": {"grades": {"final": 3}, "tags": ["a"], "odd name": 1},
        "certifications": [{"id": 1}, {"name": None}],
        "nothing": None,
        "none": [],
    }

    assert noted(record) == {
        "enrollment.grades.final",
        "enrollment.tags",
        'enrollment."odd name"',
        "certifications[].id",
        "certifications[].name",
        "nothing",
        "none",
    }


@pytest.mark.parametrize(
    "key",
    ["ada@example.com", "4711", "user-100234", "2026-05-01", "0b5a7c1e-9f7f-4a53-b2de-7d1f6a1d2c3b", "x" * 81, ""],
)
def test_a_key_that_is_data_is_not_kept(key: str) -> None:
    assert noted({"units": {key: {"score": 1}}}) == {"units.*.score"}


def test_an_object_with_very_many_members_is_a_table_whose_keys_are_data() -> None:
    assert noted({"by_name": {f"name_{number}": 1 for number in "abcdefgh" * 30}}) != {"by_name.*"}
    assert noted({"by_name": {f"n{chr(97 + one // 26)}{chr(97 + one % 26)}": 1 for one in range(201)}}) == {"by_name.*"}


def test_depth_and_number_of_paths_are_bounded() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = {"a": deep}
    shapes = Shapes()
    for number in range(20):
        shapes.note("", {f"m{number}": {f"a{chr(97 + one // 26)}{chr(97 + one % 26)}": 1 for one in range(150)}})

    assert noted(deep) == {"a.a.a.a.a.a"}
    assert len(shapes.take()) == MOST


def test_each_path_is_given_once() -> None:
    shapes = Shapes()
    shapes.note("", {"a": 1})
    shapes.note("", {"a": 2})
    first = shapes.take()
    shapes.note("", {"a": 1, "b": 2})
    shapes.note("other", {"a": 1})

    assert first == [("", "a")]
    assert shapes.take() == [("", "b"), ("other", "a")]


VALUES = st.recursive(
    st.none() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4), max_size=8))
def test_remembering_shapes_hides_no_path(records: list[dict[str, Any]]) -> None:
    """A record whose shape was seen before has no path that was not."""
    one_by_one = [path for record in records for path in noted(record)]

    assert set(one_by_one) == noted(*records)


def test_a_member_that_records_share_is_told_apart_from_one_that_only_looks_so() -> None:
    course = {"id": 1}

    assert noted({"course": course}, {"course": course}, {"course": {"id": 1, "code": 2}}) == {
        "course.id",
        "course.code",
    }


def test_filled_paths_leave_out_what_holds_nothing() -> None:
    assert filled_paths({"a": 0, "b": None, "c": "", "d": [], "e": {"f": False}}) == {"a", "e.f"}


# -- what is stored ------------------------------------------------------------------------------------------------


def test_what_the_first_full_run_brings_is_known(campus: Campus, store: Store) -> None:
    report = sync(campus, store)

    assert report.new_fields == []
    assert set(paths(store)) == {"no", "who", "state", "role", "due", "changed", "person.id", "person.name", "person"}


def test_a_field_of_a_later_run_that_nothing_reads_is_new(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.courses["course:a"][0]["badge"] = {"kind": "gold"}
    report = sync(campus, store, 1)

    assert report.new_fields == ["badge.kind"]
    assert paths(store)["badge.kind"].first_seen == NOW + DAY


def test_a_new_field_that_the_mapping_reads_is_none(campus: Campus, store: Store) -> None:
    sync(campus, store)
    campus.courses["course:a"][0]["seconds"] = 60

    assert sync(campus, store, 1).new_fields == []


def test_an_interrupted_first_run_is_no_measure(campus: Campus, store: Store) -> None:
    campus.courses["course:b"][0]["badge"] = "gold"
    campus.kill_after = 1
    with pytest.raises(Killed):
        sync(campus, store)
    campus.kill_after = None

    assert sync(campus, store, 2).new_fields == []
    assert sync(campus, store, 3).new_fields == []


def test_last_seen_moves_with_each_run_that_is_served_the_field(campus: Campus, store: Store) -> None:
    campus.courses["course:a"][0]["badge"] = "gold"
    sync(campus, store)
    del campus.courses["course:a"][0]["badge"]
    sync(campus, store, 1)
    found = paths(store)

    assert (found["badge"].first_seen, found["badge"].last_seen) == (NOW, NOW)
    assert (found["state"].first_seen, found["state"].last_seen) == (NOW, NOW + DAY)


def test_fields_of_records_that_are_left_out_are_not_noted(campus: Campus, store: Store) -> None:
    campus.courses["course:b"][1]["office"] = "12"  # the teacher's
    sync(campus, store)

    assert "office" not in paths(store)


def test_a_database_that_is_older_than_the_table_gets_it(campus: Campus, tmp_path: Path) -> None:
    """Its next full run counts as the first one."""
    address = f"sqlite:///{tmp_path / 'old.db'}"
    with Store(address) as store:
        sync(campus, store)
        with store.write() as db:
            fields.drop(db)
            db.execute(update(meta).values(version=1))
    campus.courses["course:a"][0]["badge"] = "gold"
    with Store(address) as store:
        with store.read() as db:
            there = inspect(db).has_table("fields")
        first = sync(campus, store, 1)
        campus.courses["course:a"][0]["medal"] = "gold"
        second = sync(campus, store, 2)

    assert there
    assert (first.new_fields, second.new_fields) == ([], ["medal"])


# -- what the mapping reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "path", "is_read"),
    [
        ("text(a.b)", "a.b", True),
        ("text(a.b)", "a.c", False),
        ("a", "a.b.c", True),
        ("text(a.b.c)", "a.b", True),
        ("text(ab)", "a", False),
        ("pick(list, 'id', who).name", "list[].name", True),
        ("pick(list, 'id', who).name", "list[].mail", False),
        ("pick(list, 'id', who).name", "list", True),
        ("list[?kind == 'x'].name", "list[].kind", True),
        ("list[?kind == 'x'].name", "list[].size", False),
        ("starting(user, 'custom_')", "user.custom_1", True),
        ("starting(user, 'custom_')", "user.other", False),
        ("units.*.score", "units.*.score", True),
        ("units.*.score", "units.*.name", False),
        ('text("odd name")', '"odd name"', True),
    ],
)
def test_a_field_is_read_if_an_expression_looks_at_it(expression: str, path: str, is_read: bool) -> None:  # noqa: FBT001
    text = f'{MAPPING}[course_enrollment.custom_fields]\n"*" = {dump(expression)}\n'
    if not expression.startswith("starting"):
        text = text.replace('"*"', "one")
    field = NativeField("", path, 1, NOW, NOW)
    found = unread([field], load(text, file="campus.toml"))

    assert found == ([] if is_read else [field])


def test_a_record_read_from_json_is_noted_as_one_from_memory() -> None:
    record = row(1, title={"a": [1, {"b": None}]})
    again = parse(dump(record))

    assert isinstance(again, dict)
    assert noted(record) == noted(again)


def test_an_unknown_word_is_told_with_the_run_that_last_served_it(store: Store) -> None:
    """Counted by enrollment, whatever the parts it is folded from."""
    campus = Campus(
        {"may": [row(1, state="away", seconds=1, window="5")], "june": [row(1, state="away", seconds=2, window="6")]}
    )
    for day in (0, 1):
        connection = open_campus(campus, WindowsConnector)
        asyncio.run(Sync(connection, store, clock=lambda day=day: NOW + day * DAY).run(full=True))
    with store.read() as db:
        found = unknown_words(db, "acme")

    assert found == [UnknownWord("status", "away", "", 1, NOW, NOW + DAY)]
