"""`rollbook export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .instant import instant
from .output import output
from .screen import counted
from .stored import stored_run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from ..mapping import Normalizer
    from ..store import Store
    from .workspace import Workspace

__all__ = ["export"]


@click.command()
@click.argument("name")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["jsonl", "json", "csv"]),
    default="jsonl",
    show_default=True,
    help="How it is written.",
)
@click.option("-o", "--output", "file", metavar="FILE", help="Where to, if not standard output.")
@click.option(
    "--as-of", metavar="TIME", callback=instant, help="Tell statuses for this time: overdue by then, or expired."
)
@click.option("--removed", is_flag=True, help="Also those that the LMS no longer has.")
@click.pass_obj
def export(work: Workspace, name: str, *, kind: str, file: str | None, as_of: datetime | None, removed: bool) -> None:
    """Write a connection's enrollments as JSON lines, JSON or CSV.

    All 22 fields, by id. In CSV, lists and objects are JSON, and a text that a spreadsheet would run as a formula
    begins with an apostrophe.
    """
    from .formats import FORMATS  # noqa: PLC0415 - slow to import

    count = 0

    def counting(records: Iterable[str]) -> Iterator[str]:
        nonlocal count
        for count, record in enumerate(records, 1):  # noqa: B007 - read below
            yield record

    with work.store() as store:
        stored_run(work, store, name)
        records = _records(work, store, name, as_of, removed=removed)
        with output(file) as stream:
            stream.writelines(FORMATS[kind](counting(records)))
    if file not in (None, "-"):
        click.echo(f"{name}: {counted(count, 'enrollment')} written to {file}", err=True)


def _records(work: Workspace, store: Store, name: str, as_of: datetime | None, *, removed: bool) -> Iterator[str]:
    """Give the stored records as JSON, by id, mapped again where another time asks for it."""
    from ..store.rows import enrollment_of  # noqa: PLC0415 - slow to import
    from ..sync.remap import normalized  # noqa: PLC0415
    from .formats import json_of  # noqa: PLC0415

    normalizer = _normalizer(work, name) if as_of else None
    for row in store.rows(name, removed=removed):
        one = normalized(row, normalizer, as_of) if normalizer else enrollment_of({**row, "remote_data": "{}"})
        if one is not None:
            yield json_of(one, row["remote_data"])


def _normalizer(work: Workspace, name: str) -> Normalizer:
    """Compile a connection's mapping; no secret is needed for it."""
    from ..mapping import compile  # noqa: PLC0415 - slow to import

    _, definition, settings = work.config.mapping(name)
    return compile(definition, settings)
