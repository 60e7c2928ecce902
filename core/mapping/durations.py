"""Functions for time spent: whole seconds, rounded half up."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from .amounts import LARGEST, number, seconds_of
from .functions import function
from .values import Unfit

_N = r"(\d{1,12}(?:[.,]\d{1,9})?)"
_WORDS = re.compile(
    rf"(?:{_N}\s*d)?\s*(?:{_N}\s*h)?\s*(?:{_N}\s*m(?:in)?)?\s*(?:{_N}\s*s(?:ec)?)?", re.ASCII | re.IGNORECASE
)
_ISO = re.compile(rf"P(?:{_N}D)?(?:T(?:{_N}H)?(?:{_N}M)?(?:{_N}S)?)?", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,7})\.)?(\d{1,7}):([0-5]?\d):([0-5]?\d(?:\.\d{1,9})?)", re.ASCII)
LONGEST = 200
"""The most characters of a duration: its form is tried in many ways."""
_UNITS = 86_400, 3_600, 60, 1


@function(
    "duration(value: text)",
    "seconds",
    ("duration('1h 2m 5s')", "3725"),
    ("duration('PT1H2M')", "3720"),
    ("duration('1.02:03:04')", "93784"),
    ("duration('')", "null"),
)
def duration(value: Any) -> int | None:
    """Time in words (`1h 2m 5s`), ISO 8601 (`PT1H2M5S`), `hh:mm:ss` or .NET's `d.hh:mm:ss.fffffff`; blank is null."""
    if not isinstance(value, str):
        raise Unfit("expected a duration in words; a number is for seconds(), minutes(), hours() or milliseconds()")
    text = value.strip()
    if not text:
        return None
    if len(text) > LONGEST:
        raise Unfit("expected a duration, and not a long text")
    for form in (_WORDS, _ISO, _CLOCK):
        if (found := form.fullmatch(text)) and any(found.groups()):
            days, hours, minutes, seconds = groups = [part or "0" for part in found.groups()]
            if "".join(groups).isdigit():
                return seconds_of(((int(days) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds))
            parts = (Decimal(part.replace(",", ".")) for part in groups)
            return seconds_of(sum((part * unit for part, unit in zip(parts, _UNITS, strict=True)), Decimal(0)))
    raise Unfit("expected a duration such as 1h 2m 5s, PT1H2M5S or 01:02:05")


@function(
    "seconds(value: number|text)",
    "seconds",
    ("seconds('90.5')", "91"),
    quick=f"{{0}} if {{0}}.__class__ is int and 0 <= {{0}} <= {LARGEST} else f_seconds({{0}})",
)
def seconds(value: Any) -> int | None:
    """A number of seconds."""
    return value if value.__class__ is int and 0 <= value <= LARGEST else _times(value, 1)


@function("minutes(value: number|text)", "seconds", ("minutes(`1.5`)", "90"))
def minutes(value: Any) -> int | None:
    """A number of minutes, as seconds."""
    return _times(value, 60)


@function("hours(value: number|text)", "seconds", ("hours('0.5')", "1800"))
def hours(value: Any) -> int | None:
    """A number of hours, as seconds."""
    return _times(value, 3_600)


@function("milliseconds(value: number|text)", "seconds", ("milliseconds(`1500`)", "2"))
def milliseconds(value: Any) -> int | None:
    """A number of milliseconds, as seconds."""
    return _times(value, Decimal("0.001"))


@function("duration_ticks(value: number|text)", "seconds", ("duration_ticks(`48605000000`)", "4861"))
def duration_ticks(value: Any) -> int | None:
    """A number of .NET ticks (100 nanoseconds each), as seconds."""
    return _times(value, Decimal("0.0000001"))


def _times(value: Any, unit: int | Decimal) -> int | None:
    found = number(value)
    if found is None:
        return None
    if unit == 1 and found.__class__ is int:
        return seconds_of(found)
    return seconds_of(Decimal(str(found)) * unit)
