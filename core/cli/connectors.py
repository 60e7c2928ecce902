"""`rollbook connectors`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from ..errors import RollbookError
from ..registry import registry
from .description import FIELDS, STATUSES, described
from .screen import facts, plain, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from .workspace import Workspace

__all__ = ["connectors"]

_REMOVALS = {
    "partition": "noticed as soon as their part of the LMS was read",
    "run": "noticed once all of the LMS was read",
    "never": "not noticed: absence proves nothing there",
}


@click.command()
@click.argument("name", required=False)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for programs.",
)
@click.pass_obj
def connectors(work: Workspace, name: str | None, kind: str) -> None:
    """List the LMSs, or tell all about one of them.

    With NAME: its settings, limits, and the fields and statuses it can give.
    """
    registry.load(work.modules)
    if name is not None:
        registry.find(name)  # suggests the nearest
        found = [described(registry.classes[name])]
    else:
        found = [one for each in registry.names() if (one := _described(each))]
        for _, one in sorted(registry.broken.items()):
            _warn(f"{one}\n{one.hint}")
    if kind == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif name is None:
        _print_all(found)
    else:
        for one in found:
            _print_one(one)


def _described(name: str) -> dict[str, Any] | None:
    try:
        return described(registry.classes[name])
    except RollbookError as error:  # a plug-in's mistake breaks nothing else
        _warn(f"{name!r} cannot be used: {error}")
    except Exception as error:  # noqa: BLE001 - nor does what nobody foresaw: a class that cannot be made, say
        _warn(f"{name!r} cannot be used: {type(error).__name__}: {error}")
    return None


def _warn(text: str) -> None:
    lines = [plain(line) for line in text.splitlines()]
    click.echo("rollbook: warning: " + "\n".join(lines), err=True)


def _print_all(found: Sequence[dict[str, Any]]) -> None:
    shown = table("name", "LMS", "reads changes", "fields", "statuses", right=("fields", "statuses"))
    for one in found:
        incremental = any(strategy["incremental"] for strategy in one["strategies"])
        shown.add_row(
            plain(one["name"]),
            plain(one["title"]),
            "yes" if incremental else "no, all of it",
            f"{len(one['fields'])} of {FIELDS}",
            f"{len(one['statuses'])} of {STATUSES}",
        )
    say(shown, f"\nMore about one of them: rollbook connectors {found[0]['name'] if found else 'NAME'}")


def _print_one(one: dict[str, Any]) -> None:
    own = [setting for setting in one["settings"] if not setting["common"]]
    common = [setting for setting in one["settings"] if setting["common"]]
    say(
        Text.assemble((plain(one["name"]), "bold"), f"  {plain(one['title'])}\n"),
        _settings("setting", own),
        "",
        _settings("also, as every LMS", common),
        "",
        facts(
            [
                *_strategies(one["strategies"]),
                ("limits", "; ".join(one["limits"]) or "none known"),
                (f"{len(one['fields'])} fields", ", ".join(one["fields"])),
                (f"{len(one['statuses'])} statuses", ", ".join(one["statuses"])),
            ]
        ),
    )


def _settings(heading: str, settings: Sequence[dict[str, Any]]) -> Table:
    shown = table(heading, "", "meaning")
    for setting in settings:
        words = [word for word in ("required", "secret") if setting[word]]
        if setting["default"] not in (None, ""):
            words.append(f"= {json.dumps(setting['default'])}")
        shown.add_row(setting["name"], ", ".join(words), plain(setting["meaning"]))
    return shown


def _strategies(strategies: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    if any(strategy["name"] for strategy in strategies):
        names = [f"{one['name']}{' (default)' if one['default'] else ''}" for one in strategies]
        several = [("strategies", ", ".join(names))]
    else:
        several = []
    first = strategies[0]
    reads = "only what changed, where it can" if first["incremental"] else "everything, at each sync"
    return [*several, ("reads", reads), ("removals", _REMOVALS[first["removals"]])]
