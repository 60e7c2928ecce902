"""Showing that syncs are alive: a bar for each on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol, Self

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .screen import console, counted, plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from rich.console import Console
    from rich.progress import TaskID

    from ..sync import Report

__all__ = ["Bar", "Board", "Lines", "Show", "Silence"]

SECONDS = 10.0
"""How long nothing is said between two plain lines."""


class Show(Protocol):
    """What a sync shows while it runs; it is told of each page."""

    def __call__(self, report: Report) -> None:
        """Take the live report."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Lines:
    """A line at the start, and one at most every ten seconds.

    Args:
        name: The connection's name.
        clock: Gives seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._said = 0.0

    def __call__(self, report: Report) -> None:
        """Say how far it is, if nothing was said for a while."""
        if self._clock() - self._said < SECONDS:
            return
        self._said = self._clock()
        self._say(f"{_partitions(report)}, {counted(report.counts.records, 'record')}")

    def _say(self, text: str) -> None:
        click.echo(f"{self._name}: {text}", err=True)

    def __enter__(self) -> Self:
        self._said = self._clock()
        self._say("reading")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class Silence:
    """Shows nothing; for a service, which says a line at the end of each round."""

    def __init__(self, name: str) -> None:
        del name

    def __call__(self, report: Report) -> None:
        """Take the report, and keep silent."""
        del report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class Bar:
    """A bar that fills with the partitions read, and goes away at the end.

    Args:
        name: The connection's name.
        bars: Where it stands, among others.
    """

    def __init__(self, name: str, bars: Progress) -> None:
        self._name = name
        self._bars = bars

    def __call__(self, report: Report) -> None:
        """Move the bar; while the partitions are still being listed, it has no end."""
        known = report.planned and report.listed > 1  # a single partition says nothing about how far it is
        self._bars.update(
            self._task,
            total=report.listed if known else None,
            completed=report.read if known else 0,
            read=f"{_partitions(report)}, {counted(report.counts.records, 'record')}",
        )

    def __enter__(self) -> Self:
        self._task = self._bars.add_task(plain(self._name), total=None, read="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.refresh()  # how far it came is seen, however short it was
        self._bars.remove_task(self._task)


class Board:
    """Shows the syncs under way: bars if somebody is watching, else lines. What is printed stands above the bars.

    Args:
        total: How many connections there are in all; of several, it also tells how many have ended.
        terminal: Where to draw; by default on stderr.
    """

    def __init__(self, total: int = 1, terminal: Console | None = None) -> None:
        terminal = terminal or console(stderr=True)
        self._bars = _bars(terminal) if terminal.is_interactive else None
        self._total = total
        self._ended = 0
        self._all: TaskID | None = None

    def show(self, name: str) -> Show:
        """Give what shows one connection."""
        return Lines(name) if self._bars is None else Bar(name, self._bars)

    def note_end(self) -> None:
        """Count a connection that has ended."""
        self._ended += 1
        if self._bars is not None and self._all is not None:
            self._bars.update(self._all, completed=self._ended, read=self._tally())

    def _tally(self) -> str:
        return f"{self._ended:,} of {counted(self._total, 'connection')}"

    def __enter__(self) -> Self:
        if self._bars is not None:
            if self._total > 1:
                self._all = self._bars.add_task("all", total=self._total, read=self._tally())
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()


def _bars(terminal: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[read]}", markup=False),
        TimeElapsedColumn(),
        console=terminal,
        transient=True,
        expand=True,
    )


def _partitions(report: Report) -> str:
    more = "" if report.planned else " so far"
    return f"{report.read:,} of {counted(report.listed, 'partition')}{more}"
