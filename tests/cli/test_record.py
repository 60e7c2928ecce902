"""`rollbook record`: a fixture out of a connection, with a summary of what to look over."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.testing import differences, load_case, read_case
from rollbook.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Desk


@pytest.fixture
def school(empty: Desk) -> Iterator[Desk]:
    """Give a folder with a connection to a pretend Canvas."""
    with Sandbox("canvas") as sandbox:
        settings = sandbox.settings
        empty.config(
            f'[connections.school]\nconnector = "canvas"\nbase_url = "{settings["base_url"]}"\n'
            f'access_token = "{settings["access_token"]}"\n'
        )
        (empty.folder / "rollbook.toml").chmod(0o600)
        yield empty


def test_a_recording_ends_with_a_summary(school: Desk) -> None:
    result = school.run("record", "school")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert lines[0].split() == ["recording", "school.har.json"]
    assert lines[1].split() == ["expected", "school.expected.json"]
    assert "people by made-up ones" in result.stdout
    assert "reads as the original did" in result.stdout
    assert "Health & Safety" in result.stdout.replace("\n               ", " ")
    assert result.stderr.splitlines()[0] == "school: reading at most 2 pages of 5 items of each list"
    assert "Try it: rollbook test school.har.json" in result.stderr
    assert max(map(len, lines)) <= 80


def test_what_it_writes_is_a_case_for_its_owner_only(school: Desk) -> None:
    school.run("record", "school", "-o", "unit.har", "--pages", "1", "--users", "3")
    case = load_case(school.folder / "unit.har.json")

    assert case.sample == {"pages": 1, "items": 3}
    assert differences(case.found, read_case(case)) == []
    assert stat.S_IMODE(case.har.stat().st_mode) == stat.S_IMODE(case.expected.stat().st_mode) == 0o600
    assert sorted(file.name for file in school.folder.iterdir()) == [
        "rollbook.toml",
        "unit.expected.json",
        "unit.har.json",
    ]


def test_with_0_everything_is_recorded(school: Desk) -> None:
    result = school.run("record", "school", "--pages", "0", "--users", "0")
    case = load_case(school.folder / "school.har.json")

    assert result.stderr.splitlines()[0] == "school: reading everything"
    assert case.sample == {}
    assert len(case.enrollments) > 50


def test_an_earlier_recording_is_only_replaced_by_force(school: Desk) -> None:
    (school.folder / "school.har.json").write_text("mine")
    result = school.run("record", "school")

    assert result.exit_code == 2
    assert "connection 'school': school.har.json is there already" in result.stderr
    assert (school.folder / "school.har.json").read_text() == "mine"
    assert school.run("record", "school", "--force").exit_code == 0


def test_a_wrong_key_is_told_and_nothing_is_written(school: Desk) -> None:
    file = school.folder / "rollbook.toml"
    file.write_text(file.read_text().replace("sandbox-key", "other-key"))
    result = school.run("record", "school")

    assert result.exit_code == 1
    assert "connection 'school': " in result.stderr
    assert "other-key" not in result.stderr
    assert [one.name for one in school.folder.iterdir()] == ["rollbook.toml"]


def test_a_har_file_is_cleaned_without_a_config(empty: Desk) -> None:
    body = json.dumps([{"id": 4501, "email": "ada@acme.edu", "first_name": "Ada", "last_name": "Lovelace"}])
    entry: dict[str, Any] = {
        "request": {"method": "GET", "url": "https://acme.edu/api/users", "headers": []},
        "response": {"status": 200, "headers": [], "content": {"mimeType": "application/json", "text": body}},
    }
    (empty.folder / "web.har").write_text(json.dumps({"log": {"entries": [entry]}}))
    result = empty.run("record", "--from-har", "web.har")

    assert result.exit_code == 0
    assert "It was not replayed" in result.stdout
    assert "Lovelace" not in (empty.folder / "web.clean.har.json").read_text()
    assert "Try it" not in result.stderr


def test_it_wants_a_connection_or_a_har_file(empty: Desk) -> None:
    result = empty.run("record")

    assert result.exit_code == 2
    assert "Name a connection, or a HAR file with --from-har." in result.stderr
