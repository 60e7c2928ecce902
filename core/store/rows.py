"""Rows of `enrollments`: from a unified record to its columns and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..native import parse
from ..schema import AssignedBy, Course, CourseEnrollment, Email, Status, Url, User

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

SAME = (
    "assigned_at",
    "due_at",
    "enrolled_at",
    "started_at",
    "last_activity_at",
    "completed_at",
    "progress_percent",
    "time_spent_seconds",
    "score",
    "is_mandatory",
    "attempt_number",
    "attempts_count",
    "created_at",
    "updated_at",
)
"""Fields that are a column under their own name."""


def columns_of(one: CourseEnrollment) -> dict[str, Any]:
    """Spread a record over its columns; `remote_data` is left to the caller, who has its text."""
    by = one.assigned_by
    columns: dict[str, Any] = {name: getattr(one, name) for name in SAME}
    columns |= {
        "id": one.id,
        "user_id": one.user.id,
        "user_name": one.user.name,
        "user_email": one.user.emails[0].email if one.user.emails else None,
        "user_emails": [email.model_dump() for email in one.user.emails],
        "course_id": one.course.id,
        "course_title": one.course.title,
        "status": one.status.value,
        "assigned_by_id": by.id if by else None,
        "assigned_by_name": by.name if by else None,
        "urls": [url.model_dump() for url in one.urls],
        "custom_fields": one.custom_fields,
    }
    return columns


def enrollment_of(row: Mapping[str, Any]) -> CourseEnrollment:
    """Put a record together again from its row."""
    by = (row["assigned_by_id"], row["assigned_by_name"])
    remote = parse(row["remote_data"])
    return CourseEnrollment(
        id=row["id"],
        user=User(id=row["user_id"], name=row["user_name"], emails=[Email(**email) for email in row["user_emails"]]),
        course=Course(id=row["course_id"], title=row["course_title"]),
        status=Status(row["status"]),
        assigned_by=AssignedBy(id=by[0], name=by[1]) if any(by) else None,
        urls=[Url(**url) for url in row["urls"]],
        custom_fields=row["custom_fields"],
        remote_data=remote if isinstance(remote, dict) else {},
        **{name: row[name] for name in SAME},
    )


def is_stale(stale_at: datetime | None, now: datetime) -> bool:
    """Tell whether a row's status may be another by now."""
    return stale_at is not None and stale_at < now
