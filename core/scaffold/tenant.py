"""The made-up tenant in the recordings of a new connector: every status, and what an LMS's data is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..native import NativeRecord

__all__ = ["AS_OF", "COURSES", "ENROLLMENTS", "FETCHED", "GONE", "PASS_MARK", "USERS"]

AS_OF = "2026-03-10T00:00:00Z"
PASS_MARK = 80
FETCHED = (101, 109)
"""Enrollments that are also read one by one: a learner's, and that of a user who is no longer there."""
GONE = 999
"""An enrollment that there is none of."""

COURSES: list[NativeRecord] = [
    {"id": 11, "title": "Fire Safety"},
    {"id": 12, "title": "First Aid & Rescue"},
    {"id": 13, "title": "Data Protection"},
]
"""Nobody is enrolled in the last one."""


def _user(id: int, first: str, last: str, department: str) -> NativeRecord:
    email = f"{first}.{last}@example.com".lower()
    return {"id": id, "first_name": first, "last_name": last, "email": email, "department": department}


USERS: list[NativeRecord] = [
    _user(1, "Mara", "Quill", "Warehouse"),
    _user(2, "Ilir", "Okafor", "Office"),
    _user(3, "Noor", "Lindqvist", "Warehouse"),
    _user(4, "Tomas", "Abe", "Office"),
]


def _enrollment(
    id: int,
    course: int,
    user: int,
    status: str,
    progress: int,
    *,
    role: str = "learner",
    score: float | None = None,
    due: str | None = None,
    completed: str | None = None,
) -> NativeRecord:
    return {
        "id": id,
        "course_id": course,
        "user_id": user,
        "role": role,
        "status": status,
        "progress": progress,
        "score": score,
        "enrolled_at": f"2026-01-{course}T09:00:00Z",
        "due_date": due,
        "completed_at": completed,
    }


ENROLLMENTS: list[NativeRecord] = [
    _enrollment(101, 11, 1, "completed", 100, score=91.5, completed="2026-02-03T10:30:00Z"),
    _enrollment(102, 11, 2, "in_progress", 35, due="2026-04-30"),
    _enrollment(103, 11, 3, "not_started", 0, due="2026-02-28"),
    _enrollment(104, 11, 4, "in_progress", 0, role="teacher"),
    _enrollment(105, 12, 1, "not_started", 0),
    _enrollment(106, 12, 2, "failed", 100, score=41, due="2026-02-28"),
    _enrollment(107, 12, 3, "cancelled", 20),
    _enrollment(108, 12, 4, "completed", 100, completed="2026-02-20T15:00:00Z"),
    _enrollment(109, 12, 5, "on_hold", 60),
]
"""The last word is none that the LMS is known to have, and its user has been deleted."""
