"""`rollbook forget`: one person out of the store, and kept out if that is wanted."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk


def test_it_says_what_went_and_that_the_lms_will_bring_it_back(desk: Desk) -> None:
    desk.run("sync", "acme")
    result = desk.run("forget", "acme", "--user", "u1")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "acme: 1 row deleted",
        "  if the LMS still has this person, the next sync brings them back; --keep-out prevents that",
    ]
    assert desk.run("show", "acme", "1").exit_code == 1
    assert b"Ada Example" not in (desk.folder / "rollbook.db").read_bytes()

    desk.run("sync", "acme")

    assert desk.run("show", "acme", "1").exit_code == 0


def test_who_is_kept_out_stays_out(desk: Desk) -> None:
    desk.run("sync", "acme")
    result = desk.run("forget", "acme", "--user", "u1", "--keep-out")

    assert "later syncs skip this person" in result.stdout

    again = desk.run("sync", "acme")

    assert again.exit_code == 0
    assert "1 forgotten" in again.stderr
    assert desk.run("show", "acme", "1").exit_code == 1
    assert b"u1" not in (desk.folder / "rollbook.vault").read_bytes()


def test_rejected_records_go_too(desk: Desk) -> None:
    desk.lms({"id": None, "user": "u1", "name": "Ada Example"}, {"id": None, "user": "u2", "name": "Bo"})
    desk.run("sync", "acme")
    result = desk.run("forget", "acme", "--user", "u1")

    assert result.stdout.startswith("acme: 0 rows, 1 rejected record deleted\n")
    assert "Ada" not in desk.run("rejected", "acme", "--format", "jsonl").stdout


def test_a_connection_that_is_not_there_is_a_mistake(desk: Desk) -> None:
    assert desk.run("forget", "acm", "--user", "u1").exit_code == 2
    assert "has not been synced yet" in desk.run("forget", "acme", "--user", "u1").stderr


def test_without_native_records_show_and_export_have_none_and_explain_says_so(desk: Desk) -> None:
    config = desk.folder / "rollbook.toml"
    config.write_text(config.read_text() + 'remote_data = "none"\n')
    desk.run("sync", "acme")

    assert '"remote_data": {}' in desk.run("show", "acme", "1").stdout
    assert '"remote_data":{}' in desk.run("export", "acme").stdout.replace(": ", ":")

    result = desk.run("explain", "acme", "1")

    assert result.exit_code == 1
    assert "is not kept, so that there is nothing to explain it by" in result.stderr


def test_with_made_up_names_show_export_and_explain_agree(desk: Desk) -> None:
    config = desk.folder / "rollbook.toml"
    config.write_text(config.read_text() + 'remote_data = "pseudonyms"\n')
    desk.run("sync", "acme")
    asked = ("show", "acme", "1"), ("export", "acme"), ("explain", "acme", "1", "--format", "json")
    told = [desk.run(*args) for args in asked]

    assert [one.exit_code for one in told] == [0, 0, 0]
    assert ["Safety" in one.stdout for one in told] == [True, True, True]
    assert not [one for one in told if "Ada" in one.output or "u1@example.com" in one.output]
    assert ["Person " in one.stdout for one in told] == [True, True, True]


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_every_file_is_made_for_its_owner_only(desk: Desk) -> None:
    """Whatever the umask: the config, the store with its log, the lock, an export, the vault and its lock."""
    before = os.umask(0)
    try:
        (desk.folder / "other").mkdir()
        os.chdir(desk.folder)
        asked = "init", "--connector", "canvas", "--set", "base_url=https://canvas.example.com"
        desk.run("--config", "other/made.toml", *asked)
        from rollbook.core.store import Store

        with Store(f"sqlite:///{desk.folder}/rollbook.db") as store, store.held("acme"):
            with store.write() as db:
                db.exec_driver_sql("update rollbook_meta set version = version")
            made = {one.name: one for one in desk.folder.iterdir() if one.name.startswith("rollbook.db")}

            assert len(made) == 4
            assert {stat.S_IMODE(one.stat().st_mode) for one in made.values()} == {0o600}
        desk.run("sync", "acme")
        desk.run("export", "acme", "-o", "book.jsonl")
        Path("old.jsonl").write_text("")
        Path("old.jsonl").chmod(0o644)
        desk.run("export", "acme", "-o", "old.jsonl")
        desk.run("forget", "acme", "--user", "u1", "--keep-out")
    finally:
        os.umask(before)
    for name in ("other/made.toml", "book.jsonl", "old.jsonl", "rollbook.vault", "rollbook.vault.lock", "rollbook.db"):
        assert stat.S_IMODE((desk.folder / name).stat().st_mode) == 0o600, name


def test_a_secret_is_not_taken_from_a_command_line(desk: Desk) -> None:
    result = desk.run("--config", "new.toml", "init", "--connector", "canvas", "--set", "access_token=hunter2")

    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert not (desk.folder / "new.toml").exists()
