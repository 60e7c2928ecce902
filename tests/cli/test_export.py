"""`rollbook export`: every format holds every field, and a file is there whole or not at all."""

from __future__ import annotations

import csv
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.cli.formats import csv_columns, json_of, strict
from rollbook.core.cli.output import output
from rollbook.core.schema import AssignedBy, CourseEnrollment, Email, User

if TYPE_CHECKING:
    from .conftest import Desk


@pytest.fixture
def synced(desk: Desk) -> Desk:
    """Give a desk whose LMS was synced."""
    assert desk.run("sync", "acme").exit_code == 0
    return desk


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_hold_all_22_fields_by_id(synced: Desk) -> None:
    found = lines(synced.run("export", "acme").stdout)

    assert [one["id"] for one in found] == ["1", "2", "3"]
    assert all(list(one) == list(CourseEnrollment.model_fields) for one in found)
    assert len(found[0]) == 22
    assert found[1]["user"] == {
        "id": "u2",
        "name": "Bo Example",
        "emails": [{"email": "u2@example.com", "type": "work", "is_primary": True}],
    }
    assert found[1]["remote_data"] == synced.record("2", state="done", name="Bo Example", score=90.5)


def test_every_line_is_an_enrollment(synced: Desk) -> None:
    for line in synced.run("export", "acme").stdout.splitlines():
        one = CourseEnrollment.model_validate_json(line)

        assert one.id == one.remote_data["id"]


def test_json_is_one_list(synced: Desk) -> None:
    whole = json.loads(synced.run("export", "acme", "--format", "json").stdout)

    assert whole == lines(synced.run("export", "acme").stdout)


def test_json_of_nothing_is_an_empty_list(desk: Desk) -> None:
    desk.lms()
    desk.run("sync", "acme")

    assert json.loads(desk.run("export", "acme", "--format", "json").stdout) == []


def test_csv_has_a_column_for_each_scalar_and_json_in_the_others(synced: Desk) -> None:
    rows = list(csv.DictReader(synced.run("export", "acme", "--format", "csv").stdout.splitlines()))

    assert list(rows[0]) == csv_columns()
    assert csv_columns()[:7] == ["id", "user_id", "user_name", "user_emails", "course_id", "course_title", "status"]
    assert {"assigned_by_id", "assigned_by_name", "urls", "custom_fields", "remote_data"} < set(rows[0])
    assert rows[1]["score"] == "90.5"
    assert rows[1]["due_at"] == ""
    assert json.loads(rows[1]["user_emails"])[0]["email"] == "u2@example.com"
    assert json.loads(rows[1]["remote_data"])["state"] == "done"


def test_a_spreadsheet_runs_nothing_that_a_csv_holds(synced: Desk) -> None:
    rows = list(csv.DictReader(synced.run("export", "acme", "--format", "csv").stdout.splitlines()))

    assert rows[2]["user_name"] == "'=Cy()"


def test_removed_enrollments_are_left_out_unless_they_are_asked_for(synced: Desk) -> None:
    synced.lms(synced.record("1"), synced.record("2"))
    synced.run("sync", "acme")

    assert [one["id"] for one in lines(synced.run("export", "acme").stdout)] == ["1", "2"]
    assert [one["id"] for one in lines(synced.run("export", "acme", "--removed").stdout)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("time", "status"),
    [("2026-04-30", "in_progress"), ("2026-05-01T00:00:00Z", "in_progress"), ("2026-05-02T01:00:00+02:00", "overdue")],
)
def test_statuses_can_be_told_for_another_time(synced: Desk, time: str, status: str) -> None:
    assert lines(synced.run("export", "acme", "--as-of", time).stdout)[0]["status"] == status


def test_a_file_is_written_whole_for_its_owner(synced: Desk) -> None:
    result = synced.run("export", "acme", "-o", "out.jsonl")
    file = synced.folder / "out.jsonl"

    assert result.stdout == ""
    assert result.stderr == "acme: 3 enrollments written to out.jsonl\n"
    assert len(file.read_text().splitlines()) == 3
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_failure_leaves_the_earlier_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("earlier")
    with pytest.raises(ZeroDivisionError), output(str(file)) as stream:
        stream.writelines(b"half a fi" for number in (1, 0) if 1 / number)

    assert file.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_told(synced: Desk) -> None:
    result = synced.run("export", "acme", "-o", "nowhere/out.jsonl")

    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told(synced: Desk) -> None:
    result = synced.run("export", "acme", "-o", "/dev/full")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: No space left on device\n"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
def test_a_reader_may_stop_early(desk: Desk) -> None:
    desk.lms(*(desk.record(str(number), note="x" * 1_000) for number in range(500)))
    desk.run("sync", "acme")
    shell = f"{sys.executable} -m rollbook.core export acme | head -n 1"
    done = subprocess.run(shell, shell=True, cwd=desk.folder, capture_output=True, text=True, check=True)  # noqa: S602

    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_connection_that_was_never_synced_is_no_empty_export(desk: Desk) -> None:
    result = desk.run("export", "acme", "-o", "out.jsonl")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: 'acme' has not been synced yet\nRun: rollbook sync acme\n"
    assert not (desk.folder / "out.jsonl").exists()


def test_no_secret_is_needed_for_what_is_stored(synced: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_TOKEN")

    assert len(lines(synced.run("export", "acme").stdout)) == 3


def test_remote_data_keeps_every_digit_and_sign() -> None:
    remote = '{"n":12345678901234567890123456789012345678901234567890,"half":"\\ud83d","t":"NaN"}'
    one = CourseEnrollment(
        id="1", user=User(emails=[Email(email="a@example.com")]), assigned_by=AssignedBy(name="Ada Example")
    )

    assert json_of(one, remote).endswith(f',"remote_data":{remote}}}')
    assert json.loads(json_of(one, remote))["assigned_by"] == {"id": None, "name": "Ada Example"}


def test_what_is_no_json_for_other_readers_is_null() -> None:
    assert strict('{"a":NaN,"b":[-Infinity],"c":"NaN"}') == '{"a":null,"b":[null],"c":"NaN"}'
