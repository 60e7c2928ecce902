"""How a command ends badly: a line or two that say what to do, and the exit status. Never a learner's data."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from ..errors import MappingError, RollbookError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["COMPLETE", "FAILED", "INTERRUPTED", "PARTIAL", "TERMINATED", "USAGE", "quiet_pipe", "status_of", "worst"]

COMPLETE, FAILED, USAGE, PARTIAL, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
_FROM_GOOD_TO_BAD = (COMPLETE, PARTIAL, FAILED, USAGE)


def worst(statuses: list[int]) -> int:
    """Pick the exit status of several runs."""
    return max(statuses, key=_FROM_GOOD_TO_BAD.index, default=COMPLETE)


def status_of(error: Exception) -> int:
    """Tell the user about an error, and give its exit status."""
    if os.environ.get("ROLLBOOK_DEBUG"):
        traceback.print_exception(error)
    text, status = _reading(error)
    click.echo(text, err=True)
    return status


def _reading(error: Exception) -> tuple[str, int]:
    match error:
        case click.Abort():
            return "rollbook: stopped", INTERRUPTED
        case click.ClickException():
            context = error.ctx if isinstance(error, click.UsageError) else None
            path = context.command_path if context else "rollbook"
            return f"{path}: {error.format_message()}\nSee: {path} --help", error.exit_code
        case RollbookError():
            return f"rollbook: {error}", USAGE if isinstance(error, (SettingsError, MappingError)) else FAILED
        case OSError(strerror=str(reason)):
            file = f"{error.filename}: " if error.filename else ""
            return f"rollbook: {file}{reason}", FAILED
        case _:
            return _bug(error), FAILED


def _bug(error: Exception) -> str:
    """Name only the kind and the place of an error nobody foresaw: its text may hold a learner's data."""
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("rollbook.") or place == "an unknown place":
            place = f"{module}:{line}"
    return (
        f"rollbook: this is a bug in rollbook: {type(error).__name__} in {place}\n"
        "ROLLBOOK_DEBUG=1 shows the traceback (look it over for learners' data before you send it)."
    )


@contextmanager
def quiet_pipe() -> Generator[None]:
    """Write everything out now, so that a full disk is noticed; a reader that has gone away is no failure."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_stdout()
    except OSError:
        _drop_stdout()
        raise


def _drop_stdout() -> None:
    """Let what could not be written go, or the interpreter would try again at its end and complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):  # not a real file, as in a test
        return
