"""Shapes of native records: which paths hold values, found once for every shape and not for every record."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..native import JSON, NativeRecord

__all__ = ["MOST", "Shapes", "filled_paths"]

DEEPEST = 6
"""Objects inside each other that are looked into; what is deeper counts as a value."""
WIDEST = 200
"""An object with more members is a table, whose keys are data."""
LONGEST = 50
"""Items of a list that are looked into."""
MOST = 1_000
"""Paths of a kind that are noted."""
_REMEMBERED = 4_096

_CONTAINERS = frozenset((dict, list))
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DATA = re.compile(r"[^A-Za-z]*|.*@.*|.*\d{5}.*|.*[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-.*|.{81,}", re.DOTALL)
"""A key that is no name of a field but a value: an id, an address, a date."""


class Shapes:
    """The paths of a run's records, by kind; each is given out once."""

    def __init__(self) -> None:
        self._known: dict[str, set[Any]] = {}
        self._paths: dict[str, set[str]] = {}
        self._fresh: list[tuple[str, str]] = []
        self._last: dict[str, tuple[JSON, int]] = {}
        self._numbers: dict[Any, int] = {}

    def note(self, kind: str, record: NativeRecord) -> None:
        """Look at a record; one of a known shape costs a microsecond or four."""
        shape = self._shape(record)
        known = self._known.get(kind)
        if known is None:
            known = self._known[kind] = set()
        if shape not in known:
            if len(known) == _REMEMBERED:  # an LMS whose keys are data; what is forgotten is only looked at again
                known.clear()
            known.add(shape)
            self._look(kind, record)

    def take(self) -> list[tuple[str, str]]:
        """Give the paths (kind, path) that were not given before."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def _shape(self, record: NativeRecord) -> tuple[Any, ...]:
        """Give what two records share if they have values at the same paths."""
        last = self._last
        inner: list[Any] = []
        for name, value in record.items():
            if value.__class__ is dict:
                known = last.get(name)
                if known is not None and known[0] is value:  # a user or course that many records share
                    inner.append(known[1])
                else:
                    number = self._number(_object(value))
                    last[name] = value, number
                    inner.append(number)
            else:
                inner.append(_items(value) if value.__class__ is list else None)
        return *record, *inner

    def _number(self, shape: Any) -> int:
        number = self._numbers.get(shape)
        if number is None:
            if len(self._numbers) == _REMEMBERED:
                self._numbers.clear()
                self._last.clear()
                for known in self._known.values():
                    known.clear()
            number = self._numbers[shape] = len(self._numbers)
        return number

    def _look(self, kind: str, record: NativeRecord) -> None:
        known = self._paths.setdefault(kind, set())
        for path, _ in _values(record, "", 0):
            if path not in known and len(known) < MOST:
                known.add(path)
                self._fresh.append((kind, path))


def filled_paths(record: NativeRecord) -> set[str]:
    """Give the paths at which a record holds something: not null, not blank, not empty."""
    return {path for path, value in _values(record, "", 0) if value is not None and value not in ("", [], {})}


def _object(value: Any) -> tuple[Any, ...]:
    inner = [
        (name, _object(item) if item.__class__ is dict else _items(item))
        for name, item in value.items()
        if item.__class__ in _CONTAINERS
    ]
    return *value, *inner


def _items(value: Any) -> Any:
    """Give what the items of a list look like: null where they are plain values."""
    shapes = {
        _object(item) if item.__class__ is dict else _items(item)
        for item in value[:LONGEST]
        if item.__class__ in _CONTAINERS
    }
    return frozenset(shapes) if shapes else None


def _values(value: JSON, path: str, level: int) -> Iterator[tuple[str, JSON]]:
    """Give each plain value (or empty or too deep container) with its path."""
    if isinstance(value, dict) and value and level < DEEPEST:
        for name, item in _named(value):
            yield from _values(item, f"{path}.{name}" if path else name, level + 1)
    elif isinstance(value, list) and level < DEEPEST and any(isinstance(item, (dict, list)) for item in value):
        for item in value[:LONGEST]:
            yield from _values(item, f"{path}[]", level + 1)
    elif path:  # an empty record has no field at all
        yield path, value


def _named(value: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    wide = len(value) > WIDEST
    for name, item in value.items():
        if _NAME.fullmatch(name) and not wide and not _DATA.fullmatch(name):
            yield name, item
        elif wide or _DATA.fullmatch(name):
            yield "*", item
        else:
            yield json.dumps(name), item
