"""How a mistake in a mapping is told: the file, the key, the column, and what could be meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ..errors import MappingError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["mistake", "unknown"]

_MANY = 30


def mistake(message: str, *, file: str = "", key: str = "", start: int | None = None, hint: str = "") -> MappingError:
    """Make the error for a mistake at a key of a file, and at a character of its expression (from 0)."""
    column = "" if start is None else f"column {start + 1}"
    return MappingError(message, where=", ".join(filter(None, (file, key, column))), hint=hint)


def unknown(
    what: str, name: str, known: Iterable[str], *, file: str = "", key: str = "", start: int | None = None
) -> MappingError:
    """Make the error for a name that is not there, with the nearest names first."""
    choices = sorted(known)
    near = difflib.get_close_matches(name, choices, n=3)
    others = [choice for choice in choices if choice not in near]
    hint = f"Did you mean {near[0]!r}? " if near else ""
    listed = ", ".join([*near, *others][:_MANY]) + (", ..." if len(choices) > _MANY else "")
    return mistake(f"unknown {what} {name!r}", file=file, key=key, start=start, hint=f"{hint}Known: {listed}.")
