"""How often: `90s`, `15m`, `6h`, `1d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from typing import NoReturn

__all__ = ["interval"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WRITTEN = re.compile(r"([0-9]{1,9})([smhd])")
_SHORTEST = timedelta(seconds=10)
_LONGEST = timedelta(days=366)


def interval(ctx: click.Context, param: click.Parameter, text: str | None) -> timedelta | None:
    """Read a whole number with its unit, for an option of the command line."""

    def refuse(reason: str) -> NoReturn:
        raise click.BadParameter(reason, ctx, param)

    if text is None:
        return None
    found = _WRITTEN.fullmatch(text.strip())
    if not found:
        missing = " has no unit" if text.strip().isdecimal() else " is no interval"
        refuse(f"{text!r}{missing}. Write it as 90s, 15m, 6h or 1d.")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if length < _SHORTEST:
        refuse(f"{text} is too short: 10s at least.")
    if length > _LONGEST:
        refuse(f"{text} is too long: 366d at most.")
    return length
