"""What mapping a record costs, beside what pydantic alone needs to validate it, and beside code written by hand.

    python bench/normalizer.py [ROUNDS]

Two pairs of mappings: the built-in ones over records as the connectors make them, with `by_hand.py` beside them, and
two shorter ones over one record each. All are measured in turn, in one run, on the same records; the figures are
medians over the rounds, and microseconds for one record. That both give the same enrollments is checked first.
"""

from __future__ import annotations

import statistics
import sys
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import by_hand
import samples
from machine import machine
from rollbook.core.connection import open_connection
from rollbook.core.mapping import Mapped, compile, load
from rollbook.core.schema import CourseEnrollment, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rollbook.core.mapping import Definition, Normalizer

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
SETTINGS: dict[str, Any] = {
    "base_url": "https://lms.example.edu",
    "timezone": "UTC",
    "pass_mark": None,
    "include_staff": False,
}
BASE_URL = SETTINGS["base_url"]
STATUSES = {status.value: status for status in Status}
TIMES = 2_000
GOAL = 1.3

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


class Case(NamedTuple):
    """A mapping, records for it, and the same written by hand."""

    name: str
    normalizer: Normalizer
    records: Sequence[dict[str, Any]]
    hand: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None


def cases() -> list[Case]:
    """Give them all."""
    canvas = open_connection("bench", "canvas", {"base_url": BASE_URL, "access_token": "made-up"}).normalizer
    talentlms = open_connection("bench", "talentlms", {"domain": "made-up", "api_key": "made-up"}).normalizer
    short = [(CANVAS, CANVAS_RECORD), (TALENTLMS, TALENTLMS_RECORD)]
    return [
        Case("canvas", canvas, samples.canvas(), partial(by_hand.canvas, as_of=AS_OF, base_url=BASE_URL)),
        Case("talentlms", talentlms, samples.talentlms(), partial(by_hand.talentlms, as_of=AS_OF)),
        *(Case(f"short {one.connector}", compile(one, SETTINGS), [record]) for one, record in loaded(short)),
    ]


def loaded(pairs: Sequence[tuple[str, dict[str, Any]]]) -> list[tuple[Definition, dict[str, Any]]]:
    return [(load(text, file="bench.toml"), record) for text, record in pairs]


def mapped(case: Case, record: Any) -> Mapped:
    """Map a record that can be mapped."""
    return cast("Mapped", case.normalizer.normalize(record, as_of=AS_OF))


def ways(case: Case) -> list[Callable[[], object]]:
    """Give what is measured: rollbook, pydantic alone, and the code written by hand; all over all records."""
    results = [case.normalizer.normalize(record, as_of=AS_OF) for record in case.records]
    ours = [result.enrollment for result in results if isinstance(result, Mapped) and not result.flaws]
    assert len(ours) == len(case.records), results
    finished = [one.model_dump() | {"remote_data": one.remote_data} for one in ours]
    assert case.hand is None or [validated(case.hand(record)) for record in case.records] == ours
    found: list[Callable[[], object]] = [
        lambda: [mapped(case, record).enrollment for record in case.records],
        lambda: [CourseEnrollment.model_validate(one) for one in finished],
    ]
    if hand := case.hand:
        found.append(lambda: [validated(hand(record)) for record in case.records])
    return found


def validated(found: dict[str, Any] | None) -> CourseEnrollment | None:
    """Finish what was mapped by hand; the schema takes a status and no text."""
    if found is None:
        return None
    found["status"] = STATUSES[found["status"]]
    return CourseEnrollment.model_validate(found)


def main(rounds: int) -> None:
    """Measure and print."""
    heads = ("rollbook", "pydantic alone", "ratio", "by hand", "ratio")
    print(f"{'mapping':<16}" + "".join(f"{head:>16}" for head in heads))
    for case in cases():
        calls = ways(case)
        times = [[timed(call, len(case.records)) for call in calls] for _ in range(rounds)]
        ours, alone, *hand = (statistics.median(column) for column in zip(*times, strict=True))
        ratios = [statistics.median(row[0] / row[place] for row in times) for place in range(1, len(calls))]
        cells = [f"{ours:.2f} us", f"{alone:.2f} us", f"{ratios[0]:.2f}"]
        cells += [f"{hand[0]:.2f} us", f"{ratios[1]:.2f}"] if hand else ["", ""]
        print(f"{case.name:<16}" + "".join(f"{cell:>16}" for cell in cells))
    print(f"goals: at most {GOAL} of pydantic alone, at most 1 of the code written by hand; {machine()}")


def timed(call: Callable[[], object], records: int) -> float:
    """Give the microseconds that one record takes, of the processor's time."""
    times = max(1, TIMES // records)
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times / records * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 25)
