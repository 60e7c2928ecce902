"""Stored rows as they are, or as they were or will be at another instant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..mapping import Mapped, Skipped
from ..native import parse
from ..store.rows import enrollment_of, is_stale

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ..mapping import Normalizer
    from ..schema import CourseEnrollment


def normalized(
    row: Mapping[str, Any], normalizer: Normalizer | None = None, as_of: datetime | None = None
) -> CourseEnrollment | None:
    """Give a stored row's enrollment, with the status it has at an instant.

    Args:
        row: A row of the table `enrollments`.
        normalizer: Maps the row's native record again where the stored status is for another time.
        as_of: The instant; None gives what is stored. A removed row's status is moved by no date.

    Returns:
        The enrollment; None if today's mapping says that the record is no learner's enrollment.
    """
    moved = as_of is not None and (as_of < row["mapped_at"] or is_stale(row["stale_at"], as_of))
    if not moved or as_of is None or normalizer is None or row["removed_at"] is not None:
        return enrollment_of(row)
    record = parse(row["remote_data"])
    if not isinstance(record, dict):
        return enrollment_of(row)
    result = normalizer.normalize(record, kind=row["kind"], as_of=as_of)
    if isinstance(result, Mapped):
        return result.enrollment
    return None if isinstance(result, Skipped) else enrollment_of(row)
