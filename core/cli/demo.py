"""`rollbook demo` and `rollbook sandbox`: rollbook at work on pretend LMSs, with no account and no network."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..schema import Status
from .failures import worst
from .screen import plain, say, table
from .sync import synced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.table import Table


__all__ = ["demo", "sandbox"]

_ROWS = 12


@click.command()
@click.option(
    "--store",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("rollbook-demo.db"),
    show_default=True,
    help="The SQLite file to write.",
)
def demo(file: Path) -> int:
    """See it work: sync two pretend LMSs on this machine.

    Serves them on loopback, reads them over HTTP as if they were real, and leaves all of it in an SQLite file.
    """
    from ...sandbox import VENDORS, Sandbox  # noqa: PLC0415 - an extra that may not be installed
    from ..connection import open_connection  # noqa: PLC0415 - slow to import
    from ..store import Store  # noqa: PLC0415

    vendors = list(VENDORS)
    click.echo(f"Two pretend LMSs of made-up people, on this machine: {' and '.join(vendors)}.", err=True)
    statuses: list[int] = []
    with Store(f"sqlite:///{file.absolute()}") as store:
        for vendor in vendors:
            with Sandbox(vendor) as served:
                statuses.append(synced(store, open_connection(vendor, vendor, served.settings), full=True))
        rows = [row for vendor in vendors for row in store.rows(vendor)]
    say("", _examples(rows), "", _counts(rows, vendors), "")
    click.echo(_next(file))
    return worst(statuses)


def _examples(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Show a few rows: every status that there is, from one LMS and the other."""
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault((row["status"], row["connection"]), row)
    by_status = [[first[key] for key in first if key[0] == status] for status in Status]
    chosen = [some[place % len(some)] for place, some in enumerate(by_status) if some]
    rest = [row for some in by_status for row in some if row not in chosen]
    order = list(Status)
    shown = table("LMS", "learner", "course", "status", "done", "score", right=("done", "score"))
    for column in shown.columns[1:3]:
        column.no_wrap, column.overflow, column.max_width = True, "ellipsis", 20
    for row in sorted([*chosen, *rest][:_ROWS], key=lambda row: order.index(Status(row["status"]))):
        done, score = row["progress_percent"], row["score"]
        shown.add_row(
            row["connection"],
            plain(row["user_name"] or ""),
            plain(row["course_title"] or ""),
            row["status"],
            "" if done is None else f"{done:.0f} %",
            "" if score is None else f"{score:g}",
        )
    return shown


def _counts(rows: Sequence[Mapping[str, Any]], vendors: Sequence[str]) -> Table:
    shown = table("status", *vendors, right=vendors)
    for status in Status:
        counts = [sum(row["status"] == status and row["connection"] == vendor for row in rows) for vendor in vendors]
        if any(counts):
            shown.add_row(status.value, *(f"{count:,}" if count else "" for count in counts))
    return shown


def _next(file: Path) -> str:
    query = "SELECT course_title, status, count(*) FROM enrollments GROUP BY 1, 2"
    if shutil.which("sqlite3"):
        ask = f'sqlite3 {shlex.quote(str(file))} \\\n    "{query}"'
    else:
        rows = f"sqlite3.connect({str(file)!r}).execute({query!r})"
        ask = f"python3 -c {shlex.quote(f'import sqlite3{chr(10)}for row in {rows}: print(*row)')}"
    return (
        f"All of it is in {file}, in the table enrollments. Try next:\n\n"
        f"  {ask}\n"
        "  rollbook connectors    which LMSs there are, and what each one can tell\n"
        "  rollbook init          a config for your own LMS"
    )


@click.command()
@click.argument("vendor")
@click.option("--port", type=click.IntRange(0, 65_535), default=8_000, show_default=True, help="0 takes a free one.")
def sandbox(vendor: str, port: int) -> None:
    """Serve a pretend LMS to try things on.

    VENDOR is talentlms or canvas. It speaks the vendor's own API over made-up people, until Ctrl-C.
    """
    from ...sandbox import serve  # noqa: PLC0415 - an extra that may not be installed

    def announce(example: str, settings: Mapping[str, str]) -> None:
        lines = [f"[connections.{vendor}]", f"connector = {json.dumps(vendor)}"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
        click.echo("\n".join([f"A pretend {vendor} listens, until Ctrl-C: {example}", "", *lines, ""]), err=True)

    serve(vendor, port=port, announce=announce)
