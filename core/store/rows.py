"""Rows of `enrollments`: from a unified record to its columns and back."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..mapping.finished import values_of
from ..native import parse
from ..schema import AssignedBy, Course, CourseEnrollment, Email, Status, Url, User
from .tables import Moment, enrollments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    return spread(values_of(one))


def spread(values: Mapping[str, Any]) -> dict[str, Any]:
    """Spread the finished values of a record over its columns."""
    user, course, by = values["user"], values["course"], values["assigned_by"]
    emails = user["emails"]
    columns: dict[str, Any] = {name: values[name] for name in SAME}
    columns |= {
        "id": values["id"],
        "user_id": user["id"],
        "user_name": user["name"],
        "user_email": emails[0]["email"] if emails else None,
        "user_emails": emails,
        "course_id": course["id"],
        "course_title": course["title"],
        "status": values["status"].value,
        "assigned_by_id": by["id"] if by else None,
        "assigned_by_name": by["name"] if by else None,
        "urls": values["urls"],
        "custom_fields": values["custom_fields"],
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


def later_of(changes: Sequence[tuple[datetime, Mapping[str, Any], datetime | None]]) -> list[dict[str, Any]]:
    """Write what dates will make of a record: from when on, until when, and the columns that are others then."""
    found: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    for number, (start, values, end) in enumerate(changes):
        columns = spread(values)
        if number:
            changed = {name: _written(value) for name, value in columns.items() if value != before[name]}
            found.append({"from": _written(start), "until": _written(end), "columns": changed})
        before = columns
    return found


def moved(row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Give a row whose native record is not kept as it is at an instant after it was mapped."""
    found = dict(row)
    rest: list[dict[str, Any]] = []
    for change in row["later"] or ():
        start = datetime.fromisoformat(change["from"])
        if start >= at:
            rest.append(change)
            continue
        found |= {name: _read(name, value) for name, value in change["columns"].items()}
        found["stale_at"] = _read("stale_at", change["until"])
    if not rest and is_stale(found["stale_at"], at):
        found["stale_at"] = None  # further was not foreseen
    return found | {"later": rest, "mapped_at": at}


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    return (
        datetime.fromisoformat(value)
        if isinstance(value, str) and isinstance(enrollments.c[name].type, Moment)
        else value
    )


def is_stale(stale_at: datetime | None, now: datetime) -> bool:
    """Tell whether a row's status may be another by now."""
    return stale_at is not None and stale_at < now
