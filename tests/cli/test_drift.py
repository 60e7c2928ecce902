"""`rollbook drift` shows unknown words and new fields, and what to paste so that they are known."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollbook.core.cli.override import fields_override, key, names, text
from rollbook.core.mapping import load
from rollbook.core.settings import load_config
from rollbook.core.store.fields import NativeField
from rollbook.core.sync.shapes import Shapes

from .conftest import CONFIG

if TYPE_CHECKING:
    from .conftest import Desk

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WATCHED = """
[course_enrollment.drift]
role = { source = "role", known = ["learner", "teacher"], missing = true }
"""
ODD = ('half-way "done"', 'it\'s "so"', "back\\slash", "tab\tand\x00null\x7f", "Größe 🚀", "a.b = [c] # d", "'''", "ÀÉ")


def pasted(output: str) -> str:
    """Give what is to be pasted: all tables, each up to the text that follows."""
    return "\n" + "\n".join(re.findall(r"^\[connections\.(?:.|\n)*?(?=\n\n(?!\[))", output, re.MULTILINE)) + "\n"


def watch(desk: Desk) -> None:
    file = desk.folder / "paper.toml"
    file.write_text(file.read_text(encoding="utf-8") + WATCHED, encoding="utf-8")


def test_a_word_is_shown_with_its_rows_and_days(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.lms(desk.record("1", state="sleeping"), desk.record("2", state="sleeping"), desk.record("3", state="away"))
    desk.run("sync", "acme")
    monkeypatch.delenv("ACME_TOKEN")
    result = desk.run("drift", "acme")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert lines[0] == "acme: 2 native words that the mapping has never heard of"
    assert lines[2].split() == ["what", "word", "rows", "first", "seen", "last", "seen"]
    assert lines[3].split()[:3] == ["status", "sleeping", "2"]
    assert lines[4].split()[:3] == ["status", "away", "1"]
    assert max(map(len, lines)) <= 80


def test_the_override_loads_once_a_status_is_chosen(desk: Desk) -> None:
    desk.lms(*(desk.record(str(number), state=word) for number, word in enumerate(ODD)))
    desk.run("sync", "acme")
    desk.config(CONFIG + pasted(desk.run("drift", "acme").stdout).replace('"..."', '"expired"'))
    result = desk.run("remap", "acme")

    assert "status was  is       rows\nunknown     expired     8\n" in result.stdout
    assert desk.run("drift", "acme").stdout.startswith("acme: the mapping knows every native word\n")


def test_the_override_names_the_ten_statuses_and_chooses_none(desk: Desk) -> None:
    desk.run("sync", "acme")
    override = pasted(desk.run("drift", "acme").stdout)
    desk.config(CONFIG + override)
    refused = desk.run("remap", "acme")

    assert tomllib.loads(override)["connections"]["acme"]["mapping"]["course_enrollment"]["status"]["values"] == {
        "sleeping": "..."
    }
    assert refused.exit_code == 2
    assert "unknown status '...'" in refused.stderr


def test_words_that_differ_by_case_are_one_key(desk: Desk) -> None:
    desk.lms(desk.record("1", state="Away"), desk.record("2", state="AWAY"), desk.record("3", state="off"))
    desk.run("sync", "acme")
    desk.config(CONFIG + pasted(desk.run("drift", "acme").stdout).replace('"..."', '"expired"'))

    assert "unknown     expired     3\n" in desk.run("remap", "acme").stdout


def test_another_word_is_let_through_by_its_override(desk: Desk) -> None:
    watch(desk)
    desk.lms(
        desk.record("1", state="open", role="learner"),
        desk.record("2", state="open", role='The "Guest"'),
        desk.record("3", state="open"),
    )
    desk.run("sync", "acme")
    override = pasted(desk.run("drift", "acme").stdout)
    desk.config(CONFIG + override)
    desk.run("remap", "acme")
    [role] = load_config(desk.folder / "rollbook.toml").mapping("acme")[1].kinds[""].watches

    assert desk.run("drift", "acme").stdout.startswith("acme: the mapping knows every native word\n")
    assert (role.known, role.missing) == ({"learner", "teacher", 'the "guest"'}, False)


def test_a_word_that_is_cut_is_not_made_a_key(desk: Desk) -> None:
    desk.lms(desk.record("1", state="x" * 200))
    desk.run("sync", "acme")
    override = pasted(desk.run("drift", "acme").stdout)

    assert f"# not to be had as a key: {'x' * 80}\n" in override
    assert tomllib.loads(override)


def test_a_field_that_came_later_is_shown_with_an_override_that_loads(desk: Desk) -> None:
    first = desk.record("1", state="open")
    desk.lms(first)
    desk.run("sync", "acme")
    secret = "Nobody may see this"
    desk.lms(first | {"badge": {"kind": secret}, "tags": [{"id": secret}], 'Odd "Name"': secret, "grade": 3})
    desk.run("sync", "acme")
    result = desk.run("drift", "acme")
    desk.config(CONFIG + pasted(result.stdout))

    assert "4 native fields came up after the first full sync, and nothing reads them\n" in result.stdout
    assert secret not in result.stdout
    assert "acme: 1 of 1 row changed" in desk.run("remap", "acme").stdout
    assert desk.run("show", "acme", "1").stdout.count(secret) == 6  # three as custom fields, three in remote_data
    assert "No new native field." in desk.run("drift", "acme").stdout


def test_every_field_that_nothing_reads_is_listed_on_demand(desk: Desk) -> None:
    desk.lms(desk.record("1", state="open", extra={"a": 1, "b": None}), desk.record("2", state="open", extra={"a": 2}))
    desk.run("sync", "acme")
    result = desk.run("drift", "acme", "--fields")
    lines = result.stdout.splitlines()

    assert lines[0] == "acme: 2 native fields that nothing reads"
    assert [line.split()[:2] for line in lines[3:5]] == [["extra.a", "2"], ["extra.b", "0"]]
    assert tomllib.loads(pasted(result.stdout))["connections"]["acme"]["mapping"]["course_enrollment"] == {
        "custom_fields": {"a": "extra.a", "b": "extra.b"}
    }


def test_nothing_unread_is_told_in_a_line(desk: Desk) -> None:
    desk.lms(desk.record("1", state="open"))
    desk.run("sync", "acme")

    assert desk.run("drift", "acme", "--fields").stdout == "acme: the mapping reads every native field\n"


def test_status_and_the_summary_of_a_sync_point_to_it(desk: Desk) -> None:
    first = desk.record("1", state="open")
    desk.lms(first)
    desk.run("sync", "acme")
    desk.lms(first | {"badge": "gold"})
    summary = desk.run("sync", "acme").stderr
    status = desk.run("status").stdout

    for printed in (summary, status):
        assert "  new fields  badge\n" in printed
        assert "  see         rollbook drift acme\n" in printed


def test_status_goes_without_the_mapping_where_it_is_broken(desk: Desk) -> None:
    first = desk.record("1", state="open")
    desk.lms(first)
    desk.run("sync", "acme")
    desk.lms(first | {"badge": "gold", "score": 3})
    desk.run("sync", "acme")
    desk.config(CONFIG + '\n[connections.acme.mapping.course_enrollment]\nscore = "nummer(score)"\n')
    result = desk.run("status")

    assert result.exit_code == 0
    assert "  new fields  badge, score\n" in result.stdout


@given(st.dictionaries(st.text(max_size=8), st.dictionaries(st.text(max_size=8), st.integers()), max_size=4))
def test_whatever_an_lms_calls_its_fields_the_override_loads(record: dict[str, Any]) -> None:
    shapes = Shapes()
    shapes.note("", record)
    fields = [NativeField("", path, 1, NOW, NOW) for _, path in shapes.take()]
    mapping = "connector = 'x'\n[course_enrollment]\nid = 'id(no)'\n"
    override = tomllib.loads(fields_override("acme", fields, load(mapping)))
    given = override.get("connections", {}).get("acme", {}).get("mapping")
    merged = load(mapping, override=given)

    assert {entry.text for entry in merged.kinds[""].custom_fields.values()} == {field.path for field in fields}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_text_written_as_toml_is_read_as_the_same(value: str) -> None:
    written: dict[str, Any] = tomllib.loads(f"{key(value)} = {text(value)}")

    assert written == {value: value}


@pytest.mark.parametrize(
    ("paths", "found"),
    [
        (["enrollment.lastLoginIP"], ["last_login_ip"]),
        (["enrollment.badge.kind"], ["badge_kind"]),
        (["course.term.id", "user.id"], ["term_id", "user_id"]),
        (["a.code", "b.code", "code"], ["a_code", "b_code", "code"]),
        (["a.role", "b.role"], ["a_role", "b_role"]),
        (["x.level", "y.level"], ["level", "y_level"]),
        (['"???"', "*"], ["value", "value_2"]),
        (['user."Größe in cm"'], ["größe_in_cm"]),
    ],
)
def test_fields_are_named_by_their_last_words(paths: list[str], found: list[str]) -> None:
    assert list(names(paths, {"role"}).values()) == found
