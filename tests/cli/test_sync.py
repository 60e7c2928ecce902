"""`rollbook check` and `rollbook sync`: what they say, and how they end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk


def test_a_check_says_that_the_lms_answers(desk: Desk) -> None:
    result = desk.run("check", "acme")

    assert result.exit_code == 0
    assert result.stdout == "ok: Paper LMS answers 'acme', and takes the credentials\n"


def test_a_check_tells_what_is_reduced(desk: Desk) -> None:
    desk.lms(notices={"reduced": "Scores need the permission Grades."})
    result = desk.run("check", "acme")

    assert result.exit_code == 0
    assert result.stdout.endswith("\n  reduced: Scores need the permission Grades.\n")


def test_a_check_that_finds_nothing_readable_ends_with_3(desk: Desk) -> None:
    desk.lms(notices={"missing": "The token needs the permission Courses."})
    result = desk.run("check", "acme")

    assert result.exit_code == 3
    assert result.stdout.startswith("not ready: ")
    assert "  missing: The token needs the permission Courses.\n" in result.stdout


def test_a_wrong_token_is_told_with_the_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "wrong")
    result = desk.run("check", "acme")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: connection 'acme': the LMS refuses the token\nMake a new one.\n"


def test_a_sync_ends_with_a_summary(desk: Desk) -> None:
    result = desk.run("sync", "acme")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.splitlines()[0] == "acme: reading"
    assert "acme: complete (full, " in result.stderr
    assert "rows      3: 3 new, 0 changed, 0 unchanged, 0 removed" in result.stderr
    assert "skipped   1 teacher" in result.stderr
    assert "drift     status 'sleeping' in 1 row" in result.stderr
    assert max(map(len, result.stderr.splitlines())) <= 80


def test_a_second_sync_counts_what_changed(desk: Desk) -> None:
    desk.run("sync", "acme")
    desk.lms(desk.record("1", state="done", name="Ada Example"), desk.record("2", state="done", name="Bo", score=90.5))

    assert "rows      2: 0 new, 2 changed, 0 unchanged, 1 removed" in desk.run("sync", "acme").stderr


def test_a_record_without_an_id_is_counted_and_told_where_to_see(desk: Desk) -> None:
    desk.lms(desk.record("1"), {"user": "u9"})

    assert "rejected  1; see: rollbook rejected acme" in desk.run("sync", "acme").stderr


def test_flaws_are_counted_by_field(desk: Desk) -> None:
    desk.lms(desk.record("1", due="the day after tomorrow"))

    assert "flaws     1 due_at" in desk.run("sync", "acme").stderr


def test_a_partition_that_fails_makes_the_sync_partial(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"course:7": "down"})
    result = desk.run("sync", "acme")

    assert result.exit_code == 3
    assert "acme: partial" in result.stderr
    assert "failed      course:7 (no answer). Run it again" in result.stderr
    assert "partitions  1 complete, 1 failed" in result.stderr


def test_a_partition_that_may_not_be_read_is_named(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"course:7": "forbidden"})
    result = desk.run("sync", "acme")

    assert result.exit_code == 3
    assert "forbidden   course:7 (the token may not read this). Their rows are kept" in result.stderr


def test_a_sync_that_reads_nothing_is_failed(desk: Desk) -> None:
    (desk.folder / "lms.json").write_text('{"partitions": {"all": "down"}}')

    assert desk.run("sync", "acme").exit_code == 1


def test_suspiciously_many_removals_are_held_until_they_are_allowed(desk: Desk) -> None:
    desk.lms(*(desk.record(str(number)) for number in range(30)))
    desk.run("sync", "acme")
    desk.lms(desk.record("1"))
    held = desk.run("sync", "acme")
    allowed = desk.run("sync", "acme", "--allow-removals")

    assert held.exit_code == 3
    assert "29 rows that the LMS no longer gives" in held.stderr
    assert allowed.exit_code == 0
    assert "29 removed" in allowed.stderr


def test_several_connections_are_synced_and_the_worst_status_counts(desk: Desk) -> None:
    text = (desk.folder / "rollbook.toml").read_text()
    desk.config(f'{text}\n[connections.other]\nconnector = "paper"\nfile = "nowhere"\ntoken = "x"\n')
    result = desk.run("sync", "--all")

    assert result.exit_code == 2
    assert "acme: complete" in result.stderr
    assert "rollbook: connection 'other': the setting 'file': expected a file that ends in .json\n" in result.stderr


def test_a_misspelt_name_is_told_before_anything_is_read(desk: Desk) -> None:
    result = desk.run("sync", "acme", "akme")

    assert result.exit_code == 2
    assert result.stderr == "rollbook: rollbook.toml: unknown connection 'akme'\nDid you mean 'acme'?\n"


def test_all_of_nothing_is_a_mistake(desk: Desk) -> None:
    desk.config("")
    result = desk.run("sync", "--all")

    assert result.exit_code == 2
    assert "there is no connection yet" in result.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("token =", "flor = 1\ntoken ="),
            "connection 'acme': unknown setting of paper 'flor'\nDid you mean 'floor'?\n",
        ),
        (('file = "lms.json"', ""), "connection 'acme': the setting 'file' is missing\nPath of the file"),
        (
            ('connector = "paper"', 'connector = "papier"'),
            "connection 'acme': unknown connector 'papier'\nDid you mean",
        ),
        (
            ("ACME_TOKEN", "NOT_SET_ANYWHERE"),
            "connection 'acme': the environment variable NOT_SET_ANYWHERE is not set\n",
        ),
        (("paper_lms", "paper_mill"), "there is no module paper_mill"),
    ],
)
def test_a_mistake_in_a_connection_is_two_lines(desk: Desk, change: tuple[str, str], said: str) -> None:
    desk.config((desk.folder / "rollbook.toml").read_text().replace(*change))
    result = desk.run("check", "acme")

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("rollbook: ")
    assert result.stderr.count("\n") <= 2


@pytest.mark.parametrize(
    ("line", "said"),
    [("titel = 'x'", "titel"), ('due_at = "datetime(due"', "due_at"), ('status.values = { odd = "oddly" }', "oddly")],
)
def test_a_mistake_in_an_override_names_the_config_and_the_key(desk: Desk, line: str, said: str) -> None:
    text = (desk.folder / "rollbook.toml").read_text()
    desk.config(f"{text}\n[connections.acme.mapping.course_enrollment]\n{line}\n")
    result = desk.run("check", "acme")

    assert result.exit_code == 2
    assert "rollbook.toml" in result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_an_override_is_used(desk: Desk) -> None:
    text = (desk.folder / "rollbook.toml").read_text()
    desk.config(f'{text}\n[connections.acme.mapping.course_enrollment.status]\nvalues = {{ sleeping = "withdrawn" }}\n')

    assert "drift" not in desk.run("sync", "acme").stderr


def test_a_store_that_cannot_be_made_is_told(desk: Desk) -> None:
    desk.config(f'[store]\nurl = "sqlite:///no/such/folder/book.db"\n{(desk.folder / "rollbook.toml").read_text()}')
    result = desk.run("sync", "acme")

    assert result.exit_code == 1
    assert "no/such/folder does not exist" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
def test_a_plain_secret_that_others_can_read_is_warned_of_once(desk: Desk) -> None:
    desk.config((desk.folder / "rollbook.toml").read_text().replace('{ env = "ACME_TOKEN" }', '"plain-secret"'))
    (desk.folder / "rollbook.toml").chmod(0o644)
    result = desk.run("sync", "acme")

    assert result.exit_code == 0
    assert result.stderr.count("others on this machine can read token of acme in rollbook.toml") == 1
    assert "plain-secret" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_terminated_sync_keeps_its_place(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"later": "terminate"})
    stopped = desk.process("sync", "acme")
    desk.lms(desk.record("1"), more={"later": [desk.record("2")]})
    resumed = desk.process("sync", "acme")

    assert stopped.returncode == 143
    assert stopped.stderr.endswith("the sync was stopped\nRun the same command again, and it goes on where it was.\n")
    assert resumed.returncode == 0
    assert "taken up where it had stopped" in resumed.stderr


def test_an_interrupted_sync_says_how_to_go_on_and_goes_on(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"later": "interrupt"})
    stopped = desk.process("sync", "acme")
    desk.lms(desk.record("1"), more={"later": [desk.record("2")]})
    resumed = desk.process("sync", "acme")

    assert stopped.returncode == 130
    assert stopped.stderr.endswith("\nInterrupted. Run the same command again, and it goes on where it was.\n")
    assert resumed.returncode == 0
    assert "taken up where it had stopped" in resumed.stderr
    assert "rows      2: " in resumed.stderr
