"""Records as the built-in connectors make them, of made-up learners in many states."""

from __future__ import annotations

from typing import Any

import canvas_server

LEARNERS = 60
EPOCH = 1_768_208_400
WORDS = ("completed", "passed", "not_attempted", "Not attempted", "incomplete", "failed", "", "incomplete")


def canvas() -> list[dict[str, Any]]:
    """Give what bench/canvas_server.py's answers become."""
    course = canvas_server.course(77_777)
    found: list[dict[str, Any]] = []
    for place in range(LEARNERS):
        row = canvas_server.enrollment(place)
        done = None if row["enrollment_state"] == "completed" else canvas_server.progress(place)["progress"]
        found.append({"enrollment": row, "course": course, "progress": done})
    return found


def talentlms() -> list[dict[str, Any]]:
    """Give rows of users' courses, as TalentLMS's API v1 has them: most numbers are texts."""
    return [_talentlms(place) for place in range(LEARNERS)]


def _talentlms(place: int) -> dict[str, Any]:
    word, course = WORDS[place % len(WORDS)], str(12 + place % 5)
    ended = word in ("completed", "passed")
    user = {
        "id": str(45 + place),
        "login": f"learner{place}" if place % 2 else f"learner{place}@example.com",
        "first_name": "Learner",
        "last_name": f"Number {place}",
        "email": f"learner{place}@example.com" if place % 3 else "",
        "restrict_email": "0",
        "user_type": "Learner-Type",
        "timezone": "Europe/Athens",
        "language": "en",
        "status": "active" if place % 7 else "inactive",
        "level": "1",
        "points": "0",
        "created_on": "12/01/2026, 11:00:00",
        "last_updated_timestamp": str(EPOCH + 9_000),
        "avatar": "https://lms.example.com/pages/images/unknown_small.png",
        "login_key": "",
        "custom_field_1": "Warehouse",
        "branches": [{"id": "3", "name": "North"}] if place % 4 == 0 else [],
        "groups": [{"id": "8", "name": "Forklift"}] if place % 5 == 0 else [],
    }
    row = {
        "id": course,
        "name": "Safety Basics" if place % 3 else "Law &amp; order",
        "role": "learner",
        "enrolled_on": "12/01/2026, 11:00:00",
        "enrolled_on_timestamp": str(EPOCH + place),
        "completed_on": "20/01/2026, 12:30:00" if ended else "",
        "completed_on_timestamp": str(EPOCH + 696_600) if ended else None,
        "completion_status": word,
        "completion_status_formatted": word.replace("_", " ").capitalize(),
        "completion_percentage": "100" if ended else str(place % 90),
        "expired_on": "",
        "expired_on_timestamp": str(EPOCH + (100 if place % 2 else 90_000_000)) if place % 6 == 0 else "",
        "total_time": "1h 2m 5s" if place % 2 else "",
        "total_time_seconds": 3_725 if place % 4 == 1 else None,
        "last_accessed_unit_url": f"https://lms.example.com/course/lastaccessedunit/course_id:{course}",
    }
    certificate = {
        "course_id": course,
        "course_name": "Safety Basics",
        "unique_id": f"{place}-{course}-made-up",
        "issued_date": "20/01/2026",
        "issued_date_timestamp": EPOCH + 696_600,
        "expiration_date": "Never" if place % 2 else "20/01/2028",
        "expiration_date_timestamp": 0 if place % 2 else EPOCH + (90_000_000 if place % 3 else 700_000),
        "download_url": f"https://lms.example.com/userportal/certificate/{place}",
        "public_url": f"https://lms.example.com/certificate/{place}",
    }
    return {"enrollment": row, "user": user, "certifications": [certificate] if ended else []}
