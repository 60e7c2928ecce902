"""`rollbook init`: a commented config, by questions or by flags."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import SettingsError, UnknownName
from ..registry import registry
from ..settings import CONFIG
from .description import settings_of
from .template import config_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..connector import Connector
    from .workspace import Workspace

__all__ = ["init"]

_NAME = re.compile(r"[A-Za-z0-9_-]+")


@click.command()
@click.option("--connector", metavar="NAME", help="Which LMS; nothing is asked then, for use in scripts.")
@click.option("--name", metavar="NAME", help="Name of the connection; by default the connector's.")
@click.option("--set", "given", multiple=True, metavar="KEY=VALUE", help="A setting; may be given several times.")
@click.pass_obj
def init(work: Workspace, connector: str | None, name: str | None, given: Sequence[str]) -> None:
    """Write a config by answering a few questions.

    Secrets are best left in the environment: the config then only names the variable.
    """
    path = work.path or Path(CONFIG)
    if path.exists():
        raise SettingsError(
            f"{path} is already there",
            hint="Add a [connections.NAME] to it, or write another one: rollbook --config FILE init",
        )
    registry.load()
    kind = registry.find(connector or _asked_connector())
    name = _connection_name(name or (kind.name if connector else _asked_name(kind)))
    values: dict[str, str | dict[str, str]] = dict(_given(kind, given))
    for setting in settings_of([kind]):
        if setting["required"] and setting["name"] not in values:
            values[setting["name"]] = _scripted(name, setting) if connector else _asked(kind, name, setting)
    _write(path, config_text(kind, name, values))
    click.echo(f"{path} is written. Try it: rollbook check {name}; then: rollbook sync {name}", err=True)


def _asked_connector() -> str:
    for each in registry.names():
        click.echo(f"  {each}: {registry.find(each).title}", err=True)
    return click.prompt("Which LMS", value_proc=_one_of_them, err=True)


def _one_of_them(text: str) -> str:
    try:
        return registry.find(text.strip()).name
    except SettingsError as error:
        raise click.BadParameter(str(error)) from None


def _asked_name(kind: type[Connector[Any]]) -> str:
    return click.prompt("A name for this connection", default=kind.name, value_proc=_connection_name, err=True)


def _connection_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise click.BadParameter(f"{name!r} is not a name of letters, digits, - and _.")
    return name


def _given(kind: type[Connector[Any]], given: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!r} is not KEY=VALUE.", param_hint="'--set'")
        if key not in kind.Settings.model_fields:
            raise UnknownName(f"setting of {kind.name}", key, kind.Settings.model_fields)
        if key in kind.Settings.secrets():  # a command line is read by everybody: ps, the shell's history
            raise SettingsError(
                f"{key} is a secret: others can read it on a command line",
                hint="Leave it out: the config then names an environment variable that it is read from.",
            )
        values[key] = _accepted(kind, key)(value)
    return values


def _scripted(name: str, setting: dict[str, Any]) -> dict[str, str]:
    if not setting["secret"]:
        key = setting["name"]
        raise SettingsError(f"the setting {key!r} is missing", hint=f"Give it: --set {key}=... ({setting['meaning']})")
    return {"env": _variable(name, setting)}


def _asked(kind: type[Connector[Any]], name: str, setting: dict[str, Any]) -> str | dict[str, str]:
    key = setting["name"]
    click.echo(f"\n{setting['meaning']}", err=True)
    if not setting["secret"]:
        return click.prompt(key, value_proc=_accepted(kind, key), err=True)
    variable = _variable(name, setting)
    text = click.prompt(
        f"{key} (not shown; only Enter: it is read from the environment variable {variable})",
        default="",
        show_default=False,
        hide_input=True,
        err=True,
    )
    return text or {"env": variable}


def _variable(name: str, setting: dict[str, Any]) -> str:
    return f"{name}_{setting['name']}".replace("-", "_").upper()


def _accepted(kind: type[Connector[Any]], key: str) -> Callable[[str], str]:
    """Give a check of one setting's value, whatever the others are."""

    def check(text: str) -> str:
        from pydantic import ValidationError  # noqa: PLC0415 - with its only use

        try:
            kind.Settings.model_validate({key: text})
        except ValidationError as error:
            for wrong in error.errors(include_input=False, include_url=False, include_context=False):
                if wrong["loc"][:1] == (key,):
                    raise click.BadParameter(f"{key}: {wrong['msg'].removeprefix('Value error, ')}") from None
        return text

    return check


def _write(path: Path, text: str) -> None:
    """Write a file that is new, and for its owner only."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
