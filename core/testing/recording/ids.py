"""Other ids for people's: one for one, of the same shape, in the same order."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

__all__ = ["Ids"]


class Ids:
    """Other ids for people's: of the same length and classes of characters, in the same order, none that occurs.

    Args:
        people: The ids of people.
        others: All other ids that occur.
        shortest: Shorter ids stay as they are.
    """

    def __init__(self, people: Iterable[str], others: Collection[str], *, shortest: int = 1) -> None:
        self.kept: set[str] = set()
        """Ids that stay: too short, or there is no room for others among those that occur."""
        self._new: dict[str, str] = {}
        groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for id in people:
            if len(id) < shortest or not any(map(str.isalnum, id)) or not id.isascii():
                self.kept.add(id)
            else:
                groups[_shape(id)].add(id)
        taken: dict[tuple[str, ...], set[int]] = defaultdict(set)
        for id in {*others, *(id for group in groups.values() for id in group)}:
            if (shape := _shape(id)) in groups:
                taken[shape].add(_number(shape, id))
        given: set[str] = set()
        for shape, group in sorted(groups.items()):
            self._spread(shape, sorted(group, key=partial(_number, shape)), sorted(taken[shape]), given)

    def get(self, id: str) -> str | None:
        """Give the stand-in of a person's id, None for any other."""
        return self._new.get(id)

    def __len__(self) -> int:
        return len(self._new)

    def items(self) -> Iterator[tuple[str, str]]:
        """Give ids with their stand-ins."""
        yield from self._new.items()

    def _spread(self, shape: tuple[str, ...], group: list[str], used: list[int], given: set[str]) -> None:
        """Spread stand-ins evenly over all numbers of the shape, around those that are used."""
        free = _size(shape) - len(used)
        if free < len(group):
            self.kept.update(group)
            return
        for rank, id in enumerate(group, 1):
            new = _spelled(shape, _nth_free(used, rank * free // (len(group) + 1)))
            if new in given:  # two shapes can meet where one of them is of hexadecimal digits
                self.kept.add(id)
            else:
                self._new[id] = new
                given.add(new)


def _nth_free(used: list[int], rank: int) -> int:
    """Give the number that has `rank` free ones before it; `used` is sorted."""
    low, high = 0, len(used)
    while low < high:  # as many of the used ones as stand before it
        middle = (low + high) // 2
        if used[middle] - middle <= rank:
            low = middle + 1
        else:
            high = middle
    return rank + low


_DIGITS, _LOWER, _UPPER, _HEX = (
    "0123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789abcdef",
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_HEXES = re.compile(r"(?=.*[0-9])(?=.*[a-fA-F])([0-9a-f]{16,}|[0-9A-F]{16,})")


def _shape(id: str) -> tuple[str, ...]:
    """Give, for each place, the characters that may stand there."""
    if _UUID.fullmatch(id) or _HEXES.fullmatch(id):
        digits = _HEX.upper() if id.upper() == id and id.lower() != id else _HEX
        fixed = {14, 19} if "-" in id else set[int]()  # version and variant
        return tuple(sign if sign == "-" or at in fixed else digits for at, sign in enumerate(id))
    if not id:
        return ()
    places = [next((kind for kind in (_DIGITS, _LOWER, _UPPER) if sign in kind), sign) for sign in id]
    if places[0] == _DIGITS and len(id) > 1 and id.isdecimal():
        places[0] = "0" if id[0] == "0" else "123456789"
    elif id.isdecimal():
        places[0] = "123456789"
    return tuple(places)


def _size(shape: tuple[str, ...]) -> int:
    size = 1
    for place in shape:
        size *= len(place)
    return size


def _number(shape: tuple[str, ...], id: str) -> int:
    number = 0
    for place, sign in zip(shape, id, strict=True):
        at = place.find(sign)
        number = number * len(place) + (at if at >= 0 else place.find(sign.lower()))
    return number


def _spelled(shape: tuple[str, ...], number: int) -> str:
    signs: list[str] = []
    for place in reversed(shape):
        number, at = divmod(number, len(place))
        signs.append(place[at])
    return "".join(reversed(signs))
