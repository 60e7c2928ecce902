"""The unified fields that a mapping can fill, and what may stand in them."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any, cast

from .amounts import number, seconds_of, whole
from .dates import printed
from .effort import spend, spend_on
from .texts import absolute, email, emails, id_
from .values import Unfit, clean

__all__ = ["FIELDS", "FILLABLE", "FITS", "PARTS", "QUICK", "SURE", "TAKE", "addresses", "members", "printable"]

FIELDS = {
    "id": "id",
    "user.id": "id",
    "user.name": "text",
    "course.id": "id",
    "course.title": "text",
    "assigned_at": "datetime",
    "due_at": "datetime",
    "enrolled_at": "datetime",
    "started_at": "datetime",
    "last_activity_at": "datetime",
    "completed_at": "datetime",
    "progress_percent": "percent",
    "time_spent_seconds": "seconds",
    "score": "number",
    "is_mandatory": "truth",
    "assigned_by.id": "id",
    "assigned_by.name": "text",
    "attempt_number": "count",
    "attempts_count": "count",
    "created_at": "datetime",
    "updated_at": "datetime",
}
"""The single values by key, with their types."""

PARTS = {"user": ("id", "name", "emails"), "course": ("id", "title"), "assigned_by": ("id", "name")}
"""The fields that are objects, with their members."""

FILLABLE = (
    *("id", "user.id", "user.name", "user.emails", "course.id", "course.title", "status", "assigned_at", "due_at"),
    *("enrolled_at", "started_at", "last_activity_at", "completed_at", "progress_percent", "time_spent_seconds"),
    *("score", "is_mandatory", "assigned_by.id", "assigned_by.name", "attempt_number", "attempts_count", "urls"),
    *("created_at", "updated_at", "custom_fields"),
)
"""Every field in the schema's order; `remote_data` is always there."""


_WHOLE = 100


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise Unfit("expected a text")
    return clean(value) or None


def _number(value: Any) -> float:
    if value.__class__ is float and math.isfinite(value):
        return value
    if isinstance(value, (bool, str)) or (found := number(value)) is None:
        raise Unfit("expected a number")
    return float(found)


def _percent(value: Any) -> float:
    if (value.__class__ is int or value.__class__ is float) and 0 <= value <= _WHOLE:
        return float(value)
    _number(value)
    raise Unfit("outside 0 to 100")


def _seconds(value: Any) -> int:
    if isinstance(value, (bool, str)) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Unfit("expected a number")
    return int(seconds_of(value))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit("expected true or false")
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise Unfit("expected a date-time")
    return value


def _email(value: Any) -> Any:
    return emails(value) if isinstance(value, list) else email(value)


TAKE = {
    "id": id_,
    "text": _text,
    "number": _number,
    "percent": _percent,
    "seconds": _seconds,
    "count": whole,
    "truth": _truth,
    "datetime": _moment,
    "email": _email,
    "url": absolute,
}
"""What takes a value into a field of each type, and raises `Unfit` for one of another type."""

QUICK = {
    "percent": "{0} if {0}.__class__ is float and 0 <= {0} <= 100 else take_percent({0})",
    "number": "{0} if {0}.__class__ is float and -1e300 < {0} < 1e300 else take_number({0})",
}
"""Python that takes the most usual value in place, as a function's `quick` does."""

SURE = {
    "id": ("id",),
    "text": ("text", "id", "email", "url"),
    "seconds": ("seconds",),
    "truth": ("truth",),
    "datetime": ("datetime",),
    "email": ("email", "list"),
    "url": ("url",),
}
"""The static types that need no such check."""

FITS = {
    "text": "({0} is None or {0}.__class__ is str and {0}.isascii())",
    "datetime": "({0} is None or {0}.tzinfo is UTC)",
    "seconds": "({0} is None or {0}.__class__ is int)",
    "truth": "({0} is None or {0}.__class__ is bool)",
    "email": "all(one['email'].__class__ is str and one['email'].isascii() for one in emails)",
}
"""Python that tells whether the schema takes a value for certain; of all other types it is a text."""


def addresses(found: tuple[tuple[str | None, Any], ...]) -> list[dict[str, Any]]:
    """Make the list of e-mail addresses: each once, the first is primary, a login only where there is no other."""
    listed: dict[str, dict[str, Any]] = {}
    login = None
    for kind, value in found:
        if kind == "login":
            login = value
        elif isinstance(value, list):
            for address in cast("list[str]", value):
                listed.setdefault(address.lower(), {"email": address, "type": kind, "is_primary": not listed})
        elif value is not None:
            listed.setdefault(value.lower(), {"email": value, "type": kind, "is_primary": not listed})
    if login is not None and not listed:
        texts = cast("list[str]", login if isinstance(login, list) else [login])
        return [{"email": address, "type": "login", "is_primary": place == 0} for place, address in enumerate(texts)]
    return list(listed.values())


def printable(value: Any) -> Any:
    """Write the date-times of a value as text, and leave the rest as it is."""
    if isinstance(value, datetime):
        return printed(value)
    if isinstance(value, list):
        spend(len(value))  # pyright: ignore[reportUnknownArgumentType] - the size only
        return [printable(item) for item in value]  # pyright: ignore[reportUnknownVariableType] - JSON
    if isinstance(value, dict):
        spend(len(value))  # pyright: ignore[reportUnknownArgumentType] - the size only
        return {name: printable(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType] - JSON
    return value


def members(value: Any) -> dict[str, Any]:
    """Take an object's members as custom fields, without null and blank ones."""
    items: dict[str, Any] = value
    if not isinstance(value, dict):
        raise Unfit("expected an object")
    spend_on(value)
    found: dict[str, Any] = {}
    for name, item in items.items():
        if item is not None and (item.__class__ is not str or item.strip()):
            found[name if name.isascii() else clean(name)] = item if item.__class__ is str else printable(item)
    return found
