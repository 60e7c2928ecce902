"""What mapping code written by hand shares: texts, numbers, date-times, addresses. What cannot be read is null."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

Json = dict[str, Any]
OPEN = ("assigned", "enrolled", "in_progress")
_DURATION = re.compile(r"(?:(\d+)\s*d)?\s*(?:(\d+)\s*h)?\s*(?:(\d+)\s*m)?\s*(?:(\d+)\s*s)?", re.ASCII)


def text(value: Any) -> str | None:
    """Trim a text; blank is null, a number becomes its digits."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def number(value: Any) -> float | None:
    """Take a number, also one that is written as a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        try:
            return int(value) if value.strip().isdigit() else float(value)
        except ValueError:
            return None
    return value


def whole(value: Any) -> int | None:
    """Take seconds, rounded half up."""
    found = number(value)
    if found is None or found < 0:
        return None
    return found if isinstance(found, int) else int(Decimal(str(found)).to_integral_value(ROUND_HALF_UP))


def moment(value: Any) -> datetime | None:
    """Read an ISO date-time into UTC."""
    if not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if found.tzinfo is UTC:
        return found
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def epoch(value: Any) -> datetime | None:
    """Read seconds since 1970; 0 and blank are null."""
    try:
        return datetime.fromtimestamp(float(value), UTC) if value and float(value) else None
    except (TypeError, ValueError, OverflowError):
        return None


def email(value: Any) -> str | None:
    """Take an address with an `@` between two others."""
    found = text(value)
    return found if found and 0 < found.find("@") < len(found) - 1 else None


def addresses(own: Any, login: Any) -> list[Json]:
    """Give the address, or the login if that is one."""
    if found := email(own):
        return [{"email": found, "type": None, "is_primary": True}]
    if found := email(login):
        return [{"email": found, "type": "login", "is_primary": True}]
    return []


def link(value: Any) -> str | None:
    """Take an absolute address."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def links(**found: str | None) -> list[Json]:
    """Give those that there are."""
    return [{"url": url, "type": kind} for kind, url in found.items() if url]


def share(part: Any, of: Any) -> float | None:
    """Give a part of a whole as percent, rounded half up to two decimals."""
    some, all = number(part), number(of)
    if some is None or not all:
        return None
    try:
        return float((Decimal(str(some)) * 100 / Decimal(str(all))).quantize(Decimal("0.01"), ROUND_HALF_UP))
    except InvalidOperation:
        return None


def percent(value: Any) -> float | None:
    """Take a number of percents, with or without the sign."""
    return number(value.removesuffix("%").strip() if isinstance(value, str) else value)


def duration(value: Any) -> int | None:
    """Read `1h 2m 5s`."""
    if not isinstance(value, str) or not (found := _DURATION.fullmatch(value.strip())) or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def printed(value: datetime | None) -> str | None:
    """Write a date-time."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def given(fields: Json) -> Json:
    """Leave out what is null or blank."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def settled(
    status: str, custom: Json, completed_at: datetime | None, *, as_of: datetime, until: Any = None, valid: Any = None
) -> tuple[str, datetime | None]:
    """End a status by its dates, and put a completion date that does not belong to it aside."""
    if status in ("completed", "passed"):
        return "expired" if valid and valid < as_of else status, completed_at
    if status in OPEN:
        if until and until < as_of:
            status = "expired"
        aside = "previously_completed_at"
    elif status in ("failed", "withdrawn"):
        aside = "closed_at"
    else:
        return status, completed_at if status == "expired" else None
    if completed_at:
        custom[aside] = printed(completed_at)
    return status, None
