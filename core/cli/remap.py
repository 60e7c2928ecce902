"""`rollbook remap`: today's mapping over what is stored, without a request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import click
from rich.text import Text

from .failures import COMPLETE, INTERRUPTED
from .screen import console, counted, facts, listed, plain, say, span, table
from .stored import stored_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from ..sync.remap import Remapped
    from .workspace import Workspace

__all__ = ["remap"]

_SHOWN = 40
"""How many changed custom fields and changes of status are named before the rest is only counted."""


@click.command()
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Tell what would change, and write nothing.")
@click.pass_obj
def remap(work: Workspace, name: str, *, dry_run: bool) -> int:
    """Map what is stored again, without asking the LMS.

    Runs today's mapping over every stored native record that another mapping made, or whose status a date has moved.
    No request, no secret. Rows that the LMS no longer has stay as they are. Interrupted and started again, it goes on
    where it was.
    """
    from ..mapping import compile  # noqa: PLC0415
    from ..sync import now  # noqa: PLC0415 - slow to import
    from ..sync.keeping import Keeping  # noqa: PLC0415
    from ..sync.remap import Remapped  # noqa: PLC0415
    from ..sync.remap import remap as map_again  # noqa: PLC0415

    kind, definition, settings = work.config.mapping(name)
    normalizer = compile(definition, settings)
    keeping = Keeping(name, cast("Any", settings.get("remote_data", "full")), work.config.vault())
    told, begun = Remapped(), time.monotonic()

    def observe(live: Remapped) -> None:
        nonlocal told
        told = live
        if console(stderr=True).is_interactive and told.done < told.outdated:
            click.echo(f"\r{told.done:,} of {counted(told.outdated, 'row')} ", nl=False, err=True)

    with work.store() as store:
        stored_run(work, store, name)
        try:
            told = map_again(
                store, name, kind.name, normalizer, now(), dry_run=dry_run, observe=observe, keeping=keeping
            )
        except KeyboardInterrupt:
            rest = "Nothing was written." if dry_run else "They stay; run the same command again, and it goes on."
            click.echo(f"\nInterrupted after {counted(told.done, 'row')}. {rest}", err=True)
            return INTERRUPTED
        finally:
            if console(stderr=True).is_interactive:
                click.echo("\r\033[K", nl=False, err=True)
    say(*_told(name, told, time.monotonic() - begun, dry_run=dry_run))
    return COMPLETE


def _told(name: str, told: Remapped, seconds: float, *, dry_run: bool) -> list[RenderableType]:
    if not told.outdated:
        rows = f"all {counted(told.live, 'row')}" if told.live else "what there is"
        return [Text.assemble((f"{plain(name)}: ", "bold"), f"nothing to do, today's mapping made {rows}")]
    verb = "would change" if dry_run else "changed"
    title = Text.assemble(
        (f"{plain(name)}: ", "bold"),
        (f"{told.changed:,} of {counted(told.live, 'row')} {verb}", "bold"),
        f" ({'dry run, nothing is written' if dry_run else f'{told.mapped:,} mapped again in {span(seconds)}'})",
    )
    return [title, *_statuses(told), *_fields(told), *_findings(name, told, dry_run=dry_run)]


def _statuses(told: Remapped) -> list[RenderableType]:
    if not told.statuses:
        return []
    shown = table("status was", "is", "rows", right=("rows",))
    order = sorted(told.statuses.items(), key=lambda one: (-one[1], one[0]))
    for (before, after), count in order[:_SHOWN]:
        shown.add_row(before, after, f"{count:,}")
    return ["", shown]


def _fields(told: Remapped) -> list[RenderableType]:
    changes = told.in_order()
    if not changes:
        return []
    shown = table("field", "got a value", "lost it", "got another", right=("got a value", "lost it", "got another"))
    for field, change in changes[:_SHOWN]:
        numbers = (change.filled, change.emptied, change.altered)
        shown.add_row(plain(field), *(f"{number:,}" if number else "" for number in numbers))
    more = [f"and {len(changes) - _SHOWN:,} more fields"] if len(changes) > _SHOWN else []
    return ["", shown, *more]


def _findings(name: str, told: Remapped, *, dry_run: bool) -> list[RenderableType]:
    become, stay = ("would be", "would stay as they are") if dry_run else ("are", "stay as they were")
    see = "" if dry_run else f"; see: rollbook rejected {name}"
    rows = [
        ("flaws", _moved(told.flaws_before, told.flaws_after)),
        ("drift", _moved(_words(told.drift_before), _words(told.drift_after))),
        ("skipped", f"{listed(told.skipped)}: {become} marked as removed" if told.skipped else ""),
        ("rejected", f"{listed(told.rejected)}: {stay}{see}" if told.rejected else ""),
        ("kept", _kept(told.removed)),
    ]
    return ["", facts(rows)] if any(text for _, text in rows) else []


def _words(drift: Mapping[tuple[str, str], int]) -> dict[str, int]:
    return {f"{what} {word!r}": count for (what, word), count in drift.items()}


def _moved(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Write the counts that are not the same as before."""
    names = [name for name in sorted({*before, *after}) if before.get(name, 0) != after.get(name, 0)]
    texts = [f"{plain(name)} was {before.get(name, 0):,}, is {after.get(name, 0):,}" for name in names[:_SHOWN]]
    return "; ".join([*texts, *([f"and {len(names) - _SHOWN:,} more"] if len(names) > _SHOWN else [])])


def _kept(removed: int) -> str:
    return f"{counted(removed, 'removed row')}, as {'it was' if removed == 1 else 'they were'}" if removed else ""
