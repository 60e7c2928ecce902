"""What each deadline did to a status: found out by leaving it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .status import settle

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..schema import Status
    from .explanation import Effect

__all__ = ["effects_of"]


def effects_of(found: Mapping[str, Any], base: Status, score: float | None, as_of: datetime) -> dict[str, Effect]:
    """Tell what each step of the ladder's end did.

    Args:
        found: `pass_mark`, `valid_until`, `access_ends_at` and `due_at`; null where there is none.
        base: The status before them.
        score: What the pass mark is held against.
        as_of: What the dates are held against.
    """

    def settled(given: Mapping[str, Any]) -> tuple[Status, int]:
        ahead: list[datetime] = []
        dates = given["valid_until"], given["access_ends_at"], given["due_at"]
        status, _ = settle(base, as_of, ahead, *dates, score, given["pass_mark"])
        return status, len(ahead)

    def effect(name: str) -> Effect:
        if found[name] is None:
            return "none"
        (status, ahead), (without, less) = settled(found), settled({**found, name: None})
        return "moved" if status is not without else "ahead" if ahead > less else "idle"

    return {name: effect(name) for name in found}
