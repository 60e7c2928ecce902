"""Times on the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click import Context, Parameter

__all__ = ["instant"]


def instant(ctx: Context, param: Parameter, text: str | None) -> datetime | None:
    """Read a date or date-time in ISO 8601, as the callback of an option; without a zone it is in UTC."""
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        known = "a time such as 2026-01-31 or 2026-01-31T12:00:00Z"
        raise click.BadParameter(f"{text!r} is not {known}.", ctx, param) from None
