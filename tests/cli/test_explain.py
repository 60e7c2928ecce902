"""`rollbook explain` tells where every value of a stored or recorded enrollment came from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Desk

FIXTURES = Path(__file__).parent.parent / "fixtures"
CANVAS = FIXTURES / "canvas" / "tenant.har.json"


@pytest.fixture
def synced(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a desk that was synced, and whose secret is gone since."""
    desk.lms(
        desk.record("1", state="open", name="Ada Example", progress="much", due="2030-01-01T00:00:00Z"),
        desk.record("2", state="sleeping"),
        desk.record("3", state="done", name="\x1b[31mRed"),
        {"user": "u9"},
    )
    desk.run("sync", "acme")
    monkeypatch.delenv("ACME_TOKEN")
    return desk


def explained(desk: Desk, *args: str) -> str:
    result = desk.run("explain", *args)

    assert (result.stderr, result.exit_code) == ("", 0)
    return result.stdout


def told(desk: Desk, *args: str) -> dict[str, Any]:
    return json.loads(explained(desk, *args, "--format", "json"))


def test_a_stored_enrollment_is_explained_without_a_secret(synced: Desk) -> None:
    text = explained(synced, "acme", "1", "--as-of", "2026-06-01")

    assert text.startswith("1  in_progress\nAda Example in Safety\n  record                the store, last run 20")
    assert "  mapped by             paper.toml, for 2026-06-01 00:00 UTC\n" in text
    assert '  word                  open -> in_progress\n                        state is "open"\n' in text
    assert "  before deadlines      in_progress, by the word\n" in text
    assert "  holds until           2030-01-01 00:00 UTC (due_at); overdue after that\n" in text
    assert "  user.name             Ada Example\n                        text(name)\n" in text
    assert "  score                 score is not there\n" in text
    assert "Not given by Paper LMS: assigned_at, enrolled_at, " in text


def test_a_flaw_is_told_with_the_field_it_spoilt(synced: Desk) -> None:
    text = explained(synced, "acme", "1")

    assert (
        "  progress_percent      flaw: expected a number (it is text: aaaa)\n"
        '                        number(progress) of "much"\n'
    ) in text


def test_a_deadline_that_is_past_by_then_moves_the_status(synced: Desk) -> None:
    text = explained(synced, "acme", "1", "--as-of", "2031-01-01")

    assert text.startswith("1  overdue\n")
    assert "  due_at                2030-01-01T00:00:00Z: is past, so overdue\n" in text
    assert "note                  stored as in_progress: by today's mapping and for this" in text


def test_a_word_that_nobody_knows_is_told_as_drift(synced: Desk) -> None:
    text = explained(synced, "acme", "2")

    assert "  word                  sleeping: never heard of, counted as drift\n" in text
    assert "  before deadlines      unknown, as the word is not known\n" in text


def test_it_fits_80_columns_without_colours_and_without_what_steers_a_terminal(synced: Desk) -> None:
    text = explained(synced, "acme", "3")

    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "\N{REPLACEMENT CHARACTER}[31mRed in Safety\n" in text


def test_what_the_connections_own_mapping_says_names_the_config(synced: Desk) -> None:
    config = (synced.folder / "rollbook.toml").read_text()
    synced.config(
        config + '[connections.acme.mapping.course_enrollment]\ncourse.title = "text(course)"\nscore = false\n'
    )
    text = explained(synced, "acme", "1")

    assert "Ada Example in c1\n" in text
    assert "  course.title          c1\n                        text(course)  [rollbook.toml]\n" in text
    assert "is_mandatory" in text.partition("Not given by Paper LMS")[2]


def test_a_removed_enrollment_is_explained_as_it_was(synced: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "right")
    synced.lms(synced.record("1"), synced.record("2"))
    synced.run("sync", "acme")

    assert "note                  the LMS no longer had it on 20" in explained(synced, "acme", "3")


def test_a_rejected_record_tells_why(synced: Desk) -> None:
    text = explained(synced, "acme", "-")

    assert text.startswith("no id  rejected: no id\n")
    assert "note" not in text
    assert "  id                    id is not there\n" in text


def test_a_rejected_record_that_todays_mapping_takes_says_both(desk: Desk) -> None:
    desk.lms({"key": "7", "user": "u7"}, {"id": [7], "user": "u8"})
    desk.run("sync", "acme")
    (desk.folder / "paper.toml").write_text('connector = "paper"\n[course_enrollment]\nid = "id(user)"\n')
    text = explained(desk, "acme", "-")

    assert text.count("note                  when it was read it was rejected: no ") == 2
    assert {"u7  unknown", "u8  unknown"} <= set(text.splitlines())


def test_an_unknown_id_names_stored_ones_like_it(synced: Desk) -> None:
    result = synced.run("explain", "acme", "33")

    assert result.exit_code == 1
    assert result.stderr == (
        "rollbook: connection 'acme': there is no record '33' in the store\nStored ids like it: 3.\n"
    )
    assert "If it is new in the LMS, run: rollbook sync acme\n" in synced.run("explain", "acme", "x").stderr


def test_that_no_record_lacks_an_id_is_said(desk: Desk) -> None:
    desk.run("sync", "acme")

    assert "there is no rejected record without an id\n" in desk.run("explain", "acme", "-").stderr


def test_an_unknown_connection_or_one_never_synced_says_so(desk: Desk) -> None:
    assert "Did you mean 'acme'?" in desk.run("explain", "akme", "1").stderr
    assert "'acme' has not been synced yet\nRun: rollbook sync acme\n" in desk.run("explain", "acme", "1").stderr


def test_it_can_be_had_as_json(synced: Desk) -> None:
    found = told(synced, "acme", "1", "--as-of", "2026-06-01")

    assert (found["id"], found["outcome"], found["stored_status"]) == ("1", "enrollment", "in_progress")
    assert found["status"]["stale_at"] == "2030-01-01T00:00:00Z"
    assert found["record"]["name"] == "Ada Example"
    [name] = [field for field in found["fields"] if field["name"] == "user.name"]
    assert name["worked"]["reads"] == [{"path": "name", "value": "Ada Example", "there": True}]


FOLDING = '''
from rollbook.core.connector import Connector, Join, Lookup, Page, Settings
from rollbook.core.registry import register

@register
class Folding(Connector[Settings]):
    """People do a course in weeks, and a lookup knows their names."""

    name, title, Settings, part = "folding", "Folding LMS", Settings, "week"
    lookups = (Lookup("people", "id", whole=False, batch=10),)
    joins = (Join("person", "people", "who"), Join("boss", "people", "boss_id"), Join("coach", "people", "coach_id"))
    joins = (*joins, Join("other", "people", "other"), Join("last", "people", "last"))

    async def pages(self, partition, cursor, since):
        row = {"id": 1, "who": 7, "boss_id": 8, "other": 9, "last": None}
        yield Page([{**row, "week": week, "hours": week} for week in (2, 1, 3)], kind="weekly")

    async def load(self, lookup, keys):
        yield [{"id": key, "name": "Ada Example"} for key in keys if key != "8"]

    @staticmethod
    def fold(parts):
        return {**parts[-1], "hours": sum(part["hours"] for part in parts)}
'''
FOLDING_CONFIG = """
[plugins]
modules = ["folding_lms"]
[connections.acme]
connector = "folding"
base_url = "https://lms.example.com"
"""
FOLDED = """
connector = "folding"
[course_enrollment]
id = "id(id)"
user.name = "text(person.name)"
time_spent_seconds = "hours(hours)"
"""


def folding(desk: Desk, name: str, code: str = FOLDING) -> None:
    """Sync from a connector of that name that folds parts."""
    (desk.folder / f"{name}_lms.py").write_text(code.replace('"folding"', f'"{name}"'))
    (desk.folder / f"{name}.toml").write_text(FOLDED.replace("folding", name))
    desk.config(FOLDING_CONFIG.replace("folding", name))
    desk.run("sync", "acme")


def test_parts_and_joins_are_told(empty: Desk) -> None:
    folding(empty, "folding")
    text = explained(empty, "acme", "1")

    assert ", kind weekly\n" in text
    assert "  folded from           3 parts: 1, 2, 3\n" in text
    assert "Joined\n  person                of people, by the key 7\n                        who\n" in text
    assert "  boss                  of people, by the key 8: not found there\n" in text
    assert "  coach                 nothing of people: there is no key\n" in text
    assert "  other                 of people, in the place of its key\n" in text
    assert "  last                  nothing of people\n" in text
    assert "  time_spent_seconds    21600\n" in text


def test_parts_that_could_not_be_folded_are_told(empty: Desk) -> None:
    folding(empty, "unfolding", FOLDING.replace("sum(part", "sum(part['no'] + part"))
    result = empty.run("explain", "acme", "1")

    assert result.exit_code == 1
    assert result.stderr.startswith("rollbook: connection 'acme': the record '1' was rejected: folding failed: ")
    assert "rollbook rejected acme --format jsonl\n" in result.stderr


def har() -> dict[str, Any]:
    return json.loads(CANVAS.read_text())


def expected() -> dict[str, Any]:
    return json.loads((CANVAS.parent / "tenant.expected.json").read_text())


def canvas_ids() -> list[str]:
    return [one["id"] for one in expected()["enrollments"]]


def test_a_recorded_enrollment_is_explained_without_a_config(empty: Desk) -> None:
    found = told(empty, "canvas", canvas_ids()[0], "--fixture", str(CANVAS))
    one = expected()["enrollments"][0]

    assert found["as_of"] == expected()["as_of"]
    assert found["record"] == one.pop("remote_data")
    assert found["enrollment"] == one


def test_the_mapping_of_a_connection_of_the_config_is_tried_on_a_recording(empty: Desk) -> None:
    empty.config(
        '[connections.acme]\nconnector = "canvas"\n'
        '[connections.acme.mapping.course_enrollment]\ncourse.title = "text(course.course_code)"\n'
    )
    id = canvas_ids()[0]

    assert "  [rollbook.toml]\n" in explained(empty, "acme", id, "--fixture", str(CANVAS))
    assert "  [rollbook.toml]\n" not in explained(empty, "canvas", id, "--fixture", str(CANVAS))


def test_a_recorded_record_that_was_left_out_tells_which_reason_held(empty: Desk) -> None:
    """Of skipped records the store knows nothing but their number; a recording still has them."""
    bodies = (entry["response"]["content"].get("_json", []) for entry in har()["log"]["entries"])
    lists: list[list[dict[str, Any]]] = [body for body in bodies if isinstance(body, list)]
    rows = [row for some in lists for row in some]
    [id] = {row["id"] for row in rows if row.get("type") == "TeacherEnrollment"}
    text = explained(empty, "canvas", str(id), "--fixture", str(CANVAS))

    assert text.startswith(f"{id}  skipped: staff\n")
    assert "  skip.staff            holds: left out\n" in text
    assert "Status\n" not in text


def test_an_unknown_id_names_the_nearest_of_the_recording(empty: Desk) -> None:
    id = canvas_ids()[0]
    result = empty.run("explain", "canvas", f"{id}7", "--fixture", str(CANVAS))

    assert result.exit_code == 1
    assert f"tenant.har.json: there is no record '{id}7' in the recording\nNearest ids: {id}" in result.stderr


def test_a_recording_of_another_lms_is_refused(empty: Desk) -> None:
    (empty.folder / "t.expected.json").write_text(json.dumps({**expected(), "connector": "canvas"}))
    shutil.copy(CANVAS, empty.folder / "t.har.json")
    result = empty.run("explain", "moodle", "1", "--fixture", "t.har.json")

    assert "t.har.json: the recording is of canvas, not of moodle\n" in result.stderr


def test_a_recording_that_lacks_an_answer_says_which(empty: Desk) -> None:
    short = har()
    short["log"]["entries"] = short["log"]["entries"][:1]
    (empty.folder / "t.expected.json").write_text(json.dumps(expected()))
    (empty.folder / "t.har.json").write_text(json.dumps(short))
    result = empty.run("explain", "canvas", canvas_ids()[0], "--fixture", "t.har.json")

    assert result.exit_code == 1
    assert result.stderr.startswith("rollbook: t.har.json: course:41001: it cannot be read: GET /api/v1/courses/41001/")
    assert "\nNot recorded: GET https://canvas.example.com/api/v1/" in result.stderr


def test_a_file_that_is_not_there_is_told(empty: Desk) -> None:
    assert "does not exist" in empty.run("explain", "canvas", "1", "--fixture", "no.har.json").stderr
