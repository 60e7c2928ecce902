"""What Canvas says of courses, enrollments, users and module progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from .facts import Course, Enrollment, Person
    from .vendor import Record

__all__ = [
    "NOT_MODULE_BASED",
    "NO_PROGRESS",
    "TYPES",
    "course_record",
    "enrollment_record",
    "local_id",
    "progress_record",
    "progress_row",
    "state_of",
    "user_id",
    "user_record",
]

HOST = "https://canvas.example.edu"
"""The vanity domain that links for people bear, whatever port the sandbox listens on."""

SHARD = 1083 * 10**13
"""Ids of guests from another institution begin here: beyond what a float holds."""

TYPES = {
    "learner": "StudentEnrollment",
    "instructor": "TeacherEnrollment",
    "assistant": "TaEnrollment",
    "designer": "DesignerEnrollment",
    "observer": "ObserverEnrollment",
    "preview": "StudentViewEnrollment",
}
_ROLE_IDS = {"learner": 3, "instructor": 4, "assistant": 5, "designer": 6, "observer": 7, "preview": 3}
_STATES = {
    "invited": "invited",
    "pending": "creation_pending",
    "active": "active",
    "suspended": "inactive",
    "rejected": "rejected",
    "concluded": "completed",
    "removed": "deleted",
}
_WORKFLOW = {
    "open": "available",
    "ended": "available",  # over by its dates only: its state does not move
    "closed": "completed",
    "draft": "unpublished",
    "deleted": "deleted",
}
_WHY = "this course is not module based (has modules and module completion requirements)"
NOT_MODULE_BASED: Record = {"error": {"message": f"No progress available because {_WHY}"}}
"""Of a whole course."""
NO_PROGRESS: Record = {
    "error": {
        "message": f"no progress available because {_WHY} or the user is not enrolled as a student in this course"
    }
}
"""Of one user."""


def user_id(person: Person) -> int:
    """Give a user's id, global if the user is from elsewhere."""
    return SHARD + person.id if person.guest else person.id


def local_id(id: int) -> int:
    """Give the tenant's own number for a user's id."""
    return id - SHARD if id > SHARD else id


def course_record(course: Course, include: Collection[str]) -> Record:
    """Say what a course is; `term` and `concluded` where asked for."""
    workflow = _WORKFLOW[course.life]
    record: Record = {
        "id": course.id,
        "name": course.title,
        "course_code": course.code,
        "workflow_state": workflow,
        "account_id": 1,
        "root_account_id": 1,
        "enrollment_term_id": 2 if course.ends_at else 1,
        "uuid": f"{course.id:040x}",
        "created_at": stamp(course.created_at),
        "start_at": stamp(course.starts_at),
        "end_at": stamp(course.ends_at),
        "sis_course_id": f"SIS-{course.code}",
        "integration_id": None,
        "restrict_enrollments_to_course_dates": course.life == "ended",
        "time_zone": "Europe/Athens",
        "default_view": "modules",
        "is_public": False,
    }
    if "concluded" in include:
        record["concluded"] = course.life in {"ended", "closed"}
    if "term" in include:
        name = "Autumn & Winter" if course.ends_at else "Default Term"
        record["term"] = {
            "id": record["enrollment_term_id"],
            "name": name,
            "start_at": stamp(course.starts_at),
            "end_at": stamp(course.ends_at),
        }
    return record


def enrollment_record(enrollment: Enrollment, person: Person, course: Course) -> Record:
    """Say what an enrollment is, without its user."""
    kind = TYPES[enrollment.role]
    apprentice = enrollment.role == "learner" and enrollment.id % 9 == 0  # a role of the institution's own
    record: Record = {
        "id": enrollment.id,
        "user_id": user_id(person),
        "course_id": course.id,
        "type": kind,
        "created_at": stamp(enrollment.enrolled_at),
        "updated_at": stamp(enrollment.changed_at),
        "associated_user_id": person.id + 1 if enrollment.role == "observer" else None,
        "start_at": None,
        "end_at": stamp(enrollment.access_ends_at),
        "course_section_id": course.id * 10 + enrollment.section,
        "root_account_id": 1,
        "limit_privileges_to_course_section": False,
        "temporary_enrollment_source_user_id": None,
        "temporary_enrollment_pairing_id": None,
        "enrollment_state": state_of(enrollment, person, course),
        "role": "Apprentice" if apprentice else TYPES["learner"] if enrollment.role == "preview" else kind,
        "role_id": 21 if apprentice else _ROLE_IDS[enrollment.role],
        "last_activity_at": stamp(enrollment.last_activity_at),
        "last_attended_at": None,
        "total_activity_time": enrollment.seconds,
        "sis_account_id": "A1",
        "sis_course_id": f"SIS-{course.code}",
        "sis_section_id": f"SIS-{course.code}-{enrollment.section}",
        "sis_user_id": f"u-{person.id}",
        "sis_import_id": None,
        "course_integration_id": None,
        "section_integration_id": None,
        "html_url": f"{HOST}/courses/{course.id}/users/{user_id(person)}",
    }
    if enrollment.role in {"learner", "preview"}:
        record["grades"] = _grades(enrollment, person, course)
    return record


def _grades(enrollment: Enrollment, person: Person, course: Course) -> Record:
    grades: Record = {"html_url": f"{HOST}/courses/{course.id}/grades/{user_id(person)}"}
    if enrollment.state == "suspended":
        return grades
    current = enrollment.score
    # work that was not handed in counts as 0 in the final score, so a newcomer has 0.0 there
    final = round((current or 0.0) * enrollment.percent / 100, 2)
    graded = course.id % 2 == 0
    for prefix in ("", "unposted_"):
        grades[f"{prefix}current_score"] = current
        grades[f"{prefix}current_grade"] = _letter(current) if graded else None
        grades[f"{prefix}final_score"] = final
        grades[f"{prefix}final_grade"] = _letter(final) if graded else None
    if enrollment.completed_at and enrollment.id % 4 == 0:
        grades["override_score"], grades["override_grade"] = 101.5, "A+"  # by hand, above the maximum
    return grades


def _letter(score: float | None) -> str | None:
    if score is None:
        return None
    return next((letter for least, letter in ((90, "A"), (80, "B+"), (70, "C"), (60, "D-")) if score >= least), "F")


def state_of(enrollment: Enrollment, person: Person, course: Course) -> str:
    """Give an enrollment's state; it is deleted with its course and its user."""
    if course.life == "deleted" or person.account in {"vanishing", "deleted"}:
        return "deleted"
    return _STATES[enrollment.state]


def user_record(person: Person, *, email: bool) -> Record:
    """Say who a user is; the creation time bears an offset, unlike all other times."""
    sortable = f"{person.last_name}, {person.first_name}" if person.last_name else person.first_name
    record: Record = {
        "id": user_id(person),
        "name": person.name,
        "created_at": person.created_at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "sortable_name": sortable,
        "short_name": person.first_name,
        "sis_user_id": f"u-{person.id}",
        "integration_id": None,
        "sis_import_id": None,
        "login_id": person.login or None,
    }
    if email:
        record["email"] = person.email
    return record


def progress_record(enrollments: Iterable[Enrollment], course: Course) -> Record:
    """Say how far a user got in a course; it belongs to the user, so several enrollments share it."""
    learning = [enrollment for enrollment in enrollments if enrollment.role == "learner"]
    if not learning or not course.requirements:
        return NO_PROGRESS
    best = max(learning, key=lambda enrollment: enrollment.percent)
    done = best.percent * course.requirements // 100
    finished = done == course.requirements
    return {
        "requirement_count": course.requirements,
        "requirement_completed_count": done,
        "next_requirement_url": None if finished else f"{HOST}/courses/{course.id}/modules/items/{course.id}{done}",
        "completed_at": stamp(best.completed_at or best.last_activity_at) if finished else None,
    }


def progress_row(person: Person, enrollments: Iterable[Enrollment], course: Course) -> Record:
    """Say how far a user got, as the list of a course's learners does."""
    return {
        "id": user_id(person),
        "display_name": person.name,
        "avatar_image_url": f"{HOST}/images/messages/avatar-50.png",
        "html_url": f"{HOST}/courses/{course.id}/users/{user_id(person)}",
        "pronouns": None,
        "progress": progress_record(enrollments, course),
    }


def stamp(moment: datetime | None) -> str | None:
    """Write a time as Canvas does."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
