"""The example package works for who installs it: it is found, and its own tests pass."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .conftest import Place

MAPPINGS = Path(__file__).parents[2] / "mappings"


def test_it_is_listed_once_it_is_installed(campfire: Place) -> None:
    done = campfire.run("rollbook.core", "connectors", "--format", "json")
    found = {one["name"]: one for one in json.loads(done.stdout)}

    assert (done.returncode, done.stderr) == (0, "")
    assert set(found) == {"campfire", *(file.stem for file in MAPPINGS.glob("*.toml"))}
    assert found["campfire"]["title"] == "Campfire"


def test_its_own_tests_pass(campfire: Place) -> None:
    done = campfire.run("pytest", "-q", "-p", "no:cacheprovider")

    assert done.returncode == 0, done.stdout
    assert re.search(r"\d\d passed", done.stdout)
    assert "skipped" not in done.stdout


def test_its_readme_names_every_status_of_its_mapping(campfire: Place) -> None:
    done = campfire.run("rollbook.core", "connectors", "campfire", "--format", "json")
    [described] = json.loads(done.stdout)
    readme = (campfire.folder / "README.md").read_text(encoding="utf-8")

    assert set(re.findall(r"`(\w+)`", readme)) >= {*described["statuses"]} - {"unknown"}
