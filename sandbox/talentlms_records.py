"""What TalentLMS says of people, courses and places: everything as text, every time twice."""

from __future__ import annotations

import hashlib
import html
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from datetime import datetime

    from .facts import Course, Enrollment, Person
    from .vendor import JSON, Record

__all__ = [
    "ZONE",
    "certification_row",
    "completion",
    "course_head",
    "course_row",
    "is_there",
    "place_row",
    "short_name",
    "status_row",
    "unit_rows",
    "user_head",
]

PORTAL = "https://acme.talentlms.com"
ZONE = ZoneInfo("Europe/Athens")
"""Of the readable twins of its times, summer time included."""

_ROLES = {"learner": "learner", "instructor": "instructor", "assistant": "instructor", "designer": "instructor"}
"""Nobody else is in a course; there are no observers and no pretend learners."""
_LABELS = {
    "not_attempted": "Not Started",
    "incomplete": "In progress",
    "completed": "Completed",
    "failed": "Not passed",
}


def user_head(person: Person) -> Record:
    """Say who somebody is, with the one-click login that every answer bears."""
    secret = hashlib.sha256(f"login key of {person.id}".encode()).hexdigest()[:32]
    inactive = person.account == "inactive"
    return {
        "id": str(person.id),
        "login": person.login,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "email": person.email or "",
        "restrict_email": "0",
        "user_type": "Trainer-Type" if person.staff else "Learner-Type",
        "timezone": "(GMT +02:00) Athens, Istanbul, Minsk",
        "language": "English",
        "status": "inactive" if inactive else "active",
        "deactivation_date": _local(person.updated_at) if inactive else "",
        "level": "1",
        "points": str(person.id * 10),
        "credits": "0",
        "created_on": _local(person.created_at),
        "last_updated": _local(person.updated_at),
        "last_updated_timestamp": _epoch(person.updated_at),
        "avatar": f"{PORTAL}/pages/images/unknown_users.png",
        "bio": None,
        "login_key": f"{PORTAL}/index/autologin/key:{secret}",
        "custom_field_1": person.department,
        "custom_field_2": "on" if person.staff else "",
    }


def course_head(course: Course) -> Record:
    """Say what a course is."""
    return {
        "id": str(course.id),
        "name": html.escape(course.title, quote=False),
        "code": course.code,
        "category_id": "3",
        "description": "<p>Start here &amp; learn</p>",
        "price": "&#36;0.00",
        "status": "inactive" if course.life == "draft" else "active",
        "creation_date": _local(course.created_at),
        "last_update_on": _local(course.created_at),
        "creator_id": "1",
        "hide_from_catalog": "0",
        "time_limit": str(course.time_limit_days),
        "start_datetime": _local(course.starts_at) if course.starts_at else None,
        "expiration_datetime": _local(course.ends_at) if course.ends_at else None,
        "level": "1",
        "shared": "0",
        "shared_url": "",
        "avatar": f"{PORTAL}/pages/images/unknown_small.png",
        "big_avatar": f"{PORTAL}/pages/images/unknown_small.png",
        "certification": "Classic",
        "certification_duration": "Forever",
    }


def place_row(place: Enrollment) -> Record:
    """Say of a place what all three views of it say."""
    # an empty time is "" in some rows and null in others, as in real portals
    empty = "" if place.id % 2 else None
    return {
        "role": _ROLES[place.role],
        "enrolled_on": _local(place.enrolled_at),
        "enrolled_on_timestamp": _epoch(place.enrolled_at),
        "completed_on": _local(place.completed_at) if place.completed_at else "",
        "completed_on_timestamp": _epoch(place.completed_at) if place.completed_at else empty,
        "completion_percentage": str(place.percent),
        "expired_on": _local(place.access_ends_at) if place.access_ends_at else "",
        "expired_on_timestamp": _epoch(place.access_ends_at) if place.access_ends_at else empty,
        "total_time": _spent(place.seconds) if place.seconds else empty,
        "total_time_seconds": place.seconds or None,
    }


def course_row(place: Enrollment, course: Course) -> Record:
    """Say of a place what its person's page says: the only view with the machine's word for the status."""
    status = completion(place)
    label: Record = {"completion_status_formatted": _LABELS[status]} if place.id % 5 else {}  # older rows have none
    return {
        "id": str(course.id),
        "name": html.escape(course.title, quote=False),
        **place_row(place),
        "completion_status": status,
        **label,
        "last_accessed_unit_url": f"{PORTAL}/course/lastaccessedunit/course_id:{course.id},user_id:{place.person}",
    }


def status_row(place: Enrollment, course: Course) -> Record:
    """Say of a place what `getuserstatusincourse` says: a label for the status, and the units."""
    units = unit_rows(course)
    done = len(units) * place.percent // 100
    rows: list[JSON] = []
    for number, unit in enumerate(units):
        finished = place.last_activity_at if number < done else None
        rows.append(
            {
                "id": unit["id"],
                "name": unit["name"],
                "type": unit["type"],
                "completion_status": "Completed" if finished else "Not attempted",
                "completed_on": _local(finished) if finished else "",
                "completed_on_timestamp": _epoch(finished) if finished else "",
                "score": "",
                "total_time": "0s",
                "total_time_seconds": 0,
            }
        )
    return {**place_row(place), "completion_status": _LABELS[completion(place)], "units": rows}


def certification_row(place: Enrollment, course: Course, issued: datetime) -> Record:
    """Say of a certificate when it was issued and when it ends: whole numbers here, and 0 for never."""
    ends = place.certificate_ends_at
    return {
        "course_id": str(course.id),
        "course_name": html.escape(course.title, quote=False),
        "unique_id": f"4947{place.id:010}",
        "issued_date": _local(issued)[:10],
        "issued_date_timestamp": int(issued.timestamp()),
        "expiration_date": _local(ends)[:10] if ends else "Never",
        "expiration_date_timestamp": int(ends.timestamp()) if ends else 0,
        "download_url": f"{PORTAL}/certificate/download/id:{place.id}",
        "public_url": f"{PORTAL}/user/certification/sig:{place.id}",
    }


def unit_rows(course: Course) -> list[Record]:
    """Say what a course's units are."""
    ids = [f"{course.id}{number:02}" for number in range(1, (course.requirements or 3) + 1)]
    return [
        {"id": unit, "type": "Content", "name": f"Unit {unit[-1]}", "url": f"{PORTAL[8:]}/unit/apiview/id:{unit}"}
        for unit in ids
    ]


def completion(place: Enrollment) -> str:
    """Give the machine's word for a place's status; `failed` is not documented, but inferred from an event's name."""
    if place.failed:
        return "failed"
    if place.completed_at:
        return "completed"
    return "incomplete" if place.begun and place.role == "learner" else "not_attempted"


def is_there(place: Enrollment) -> bool:
    """Tell whether TalentLMS would show a place: who was removed is gone without trace."""
    return place.role in _ROLES and place.state not in {"removed", "rejected"}


def short_name(person: Person) -> str:
    """Abbreviate a name as a course's page does."""
    first, last = person.first_name, person.last_name
    return f"{first[:1]}. {last}" if last else first


def _spent(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "m")] if hours else [(minutes, "m")] if minutes else []
    return " ".join(f"{number}{unit}" for number, unit in [*parts, (rest, "s")])


def _epoch(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def _local(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime("%d/%m/%Y, %H:%M:%S")
