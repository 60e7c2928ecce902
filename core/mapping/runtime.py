"""What compiled mappings call while they run, beside the functions of the language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .results import Flaw
from .values import Unfit, json_type, preview

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["UNSURE", "before", "coming", "note", "usable"]

MANY_FLAWS = 100
"""Above this, only the first flaw of each field is kept: a list may have a hundred thousand items."""


def note(flaws: list[Flaw], field: str, value: Any, error: Exception) -> None:
    """Keep that a value could not be converted. Gives None, which then stands in its place."""
    reason = (
        str(error)
        if isinstance(error, Unfit)
        else _REASONS.get(type(error).__name__, "the expression cannot be worked out")
    )
    if len(flaws) < MANY_FLAWS or all(flaw.field != field for flaw in flaws):
        flaws.append(Flaw(field, json_type(value), preview(value), reason))


_REASONS = {
    "JMESPathTypeError": "a function was given a value of the wrong type",
    "TypeError": "a value of the wrong type",
    "OverflowError": "out of range",
    "RecursionError": "nested too deeply",
}


UNSURE = frozenset(("json", "any", "text"))  # may be blank, or a zero date


def usable(value: Any) -> bool:
    """Tell whether `first` takes a value: not null, not a blank text, not a zero date."""
    if isinstance(value, str):
        text = value.strip()
        return bool(text) and not text.startswith(("0000-00-00", "0001-01-01", "1900-01-01"))
    return value is not None


def before(moment: Any, as_of: datetime, ahead: list[datetime]) -> bool:
    """Tell whether a moment is strictly past; one that is not is kept: it is when the answer changes."""
    if moment is None:
        return False
    if moment < as_of:
        return True
    ahead.append(moment)
    return False


def coming(moment: Any, as_of: datetime, ahead: list[datetime]) -> bool:
    """Tell whether a moment is there and not yet past."""
    return moment is not None and not before(moment, as_of, ahead)
