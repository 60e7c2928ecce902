"""How much work a mapping may make of one record: hostile mappings and records are stopped, not waited for."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .mistakes import mistake
from .values import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .grammar import Node

T = TypeVar("T")

__all__ = ["BUDGET", "EACH", "GROWTH", "LONG", "METER", "Remembered", "bounded", "spend", "spend_on", "weight"]

BUDGET = 2_000_000
"""Steps for one record: `EACH` for each node of an expression at each item, one for each character of a long text."""
EACH = 10
"""What a node takes: about as long as ten characters at least, some functions much longer."""
GROWTH = 64
"""How many times an expression may repeat what it is given, as `[@, @]` does twice."""
_TRUTHS = frozenset({"contains", "ends_with", "future", "has", "one_of", "past", "starts_with", "truth"})
"""Functions that give true or false, however much they are given."""
HEAVIEST = 20_000
"""The most nodes of all expressions of a mapping together."""
LONG = 256
"""Texts and lists up to this size count as one step, which is part of the node's own."""


class _Meter(local):
    left: float = float("inf")  # outside of any record nothing is counted


METER = _Meter()
"""What is left for the record of this thread; a compiled mapping sets it to `BUDGET` as it begins with one."""


def spend(steps: int) -> None:
    """Count steps.

    Raises:
        Unfit: They are more than a record may take; from then on every further count raises, too.
    """
    METER.left -= steps
    if METER.left < 0:
        raise Unfit("too much work for one record")


def spend_on(value: Any) -> None:
    """Count the steps that a long text or a large list or object takes to be gone through once."""
    if isinstance(value, (str, list, dict)) and len(value) > LONG:  # pyright: ignore[reportUnknownArgumentType] - the size only
        spend(len(value))  # pyright: ignore[reportUnknownArgumentType] - as above


def weight(node: Node) -> int:
    """Count an expression's nodes."""
    return sum(1 for _ in node.walk())


def bounded(node: Node, file: str, key: str) -> None:
    """Refuse an expression that gives much more than it is given: a few of them in a row fill any memory.

    Raises:
        MappingError: It repeats its record more than `GROWTH` times.
    """
    if _growth(node) > GROWTH:
        raise mistake(
            f"the expression repeats what it reads more than {GROWTH} times",
            file=file,
            key=key,
            hint="Lists and objects of many values, each made of the one before, grow without end.",
        )


def _growth(node: Node) -> int:
    """Tell how many times as large as its record an expression's value may be."""
    inner: Sequence[int] = [_growth(child) for child in node.children]
    if node.type in ("comparator", "not_expression") or (node.type == "function_expression" and node.value in _TRUTHS):
        return 1
    if node.type == "function_expression" and node.value in ("first", "when", "not_null"):
        return max(1, *inner)  # one of them
    if node.type in ("multi_select_list", "multi_select_dict") or (
        node.type == "function_expression" and node.value != "map"
    ):
        return max(1, sum(inner))
    found = 1
    for one in inner:
        found *= one
    return found


class Remembered(dict[str, T], Generic[T]):
    """What a pure function gave for texts, by the text; long ones are not kept, since they would fill the memory.

    Reading a member works it out if it is not there: a plain read of a dictionary for the same few words in every
    record.

    Args:
        call: The function. What it raises is not remembered.
        size: How many texts are kept.
    """

    __slots__ = ("_call", "_size")

    def __init__(self, call: Callable[[str], T], size: int) -> None:
        super().__init__()
        self._call = call
        self._size = size

    def __missing__(self, text: str) -> T:
        found = self._call(text)
        if len(text) <= LONG:
            if len(self) >= self._size:
                self.clear()
            self[text] = found
        return found
