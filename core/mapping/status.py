"""The status ladder's last steps, the same for every LMS: pass mark, validity, end of access, deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..schema import Status
from .effort import Remembered
from .texts import scalar

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["OPEN", "settle", "word", "words"]

ASSIGNED, ENROLLED, IN_PROGRESS, OVERDUE = Status.ASSIGNED, Status.ENROLLED, Status.IN_PROGRESS, Status.OVERDUE
COMPLETED, PASSED, FAILED, WITHDRAWN = Status.COMPLETED, Status.PASSED, Status.FAILED, Status.WITHDRAWN
EXPIRED, UNKNOWN = Status.EXPIRED, Status.UNKNOWN

OPEN = (ASSIGNED, ENROLLED, IN_PROGRESS, OVERDUE)
"""The learner can still go on."""

CLOSED_AT, PREVIOUSLY_COMPLETED_AT, NOWHERE = "closed_at", "previously_completed_at", "nowhere"


words = Remembered(scalar, 1_024)  # the same few in every record


def word(value: Any) -> str | None:
    """Give a native status as text, trimmed: true is `true`, 2 is `2`; blank is null."""
    if value.__class__ is str:
        return words[value]
    if value is True or value is False:
        return "true" if value else "false"
    return scalar(value)


def settle(  # noqa: C901, PLR0911 - the ladder, line by line
    base: Status,
    as_of: datetime,
    ahead: list[datetime],
    valid_until: datetime | None,
    access_ends_at: datetime | None,
    due_at: datetime | None,
    score: float | None,
    pass_mark: float | None,
) -> tuple[Status, str]:
    """Lay pass mark and deadlines over a base status.

    A deadline is past when it is strictly before `as_of`. One that still can change this status is put into `ahead`.

    Returns:
        The status, and the custom field that a completion date beside it belongs into (empty: it may stay).
    """
    if base is COMPLETED or base is PASSED:
        if base is COMPLETED and pass_mark is not None and score is not None and score >= pass_mark:
            base = PASSED
        if valid_until is not None:
            if valid_until < as_of:
                return EXPIRED, ""
            ahead.append(valid_until)
        return base, ""
    if base is IN_PROGRESS or base is ENROLLED or base is ASSIGNED or base is OVERDUE:
        if access_ends_at is not None:
            if access_ends_at < as_of:
                return EXPIRED, PREVIOUSLY_COMPLETED_AT
            ahead.append(access_ends_at)
        if due_at is not None and base is not OVERDUE:
            if due_at < as_of:
                return OVERDUE, PREVIOUSLY_COMPLETED_AT
            ahead.append(due_at)
        return base, PREVIOUSLY_COMPLETED_AT
    if base is FAILED or base is WITHDRAWN:
        return base, CLOSED_AT
    return base, "" if base is EXPIRED else NOWHERE
