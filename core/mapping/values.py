"""Native values as they come: their JSON type, a preview that tells nothing about anybody, and why one does not fit."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["Unfit", "clean", "is_number", "json_type", "preview"]

PREVIEW = 24
"""The most characters of a preview."""

_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")


class Unfit(ValueError):  # noqa: N818 - reads as what the value is
    """A value that a function cannot convert. The message is the reason, without the value."""


def json_type(value: Any) -> str:
    """Name the JSON type of a value: `null`, `boolean`, `number`, `text`, `list`, `object` (or `datetime`, ours)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    for kind, name in ((str, "text"), ((int, float), "number"), (list, "list"), (dict, "object")):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def is_number(value: Any) -> bool:
    """Tell whether a value is a JSON number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def preview(value: Any) -> str:
    """Show the shape of a value and nothing of what it says: `14/03/26` is `99/99/99`, a name is `aaa aaaa`."""
    if isinstance(value, str):
        shape = _DIGIT.sub("9", _LETTER.sub("a", value[:PREVIEW]))
        return "".join(char if " " <= char <= "~" else "?" for char in shape)
    if isinstance(value, (list, dict)):
        return f"{len(value)} {'members' if isinstance(value, dict) else 'items'}"  # pyright: ignore[reportUnknownArgumentType] - the size only
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value.bit_length()} bits"
    return json_type(value)


def clean(text: str) -> str:
    """Trim a text, take NUL characters out, and put U+FFFD in the place of lone surrogates."""
    text = text.strip()
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text if "\0" not in text else text.replace("\0", "").strip()
