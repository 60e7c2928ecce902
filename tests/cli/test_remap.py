"""`rollbook remap` tells what a changed mapping does to what is stored, without a request or a secret."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest
from rollbook.core.sync import remap as remapping

from .conftest import CONFIG

if TYPE_CHECKING:
    from .conftest import Desk

OVERRIDE = """
[connections.acme.mapping.course_enrollment]
user.name = "text(user)"
due_at = false
custom_fields.mail = "email"
skip.learned = "state == 'done'"

[connections.acme.mapping.course_enrollment.status.values]
sleeping = "withdrawn"
"""


@pytest.fixture
def synced(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a desk that was synced, with another mapping and without its secret since."""
    desk.run("sync", "acme")
    monkeypatch.delenv("ACME_TOKEN")
    (desk.folder / "lms.json").unlink()
    desk.config(CONFIG + OVERRIDE)
    return desk


def rows(desk: Desk) -> list[tuple[object, ...]]:
    db = sqlite3.connect(desk.folder / "rollbook.db")
    try:
        return db.execute("SELECT id, status, user_name, removed_at IS NULL FROM enrollments ORDER BY id").fetchall()
    finally:
        db.close()


def test_it_tells_what_changed(synced: Desk) -> None:
    result = synced.run("remap", "acme")
    title, *rest = result.stdout.splitlines()

    assert result.exit_code == 0
    assert title.startswith("acme: 2 of 3 rows changed (2 mapped again in ")
    assert "\n".join(rest) == (
        "\n"
        "status was  is           rows\n"
        "overdue     in_progress     1\n"
        "unknown     withdrawn       1\n"
        "\n"
        "field               got a value  lost it  got another\n"
        "user.name                                           2\n"
        "due_at                                 1\n"
        "custom_fields.mail            2\n"
        "\n"
        "  drift    status 'sleeping' was 1, is 0\n"
        "  skipped  1 learned: are marked as removed"
    )
    assert rows(synced) == [
        ("1", "in_progress", "u1", 1),
        ("2", "completed", "Bo Example", 0),
        ("3", "withdrawn", "u3", 1),
    ]


def test_a_dry_run_tells_the_same_and_writes_nothing(synced: Desk) -> None:
    before = rows(synced)
    dry = synced.run("remap", "acme", "--dry-run")
    after = rows(synced)
    real = synced.run("remap", "acme")

    assert before == after
    assert dry.stdout.startswith("acme: 2 of 3 rows would change (dry run, nothing is written)\n")
    assert dry.stdout.splitlines()[1:-1] == real.stdout.splitlines()[1:-1]
    assert dry.stdout.endswith("  skipped  1 learned: would be marked as removed\n")


def test_it_fits_80_columns(synced: Desk) -> None:
    assert max(map(len, synced.run("remap", "acme").stdout.splitlines())) <= 80


def test_an_unchanged_mapping_is_told_in_a_line(synced: Desk) -> None:
    synced.run("remap", "acme")

    assert synced.run("remap", "acme").stdout == "acme: nothing to do, today's mapping made all 2 rows\n"


def test_rows_that_are_kept_and_rejected_are_told(desk: Desk) -> None:
    desk.run("sync", "acme")
    desk.lms(desk.record("1"), desk.record("2", score=90.5))
    desk.run("sync", "acme")
    desk.config(CONFIG + '\n[connections.acme.mapping.course_enrollment]\nscore = "to_number(to_string(score))"\n')
    text = desk.run("remap", "acme").stdout

    assert "  kept  1 removed row, as it was\n" in text


def test_an_interruption_says_how_to_go_on(synced: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(remapping, "remap", interrupt)
        real = synced.run("remap", "acme")
        dry = synced.run("remap", "acme", "--dry-run")

    assert (real.exit_code, dry.exit_code) == (130, 130)
    assert real.stderr == "\nInterrupted after 0 rows. They stay; run the same command again, and it goes on.\n"
    assert dry.stderr == "\nInterrupted after 0 rows. Nothing was written.\n"


def test_what_was_never_synced_cannot_be_mapped_again(desk: Desk) -> None:
    result = desk.run("remap", "acme")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: 'acme' has not been synced yet\nRun: rollbook sync acme\n"


def test_a_broken_override_is_told_with_its_place(desk: Desk) -> None:
    desk.run("sync", "acme")
    desk.config(CONFIG + '\n[connections.acme.mapping.course_enrollment]\nscore = "nummer(score)"\n')
    result = desk.run("remap", "acme")

    assert result.exit_code == 2
    assert "nummer" in result.stderr
