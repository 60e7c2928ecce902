"""What commands print for people: 80 columns are enough, colours only on a terminal that wants them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from rich.console import RenderableType

__all__ = ["console", "counted", "facts", "listed", "moment", "plain", "say", "span", "table"]

OUTCOMES = {"complete": "green", "partial": "yellow", "failed": "red", "interrupted": "yellow", "never": "dim"}
"""Colours of a run's outcome."""

_TIE = "\N{NO-BREAK SPACE}"


def console(*, stderr: bool = False) -> Console:
    """Give the terminal; what is printed on it is taken as it is, with no markup of rich's own."""
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def say(*parts: RenderableType, stderr: bool = False) -> None:
    """Print texts and tables one below the other, without the blanks that rich fills lines with."""
    terminal = console(stderr=stderr)
    with terminal.capture() as captured:
        terminal.print(*parts, sep="\n")
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()), err=stderr)


def table(*columns: str, right: Iterable[str] = ()) -> Table:
    """Give a table with a heading for each column; those in `right` hold numbers."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def facts(rows: Iterable[tuple[str, str]]) -> Table:
    """Give labels with their texts, indented under a title; empty texts are left out."""
    shown = [(f"  {label}", text) for label, text in rows if text]
    width = console().width - max((len(label) for label, _ in shown), default=0) - 4
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, text in shown:
        lines = textwrap.wrap(text, max(width, 20), break_on_hyphens=False)  # not at the blank of `120 in_progress`
        made.add_row(label, "\n".join(lines).replace(_TIE, " "))
    return made


def plain(text: str) -> str:
    """Show a foreign text without what could steer a terminal."""
    return "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: `1 row`, `1,204 rows`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def listed(counts: Mapping[str, int]) -> str:
    """Write counts by name, the greatest first: `41 instructor, 3 test_user`; tied, so that lines end at commas."""
    order = sorted(counts.items(), key=lambda one: (-one[1], one))
    return ", ".join(f"{count:,}{_TIE}{plain(name)}" for name, count in order)


def moment(time: datetime) -> str:
    """Write a time for people."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """Write a length of time for people."""
    if seconds < 10:  # noqa: PLR2004 - tenths tell nothing above
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
