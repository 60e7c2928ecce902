"""`rollbook sync --all`: connections are synced a few at a time, and none of them stops another."""

from __future__ import annotations

import asyncio
import io
import os
import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from rich.console import Console
from rollbook.core.cli.jobs import Ended, Jobs
from rollbook.core.cli.progress import Board, Silence
from rollbook.core.errors import RateLimited, Stopped, VendorError
from rollbook.core.store import Store
from rollbook.core.sync import Counts, Report
from rollbook.sandbox import Sandbox, Tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Desk

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HANDLES = Path("/proc/self/fd")
MANY = 40


def configured(desk: Desk, *names: str) -> None:
    """Give each name a connection to an LMS of its own, `NAME.json`, with two learners."""
    parts = ['[plugins]\nmodules = ["paper_lms"]\n']
    for name in names:
        parts.append(
            f'[connections.{name}]\nconnector = "paper"\nfile = "{name}.json"\ntoken = {{ env = "ACME_TOKEN" }}\n'
        )
        desk.lms(desk.record("1"), desk.record("2"))
        (desk.folder / "lms.json").rename(desk.folder / f"{name}.json")
    desk.config("\n".join(parts))


def blocks(text: str) -> dict[str, list[str]]:
    """Give the summary of each connection: the title's rest and the indented lines right below it."""
    found: dict[str, list[str]] = {}
    for name, rest, below in re.findall(r"^(\w+): ((?:complete|partial|failed).*)\n((?:  .*\n)*)", text, re.MULTILINE):
        found[name] = [rest, *below.splitlines()]
    return found


@dataclass
class FakeConnection:
    name: str

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *why: object) -> None:
        return None


@dataclass
class Bench:
    """Stands for the engine: notes how many run at once, and lets each end when it is told to."""

    running: set[str] = field(default_factory=set[str])
    most: int = 0
    begun: list[str] = field(default_factory=list[str])
    errors: dict[str, Exception] = field(default_factory=dict[str, Exception])
    stopped: set[str] = field(default_factory=set[str])
    turns: int = 5

    def sync(self, connection: FakeConnection, store: object) -> Any:
        bench = self

        class Fake:
            def stop(self) -> None:
                bench.stopped.add(connection.name)

            async def run(self, **options: Any) -> Report:
                bench.running.add(connection.name)
                bench.begun.append(connection.name)
                bench.most = max(bench.most, len(bench.running))
                try:
                    for _ in range(bench.turns):
                        await asyncio.sleep(0)
                        if connection.name in bench.stopped:
                            raise Stopped("the sync was stopped")
                    if error := bench.errors.get(connection.name):
                        raise error
                    return Report(connection.name, "fake", "full", 1, NOON, outcome="complete")
                finally:
                    bench.running.discard(connection.name)

        return Fake()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    monkeypatch.setattr("rollbook.core.sync.Sync", made.sync)
    return made


def all_of(
    jobs_of: Callable[[], Jobs], names: list[str], then: Callable[[Jobs], None] | None = None
) -> list[Ended | None]:
    async def run() -> list[Ended | None]:
        jobs = jobs_of()
        tasks = [asyncio.ensure_future(jobs.sync(name, Silence)) for name in names]
        if then:
            for _ in range(4):
                await asyncio.sleep(0)
            then(jobs)
        return list(await asyncio.gather(*tasks))

    return asyncio.run(run())


def fake_jobs(at_once: int) -> Jobs:
    nowhere: Any = None
    connect: Any = FakeConnection
    return Jobs(nowhere, connect, at_once=at_once)


@pytest.mark.parametrize("bound", [1, 3, 7])
def test_no_more_run_at_once_than_were_asked_for_and_all_of_them_run(bench: Bench, bound: int) -> None:
    names = [f"c{number}" for number in range(20)]
    ended = all_of(lambda: fake_jobs(bound), names)

    assert bench.most == bound
    assert sorted(bench.begun) == sorted(names)
    assert {one.outcome for one in ended if one} == {"complete"}


def test_one_that_fails_in_any_way_stops_no_other(bench: Bench) -> None:
    bench.errors = {"b": VendorError("no answer"), "c": TypeError("a bug"), "d": RateLimited("spent", retry_after=9)}
    ended = all_of(lambda: fake_jobs(2), ["a", "b", "c", "d", "e"])

    assert [one.outcome for one in ended if one] == ["complete", "failed", "failed", "failed", "complete"]


def test_a_stop_ends_those_that_run_and_begins_no_other(bench: Bench) -> None:
    ended = all_of(lambda: fake_jobs(2), ["a", "b", "c", "d"], lambda jobs: jobs.stop())

    assert bench.begun == ["a", "b"]
    assert [one.outcome if one else None for one in ended] == ["stopped", "stopped", None, None]


def test_summaries_of_several_connections_do_not_mix(desk: Desk) -> None:
    names = [f"lms{number}" for number in range(12)]
    configured(desk, *names)
    result = desk.run("sync", "--all", "--jobs", "6")

    assert result.exit_code == 0
    assert set(blocks(result.stderr)) == set(names)
    assert {lines[1].strip() for lines in blocks(result.stderr).values()} == {
        "rows      2: 2 new, 0 changed, 0 unchanged, 0 removed"
    }
    assert result.stderr.endswith("12 connections: 12 complete\n")


def test_the_end_names_those_that_somebody_should_look_at(desk: Desk) -> None:
    configured(desk, "good", "cut", "down")
    desk.lms(desk.record("1"), more={"course:7": "down"})
    (desk.folder / "lms.json").rename(desk.folder / "cut.json")
    (desk.folder / "down.json").write_text('{"partitions": {"all": "down"}}')
    result = desk.run("sync", "--all")

    assert result.exit_code == 1
    assert result.stderr.endswith("3 connections: 1 complete, 1 failed, 1 partial. Look at: cut, down\n")


def test_one_that_is_being_synced_already_is_told_and_the_others_go_on(desk: Desk) -> None:
    configured(desk, "one", "two", "three")
    with Store(f"sqlite:///{desk.folder}/rollbook.db") as store, store.held("two"):
        result = desk.run("sync", "--all")

    assert result.exit_code == 1
    assert "another sync of 'two' is under way" in result.stderr
    assert set(blocks(result.stderr)) == {"one", "three"}


@pytest.mark.skipif(sys.platform == "win32", reason="the PostgreSQL for tests is POSIX's")
def test_several_at_once_write_into_one_postgresql(
    desk: Desk, postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"lms{number}" for number in range(10)]
    configured(desk, *names)
    monkeypatch.setenv("STORE", postgres())
    desk.config(f'[store]\nurl = {{ env = "STORE" }}\n{(desk.folder / "rollbook.toml").read_text()}')
    result = desk.run("sync", "--all", "--jobs", "10")

    assert result.exit_code == 0, result.stderr
    assert {lines[1].strip() for lines in blocks(result.stderr).values()} == {
        "rows      2: 2 new, 0 changed, 0 unchanged, 0 removed"
    }
    assert result.stderr.endswith("10 connections: 10 complete\n")


def test_one_whose_config_is_broken_is_told_and_the_others_go_on(desk: Desk) -> None:
    configured(desk, "one", "two", "three")
    text = (desk.folder / "rollbook.toml").read_text()
    desk.config(text.replace('file = "two.json"', 'flie = "two.json"'))
    result = desk.run("sync", "--all")

    assert result.exit_code == 2
    assert "connection 'two': unknown setting of paper 'flie'\nDid you mean 'file'?\n" in result.stderr
    assert set(blocks(result.stderr)) == {"one", "three"}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize(("word", "status"), [("terminate", 143), ("interrupt", 130)])
def test_a_signal_stops_all_and_each_goes_on_where_it_was(desk: Desk, word: str, status: int) -> None:
    configured(desk, "first", "second")
    desk.lms(desk.record("1"), more={"later": word})
    (desk.folder / "lms.json").rename(desk.folder / "first.json")
    stopped = desk.process("sync", "--all", "--jobs", "1")
    desk.lms(desk.record("1"), more={"later": [desk.record("2")]})
    (desk.folder / "lms.json").rename(desk.folder / "first.json")
    resumed = desk.process("sync", "--all")

    assert stopped.returncode == status
    assert "second: " not in stopped.stderr
    assert resumed.returncode == 0
    assert "taken up where it had stopped" in blocks(resumed.stderr)["first"][0]
    assert "rows      2: 2 new" in blocks(resumed.stderr)["first"][1]
    assert "rows      2: 2 new" in blocks(resumed.stderr)["second"][1]


def test_a_sync_that_was_terminated_tells_which_were_not_begun(desk: Desk) -> None:
    configured(desk, "first", "second", "third")
    desk.lms(desk.record("1"), more={"later": "terminate"})
    (desk.folder / "lms.json").rename(desk.folder / "first.json")

    assert desk.process("sync", "--all", "--jobs", "1").stderr.endswith("3 connections: 2 not begun, 1 stopped\n")


@pytest.mark.parametrize("jobs", ["0", "33", "many"])
def test_a_number_of_jobs_that_cannot_be_is_refused(desk: Desk, jobs: str) -> None:
    result = desk.run("sync", "--all", "--jobs", jobs)

    assert result.exit_code == 2
    assert "--jobs" in result.stderr


def test_many_connections_leave_nothing_behind_and_hold_few_sockets(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled: list[int] = []
    seen = Board.note_end

    def note_end(board: Board) -> None:
        sampled.append(len(os.listdir(HANDLES)) if HANDLES.exists() else 0)  # noqa: PTH208 - a count, not paths
        seen(board)

    monkeypatch.setattr(Board, "note_end", note_end)
    with Sandbox("canvas", tenant=Tenant(size=3, courses=1)) as sandbox:
        table = f'connector = "canvas"\nbase_url = "{sandbox.base_url}"\naccess_token = {{ env = "ACME_TOKEN" }}\n'
        monkeypatch.setenv("ACME_TOKEN", sandbox.settings["access_token"])
        desk.config("\n".join(f"[connections.c{number:03d}]\n{table}" for number in range(MANY)))
        desk.run("sync", "c000")  # what is loaded once is loaded now
        threads, handles = threading.active_count(), len(list(HANDLES.iterdir())) if HANDLES.exists() else 0
        result = desk.run("sync", "--all", "--jobs", "4")
        left = len(list(HANDLES.iterdir())) if HANDLES.exists() else 0

    assert result.exit_code == 0, result.stderr
    assert result.stderr.endswith(f"{MANY} connections: {MANY} complete\n")
    assert threading.active_count() <= threads
    assert max(sampled) < handles + 60  # four at a time, each with a few sockets at both ends, and the database
    assert left <= handles + 8  # the sandbox may still be closing its ends
    assert not list(desk.folder.glob("*.lock"))


def test_somebody_who_watches_sees_a_bar_for_each_and_how_many_have_ended() -> None:
    terminal = Console(file=io.StringIO(), width=100, force_terminal=True, markup=False)
    report = Report("[a]", "paper", "full", 1, NOON, counts=Counts(records=7), planned=True)
    report.partitions = {"complete": 1, "waiting": 2}
    with Board(1_000, terminal) as board, board.show("[a]") as one, board.show("b"):
        one(report)
        board.note_end()
    assert isinstance(terminal.file, io.StringIO)
    drawn = terminal.file.getvalue()

    for said in ("[a]", "b", "1 of 3 partitions, 7 records", "1 of 1,000 connections"):
        assert said in drawn
