"""`rollbook check` and `rollbook sync`: the commands that ask the LMS."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from typing import TYPE_CHECKING

import click

from ..errors import RollbookError, SettingsError
from .failures import COMPLETE, FAILED, INTERRUPTED, PARTIAL, TERMINATED, status_of, worst
from .interval import interval
from .jobs import AT_ONCE, MOST_AT_ONCE, Ended, Jobs, on_signals
from .progress import Board
from .screen import counted, plain, say
from .service import serve
from .summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from ..connection import Connection
    from ..connector import Notice
    from ..store import Store
    from .workspace import Workspace

__all__ = ["check", "sync", "synced"]

_STATUS = {"complete": COMPLETE, "partial": PARTIAL, "failed": FAILED}
_NAMED = 10
"""How many connections are named at the end before the rest is only counted."""


@click.command()
@click.argument("name")
@click.pass_obj
def check(work: Workspace, name: str) -> int:
    """Try a connection's credentials.

    Makes the cheapest request that proves them, and tells what they may not read. Exit status 3: they are good, but
    nothing can be read until a permission is given.
    """
    connection = work.open(name)
    try:
        notices = asyncio.run(_checked(connection))
    except RollbookError as error:
        raise error.at(f"connection {name!r}") from None
    missing = any(notice.level == "missing" for notice in notices)
    verdict = "but nothing can be read yet" if missing else "and takes the credentials"
    click.echo(f"{'not ready' if missing else 'ok'}: {connection.connector.title} answers {name!r}, {verdict}")
    for notice in notices:
        click.echo(f"  {notice.level}: {notice.text}")
    return PARTIAL if missing else COMPLETE


async def _checked(connection: Connection) -> Sequence[Notice]:
    async with connection:
        return await connection.connector.check()


@click.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--all", "everything", is_flag=True, help="Sync every connection of the config.")
@click.option("--full", is_flag=True, help="Read everything, also where only changes could be read.")
@click.option("--allow-removals", is_flag=True, help="Mark rows as removed even if they are suspiciously many.")
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST_AT_ONCE),
    default=AT_ONCE,
    show_default=True,
    help="How many connections are synced at once.",
)
@click.option(
    "--every", metavar="INTERVAL", callback=interval, help="Keep running, and sync again this often: 90s, 15m, 6h, 1d."
)
@click.pass_obj
def sync(
    work: Workspace,
    names: Sequence[str],
    *,
    everything: bool,
    full: bool,
    allow_removals: bool,
    jobs: int,
    every: timedelta | None,
) -> int:
    """Read enrollments into the store.

    Interrupted and started again, it goes on where it was. With --every it runs as a service until it is stopped, and
    prints a line of JSON for each connection and round.
    """
    if bool(names) == everything:
        raise click.UsageError("Name the connections to sync, or give --all.")
    if every and allow_removals:
        raise click.UsageError(
            "--allow-removals is given once, by somebody who has looked. It does not go with --every."
        )
    known = work.config.connections
    chosen = list(known) if everything else [work.config.connection(name).name for name in dict.fromkeys(names)]
    if not chosen:
        raise SettingsError("there is no connection yet", where=str(work.config.path), hint="Add a [connections.NAME].")
    with work.store() as store:
        if every:
            return serve(store, work.open, chosen, every, at_once=jobs, full=full)
        return _once(store, work.open, chosen, at_once=jobs, full=full, allow_removals=allow_removals)


def synced(store: Store, connection: Connection, *, full: bool = False) -> int:
    """Sync a connection, close it, print what was done, and give the exit status."""
    return _once(store, lambda _: connection, [connection.name], full=full)


def _once(
    store: Store,
    connect: Callable[[str], Connection],
    names: Sequence[str],
    *,
    at_once: int = 1,
    full: bool = False,
    allow_removals: bool = False,
) -> int:
    """Sync each connection once, tell how each one ended, and give the worst exit status."""
    statuses: dict[str, int] = {}

    async def run() -> bool:
        jobs = Jobs(store, connect, at_once=at_once, full=full, allow_removals=allow_removals)

        async def one(name: str) -> None:
            if ended := await jobs.sync(name, board.show):
                statuses[name] = _told(ended)
                board.note_end()

        with on_signals(jobs.stop, signal.SIGTERM):
            async with asyncio.TaskGroup() as tasks:
                for name in names:
                    tasks.create_task(one(name))
        return jobs.stopping.is_set()

    try:
        with Board(len(names)) as board:
            stopped = asyncio.run(run())
    except KeyboardInterrupt:
        click.echo("\nInterrupted. Run the same command again, and it goes on where it was.", err=True)
        return INTERRUPTED
    if len(names) > 1:
        click.echo(_tally(names, statuses), err=True)
    unfinished = len(statuses) < len(names) or TERMINATED in statuses.values()
    return TERMINATED if stopped and unfinished else worst(list(statuses.values()))


def _told(ended: Ended) -> int:
    """Print how a sync ended, all of it at once, and give its exit status."""
    if ended.error:
        status = status_of(ended.error)
        return TERMINATED if ended.outcome == "stopped" else status
    if ended.report:
        say(summary(ended.report), stderr=True)
    return _STATUS[ended.outcome]


def _tally(names: Sequence[str], statuses: dict[str, int]) -> str:
    """Count how the connections ended, and name those that somebody should look at."""
    words = {COMPLETE: "complete", PARTIAL: "partial", TERMINATED: "stopped"}
    found = {name: words.get(statuses[name], "failed") if name in statuses else "not begun" for name in names}
    counts = ", ".join(f"{count:,} {word}" for word, count in sorted(Counter(found.values()).items()))
    bad = [plain(name) for name, word in found.items() if word in ("partial", "failed")]
    shown = ", ".join(bad[:_NAMED]) + (f" and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else "")
    return f"{counted(len(names), 'connection')}: {counts}" + (f". Look at: {shown}" if bad else "")
