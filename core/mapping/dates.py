"""Functions for date-times: every one gives an instant in UTC, or null."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from .amounts import number
from .functions import function
from .values import Unfit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_read = datetime.fromisoformat
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_END = 253_402_300_800  # the year 10000
_ZERO_DAYS = (1, 1, 1), (1900, 1, 1)
_LAST_ZERO_YEAR = 1900
_BETWEEN = frozenset(("", "T", "t", " "))
_LAST_SECOND = time(23, 59, 59)

_ISO = re.compile(r"\d{4}-\d\d-\d\d([Tt ].+)?", re.ASCII)
_is_printed = re.compile(r"2\d{3}-\d\d-\d\dT([01]\d|2[0-3]):\d\d:\d\dZ", re.ASCII).fullmatch
_OFFSET_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:?\d\d)", re.ASCII)
_DOTNET = re.compile(r"/Date\((-?\d{1,20})([+-]\d{4})?\)/", re.ASCII)
_ZEROS = re.compile(r"0{1,4}-00-00([ T]00:00(:00)?(\.0+)?Z?)?|0+(\.0+)?", re.ASCII)


@function(
    "datetime(value: text, zone?: zone)",
    "datetime",
    ("datetime('2026-01-06T07:00:12-06:00')", "2026-01-06T13:00:12Z"),
    ("datetime('2026-01-12 11:00:00', 'Europe/Athens')", "2026-01-12T09:00:00Z"),
    ("datetime('2026-01-12')", "2026-01-12T00:00:00Z"),
    ("datetime('0000-00-00 00:00:00')", "null"),
)
def datetime_(value: Any, zone: tzinfo | str | None = UTC) -> datetime | None:
    """An ISO 8601 date-time, with or without fraction and offset, `T` or a space; a date alone is its first second."""
    try:
        moment = _read(value)
    except (TypeError, ValueError):
        return _written(value, zone, time())
    if moment.tzinfo is UTC and value[10] == "T" and value[0] == "2":
        return moment
    if not (value[4] == "-" == value[7] and value[10:11] in _BETWEEN):
        return _written(value, zone, time())  # Python also reads forms that are too easily something else
    return _in_utc(moment, zone)


@function(
    "end_of_day(value: text|object, zone?: zone)",
    "datetime",
    ("end_of_day('2026-04-01')", "2026-04-01T23:59:59Z"),
    ("end_of_day('2026-04-01T10:00:00Z')", "2026-04-01T10:00:00Z"),
)
def end_of_day(value: Any, zone: tzinfo | str | None = UTC) -> datetime | None:
    """As `datetime`, but a date alone is its last second: for what ends. Also takes `{year, month, day}`."""
    if isinstance(value, dict):
        return _in_utc(datetime.combine(_day(value), _LAST_SECOND), zone)
    return _written(value, zone, _LAST_SECOND)


def _written(value: Any, zone: tzinfo | str | None, at: time) -> datetime | None:
    if not isinstance(value, str):
        raise Unfit("expected a date-time as text; a number is for epoch(), epoch_ms() or ticks()")
    text = value.strip()
    if not text or _ZEROS.fullmatch(text):
        return None
    try:
        if len(text) == 10 and _ISO.fullmatch(text):  # noqa: PLR2004 - YYYY-MM-DD
            return _in_utc(datetime.combine(date.fromisoformat(text), at), zone)
        if parts := _OFFSET_DAY.fullmatch(text):
            offset = datetime.fromisoformat(f"{parts[1]}T00:00:00{parts[2]}").tzinfo
            return _in_utc(datetime.combine(date.fromisoformat(parts[1]), at, offset), zone)
        if _ISO.fullmatch(text):
            return _in_utc(datetime.fromisoformat(text), zone)
    except ValueError as error:
        if isinstance(error, Unfit):
            raise
    raise Unfit("expected a date-time such as 2026-01-31T09:30:00Z or 2026-01-31")


@function(
    "epoch(value: number|text)", "datetime", ("epoch('1768208400')", "2026-01-12T09:00:00Z"), ("epoch(`0`)", "null")
)
def epoch(value: Any) -> datetime | None:
    """Seconds since 1970 in UTC, with or without a fraction; 0 and blank are null."""
    if value.__class__ is str:
        if not value:
            return None
        if value.isdigit():
            value = int(value)
    if value.__class__ is int and 0 < value < _END:
        return datetime.fromtimestamp(value, UTC)
    return _since(EPOCH, value, 1)


@function("epoch_ms(value: number|text)", "datetime", ("epoch_ms(`1768208400000`)", "2026-01-12T09:00:00Z"))
def epoch_ms(value: Any) -> datetime | None:
    """Milliseconds since 1970 in UTC; 0 and blank are null."""
    return _since(EPOCH, value, 1_000)


@function("ticks(value: number|text)", "datetime", ("ticks(`639038052000000000`)", "2026-01-12T09:00:00Z"))
def ticks(value: Any) -> datetime | None:
    """A date-time in .NET ticks: 100 nanoseconds each since the year 1, in UTC; 0 and blank are null."""
    return _since(_FIRST, value, 10_000_000)


@function("dotnet_date(value: text)", "datetime", ("dotnet_date('/Date(1768208400000-0700)/')", "2026-01-12T09:00:00Z"))
def dotnet_date(value: Any) -> datetime | None:
    """`/Date(milliseconds)/`: in UTC, whatever offset stands behind (it only tells the server's zone)."""
    if isinstance(value, str) and not value.strip():
        return None
    if not isinstance(value, str) or not (parts := _DOTNET.fullmatch(value.strip())):
        raise Unfit("expected /Date(milliseconds)/")
    return _since(EPOCH, int(parts[1]), 1_000)


def _since(start: datetime, value: Any, per_second: int) -> datetime | None:
    found = number(value)
    if not found:
        return None
    try:
        if per_second == 1:
            moment = start + timedelta(0, found)
        elif isinstance(found, int):
            whole, rest = divmod(found, per_second)
            moment = start + timedelta(seconds=whole, microseconds=rest * 1_000_000 // per_second)
        else:
            moment = start + timedelta(seconds=found / per_second)
    except OverflowError:
        raise Unfit("a date-time out of range") from None
    return None if moment.year <= _LAST_ZERO_YEAR and _is_zero(moment) else moment


@function(
    "local_datetime(value: text, pattern: pattern, zone?: zone)",
    "datetime",
    ("local_datetime('12/01/2026, 11:00:00', 'DD/MM/YYYY, HH:mm:ss', 'Europe/Athens')", "2026-01-12T09:00:00Z"),
    ("local_datetime('Jan 2, 2026 3:04 PM', 'MMM D, YYYY h:mm A')", "2026-01-02T15:04:00Z"),
    ("local_datetime('Friday, 2 January 2026, 3:04 PM', 'dddd, D MMMM YYYY, h:mm A')", "2026-01-02T15:04:00Z"),
)
def local_datetime(value: Any, pattern: Any, zone: tzinfo | str | None = UTC) -> datetime | None:
    """A date-time in the LMS's own form: `YYYY YY MMMM MMM MM M DD D dddd HH H hh h mm m ss s SSS A Z`."""
    if not isinstance(value, str):
        raise Unfit("expected a date-time as text")
    text = value.strip()
    if not text or _ZEROS.fullmatch(text):
        return None
    found = shape(pattern).fullmatch(text)
    if found is None:
        raise Unfit("not in the form of the pattern")
    return _assembled({name: part for name, part in found.groupdict().items() if part is not None}, zone)


@lru_cache(maxsize=256)
def shape(pattern: str) -> re.Pattern[str]:
    """Make a regular expression of a pattern of format letters.

    Raises:
        Unfit: The pattern has no year, month and day, or says something twice.
    """
    seen: set[str] = set()
    form = ""
    for mark in _MARKS.split(pattern):
        if mark not in _LETTERS:
            form += re.sub(r"(\\?\s)+", r"\\s+", re.escape(mark))
            continue
        name, part = _LETTERS[mark]
        if name in seen:
            raise Unfit(f"says {name} twice")
        seen.add(name)
        form += f"(?P<{name}>{part})"
    if not {"year", "month", "day"} <= seen:
        raise Unfit("needs a year, a month and a day (YYYY, MM, DD)")
    return re.compile(form, re.ASCII | re.IGNORECASE)


_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_SHORT_MONTHS = [month[:3] for month in _MONTHS]
_WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_LETTERS = {
    "YYYY": ("year", r"\d{4}"),
    "YY": ("year", r"\d\d"),
    "MMMM": ("month", "|".join(_MONTHS)),
    "MMM": ("month", r"[a-z]{3}"),
    "MM": ("month", r"\d\d"),
    "M": ("month", r"\d\d?"),
    "DD": ("day", r"\d\d"),
    "D": ("day", r"\d\d?"),
    "dddd": ("weekday", "|".join(_WEEKDAYS)),
    "HH": ("hour", r"\d\d"),
    "H": ("hour", r"\d\d?"),
    "hh": ("hour", r"\d\d"),
    "h": ("hour", r"\d\d?"),
    "mm": ("minute", r"\d\d"),
    "MI": ("minute", r"\d\d"),
    "m": ("minute", r"\d\d?"),
    "ss": ("second", r"\d\d"),
    "s": ("second", r"\d\d?"),
    "SSS": ("fraction", r"\d{1,6}"),
    "A": ("half", r"[ap]\.?m\.?"),
    "Z": ("offset", r"Z|[+-]\d\d:?\d\d"),
}
_MARKS = re.compile(f"({'|'.join(sorted(_LETTERS, key=len, reverse=True))})")


def _assembled(parts: dict[str, str], zone: tzinfo | str | None) -> datetime | None:
    month = parts["month"].lower()
    year = int(parts["year"])
    hour = int(parts.get("hour", "0"))
    if "half" in parts:
        hour = hour % 12 + 12 * (parts["half"][0].lower() == "p")
    if set(parts["year"] + month + parts["day"]) == {"0"}:
        return None
    try:
        moment = datetime(
            year + 2000 if len(parts["year"]) == 2 else year,  # noqa: PLR2004 - YY
            _SHORT_MONTHS.index(month[:3]) + 1 if month[:3] in _SHORT_MONTHS else int(month),
            int(parts["day"]),
            hour,
            int(parts.get("minute", "0")),
            int(parts.get("second", "0")),
            int(parts.get("fraction", "0").ljust(6, "0")),
            tzinfo=_offset(parts.get("offset")),
        )
    except ValueError:
        raise Unfit("a date that does not exist") from None
    if "weekday" in parts and _WEEKDAYS[moment.weekday()] != parts["weekday"].lower():
        raise Unfit("a date of another day of the week")
    return _in_utc(moment, zone)


def _offset(text: str | None) -> timezone | None:
    if text is None or text in "zZ":
        return UTC if text else None
    digits = text.replace(":", "")
    minutes = int(digits[1:3]) * 60 + int(digits[3:5])
    return timezone(timedelta(minutes=-minutes if digits[0] == "-" else minutes))


@function(
    "date_parts(day: object, clock: object, zone?: zone)",
    "datetime",
    ('date_parts(`{"year": 2026, "month": 4, "day": 1}`, `{"hours": 22}`)', "2026-04-01T22:00:00Z"),
)
def date_parts(day: Any, clock: Any, zone: tzinfo | str | None = UTC) -> datetime | None:
    """A date of `{year, month, day}` and a time of `{hours, minutes, seconds}` without its zero parts; null without a time."""  # noqa: E501 - mappings, and records beside what they become
    if clock is None:
        return None
    parts: dict[str, Any] = clock
    if not isinstance(clock, dict):
        raise Unfit("expected an object with hours and minutes")
    try:
        hours, minutes, seconds = (int(parts.get(name) or 0) for name in ("hours", "minutes", "seconds"))
        at = time(hours, minutes, seconds)
    except (TypeError, ValueError):
        raise Unfit("a time that does not exist") from None
    return _in_utc(datetime.combine(_day(day), at), zone)


def _day(value: Any) -> date:
    try:
        return date(*(int(value[name]) for name in ("year", "month", "day")))
    except (KeyError, TypeError, ValueError, OverflowError):
        raise Unfit("expected an object with year, month and day") from None


@function(
    "earliest(value: datetime|list, ...)",
    "datetime",
    ("earliest(epoch(`200`), epoch(`100`), `null`)", "1970-01-01T00:01:40Z"),
    nulls=True,
)
def earliest(*values: Any) -> datetime | None:
    """The first of several date-times, or of lists of them; null ones do not count."""
    return min(_instants(values), default=None)


@function(
    "latest(value: datetime|list, ...)",
    "datetime",
    ("latest(epoch(`200`), epoch(`100`), `null`)", "1970-01-01T00:03:20Z"),
    nulls=True,
)
def latest(*values: Any) -> datetime | None:
    """The last of several date-times, or of lists of them; null ones do not count."""
    return max(_instants(values), default=None)


def _instants(values: tuple[Any, ...]) -> list[datetime]:
    flat: list[Any] = []
    for value in values:
        flat += value if isinstance(value, list) else [value]
    found = [item for item in flat if isinstance(item, datetime)]
    if len(found) + flat.count(None) != len(flat):
        raise Unfit("expected date-times")
    return found


def _in_utc(moment: datetime, zone: tzinfo | str | None) -> datetime | None:
    if _is_zero(moment):
        return None
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        # fold=0: a time that comes twice is the first of the two, one that is skipped counts on from before the gap
        moment = moment.replace(tzinfo=_zone(zone))
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Unfit("a date-time out of range") from None


def _is_zero(moment: datetime) -> bool:
    return (
        moment.year <= _LAST_ZERO_YEAR
        and (moment.year, moment.month, moment.day) in _ZERO_DAYS
        and not (moment.hour or moment.minute or moment.second)
    )


def _zone(zone: tzinfo | str | None) -> tzinfo:
    if isinstance(zone, tzinfo):
        return zone
    return UTC if zone is None else named_zone(zone)


@lru_cache(maxsize=512)
def named_zone(name: str) -> tzinfo:
    """Find a time zone by its name.

    Raises:
        Unfit: There is none.
    """
    try:
        return ZoneInfo(name.strip())
    except (ValueError, OSError, LookupError):
        raise Unfit("an unknown time zone") from None


def reprinted(value: Any, moment: datetime) -> str:
    """Write the instant that `datetime` made of a value: as it came, where it came in this very form."""
    return value if value.__class__ is str and _is_printed(value) else printed(moment)


def printed(moment: datetime) -> str:
    """Write an instant as RFC 3339 with `Z`."""
    if moment.tzinfo is UTC:  # Python takes twice as long for the zone alone
        return f"{datetime.combine(moment.date(), moment.time()).isoformat()}Z"
    return moment.isoformat().replace("+00:00", "Z")
