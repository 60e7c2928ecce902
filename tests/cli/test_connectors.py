"""`rollbook connectors`: what is there, what each one needs, and what it gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Desk


def test_json_is_a_list_of_objects_with_their_names(desk: Desk) -> None:
    found = json.loads(desk.run("connectors", "--format", "json").stdout)

    assert "paper" in [one["name"] for one in found]
    assert [one["name"] for one in found] == sorted(one["name"] for one in found)


def test_one_connector_is_told_whole(desk: Desk) -> None:
    [paper] = json.loads(desk.run("connectors", "paper", "--format", "json").stdout)
    settings = {setting["name"]: setting for setting in paper["settings"]}

    assert paper["title"] == "Paper LMS"
    assert paper["strategies"] == [{"name": "", "default": True, "incremental": False, "removals": "partition"}]
    assert settings["token"] == {
        "name": "token",
        "required": True,
        "secret": True,
        "common": False,
        "default": None,
        "meaning": "Key of its API.",
    }
    assert settings["timezone"]["default"] == "UTC"
    assert settings["timezone"]["common"]
    assert {"id", "user", "course", "status", "due_at", "remote_data"} < set(paper["fields"])
    assert "completed_at" not in paper["fields"]
    assert paper["statuses"] == ["enrolled", "in_progress", "completed", "passed", "overdue", "unknown"]


def test_the_table_names_every_setting_within_80_columns(desk: Desk) -> None:
    text = desk.run("connectors", "paper").stdout

    assert text.startswith("paper  Paper LMS\n")
    for word in ("token", "required, secret", "Key of its API.", "timezone", '= "UTC"', "limits", "statuses"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 80


def test_the_list_is_within_80_columns(desk: Desk) -> None:
    text = desk.run("connectors").stdout

    assert text.split()[0] == "name"
    assert "paper" in text
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_connector_suggests_the_nearest(desk: Desk) -> None:
    result = desk.run("connectors", "papr")

    assert result.exit_code == 2
    assert result.stderr == "rollbook: unknown connector 'papr'\nDid you mean 'paper'?\n"


def test_a_broken_plug_in_is_reported_and_breaks_nothing_else(desk: Desk) -> None:
    (desk.folder / "torn_lms.py").write_text("raise RuntimeError('torn')\n")
    desk.config('[plugins]\nmodules = ["paper_lms", "torn_lms"]\n')
    result = desk.run("connectors", "--format", "json")

    assert result.exit_code == 0
    assert result.stderr == (
        "rollbook: warning: 'torn_lms' cannot be loaded: torn_lms: RuntimeError: torn (torn_lms.py:1)\n"
        "Mend it, or take it out of [plugins] modules in rollbook.toml.\n"
    )
    assert "paper" in [one["name"] for one in json.loads(result.stdout)]


def test_connections_to_others_go_on_beside_a_broken_plug_in(desk: Desk) -> None:
    (desk.folder / "torn_lms.py").write_text("raise SystemExit(0)\n")
    desk.config((desk.folder / "rollbook.toml").read_text().replace('["paper_lms"]', '["torn_lms", "paper_lms"]'))

    assert desk.run("sync", "acme").exit_code == 0


def test_a_connector_that_cannot_be_made_is_reported_and_left_out(desk: Desk) -> None:
    (desk.folder / "half_lms.py").write_text(
        "from rollbook.core.connector import Connector, Settings\n"
        "from rollbook.core.registry import register\n"
        "@register\n"
        "class Half(Connector):\n"
        "    name, title, Settings = 'half', 'Half', Settings\n"
    )
    (desk.folder / "half.toml").write_text('connector = "half"\n[course_enrollment]\nid = "id(id)"\n')
    desk.config('[plugins]\nmodules = ["half_lms", "paper_lms"]\n')
    result = desk.run("connectors", "--format", "json")

    assert result.exit_code == 0
    assert "rollbook: warning: 'half' cannot be used: TypeError: Can't instantiate abstract class" in result.stderr
    assert "paper" in [one["name"] for one in json.loads(result.stdout)]


def test_a_connector_without_a_mapping_is_told_where_to_put_it(desk: Desk) -> None:
    (desk.folder / "paper.toml").unlink()
    result = desk.run("connectors")

    assert result.exit_code == 0
    assert (
        "rollbook: warning: 'paper' cannot be used: the connector 'paper' has no mapping file paper.toml\n"
        "Put it beside the module paper_lms.\n"
    ) in result.stderr


def test_a_connector_whose_mapping_is_wrong_is_reported_and_left_out(desk: Desk) -> None:
    (desk.folder / "paper.toml").write_text('connector = "paper"\n[course_enrollment]\nid = "id(id"\n')
    result = desk.run("connectors", "--format", "json")

    assert result.exit_code == 0
    assert "rollbook: warning: 'paper' cannot be used: " in result.stderr
    assert "paper" not in [one["name"] for one in json.loads(result.stdout)]


def test_no_config_is_needed(empty: Desk) -> None:
    assert empty.run("connectors", "--format", "json").exit_code == 0
