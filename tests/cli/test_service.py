"""`rollbook sync --every`: it keeps running, on time, and says a line about each round."""

from __future__ import annotations

import asyncio
import gc
import heapq
import itertools
import json
import random
import signal
import subprocess
import sys
import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import pytest
from rollbook.core.cli.interval import interval
from rollbook.core.cli.jobs import Ended, Jobs
from rollbook.core.cli.progress import Silence
from rollbook.core.cli.schedule import Schedule
from rollbook.core.cli.service import Service
from rollbook.core.cli.workspace import Workspace
from rollbook.core.errors import RateLimited, Stopped, VendorError
from rollbook.core.sync import Counts, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from .conftest import Desk

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class NoJitter(random.Random):
    def random(self) -> float:
        return 0.0


class MostJitter(random.Random):
    def random(self) -> float:
        return 0.999


@dataclass
class Time:
    """Passes only when everybody waits for it."""

    now: float = 0.0
    waiting: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.now)

    async def sleep(self, seconds: float) -> None:
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self.waiting, (self.now + seconds, next(self.numbers), future))
        await future

    async def pass_until(self, work: asyncio.Future[None], end: float) -> None:
        while self.now < end and not work.done():
            for _ in range(30):  # all that can go on does
                await asyncio.sleep(0)
            while self.waiting and self.waiting[0][2].done():
                heapq.heappop(self.waiting)
            if self.waiting:
                self.now, _, future = heapq.heappop(self.waiting)
                future.set_result(None)


@dataclass
class Office:
    """Runs a service over syncs that are told beforehand how long they take and how they end."""

    takes: Callable[[str, int], float] = lambda _name, _round: 60
    ends: Callable[[str, int], Exception | None] = lambda _name, _round: None
    time: Time = field(default_factory=Time)
    began: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    warned: list[Exception] = field(default_factory=list[Exception])
    together: int = 0

    async def sync(self, name: str) -> Ended:
        rounds = self.began.setdefault(name, [])
        rounds.append(self.time.now)
        self.together = max(self.together, len([one for one in [name] if one in self._running]) + 1)
        self._running.add(name)
        await self.time.sleep(self.takes(name, len(rounds) - 1))
        self._running.discard(name)
        error = self.ends(name, len(rounds) - 1)
        report = Report(name, "fake", "incremental", len(rounds), START, counts=Counts(new=3, requests=7))
        report.outcome, report.live = None if error else "complete", 40
        return Ended(name, report, error)

    def open(
        self, names: list[str], every: timedelta, until: float, rng: random.Random | None = None
    ) -> list[dict[str, Any]]:
        """Keep the names in sync for so many seconds, stop, and give the lines."""
        self._running: set[str] = set()

        async def run() -> None:
            stopping = asyncio.Event()
            service = Service(
                self.sync,
                every,
                stopping,
                tell=lambda line: self.lines.append(json.loads(line)),
                warn=self.warned.append,
                clock=self.time.clock,
                sleep=self.time.sleep,
                rng=rng or NoJitter(),
            )
            work = asyncio.ensure_future(service.run(names))
            await self.time.pass_until(work, until)
            stopping.set()
            await self.time.pass_until(work, until + 86_400)
            await work

        asyncio.run(run())
        return self.lines


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("6h", 21_600), ("1d", 86_400), ("10s", 10), (" 2h ", 7_200)]
)
def test_an_interval_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert interval(click.Context(click.Command("x")), click.Option(["--every"]), text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("90", "'90' has no unit. Write it as 90s, 15m, 6h or 1d."),
        ("15 minutes", "'15 minutes' is no interval. Write it as 90s, 15m, 6h or 1d."),
        ("1.5h", "'1.5h' is no interval"),
        ("-5m", "'-5m' is no interval"),
        ("1h30m", "'1h30m' is no interval"),
        ("", "'' is no interval"),
        ("\N{ARABIC-INDIC DIGIT NINE}m", "is no interval"),
        ("0s", "0s is too short: 10s at least."),
        ("9s", "9s is too short: 10s at least."),
        ("367d", "367d is too long: 366d at most."),
        ("999999999d", "999999999d is too long"),
    ],
)
def test_any_other_interval_is_refused_with_what_to_write(desk: Desk, text: str, said: str) -> None:
    result = desk.run("sync", "acme", f"--every={text}")

    assert result.exit_code == 2
    assert said in result.stderr


def test_removals_are_not_allowed_for_all_time(desk: Desk) -> None:
    result = desk.run("sync", "acme", "--every", "1h", "--allow-removals")

    assert result.exit_code == 2
    assert "does not go with --every" in result.stderr


def test_rounds_begin_on_time_however_long_each_takes() -> None:
    office = Office(takes=lambda _, number: 60 + 500 * (number % 3))
    office.open(["acme"], HOUR, 5 * 3600 - 1)

    assert office.began["acme"] == [0, 3600, 7200, 10800, 14400]


def test_rounds_that_are_missed_are_left_out_and_told() -> None:
    office = Office(takes=lambda _, number: 2.5 * 3600 if number == 1 else 60)
    lines = office.open(["acme"], HOUR, 6 * 3600)

    assert office.began["acme"][:4] == [0, 3600, 4 * 3600, 5 * 3600]
    assert [one["skipped_rounds"] for one in lines[:4]] == [0, 2, 0, 0]


def test_a_connection_is_never_synced_twice_at_once_and_holds_no_other_up() -> None:
    office = Office(takes=lambda name, _: 7_000 if name == "slow" else 10)
    office.open(["slow", "quick"], HOUR, 4 * 3600 - 1)

    assert office.together == 1
    assert office.began["quick"] == [0, 3600, 7200, 10800]
    assert office.began["slow"] == [0, 7200]


def test_a_round_begins_up_to_a_tenth_of_the_interval_later_so_that_not_all_ask_at_once() -> None:
    office = Office()
    names = [f"c{number}" for number in range(30)]
    office.open(names, HOUR, 2 * 3600 - 1, rng=random.Random(7))
    seconds = [began[1] for began in office.began.values()]

    assert all(3600 <= one < 3600 + 300 for one in seconds)
    assert len({round(one) for one in seconds}) > 20


def test_jitter_adds_nothing_up_from_round_to_round() -> None:
    office = Office()
    office.open(["acme"], timedelta(minutes=10), 100 * 600 - 1, rng=random.Random(3))

    assert len(office.began["acme"]) == 100
    assert all(0 <= began - 600 * number < 60 for number, began in enumerate(office.began["acme"]))


def test_a_round_that_fails_is_told_and_ends_nothing() -> None:
    office = Office(ends=lambda _, number: VendorError("no answer", hint="Later.") if number in {1, 2} else None)
    lines = office.open(["acme"], HOUR, 5 * 3600 - 1)

    assert [one["outcome"] for one in lines] == ["complete", "failed", "failed", "complete", "complete"]
    assert [one["failed_in_a_row"] for one in lines] == [0, 1, 2, 0, 0]
    assert [str(one) for one in office.warned] == ["no answer\nLater."] * 2


def test_a_bug_in_a_round_ends_nothing_and_its_text_is_not_in_the_line() -> None:
    office = Office(ends=lambda _, number: TypeError("Ada Example") if number == 0 else None)
    lines = office.open(["acme"], HOUR, 2 * 3600 - 1)

    assert [one["error"] for one in lines] == ["a bug: TypeError", ""]


@pytest.mark.parametrize(
    ("retry_after", "second"),
    [
        (600, 660),  # before the next round is due: a sync that a quota stopped goes on as soon as it may
        (5_000, 5_060),
        (80_000, 80_060),
        (10**12, 60 + 86_400),  # an absurd wait silences no connection for ever
    ],
)
def test_a_spent_quota_is_waited_for_and_no_longer(retry_after: float, second: float) -> None:
    spent = RateLimited("the quota is spent", retry_after=retry_after)
    office = Office(ends=lambda _, number: spent if number == 0 else None)
    office.open(["acme"], HOUR, 100_000)

    assert office.began["acme"][:2] == [0, second]
    assert office.began["acme"][2] % 3600 == 0


def test_rounds_that_a_quota_takes_are_told() -> None:
    office = Office(ends=lambda _, number: RateLimited("spent", retry_after=7_400) if number == 0 else None)
    lines = office.open(["acme"], HOUR, 4 * 3600)

    assert office.began["acme"][:3] == [0, 7_460, 10_800]
    assert [one["skipped_rounds"] for one in lines[:2]] == [1, 0]


def test_a_quota_that_says_no_time_waits_for_the_next_round() -> None:
    office = Office(ends=lambda _, number: RateLimited("spent") if number == 0 else None)
    office.open(["acme"], HOUR, 3700)

    assert office.began["acme"] == [0, 3600]


def test_the_line_says_all_that_an_alert_needs() -> None:
    [line] = Office().open(["acme"], HOUR, 100)

    assert line == {
        "time": "2026-01-31T12:00:00Z",
        "connection": "acme",
        "outcome": "complete",
        "seconds": 60.0,
        "mode": "incremental",
        "resumed": False,
        "rows": 40,
        "new": 3,
        "changed": 0,
        "removed": 0,
        "removals_held": 0,
        "rejected": 0,
        "drift": 0,
        "partitions_failed": 0,
        "partitions_forbidden": 0,
        "requests": 7,
        "failed_in_a_row": 0,
        "error": "",
        "next": "2026-01-31T13:00:00Z",
        "skipped_rounds": 0,
    }


def test_a_stop_between_rounds_ends_the_service_at_once() -> None:
    office = Office()
    office.open(["acme", "other"], timedelta(days=1), 3600)

    assert office.time.now <= 3660
    assert [one["outcome"] for one in office.lines] == ["complete", "complete"]


def test_a_stop_within_a_round_lets_it_end_and_begins_no_other() -> None:
    office = Office(takes=lambda _name, _round: 1_000, ends=lambda _name, _round: Stopped("stopped"))
    office.open(["acme"], HOUR, 500)

    assert [one["outcome"] for one in office.lines] == ["stopped"]
    assert office.began["acme"] == [0]


@pytest.mark.parametrize("rng", [NoJitter(), MostJitter()])
def test_a_schedule_never_begins_before_a_round_has_ended(rng: random.Random) -> None:
    schedule = Schedule(START, HOUR, rng)
    ended = START
    for minutes in (1, 59, 61, 200, 3, 66):
        ended = max(ended, schedule.due) + timedelta(minutes=minutes)
        schedule.go_on(ended)

        assert schedule.due >= ended
        assert (schedule.due - START) % HOUR <= timedelta(minutes=5) or schedule.due == ended


def test_memory_is_flat_over_many_rounds(desk: Desk) -> None:
    """Real syncs, 60 of them, in one service: what it holds after the last is what it held after the twentieth."""
    sizes: list[int] = []

    async def run() -> None:
        time, work = Time(), Workspace(None)
        with work.store() as store:
            jobs = Jobs(store, work.open)

            def tell(_: str) -> None:
                gc.collect()
                sizes.append(tracemalloc.get_traced_memory()[0])
                if len(sizes) == 60:
                    jobs.stop()

            async def sleep(seconds: float) -> None:
                time.now += seconds
                await asyncio.sleep(0)

            service = Service(
                lambda name: jobs.sync(name, Silence), HOUR, jobs.stopping, tell=tell, clock=time.clock, sleep=sleep
            )
            await service.run(["acme"])
        await asyncio.sleep(0)

        assert len(asyncio.all_tasks()) == 1

    tracemalloc.start()
    try:
        asyncio.run(run())
    finally:
        tracemalloc.stop()

    assert len(sizes) == 60
    assert sizes[-1] - sizes[19] < 100_000


def test_a_config_that_is_broken_at_the_start_ends_it(desk: Desk) -> None:
    text = (desk.folder / "rollbook.toml").read_text()
    desk.config(f'{text}\n[connections.other]\nconnector = "paper"\nfile = "x.json"\n')
    result = desk.run("sync", "--all", "--every", "1h")

    assert result.exit_code == 2
    assert "connection 'other': the setting 'token' is missing" in result.stderr
    assert result.stdout == ""


@contextmanager
def running(desk: Desk, *args: str) -> Generator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "rollbook.core", "sync", *args]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=desk.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_service_that_waits_is_ended_by_a_signal_with_0(desk: Desk, sign: signal.Signals) -> None:
    with running(desk, "acme", "--every", "1d") as process:
        assert process.stdout
        assert process.stderr
        line = json.loads(process.stdout.readline())
        process.send_signal(sign)
        rest, said = process.communicate()

    assert line["outcome"] == "complete"
    assert line["new"] == 3
    assert process.returncode == 0
    assert rest == ""
    assert said.startswith("rollbook: syncing 1 connection every 24 h 0 min, 4 at once\n")
    assert said.endswith("rollbook: stopped, as it was told to\n")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("word", ["terminate", "interrupt"])
def test_a_service_in_the_middle_of_a_round_keeps_its_place(desk: Desk, word: str) -> None:
    desk.lms(desk.record("1"), more={"later": word})
    with running(desk, "acme", "--every", "1d") as process:
        told, _ = process.communicate()
    desk.lms(desk.record("1"), more={"later": [desk.record("2")]})
    resumed = desk.process("sync", "acme")

    assert process.returncode == 0
    assert [json.loads(line)["outcome"] for line in told.splitlines()] == ["stopped"]
    assert "taken up where it had stopped" in resumed.stderr
