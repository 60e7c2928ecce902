"""How much work a mapping may make of one record: hostile mappings and records are stopped, not waited for."""

from __future__ import annotations

from functools import lru_cache, wraps
from threading import local
from typing import TYPE_CHECKING, Any, TypeVar

from .mistakes import mistake
from .values import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .grammar import Node

T = TypeVar("T")

__all__ = ["GROWTH", "begin", "bounded", "remembered", "spend", "spend_on", "weight"]

BUDGET = 2_000_000
"""Steps for one record: one for each node of an expression at each item, and for each character of a long text."""
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


_meter = _Meter()


def begin() -> None:
    """Begin with a record: what was spent on another does not count."""
    _meter.left = BUDGET


def spend(steps: int) -> None:
    """Count steps.

    Raises:
        Unfit: They are more than a record may take; from then on every further count raises, too.
    """
    _meter.left -= steps
    if _meter.left < 0:
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


def remembered(size: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Remember what a function gave for short values; long ones would fill the memory."""

    def decorate(call: Callable[..., T]) -> Callable[..., T]:
        known = lru_cache(maxsize=size, typed=True)(call)

        @wraps(call)
        def short_ones(value: Any, *others: Any) -> T:
            if value.__class__ is str and len(value) > LONG:
                return call(value, *others)
            return known(value, *others)

        return short_ones

    return decorate
