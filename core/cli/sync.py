"""`rollbook check` and `rollbook sync`: the commands that ask the LMS."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..errors import RollbookError, SettingsError, Stopped
from .failures import COMPLETE, FAILED, INTERRUPTED, PARTIAL, TERMINATED, status_of, worst
from .progress import show
from .screen import say
from .summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from ..connection import Connection
    from ..connector import Notice
    from ..store import Store
    from ..sync import Report
    from .workspace import Workspace

__all__ = ["check", "sync", "synced"]

_STATUS = {"complete": COMPLETE, "partial": PARTIAL, "failed": FAILED}


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
@click.pass_obj
def sync(work: Workspace, names: Sequence[str], *, everything: bool, full: bool, allow_removals: bool) -> int:
    """Read enrollments into the store.

    Interrupted and started again, it goes on where it was.
    """
    if bool(names) == everything:
        raise click.UsageError("Name the connections to sync, or give --all.")
    known = work.config.connections
    chosen = list(known) if everything else [work.config.connection(name).name for name in dict.fromkeys(names)]
    if not chosen:
        raise SettingsError("there is no connection yet", where=str(work.config.path), hint="Add a [connections.NAME].")
    with work.store() as store:
        try:
            return worst([_synced(work, store, name, full=full, allow_removals=allow_removals) for name in chosen])
        except Stopped as error:  # not the next connection either
            click.echo(f"rollbook: {error}", err=True)
            return TERMINATED
        except KeyboardInterrupt:
            click.echo("\nInterrupted. Run the same command again, and it goes on where it was.", err=True)
            return INTERRUPTED


def _synced(work: Workspace, store: Store, name: str, *, full: bool, allow_removals: bool) -> int:
    try:
        return synced(store, work.open(name), full=full, allow_removals=allow_removals)
    except Stopped:
        raise
    except RollbookError as error:
        return status_of(error)  # the connections after it are read all the same


@contextmanager
def terminated(stop: Callable[[], None]) -> Generator[None]:
    """Let SIGTERM, which services are stopped with, end a run at the next page instead of anywhere."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGTERM, stop)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread: it ends anywhere
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def synced(store: Store, connection: Connection, *, full: bool = False, allow_removals: bool = False) -> int:
    """Sync a connection, close it, print what was done, and give the exit status."""
    from ..sync import Sync  # noqa: PLC0415 - slow to import, and `check` does without

    async def run() -> Report:
        one = Sync(connection, store)
        async with connection:
            with terminated(one.stop):
                return await one.run(full=full, allow_removals=allow_removals, observe=watch)

    with show(connection.name) as watch:
        report = asyncio.run(run())
    say(summary(report), stderr=True)
    return _STATUS[report.outcome or "failed"]
