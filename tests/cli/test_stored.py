"""`rollbook status`, `show` and `rejected` tell what is stored, without a request or a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Desk


@pytest.fixture
def synced(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a desk that was synced, and whose secret is gone since."""
    desk.lms(
        desk.record("1", state="open", name="Zoë Example"),
        desk.record("2", state="done"),
        desk.record("3", state="done", due="soon"),
        desk.record("4", state="sleeping"),
        {"user": "u9"},
    )
    desk.run("sync", "acme")
    monkeypatch.delenv("ACME_TOKEN")
    return desk


def test_status_tells_how_a_connection_is_doing(synced: Desk) -> None:
    text = synced.run("status").stdout

    assert text.startswith("acme  paper  complete\n")
    assert "last run   full, started 20" in text
    assert "rows       4\n" in text
    assert "by status  2 completed, 1 in_progress, 1 unknown\n" in text
    assert "flaws      1 due_at\n" in text
    assert "drift      status 'sleeping' in 1 row\n" in text
    assert "rejected   1; see: rollbook rejected acme\n" in text
    assert "next       rollbook export acme\n" in text
    assert max(map(len, text.splitlines())) <= 80


def test_status_of_a_connection_that_was_never_synced(desk: Desk) -> None:
    assert (
        desk.run("status").stdout == "acme  paper  never\n  last run  not synced yet\n  next      rollbook sync acme\n"
    )


def test_status_of_a_partial_run_counts_its_partitions(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"course:7": "down"})
    desk.run("sync", "acme")
    text = desk.run("status").stdout

    assert text.startswith("acme  paper  partial\n")
    assert "partitions  1 complete, 1 failed\n" in text
    assert "next        rollbook sync acme\n" in text


def test_status_of_an_interrupted_run_tells_how_to_go_on(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"later": "interrupt"})
    desk.process("sync", "acme")
    text = desk.run("status").stdout

    assert text.startswith("acme  paper  interrupted\n")
    assert "rollbook sync acme goes on where it was\n" in text


def test_status_without_a_connection_says_so(desk: Desk) -> None:
    desk.config("")

    assert desk.run("status").stdout == "rollbook.toml has no connection yet.\n"


def test_show_prints_one_record_whole(synced: Desk) -> None:
    result = synced.run("show", "acme", "1")
    one = json.loads(result.stdout)

    assert one["status"] == "in_progress"
    assert len(one) == 22
    assert "Zoë Example" in result.stdout


def test_show_tells_when_the_lms_no_longer_had_it(synced: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "right")
    synced.lms(synced.record("2"))
    synced.run("sync", "acme")

    assert synced.run("show", "acme", "1").stderr.startswith("The LMS no longer had it on 20")


def test_show_of_an_unknown_id_says_what_to_do(synced: Desk) -> None:
    result = synced.run("show", "acme", "77")

    assert result.exit_code == 1
    assert result.stderr == (
        "rollbook: connection 'acme': there is no enrollment '77' in the store\n"
        "If it is new in the LMS, run: rollbook sync acme\n"
    )


def test_show_survives_half_a_surrogate_pair(desk: Desk) -> None:
    desk.lms(desk.record("1", note="\ud83d", name="Zoë"))
    desk.run("sync", "acme")

    assert json.loads(desk.run("show", "acme", "1").stdout)["remote_data"]["note"] == "\ud83d"


def test_rejected_records_are_listed_with_their_reasons(synced: Desk) -> None:
    result = synced.run("rejected", "acme")

    assert result.stdout.splitlines()[0].split() == ["id", "partition", "reason"]
    assert result.stdout.splitlines()[1].split()[:2] == ["-", "all"]
    assert result.stderr == "1 rejected record (whole: rollbook rejected acme --format jsonl)\n"


def test_rejected_records_can_be_had_whole(synced: Desk) -> None:
    one = json.loads(synced.run("rejected", "acme", "--format", "jsonl").stdout)

    assert one["native"] == {"user": "u9"}
    assert one["reason"]


def test_no_rejected_records_is_said(desk: Desk) -> None:
    desk.run("sync", "acme")

    assert desk.run("rejected", "acme").stderr == "0 rejected records\n"
