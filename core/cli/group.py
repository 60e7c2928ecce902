"""The command `rollbook` itself: it knows its commands by name and imports one only when it runs."""

from __future__ import annotations

import gc
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from ..errors import UnknownName
from .failures import quiet_pipe, status_of
from .workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "cli"]


class _Entry(NamedTuple):
    module: str
    text: str


COMMANDS = {
    "demo": _Entry("demo", "See it work: sync two pretend LMSs on this machine."),
    "init": _Entry("init", "Write a config by answering a few questions."),
    "connectors": _Entry("connectors", "List the LMSs, or tell all about one of them."),
    "check": _Entry("sync", "Try a connection's credentials."),
    "sync": _Entry("sync", "Read enrollments into the store."),
    "status": _Entry("stored", "Tell how each connection is doing."),
    "show": _Entry("stored", "Print one stored enrollment as JSON."),
    "export": _Entry("export", "Write a connection's enrollments as JSON lines, JSON or CSV."),
    "rejected": _Entry("stored", "List records that could not become an enrollment."),
    "explain": _Entry("explain", "Tell where every value of one enrollment came from."),
    "drift": _Entry("drift", "List native words and fields that the mapping does not know."),
    "remap": _Entry("remap", "Map what is stored again, without asking the LMS."),
    "forget": _Entry("forget", "Take one person out of the store."),
    "plan": _Entry("plan", "Tell how many requests a full sync takes, and how long."),
    "new": _Entry("new", "Write a new connector with its mapping, fixtures and tests."),
    "record": _Entry("record", "Record an LMS's answers without secrets and real people."),
    "test": _Entry("test", "Prove a connector against its recordings."),
    "schema": _Entry("schema", "Print the JSON Schema of an enrollment."),
    "sandbox": _Entry("demo", "Serve a pretend LMS to try things on."),
}
"""The commands in the order people need them: the module each one lives in, and the first line of its help."""


_GARBAGE = (50_000, 20, 50)
"""Objects between two looks for reference cycles, of which there are few: Python's 700 cost a tenth of a sync."""


class Rollbook(click.Group):
    """A group whose commands are imported when they run, and whose failures end in a line or two and an exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f".{COMMANDS[cmd_name].module}", __package__), cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that was asked for, or suggest the nearest."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise UnknownName("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.text) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a reader that has seen enough (`| head`) is no failure."""
        with quiet_pipe():
            return super().invoke(ctx)

    def main(  # pyright: ignore[reportIncompatibleMethodOverride] - the rest goes through as it comes
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        """Run, and leave with the exit status: what a command returned, or what its failure means."""
        extra["standalone_mode"] = False
        gc.set_threshold(*_GARBAGE)
        try:
            status = super().main(args, prog_name or "rollbook", **extra)
        except Exception as error:  # noqa: BLE001 - the last door: everything ends as a message here
            status = status_of(error)
        sys.exit(status)


def _version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it
    del param
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and only needed here

        click.echo(f"rollbook {version('rollbook')}")
        ctx.exit()


@click.group(
    "rollbook",
    cls=Rollbook,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit status: 0 complete, 1 failed, 2 wrong usage or config, 3 partial.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The config, if not rollbook.toml in this folder.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Print the version."
)
@click.pass_context
def cli(ctx: click.Context, config: Path | None) -> None:
    """Course enrollments out of any Learning Management System, in one schema.

    To see it at work: rollbook demo
    """
    ctx.obj = Workspace(config)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
