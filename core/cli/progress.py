"""Showing that a sync is alive: a bar on a terminal, a plain line now and then elsewhere."""

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

    from ..sync import Report

__all__ = ["Bar", "Lines", "Show", "show"]

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


class Bar:
    """A bar that fills with the partitions read, and goes away at the end.

    Args:
        name: The connection's name.
        terminal: Where to draw.
    """

    def __init__(self, name: str, terminal: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[read]}", markup=False),
            TimeElapsedColumn(),
            console=terminal,
            transient=True,
            expand=True,
        )
        self._task = self._progress.add_task(plain(name), total=None, read="")

    def __call__(self, report: Report) -> None:
        """Move the bar; while the partitions are still being listed, it has no end."""
        known = report.planned and report.listed > 1  # a single partition says nothing about how far it is
        self._progress.update(
            self._task,
            total=report.listed if known else None,
            completed=report.read if known else 0,
            read=f"{_partitions(report)}, {counted(report.counts.records, 'record')}",
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def show(name: str) -> Show:
    """Give a bar if somebody is watching, else lines."""
    terminal = console(stderr=True)
    return Bar(name, terminal) if terminal.is_interactive else Lines(name)


def _partitions(report: Report) -> str:
    more = "" if report.planned else " so far"
    return f"{report.read:,} of {counted(report.listed, 'partition')}{more}"
