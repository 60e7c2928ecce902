"""What mapping a record costs, beside what pydantic alone needs to validate the finished object.

    python bench/normalizer.py [ROUNDS]

Both are measured in turn, in one run, on the same records; the figure is the median over the rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollbook.core.mapping import Mapped, compile, load
from rollbook.core.schema import CourseEnrollment

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "base_url": "https://lms.example.edu",
    "timezone": "UTC",
    "pass_mark": None,
    "include_staff": False,
}
TIMES = 2_000
GOAL = 1.6

CANVAS = """
connector = "canvas"
[course_enrollment]
id = "id(enrollment.id)"
user.id = "id(enrollment.user_id)"
user.name = "text(enrollment.user.name)"
user.emails.institution = "email(enrollment.user.email)"
user.emails.login = "email(enrollment.user.login_id)"
course.id = "id(enrollment.course_id)"
course.title = "text(course.name)"
enrolled_at = "datetime(enrollment.created_at)"
last_activity_at = "datetime(enrollment.last_activity_at)"
completed_at = "datetime(progress.completed_at)"
progress_percent = "ratio(progress.requirement_completed_count, progress.requirement_count)"
time_spent_seconds = "seconds(enrollment.total_activity_time)"
score = "first(number(enrollment.grades.override_score), number(enrollment.grades.current_score))"
urls.enrollment = "enrollment.html_url"
urls.course = "url(setting('base_url'), 'courses', enrollment.course_id)"
created_at = "datetime(enrollment.created_at)"
updated_at = "datetime(enrollment.updated_at)"
[course_enrollment.skip]
staff = "!one_of(enrollment.type, 'StudentEnrollment') && !setting('include_staff')"
[course_enrollment.status]
source = "enrollment.enrollment_state"
values = { active = "enrolled", invited = "assigned", creation_pending = "assigned", completed = "completed", inactive = "withdrawn", deleted = "withdrawn", rejected = "withdrawn" }
[course_enrollment.status.rules.modules_done]
when = "progress.completed_at"
then = "completed"
[course_enrollment.status.rules.begun]
when = "enrollment.enrollment_state == 'active' && enrollment.last_activity_at"
then = "in_progress"
[course_enrollment.custom_fields]
role = "enrollment.role"
sis_user_id = "enrollment.sis_user_id"
section_id = "id(enrollment.course_section_id)"
course_code = "course.course_code"
term = "course.term.name"
"""  # noqa: E501 - mappings, and records beside what they become

TALENTLMS = """
connector = "talentlms"
[course_enrollment]
id = "ids(user.id, course.id)"
user.id = "id(user.id)"
user.name = "person(user.first_name, user.last_name)"
user.emails.primary = "email(user.email)"
course.id = "id(course.id)"
course.title = "unescape(course.name)"
enrolled_at = "epoch(course.enrolled_on_timestamp)"
completed_at = "epoch(course.completed_on_timestamp)"
progress_percent = "percent(course.completion_percentage)"
time_spent_seconds = "first(seconds(course.total_time_seconds), duration(course.total_time))"
urls.last_unit = "course.last_accessed_unit_url"
urls.certificate = "pick(user.certifications, 'course_id', course.id).public_url"
created_at = "epoch(course.enrolled_on_timestamp)"
[course_enrollment.skip]
instructor = "one_of(course.role, 'instructor') && !setting('include_staff')"
[course_enrollment.status]
source = "snake(course.completion_status)"
values = { not_attempted = "enrolled", incomplete = "in_progress", completed = "completed", passed = "passed", failed = "failed" }
access_ends_at = "epoch(course.expired_on_timestamp)"
valid_until = "epoch(pick(user.certifications, 'course_id', course.id).expiration_date_timestamp)"
[course_enrollment.custom_fields]
role = "course.role"
username = "user.login"
user_active = "user.status == 'active'"
"*" = "starting(user, 'custom_field_')"
"""  # noqa: E501 - mappings, and records beside what they become

CANVAS_RECORD: dict[str, Any] = {
    "enrollment": {
        "id": 9001, "course_id": 41001, "user_id": 7101, "course_section_id": 5501, "type": "StudentEnrollment", "role": "StudentEnrollment",  # noqa: E501 - mappings, and records beside what they become
        "enrollment_state": "active", "created_at": "2026-01-06T07:00:12Z", "updated_at": "2026-01-06T07:00:12Z", "start_at": None,  # noqa: E501 - mappings, and records beside what they become
        "end_at": None, "last_activity_at": "2026-03-16T10:44:53Z", "total_activity_time": 7260, "sis_user_id": "u-7101",  # noqa: E501 - mappings, and records beside what they become
        "html_url": "https://lms.example.edu/courses/41001/users/7101",
        "grades": {"current_score": 87.5, "final_score": 43.75, "current_grade": None},
        "user": {"id": 7101, "name": "Ada Example", "login_id": "ada@example.com", "email": "ada@example.com"},
    },
    "course": {"id": 41001, "name": "Operations 1", "course_code": "OPS1", "term": {"name": "Spring"}},
    "progress": {"requirement_count": 8, "requirement_completed_count": 3, "completed_at": None},
}  # fmt: skip
TALENTLMS_RECORD: dict[str, Any] = {
    "user": {
        "id": "45", "login": "mquill", "first_name": "Mara", "last_name": "Quill", "email": "mara.quill@example.com", "status": "active",  # noqa: E501 - mappings, and records beside what they become
        "custom_field_1": "Warehouse",
        "certifications": [{"course_id": "12", "expiration_date_timestamp": 0, "public_url": "https://lms.example.com/certificate/1"}],
    },
    "course": {
        "id": "12", "name": "Safety Basics", "role": "learner", "enrolled_on_timestamp": "1768208400", "completed_on_timestamp": "1768905000",  # noqa: E501 - mappings, and records beside what they become
        "completion_status": "completed", "completion_percentage": "100", "expired_on_timestamp": "", "total_time": "1h 2m 5s",  # noqa: E501 - mappings, and records beside what they become
        "total_time_seconds": 3725, "last_accessed_unit_url": "https://lms.example.com/course/lastaccessedunit/course_id:12",
    },
}  # fmt: skip


def main(rounds: int) -> None:
    """Measure and print."""
    print(f"{'mapping':<12}{'map + validate':>16}{'validate':>12}{'ratio':>8}   (goal: at most {GOAL})")
    for name, text, record in (("canvas", CANVAS, CANVAS_RECORD), ("talentlms", TALENTLMS, TALENTLMS_RECORD)):
        normalizer = compile(load(text, file=f"{name}.toml"), SETTINGS)
        result = normalizer.normalize(record, as_of=AS_OF)
        assert isinstance(result, Mapped)
        assert not result.flaws, result.flaws
        finished = result.enrollment.model_dump() | {"remote_data": record}

        def ours(normalizer: Any = normalizer, record: Any = record) -> object:
            return normalizer.normalize(record, as_of=AS_OF)

        def theirs(finished: Any = finished) -> object:
            return CourseEnrollment.model_validate(finished)

        pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
        whole, alone = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"{name:<12}{whole:>13.2f} us{alone:>9.2f} us{ratio:>8.2f}")


def timed(call: Callable[[], object]) -> float:
    """Give the microseconds of one call."""
    start = time.perf_counter()
    for _ in range(TIMES):
        call()
    return (time.perf_counter() - start) / TIMES * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 25)
