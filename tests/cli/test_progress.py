"""A sync shows that it is alive: a bar to somebody who watches, a line now and then to a log."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rollbook.core.cli.progress import Board, Lines
from rollbook.core.cli.screen import counted, listed, plain
from rollbook.core.cli.summary import summary
from rollbook.core.sync import Counts, Report

if TYPE_CHECKING:
    from collections.abc import Callable

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def report() -> Report:
    return Report(
        "acme",
        "paper",
        "full",
        1,
        NOON,
        counts=Counts(records=2_000),
        planned=True,
        partitions={"complete": 3, "waiting": 9},
    )


def printed(report: Report) -> str:
    terminal = Console(file=io.StringIO(), width=80, markup=False, highlight=False)
    terminal.print(summary(report))
    assert isinstance(terminal.file, io.StringIO)
    return terminal.file.getvalue()


def ticking(*seconds: float) -> Callable[[], float]:
    return iter(seconds).__next__


def test_lines_are_at_least_ten_seconds_apart(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    with Lines("acme", ticking(0, 9.9, 10, 10, 19, 20, 20)) as watch:
        for _ in range(4):
            watch(report)

    line = "acme: 3 of 12 partitions, 2,000 records\n"

    assert capsys.readouterr().err == f"acme: reading\n{line}{line}"


def test_while_partitions_are_listed_the_number_is_only_so_far(
    report: Report, capsys: pytest.CaptureFixture[str]
) -> None:
    report.planned = False
    with Lines("acme", ticking(0, 10, 10)) as watch:
        watch(report)

    assert "3 of 12 partitions so far, " in capsys.readouterr().err


def test_the_bar_shows_the_connection_and_how_far_it_is(report: Report) -> None:
    terminal = Console(file=io.StringIO(), width=80, force_terminal=True, markup=False)
    with Board(1, terminal) as board, board.show("[acme]") as watch:
        watch(report)
    assert isinstance(terminal.file, io.StringIO)
    drawn = terminal.file.getvalue()

    assert "[acme]" in drawn
    assert "3 of 12 partitions, 2,000 records" in drawn


def test_without_a_terminal_there_are_lines() -> None:
    assert isinstance(Board().show("acme"), Lines)


def test_the_summary_tells_only_what_there_is_to_tell(report: Report) -> None:
    report.partitions = {"complete": 12}
    report.outcome, report.finished_at = "complete", NOON.replace(minute=2, second=5)
    report.counts = Counts(records=2_000, new=1_204, requests=310)
    report.live = 1_204

    assert [line.rstrip() for line in printed(report).splitlines()] == [
        "acme: complete (full, 2 min 5 s)",
        "  rows      1,204: 1,204 new, 0 changed, 0 unchanged, 0 removed",
        "  requests  310, 0 retries",
    ]


def test_the_summary_tells_all_that_went_wrong(report: Report) -> None:
    report.outcome = "partial"
    report.counts = Counts(requests=3, retries=1, waited=7_260.0, rejected=2, duplicates=1, remapped=4)
    report.counts.skipped = {"test_user": 3, "instructor": 41}
    report.flaws = {"due_at": 3}
    report.drift = {("status", f"word {number}"): number for number in range(1, 9)}
    report.failures = {f"course:{number}": "no answer" for number in range(8)}
    report.forbidden = {"course:9": "the token may not read this (403)"}
    report.totals = [("course:1", 120, 118)]
    report.removals_held = 30
    report.error = "listing the partitions: no answer"
    text = " ".join(printed(report).split())

    for said in (
        "partitions 9 waiting, 3 complete",
        "4 mapped again",
        "duplicates 1 record came more than once",
        "skipped 41 instructor, 3 test_user",
        "requests 3, 1 retry, waited 2 h 1 min",
        "flaws 3 due_at",
        "status 'word 8' in 8 rows",
        "and 3 more",
        "rejected 2; see: rollbook rejected acme",
        "kept 30 rows that the LMS no longer gives",
        "--allow-removals",
        "forbidden course:9 (the token may not read this (403)). Their rows are kept",
        "course:0 (no answer); course:1 (no answer)",
        "totals course:1 (the LMS says 120, and gave 118)",
        "error listing the partitions: no answer",
    ):
        assert said in text


def test_what_an_lms_says_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[31mb\nc é") == "a\ufffd[31mb\ufffdc é"


def test_numbers_are_written_for_people() -> None:
    assert counted(1, "row") == "1 row"
    assert counted(1_204, "row") == "1,204 rows"
    assert counted(2, "retry", "retries") == "2 retries"
    assert listed({"b": 1, "a": 1, "c": 1_000}).split(", ") == ["1,000\xa0c", "1\xa0a", "1\xa0b"]
