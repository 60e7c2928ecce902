"""`rollbook status`, `show` and `rejected`: what the store knows, without asking the LMS or needing a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from ..errors import RollbookError
from .screen import OUTCOMES, counted, facts, listed, moment, plain, say, span, table
from .summary import drift_text, new_fields_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..settings import ConnectionConfig
    from ..store import Store
    from ..store.fields import NativeField
    from ..store.runs import Run
    from .workspace import Workspace

__all__ = ["rejected", "show", "status", "stored_run"]


def stored_run(work: Workspace, store: Store, name: str) -> Run:
    """Give the last run of a connection of the config.

    Raises:
        UnknownName: The config has no such connection.
        RollbookError: It was never synced: nothing stored is not the same as no enrollments.
    """
    from ..store.runs import last_run  # noqa: PLC0415 - SQLAlchemy is slow to import

    work.config.connection(name)
    with store.read() as db:
        run = last_run(db, name)
    if run is None:
        raise RollbookError(f"{name!r} has not been synced yet", hint=f"Run: rollbook sync {name}")
    return run


@click.command()
@click.pass_obj
def status(work: Workspace) -> None:
    """Tell how each connection is doing.

    From the store alone: nothing is asked of any LMS.
    """
    connections = work.config.connections.values()
    with work.store() as store:
        for number, one in enumerate(connections):
            if number:
                click.echo()
            _print_status(work, store, one)
    if not connections:
        click.echo(f"{work.config.path} has no connection yet.")


def _print_status(work: Workspace, store: Store, one: ConnectionConfig) -> None:
    from .figures import figures  # noqa: PLC0415 - SQLAlchemy is slow to import

    held = figures(store, one.name)
    fresh = _unread(work, one.name, held.new_fields)
    run, outcome = held.run, _outcome(held.run)
    gone = f", and {held.removed:,} that the LMS no longer has" if held.removed else ""
    bad = f"{held.rejected:,}; see: rollbook rejected {one.name}" if held.rejected else ""
    say(
        Text.assemble((plain(one.name), "bold"), f"  {plain(one.connector)}  ", (outcome, f"bold {OUTCOMES[outcome]}")),
        facts(
            [
                ("last run", _when(run)),
                ("rows", f"{sum(held.live.values()):,}{gone}" if run else ""),
                ("by status", listed(held.live)),
                ("partitions", listed(held.partitions) if set(held.partitions) - {"complete"} else ""),
                ("flaws", listed(held.flaws)),
                ("drift", drift_text(held.drift)),
                ("new fields", new_fields_text(fresh)),
                ("rejected", bad),
                ("error", plain(run.error or "") if run else ""),
                ("see", f"rollbook drift {one.name}" if held.drift or fresh else ""),
                ("next", _next(one.name, outcome)),
            ]
        ),
    )


def _unread(work: Workspace, name: str, fresh: Sequence[NativeField]) -> list[str]:
    """Give the paths of new native fields that the mapping does not read; of all, where there is no mapping to ask."""
    from ..sync.unread import unread  # noqa: PLC0415 - slow to import

    if not fresh:
        return []
    try:
        _, definition, _ = work.config.mapping(name)
    except RollbookError:  # status tells how the store is; what is wrong with the config, every other command says
        return sorted({one.path for one in fresh})
    return sorted({one.path for one in unread(fresh, definition)})


def _outcome(run: Run | None) -> str:
    if run is None:
        return "never"
    return run.outcome or "interrupted"


def _when(run: Run | None) -> str:
    if run is None:
        return "not synced yet"
    took = f", took {span((run.finished_at - run.started_at).total_seconds())}" if run.finished_at else ""
    return f"{run.mode}, started {moment(run.started_at)}{took}"


def _next(name: str, outcome: str) -> str:
    match outcome:
        case "interrupted":
            return f"rollbook sync {name} goes on where it was"
        case "failed":
            return f"rollbook check {name}"
        case "complete":
            return f"rollbook export {name}"
        case _:
            return f"rollbook sync {name}"


@click.command()
@click.argument("name")
@click.argument("id")
@click.pass_obj
def show(work: Workspace, name: str, id: str) -> None:
    """Print one stored enrollment as JSON.

    The unified record as it was last synced, with the native one in remote_data.
    """
    from ..store.rows import enrollment_of  # noqa: PLC0415
    from ..store.store import row_of  # noqa: PLC0415 - SQLAlchemy is slow to import
    from .formats import json_of  # noqa: PLC0415

    with work.store() as store:
        stored_run(work, store, name)
        with store.read() as db:
            row = row_of(db, name, id)
    if row is None:
        raise RollbookError(
            f"there is no enrollment {id!r} in the store",
            where=f"connection {name!r}",
            hint=f"If it is new in the LMS, run: rollbook sync {name}",
        )
    click.echo(_pretty(json.loads(json_of(enrollment_of(row), row["remote_data"]))))
    if row["removed_at"]:
        click.echo(f"The LMS no longer had it on {moment(row['removed_at'])}.", err=True)


@click.command()
@click.argument("name")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["table", "jsonl"]),
    default="table",
    show_default=True,
    help="A table of reasons, or JSON lines with the whole native records.",
)
@click.pass_obj
def rejected(work: Workspace, name: str, kind: str) -> None:
    """List records that could not become an enrollment.

    Each one is kept whole, and read again at the next sync.
    """
    from ..store.records import rejected_rows  # noqa: PLC0415 - SQLAlchemy is slow to import

    with work.store() as store:
        stored_run(work, store, name)
        with store.read() as db:
            rows = rejected_rows(db, name)
    if kind == "jsonl":
        for row in rows:
            click.echo(_line(row))
        return
    if rows:
        shown = table("id", "partition", "reason")
        for row in rows:
            shown.add_row(plain(row["id"] or "-"), plain(row["partition"] or "-"), plain(row["reason"]))
        say(shown)
    whole = f" (whole: rollbook rejected {name} --format jsonl)" if rows else ""
    click.echo(f"{counted(len(rows), 'rejected record')}{whole}", err=True)


def _line(row: dict[str, Any]) -> str:
    from .formats import strict  # noqa: PLC0415 - slow to import

    told = json.dumps({key: row[key] for key in ("id", "partition", "kind", "reason", "run")})
    return f'{told[:-1]}, "native": {strict(row["native"])}}}'


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if text.isascii() or _encodes(text) else json.dumps(value, indent=2)


def _encodes(text: str) -> bool:
    """Tell whether a text has no half surrogate pairs, which UTF-8 has no place for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
