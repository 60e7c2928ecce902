"""Mapping code as a careful engineer writes it for one vendor, without rollbook: from a record to finished values.

`canvas` and `talentlms` give what the built-in mappings give for the same records, as a dict that
`CourseEnrollment.model_validate` takes; None for somebody who is no learner. A value that cannot be read is null.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from plain import (
    Json,
    addresses,
    duration,
    epoch,
    given,
    link,
    links,
    moment,
    number,
    percent,
    printed,
    settled,
    share,
    text,
    whole,
)

if TYPE_CHECKING:
    from datetime import datetime

NOBODY: Json = {}
CANVAS_STATES = {
    "active": "enrolled",
    "invited": "assigned",
    "creation_pending": "assigned",
    "inactive": "withdrawn",
    "rejected": "withdrawn",
    "deleted": "withdrawn",
    "completed": "completed",
}
CANVAS_STAFF = (
    "TeacherEnrollment",
    "TaEnrollment",
    "DesignerEnrollment",
    "ObserverEnrollment",
    "StudentViewEnrollment",
)
TALENTLMS_WORDS = {
    "not_attempted": "enrolled",
    "not_started": "enrolled",
    "incomplete": "in_progress",
    "in_progress": "in_progress",
    "completed": "completed",
    "passed": "passed",
    "failed": "failed",
    "not_passed": "failed",
    "did_not_pass": "failed",
    "pending": "in_progress",
}
_NO_WORD = re.compile(r"\W+")


def canvas_status(  # noqa: PLR0911 - line by line
    enrollment: Json, course: Json, progress: Json, completed_at: datetime | None
) -> str:
    """Tell the status before its dates."""
    state = (text(enrollment.get("enrollment_state")) or "").lower()
    required, done = number(progress.get("requirement_count")), number(progress.get("requirement_completed_count"))
    known = required is not None and required > 0
    if state and state not in CANVAS_STATES:
        return "unknown"
    if completed_at or (known and done is not None and required is not None and done >= required):
        return "completed"
    concluded = bool(course.get("concluded"))
    if known and (state == "completed" or (state == "active" and concluded)):
        return "expired"
    if state == "active":
        if concluded:
            return "completed"
        if done or moment(enrollment.get("last_activity_at")) or whole(enrollment.get("total_activity_time")):
            return "in_progress"
    if concluded and state in ("invited", "creation_pending"):
        return "expired"
    return CANVAS_STATES.get(state, "unknown")


def canvas(record: Json, *, as_of: datetime, base_url: str) -> Json | None:
    """Map `{enrollment, course, progress}`."""
    enrollment, course, progress = record["enrollment"], record["course"], record["progress"] or NOBODY
    if enrollment.get("type") in CANVAS_STAFF:
        return None
    user, grades = enrollment.get("user") or NOBODY, enrollment.get("grades") or NOBODY
    state, concluded = enrollment.get("enrollment_state"), course.get("concluded")
    created_at, ends_at = moment(enrollment.get("created_at")), moment(enrollment.get("end_at"))
    completed_at = moment(progress.get("completed_at"))
    score = number(grades.get("override_score"))
    if score is None:
        score = number(grades.get("final_score" if state == "completed" or concluded else "current_score"))
    course_id = text(enrollment.get("course_id"))
    custom = given(
        {
            "native_status": text(state),
            "access_ends_at": printed(ends_at),
            "concluded": True if state == "completed" else concluded,
            "pending": "invitation" if state in ("invited", "creation_pending") else None,
            "access_starts_at": printed(moment(enrollment.get("start_at"))),
            "enrollment_type": enrollment.get("type"),
            "role": enrollment.get("role"),
            "username": user.get("login_id"),
            "course_section_id": text(enrollment.get("course_section_id")),
            "associated_user_id": text(enrollment.get("associated_user_id")),
            "last_attended_at": printed(moment(enrollment.get("last_attended_at"))),
            "current_score": grades.get("current_score"),
            "final_score": grades.get("final_score"),
            "current_grade": grades.get("current_grade"),
            "final_grade": grades.get("final_grade"),
            "override_grade": grades.get("override_grade"),
            "sis_user_id": enrollment.get("sis_user_id"),
            "sis_course_id": enrollment.get("sis_course_id") or course.get("sis_course_id"),
            "sis_section_id": enrollment.get("sis_section_id"),
            "sis_account_id": enrollment.get("sis_account_id"),
            "course_code": course.get("course_code"),
            "course_state": course.get("workflow_state"),
            "course_starts_at": printed(moment(course.get("start_at"))),
            "course_ends_at": printed(moment(course.get("end_at"))),
            "term": (course.get("term") or NOBODY).get("name"),
            "requirement_count": progress.get("requirement_count"),
            "requirement_completed_count": progress.get("requirement_completed_count"),
        }
    )
    status = canvas_status(enrollment, course, progress, completed_at)
    status, completed_at = settled(status, custom, completed_at, as_of=as_of, until=ends_at)
    return {
        "id": text(enrollment.get("id")),
        "user": {
            "id": text(enrollment.get("user_id")),
            "name": text(user.get("name")) or text(user.get("short_name")),
            "emails": addresses(user.get("email"), user.get("login_id")),
        },
        "course": {"id": course_id, "title": text(course.get("original_name")) or text(course.get("name"))},
        "status": status,
        "enrolled_at": created_at,
        "last_activity_at": moment(enrollment.get("last_activity_at")),
        "completed_at": completed_at,
        "progress_percent": share(progress.get("requirement_completed_count"), progress.get("requirement_count")),
        "time_spent_seconds": whole(enrollment.get("total_activity_time")),
        "score": score,
        "urls": links(
            enrollment=link(enrollment.get("html_url")),
            course=f"{base_url}/courses/{quote(course_id, safe='')}" if course_id else None,
            grades=link(grades.get("html_url")),
        ),
        "created_at": created_at,
        "updated_at": moment(enrollment.get("updated_at")),
        "custom_fields": custom,
        "remote_data": record,
    }


def talentlms_status(enrollment: Json, progress: float | None, spent: int | None, done: datetime | None) -> str:
    """Tell the status before its dates."""
    word = _NO_WORD.sub("_", (text(enrollment.get("completion_status")) or "").lower()).strip("_")
    if word:
        return TALENTLMS_WORDS.get(word, "unknown")
    if done:
        return "completed"
    return "in_progress" if progress or spent else "enrolled"


def talentlms(record: Json, *, as_of: datetime) -> Json | None:
    """Map `{enrollment, user, certifications}`."""
    enrollment, user, earned = record["enrollment"], record["user"], record["certifications"]
    if (text(enrollment.get("role")) or "").lower() == "instructor":
        return None
    certificate = earned[0] if earned else NOBODY
    course_id, user_id = text(enrollment.get("id")), text(user.get("id"))
    enrolled_at, ends_at = epoch(enrollment.get("enrolled_on_timestamp")), epoch(enrollment.get("expired_on_timestamp"))
    completed_at = epoch(enrollment.get("completed_on_timestamp"))
    progress = percent(enrollment.get("completion_percentage"))
    spent = whole(enrollment.get("total_time_seconds"))
    if spent is None:
        spent = duration(enrollment.get("total_time"))
    ends = [one.get("expiration_date_timestamp") for one in earned]
    never = any(str(end) == "0" for end in ends)
    valid = None if never else max(filter(None, map(epoch, ends)), default=None)
    custom = {name: value for name, value in user.items() if name.startswith("custom_field_")}
    custom |= {
        "native_status": text(enrollment.get("completion_status")),
        "access_ends_at": printed(ends_at),
        "valid_until": printed(valid),
        "role": text(enrollment.get("role")),
        "user_active": {"active": True, "inactive": False}.get(user.get("status", "")),
        "username": text(user.get("login")),
        "user_type": text(user.get("user_type")),
        "branches": [one["name"] for one in user.get("branches") or ()] or None,
        "groups": [one["name"] for one in user.get("groups") or ()] or None,
        "certificate_id": text(certificate.get("unique_id")),
    }
    custom = given(custom)
    status = talentlms_status(enrollment, progress, spent, completed_at)
    status, completed_at = settled(status, custom, completed_at, as_of=as_of, until=ends_at, valid=valid)
    title = enrollment.get("name") or ""
    name = " ".join(filter(None, (text(user.get("first_name")), text(user.get("last_name")))))
    return {
        "id": f"{user_id or ''}:{course_id or ''}",
        "user": {
            "id": user_id,
            "name": name or None,
            "emails": addresses(user.get("email"), user.get("login")),
        },
        "course": {"id": course_id, "title": text(html.unescape(title) if "&" in title else title)},
        "status": status,
        "enrolled_at": enrolled_at,
        "completed_at": completed_at,
        "progress_percent": progress,
        "time_spent_seconds": spent,
        "urls": links(
            last_unit=link(enrollment.get("last_accessed_unit_url")), certificate=link(certificate.get("public_url"))
        ),
        "custom_fields": custom,
        "remote_data": record,
    }
