"""Functions for numbers, percentages, yes and no."""

from __future__ import annotations

import math
import re
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .functions import function
from .values import Unfit

_NUMBER = re.compile(r"[+-]?(\d+|\d*\.\d+|\d+\.)([eE][+-]?\d{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_TRUE = frozenset(("true", "yes", "y", "t", "on", "1"))
_FALSE = frozenset(("false", "no", "n", "f", "off", "0"))
_CENT = Decimal("0.01")
LARGEST = 2**53 - 1
"""The greatest whole number that every reader of JSON keeps."""


@function(
    "number(value: number|text)",
    "number",
    ("number('35')", "35"),
    ("number(`0`)", "0"),
    ("number(' ')", "null"),
    quick="{0} if {0}.__class__ is int or {0}.__class__ is float and -1e300 < {0} < 1e300 else f_number({0})",
)
def number(value: Any) -> float | None:
    """A number, also of a text that holds nothing else; blank is null. NaN, infinity, true and false are flaws."""
    if value.__class__ is int:
        return value
    if value.__class__ is str and value.isdigit() and value.isascii():
        return int(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        raise Unfit("not a finite number")
    if not isinstance(value, str):
        raise Unfit("expected a number")
    text = value.strip()
    if not text:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    if not _NUMBER.fullmatch(text) or math.isinf(found := float(text)):
        raise Unfit("expected a number")
    return found


@function(
    "truth(value: boolean|number|text)",
    "truth",
    ("truth('0')", "false"),
    ("truth('Yes')", "true"),
    ("truth('')", "null"),
    quick="{0} if {0}.__class__ is bool else f_truth({0})",
)
def truth(value: Any) -> bool | None:
    """True or false, also of 1 and 0 and of words: true, yes, y, t, on, 1 and their opposites; blank is null."""
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)) and value in (0, 1):
        return value == 1
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        if not word:
            return None
    raise Unfit("expected true or false")


@function("percent(value: number|text)", "number", ("percent('35 %')", "35"), ("percent(`12.5`)", "12.5"))
def percent(value: Any) -> float | None:
    """A number of percents, with or without the sign."""
    if value.__class__ is str:
        return int(value) if value.isdigit() and value.isascii() else number(value.removesuffix("%"))
    return number(value)


@function("fraction(value: number|text)", "number", ("fraction(`0.375`)", "37.5"))
def fraction(value: Any) -> float | None:
    """A share between 0 and 1 as percent, rounded half up to 2 decimals."""
    found = number(value)
    return None if found is None else rounded(Decimal(str(found)) * 100)


@function(
    "ratio(part: number|text, whole: number|text)",
    "number",
    ("ratio(`2`, `3`)", "66.67"),
    ("ratio(`2`, `0`)", "null"),
    nulls=True,
)
def ratio(part: Any, whole: Any) -> float | None:
    """A part of a whole as percent, rounded half up to 2 decimals; null if either is null or the whole is 0."""
    if part.__class__ is int and whole.__class__ is int and whole > 0:
        return (20_000 * part + whole) // (2 * whole) / 100  # half up, exact
    return scaled(part, 0, whole)


@function(
    "scaled(value: number|text, low: number|text, high: number|text)",
    "number",
    ("scaled(`15`, `10`, `20`)", "50"),
    nulls=True,
)
def scaled(value: Any, low: Any, high: Any) -> float | None:
    """Where a value stands between two ends, as percent, rounded half up to 2 decimals; null if the ends are one."""
    if value is None or low is None or high is None:
        return None
    found, bottom, top = number(value), number(low), number(high)
    if found is None or bottom is None or top is None or top == bottom:
        return None
    if top < bottom:
        raise Unfit("the whole is below 0" if bottom == 0 else "the ends are the wrong way round")
    start = Decimal(str(bottom))
    return rounded((Decimal(str(found)) - start) * 100 / (Decimal(str(top)) - start))


def rounded(value: Decimal) -> float:
    """Round half up to 2 decimals."""
    if value.adjusted() > 20:  # noqa: PLR2004 - beyond any percentage
        raise Unfit("out of range")
    result = float(value.quantize(_CENT, ROUND_HALF_UP))
    return int(result) if result.is_integer() else result


def whole(value: Any) -> int:
    """Take a number as a whole one, such as a count.

    Raises:
        Unfit: It has decimals, is negative or too large, or is no number.
    """
    found = value if value.__class__ is int else number(value) if not isinstance(value, str) else None
    if found is None or found != int(found) or not 0 <= found <= LARGEST:
        raise Unfit("expected a whole number, not below 0")
    return int(found)


def seconds_of(value: float | Decimal) -> int:
    """Round seconds half up.

    Raises:
        Unfit: Negative or too many.
    """
    if not 0 <= value <= LARGEST:
        raise Unfit("a time below 0 or out of range")
    return (
        value
        if isinstance(value, int)
        else int((value if isinstance(value, Decimal) else Decimal(str(value))).to_integral_value(ROUND_HALF_UP))
    )
