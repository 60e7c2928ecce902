"""`rollbook` itself: its help is quick and true, and every failure is a line or two with its exit status."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from rollbook.core.cli import cli
from rollbook.core.cli.failures import worst
from rollbook.core.cli.group import COMMANDS
from rollbook.core.errors import AuthError, MappingError, SettingsError, StoreError, VendorError

if TYPE_CHECKING:
    from .conftest import Desk


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the command `schema` end with an error."""

    @click.command()
    def schema() -> None:
        raise error

    monkeypatch.setattr("rollbook.core.cli.schema.schema", schema)


def test_help_names_every_command(empty: Desk) -> None:
    result = empty.run("--help")

    assert result.exit_code == 0
    listed = result.stdout.partition("Commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == list(COMMANDS)
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_nothing_heavy_is_imported_for_help() -> None:
    code = "import sys, rollbook.core.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()  # noqa: S603 - our own code

    assert {"httpx", "sqlalchemy", "pydantic", "rich", "jmespath"} & set(modules) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_own_help_begins_with_the_line_in_the_list(empty: Desk, name: str) -> None:
    entry = COMMANDS[name]
    command = getattr(importlib.import_module(f"rollbook.core.cli.{entry.module}"), name)

    assert command.name == name
    assert command.help.splitlines()[0] == entry.text
    assert max(map(len, empty.run(name, "--help").stdout.splitlines())) <= 80


def test_without_a_command_the_help_is_shown(empty: Desk) -> None:
    assert empty.run().stdout == empty.run("--help").stdout


def test_the_version_is_the_packages(empty: Desk) -> None:
    assert re.fullmatch(r"rollbook \d+\.\d+\.\d+\n", empty.run("--version").stdout)


def test_the_module_is_the_command(empty: Desk) -> None:
    assert empty.process("--version").stdout == empty.run("--version").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["synk"], "rollbook: unknown command 'synk'\nDid you mean 'sync'?\n"),
        (["sync"], "rollbook sync: Name the connections to sync, or give --all.\nSee: rollbook sync --help\n"),
        (["sync", "acme", "--all"], "rollbook sync: Name the connections to sync, or give --all.\n"),
        (["show", "acme"], "rollbook show: Missing argument 'ID'.\nSee: rollbook show --help\n"),
        (["export", "acme", "--format", "xml"], "rollbook export: Invalid value for '--format': 'xml' is not one of"),
        (["export", "acme", "--as-of", "noon"], "'noon' is not a time such as 2026-01-31"),
        (["--confg", "x", "sync"], "rollbook: No such option"),
        (["status"], "rollbook: there is no rollbook.toml here\nMake one: rollbook init."),
        (["--config", "my.toml", "status"], "rollbook: there is no file my.toml\n"),
    ],
)
def test_wrong_usage_is_two_lines_and_status_2(empty: Desk, args: list[str], said: str) -> None:
    result = empty.run(*args)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 2
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (SettingsError("m"), 2),
        (MappingError("m"), 2),
        (AuthError("m"), 1),
        (VendorError("m"), 1),
        (StoreError("m"), 1),
        (OSError(28, "No space left on device"), 1),
        (PermissionError(13, "Permission denied", "out.csv"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_failure_has_its_exit_status(
    empty: Desk, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int
) -> None:
    failing(monkeypatch, error)
    result = empty.run("schema")

    assert result.exit_code == status
    assert result.stderr.strip().startswith("rollbook: ")
    assert "Traceback" not in result.stderr


def test_an_error_is_told_with_its_place_and_what_to_do(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, VendorError("no answer", where="connection 'acme'", hint="Try again later."))

    assert empty.run("schema").stderr == "rollbook: connection 'acme': no answer\nTry again later.\n"


def test_a_file_that_cannot_be_written_is_named(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, PermissionError(13, "Permission denied", "out.csv"))

    assert empty.run("schema").stderr == "rollbook: out.csv: Permission denied\n"


def test_a_bug_is_told_by_kind_and_place_without_its_text(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("ada@example.com"))
    result = empty.run("schema")

    assert result.exit_code == 1
    assert "this is a bug in rollbook: KeyError in " in result.stderr
    assert "ada@example.com" not in result.stderr
    assert "Traceback" not in result.stderr
    assert "ROLLBOOK_DEBUG=1" in result.stderr


def test_the_traceback_is_shown_to_who_asks_for_it(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLBOOK_DEBUG", "1")
    failing(monkeypatch, KeyError("made up"))

    assert "Traceback" in empty.run("schema").stderr


@pytest.mark.parametrize(
    ("statuses", "expected"), [([], 0), ([0, 3, 0], 3), ([3, 1, 0], 1), ([1, 2, 3], 2), ([0, 0], 0)]
)
def test_of_several_exit_statuses_the_worst_counts(statuses: list[int], expected: int) -> None:
    assert worst(statuses) == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_under_standard_output_is_told(empty: Desk) -> None:
    with Path("/dev/full").open("w") as full:
        done = empty.process("schema", stdout=full)

    assert done.returncode == 1
    assert done.stderr == "rollbook: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="needs pipes as POSIX has them")
def test_a_reader_that_has_seen_enough_is_no_failure(empty: Desk) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as nobody_reads:
        done = empty.process("schema", stdout=nobody_reads)

    assert (done.returncode, done.stderr) == (0, "")


def test_main_is_the_group() -> None:
    from rollbook.core.cli import main

    assert main is cli
