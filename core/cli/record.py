"""`rollbook record`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import RollbookError
from .screen import counted, facts, listed, plain, say

if TYPE_CHECKING:
    from ..testing.recording.record import Recorded
    from .workspace import Workspace

__all__ = ["record"]

PAGES, USERS = 2, 5
_SHOWN = 12
"""So many titles are shown to be looked over."""


@click.command()
@click.argument("connection", required=False)
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to; by default CONNECTION.har.json. What is expected goes beside it.",
)
@click.option(
    "--pages", type=click.IntRange(min=0), help=f"The most pages of each list, 0 for all.  [default: {PAGES}]"
)
@click.option(
    "--users", type=click.IntRange(min=0), help=f"The most items of each page, 0 for all.  [default: {USERS}]"
)
@click.option(
    "--from-har",
    "har",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Clean a HAR file of a browser or a proxy in place of asking the LMS.",
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.pass_obj
def record(
    work: Workspace,
    connection: str | None,
    *,
    file: Path | None,
    pages: int | None,
    users: int | None,
    har: Path | None,
    force: bool,
) -> None:
    """Record an LMS's answers without secrets and real people.

    Reads the beginning of each list, replaces secrets and people by made-up ones, the same everywhere, replays the
    result and compares it. Files that still held a secret, an e-mail address or a name are not kept.
    """
    if connection is None and har is None:
        raise click.UsageError("Name a connection, or a HAR file with --from-har.")
    from ..testing.recording.record import clean  # noqa: PLC0415 - heavy

    if connection is not None:
        target = file or Path(f"{connection}.har.json")
        done = _recorded(work, connection, target, pages, users, har, force=force)
    elif har is not None:
        name = har.name.removesuffix(".json").removesuffix(".har")
        done = clean(har, file or Path(f"{name}.clean.har.json"), force=force)
    else:  # pragma: no cover - told above
        return
    _print(done, connection)


def _recorded(
    work: Workspace,
    name: str,
    target: Path,
    pages: int | None,
    users: int | None,
    har: Path | None,
    *,
    force: bool,
) -> Recorded:
    from ..testing.recording.record import Source  # noqa: PLC0415 - heavy
    from ..testing.recording.record import record as record_source  # noqa: PLC0415

    one = work.config.connection(name)
    source = Source(
        name=name,
        connector=one.connector,
        values=work.config.settings(name),
        mapping=one.mapping,
        modules=work.config.modules(),
        vault=str(work.config.folder / "rollbook.vault"),
    )
    all_of_it = har is not None  # what a browser saw is a sample already
    most_pages, most_items = (
        given if given is not None else 0 if all_of_it else usual for given, usual in ((pages, PAGES), (users, USERS))
    )
    click.echo(f"{name}: reading {har or _extent(most_pages, most_items)}", err=True)
    try:
        return record_source(source, target, pages=most_pages, items=most_items, har=har, force=force)
    except RollbookError as error:
        raise error.at(f"connection {name!r}") from None


def _extent(pages: int, items: int) -> str:
    if not pages and not items:
        return "everything"
    parts = [counted(pages, "page")] if pages else ["all pages"]
    return f"at most {' of '.join([*parts, counted(items, 'item')]) if items else parts[0]} of each list"


def _print(done: Recorded, connection: str | None) -> None:
    first, *beside = (str(file) for file in done.files)
    titles = [plain(title) for title in done.titles[:_SHOWN]]
    more = f", and {len(done.titles) - _SHOWN} more" if len(done.titles) > _SHOWN else ""
    say(
        facts(
            [
                ("recording", plain(first)),
                ("expected", plain(beside[0]) if beside else ""),
                ("exchanges", f"{done.exchanges:,}"),
                ("enrollments", listed(done.statuses)),
                ("replaced", f"{counted(done.people, 'person', 'people')} by made-up ones"),
                ("replayed", "yes: it reads as the original did" if beside else "no"),
                *(("note", plain(note)) for note in done.notes),
                ("look over", f"titles and the like stay as they are: {'; '.join(titles)}{more}" if titles else ""),
            ]
        )
    )
    click.echo(
        "Before you share it, look it over: rollbook knows no name that only a title or a group holds.", err=True
    )
    if beside and connection:
        click.echo(f"Try it: rollbook test {first}", err=True)
