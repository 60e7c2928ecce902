"""Two columns of text: labels, and beside them lines that fit."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rich.table import Table

from .screen import console, counted, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text

    from ..mapping.explanation import Read

__all__ = ["brief", "columns", "fill", "grid", "read_text", "shown"]

_LABEL = 20
"""Columns of a label; longer ones are cut into lines."""
_WIDEST = 120
_LONGEST, _BRIEF = 240, 48
"""Characters of a value, and of one that was read."""
_TIE = "\N{NO-BREAK SPACE}"


def columns() -> int:
    """Give the columns of the terminal, as far as lines are easy to read."""
    return min(console().width, _WIDEST)


def grid(rows: Iterable[tuple[str, Text]]) -> Table:
    """Set labels and texts side by side."""
    made = Table.grid(padding=(0, 2))
    made.add_column(width=_LABEL + 2, no_wrap=True)
    made.add_column(overflow="fold")
    for label, text in rows:
        made.add_row("\n".join(f"  {line}" for line in _label(plain(label))), text)
    return made


def _label(text: str) -> list[str]:
    """Cut a long name where it may be cut."""
    lines: list[str] = []
    while len(text) > _LABEL:
        at = max(text.rfind(mark, 1, _LABEL) for mark in "_. ") + 1
        lines.append(text[: at or _LABEL])
        text = text[at or _LABEL :]
    return [*lines, text]


def fill(text: str) -> str:
    """Cut a text into lines: at blanks that do not tie; what is too long for a line, at its marks."""
    lines = [""]
    for word in text.split(" "):
        for number, piece in enumerate(_pieces(word)):
            glue = " " if number == 0 and lines[-1] else ""
            if lines[-1] and len(lines[-1]) + len(glue) + len(piece) > _room():
                lines.append(piece)
            else:
                lines[-1] += glue + piece
    return "\n".join(lines).replace(_TIE, " ")


def _pieces(word: str) -> list[str]:
    room = _room()
    return [word] if len(word) <= room else re.findall(rf".{{0,{room - 1}}}[(.,\[/=&?_]|.{{1,{room}}}", word)


def _room() -> int:
    return max(columns() - _LABEL - 5, 20)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def shown(value: Any) -> str:
    """Write a value for people: a text as it is, all else as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _cut(plain(text), _LONGEST)


def brief(value: Any) -> str:
    """Write a native value as JSON, or its size."""
    text = plain(json.dumps(value, ensure_ascii=False))
    if len(text) > _BRIEF and isinstance(value, (list, dict)):
        return counted(len(value), "member" if isinstance(value, dict) else "item")  # pyright: ignore[reportUnknownArgumentType] - the size only
    return _cut(text, _BRIEF)


def read_text(read: Read) -> str:
    """Tell what stands in a place, tied together as long as it fits on a line."""
    text = f"{plain(read.path)} is {brief(read.value) if read.there else 'not there'}"
    return text.replace(" ", _TIE) if len(text) < _room() else text
