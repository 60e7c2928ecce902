"""What differs between two JSON values, member by member."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MISSING", "Delta", "deltas", "printable", "shown"]

MISSING: Final[Any] = object()
"""Stands where one side has no such member."""

_LONGEST = 60


class Delta(NamedTuple):
    """A member that is not the same on both sides."""

    path: str
    """`user.emails[0].email`; empty for the value itself."""
    one: Any
    other: Any


def deltas(one: Any, other: Any, path: str = "") -> Iterator[Delta]:
    """Compare two values down to where they differ. Numbers compare by value, and NaN is NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        for name in {**left, **right}:
            at = f"{path}.{name}" if path else name
            yield from deltas(left.get(name, MISSING), right.get(name, MISSING), at)
    elif isinstance(one, list) and isinstance(other, list):
        first, second = cast("list[Any]", one), cast("list[Any]", other)
        for at in range(max(len(first), len(second))):
            yield from deltas(_item(first, at), _item(second, at), f"{path}[{at}]")
    elif not _same(one, other):
        yield Delta(path, one, other)


def shown(value: Any) -> str:
    """Write a value as JSON on one line, no longer than can be read at a glance."""
    if value is MISSING:
        return "nothing"
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def printable(text: str) -> str:
    """Escape what could steer a terminal, or is no character at all."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _item(items: list[Any], at: int) -> Any:
    return items[at] if at < len(items) else MISSING


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    if isinstance(one, float) and isinstance(other, float) and one != one and other != other:  # noqa: PLR0124 - NaN
        return True
    return bool(one == other)
