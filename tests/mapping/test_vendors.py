"""What real systems need to be said, in small invented mappings: the language must be able to say it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.mapping import Skipped, compile, load

if TYPE_CHECKING:
    from rollbook.core.mapping import Normalizer

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def ready(text: str, **settings: Any) -> Normalizer:
    base = {
        "timezone": "UTC",
        "pass_mark": None,
        "include_staff": False,
        "include_containers": False,
        "base_url": "https://lms.example.com",
    }
    return compile(load(f'connector = "demo"\n[course_enrollment]\n{text}'), {**base, **settings})


def mapped(normalizer: Normalizer, record: Any) -> Any:
    found: Any = normalizer.normalize(record, as_of=NOW)
    return found if isinstance(found, Skipped) else found.enrollment


EVERYTHING_IS_TEXT = """
id = "ids(user.id, course.id)"
user.name = "person(user.first_name, user.last_name)"
course.title = "unescape(course.name)"
enrolled_at = "epoch(course.enrolled_on_timestamp)"
completed_at = "epoch(course.completed_on_timestamp)"
progress_percent = "percent(course.completion_percentage)"
time_spent_seconds = "first(seconds(course.total_time_seconds), duration(course.total_time))"
urls.certificate = "pick(user.certifications, 'course_id', course.id).public_url"
skip.instructor = "one_of(course.role, 'instructor') && !setting('include_staff')"
drift.role = { source = "course.role", known = ["learner", "instructor"] }
[course_enrollment.status]
source = "snake(course.completion_status)"
values = { not_attempted = "enrolled", not_started = "enrolled", incomplete = "in_progress", completed = "completed", failed = "failed" }
default = "enrolled"
access_ends_at = "epoch(course.expired_on_timestamp)"
valid_until = "epoch(pick(user.certifications, 'course_id', course.id).expiration_date_timestamp)"
[course_enrollment.status.rules.done]
when = "!text(course.completion_status) && epoch(course.completed_on_timestamp)"
then = "completed"
[course_enrollment.status.rules.begun]
when = "!text(course.completion_status) && (number(course.completion_percentage) > `0` || seconds(course.total_time_seconds) > `0`)"
then = "in_progress"
[course_enrollment.custom_fields]
"*" = "starting(user, 'custom_field_')"
groups = "user.groups[].name"
"""  # noqa: E501 - mappings, and records beside what they become


@pytest.mark.parametrize(
    ("course", "user", "expected"),
    [
        ({"completion_status": "completed"}, {}, "completed"),
        ({"completion_status": "Not Started"}, {}, "enrolled"),
        (
            {"completion_status": "completed"},
            {"certifications": [{"course_id": "12", "expiration_date_timestamp": 1768905000}]},
            "expired",
        ),
        (
            {"completion_status": "completed"},
            {"certifications": [{"course_id": "13", "expiration_date_timestamp": 1768905000}]},
            "completed",
        ),
        (
            {"completion_status": "completed"},
            {"certifications": [{"course_id": 12, "expiration_date_timestamp": 0}]},
            "completed",
        ),
        ({"completion_status": "incomplete", "expired_on_timestamp": "1770800400"}, {}, "expired"),
        ({"completion_status": "", "completed_on_timestamp": "1768905000"}, {}, "completed"),
        ({"completion_percentage": "0", "total_time_seconds": 284}, {}, "in_progress"),
        ({"completion_percentage": "0", "total_time_seconds": ""}, {}, "enrolled"),
    ],
)
def test_text_for_everything_and_a_status_that_may_be_missing(
    course: dict[str, Any], user: dict[str, Any], expected: str
) -> None:
    record = {"user": {"id": "45", **user}, "course": {"id": "12", "role": "learner", **course}}

    assert mapped(ready(EVERYTHING_IS_TEXT), record).status.value == expected


def test_text_for_everything_in_full() -> None:
    user = {
        "id": "45",
        "first_name": "Mara",
        "last_name": "Quill",
        "custom_field_1": "x",
        "custom_field_2": "",
        "groups": [{"name": "Warehouse"}],
    }
    course = {
        "id": "12",
        "name": "Law &amp; order",
        "enrolled_on_timestamp": "1768208400",
        "total_time_seconds": None,
        "total_time": "3m 17s",
    }
    found = mapped(ready(EVERYTHING_IS_TEXT), {"user": user, "course": course})

    assert (found.id, found.user.name, found.course.title, found.time_spent_seconds) == (
        "45:12",
        "Mara Quill",
        "Law & order",
        197,
    )
    assert found.enrolled_at == datetime(2026, 1, 12, 9, tzinfo=UTC)
    assert found.custom_fields == {"custom_field_1": "x", "groups": ["Warehouse"]}


def test_staff_is_skipped_unless_the_setting_brings_it_in() -> None:
    record = {"user": {"id": "1"}, "course": {"id": "12", "role": "Instructor"}}

    assert mapped(ready(EVERYTHING_IS_TEXT), record) == Skipped("instructor", "1:12")
    assert mapped(ready(EVERYTHING_IS_TEXT, include_staff=True), record).status.value == "enrolled"


JOINED = """
id = "ids(row.id, row.user_id)"
due_at = "end_of_day(row.enroll_end_date)"
score = "when(number(row.score) != `0`, number(row.score))"
is_mandatory = "when(text(row.assignment_type), one_of(row.assignment_type, 'mandatory', 'required'))"
assigned_by.id = "when(id(row.subscribed_by) != id(row.user_id), id(row.subscribed_by))"
assigned_by.name = "when(id(row.subscribed_by) != id(row.user_id), first(text(assigner.fullname), person(assigner.firstname, assigner.lastname)))"
user.emails.work = "email(user.email)"
user.emails.login = "email(row.username)"
skip.learning_plan = "one_of(row.type, 'learning_plan') && !setting('include_containers')"
[course_enrollment.status]
source = "row.status"
values = { enrolled = "enrolled", in_progress = "in_progress", completed = "completed", suspended = "withdrawn", waiting = "assigned" }
access_ends_at = "when(row.soft_deadline == `false`, end_of_day(row.enroll_end_date))"
[course_enrollment.status.rules.assigned]
when = "one_of(row.status, 'enrolled') && id(row.subscribed_by) != id(row.user_id)"
then = "assigned"
[course_enrollment.custom_fields]
pending = "when(one_of(row.status, 'waiting'), 'waitlist')"
"""  # noqa: E501 - mappings, and records beside what they become


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"status": "in_progress", "enroll_end_date": "2026-03-01 23:59:59", "soft_deadline": True}, "overdue"),
        ({"status": "in_progress", "enroll_end_date": "2026-03-01 23:59:59"}, "overdue"),
        ({"status": "in_progress", "enroll_end_date": "2026-03-01", "soft_deadline": False}, "expired"),
        ({"status": "in_progress", "enroll_end_date": "0000-00-00 00:00:00", "soft_deadline": False}, "in_progress"),
        ({"status": "completed", "enroll_end_date": "2026-03-01", "soft_deadline": False}, "completed"),
        ({"status": "enrolled", "subscribed_by": 13055}, "enrolled"),
        ({"status": "enrolled", "subscribed_by": 13002}, "assigned"),
        ({"status": "suspended", "enroll_end_date": "2026-03-01"}, "withdrawn"),
    ],
)
def test_a_deadline_that_closes_or_does_not(row: dict[str, Any], expected: str) -> None:
    assert (
        mapped(ready(JOINED), {"row": {"id": 412, "user_id": "13055", "subscribed_by": 13055, **row}}).status.value
        == expected
    )


@pytest.mark.parametrize(("by", "expected"), [(13055, None), ("13055", None), (13002, ("13002", "Bo Brandt"))])
def test_who_assigned_if_another_than_the_learner(by: Any, expected: Any) -> None:
    found = mapped(
        ready(JOINED),
        {
            "row": {"id": 412, "user_id": 13055, "subscribed_by": by},
            "assigner": {"firstname": "Bo", "lastname": "Brandt"},
        },
    )

    assert (found.assigned_by and (found.assigned_by.id, found.assigned_by.name)) == expected


@pytest.mark.parametrize(("word", "expected"), [("Mandatory", True), ("optional", False), ("", None), (None, None)])
def test_mandatory_only_where_the_system_says_so(word: Any, expected: Any) -> None:
    assert mapped(ready(JOINED), {"row": {"id": 1, "user_id": 2, "assignment_type": word}}).is_mandatory is expected


def test_a_score_of_0_that_may_mean_none_and_a_plan_that_is_no_course() -> None:
    row = {"id": 1, "user_id": 2, "score": 0, "status": "waiting", "username": "o@example.com"}
    found = mapped(ready(JOINED), {"row": row})

    assert (found.score, found.custom_fields, found.user.emails[0].type) == (
        None,
        {"pending": "waitlist", "native_status": "waiting"},
        "login",
    )
    assert mapped(ready(JOINED), {"row": row | {"type": "learning_plan"}}) == Skipped("learning_plan", "1:2")


CONCLUDED = """
id = "id(enrollment.id)"
progress_percent = "ratio(progress.requirement_completed_count, progress.requirement_count)"
completed_at = "datetime(progress.completed_at)"
score = "first(number(enrollment.grades.override_score), when(enrollment.enrollment_state == 'completed', number(enrollment.grades.final_score)), number(enrollment.grades.current_score))"
[course_enrollment.status]
source = "when(enrollment.enrollment_state == 'active' && course.concluded, 'completed', enrollment.enrollment_state)"
values = { active = "enrolled", invited = "assigned", completed = "completed", inactive = "withdrawn" }
[course_enrollment.status.rules.modules_done]
when = "datetime(progress.completed_at) || (number(progress.requirement_count) > `0` && number(progress.requirement_completed_count) >= number(progress.requirement_count))"
then = "completed"
[course_enrollment.status.rules.ended_unfinished]
when = "(enrollment.enrollment_state == 'completed' || course.concluded) && number(progress.requirement_count) > `0`"
then = "expired"
[course_enrollment.status.rules.begun]
when = "enrollment.enrollment_state == 'active' && !(course.concluded) && (enrollment.last_activity_at || number(enrollment.total_activity_time) > `0`)"
then = "in_progress"
[course_enrollment.custom_fields]
native_status = "text(enrollment.enrollment_state)"
concluded = "when(enrollment.enrollment_state == 'completed' || course.concluded, `true`)"
"""  # noqa: E501 - mappings, and records beside what they become


@pytest.mark.parametrize(
    ("enrollment", "course", "progress", "expected"),
    [
        ({"enrollment_state": "active", "last_activity_at": "2026-03-16T10:44:53Z"}, {}, None, "in_progress"),
        ({"enrollment_state": "active", "total_activity_time": 0}, {}, None, "enrolled"),
        ({"enrollment_state": "completed"}, {}, None, "completed"),
        ({"enrollment_state": "completed"}, {}, {"requirement_count": 4, "requirement_completed_count": 1}, "expired"),
        (
            {"enrollment_state": "active"},
            {"concluded": True},
            {"requirement_count": 4, "requirement_completed_count": 1},
            "expired",
        ),
        ({"enrollment_state": "active"}, {"concluded": True}, None, "completed"),
        ({"enrollment_state": "inactive"}, {}, {"requirement_count": 4, "requirement_completed_count": 4}, "completed"),
        ({"enrollment_state": "inactive"}, {}, None, "withdrawn"),
        ({"enrollment_state": "paused"}, {}, {"requirement_count": 4, "requirement_completed_count": 4}, "unknown"),
    ],
)
def test_a_course_that_ended_is_not_a_completion(enrollment: Any, course: Any, progress: Any, expected: str) -> None:
    assert (
        mapped(
            ready(CONCLUDED), {"enrollment": {"id": 1, **enrollment}, "course": course, "progress": progress}
        ).status.value
        == expected
    )


DERIVED = """
id = "ids(course.id, user.id)"
course.title = "html(course.fullname)"
last_activity_at = "first(epoch(user_course.lastaccess), epoch(user.lastcourseaccess))"
completed_at = "when(completion.completed, when(completion.aggregation == `1`, latest(completion.completions[?complete].epoch(timecompleted)), earliest(completion.completions[?complete].epoch(timecompleted))))"
progress_percent = "number(user_course.progress)"
score = "scaled(grade.graderaw, grade.grademin, grade.grademax)"
urls.course = "query(url(setting('base_url'), 'course', 'view.php'), 'id', course.id)"
skip.staff = "user.roles && !(user.roles[?!one_of(shortname, 'editingteacher', 'manager')]) && !setting('include_staff')"
[course_enrollment.status.rules.done]
when = "user_course.completed || completion.completed"
then = "completed"
[course_enrollment.status.rules.inactive]
when = "active == `false`"
then = "withdrawn"
[course_enrollment.status.rules.begun]
when = "number(user_course.progress) > `0` || epoch(user.lastcourseaccess)"
then = "in_progress"
[course_enrollment.status.rules.enrolled]
when = "active"
then = "enrolled"
[course_enrollment.custom_fields]
"*" = "pairs(user.customfields, 'shortname', 'value')"
roles = "user.roles[].shortname"
"""  # noqa: E501 - mappings, and records beside what they become
COMPLETIONS = [
    {"complete": True, "timecompleted": 1763700000},
    {"complete": True, "timecompleted": 1763710000},
    {"complete": False, "timecompleted": None},
]


def test_a_status_without_a_word_and_dates_of_several_criteria() -> None:
    normalizer = ready(DERIVED)
    record: dict[str, Any] = {
        "course": {"id": 2, "fullname": "Donn\u00e9es &amp; vie <b>priv\u00e9e</b>"},
        "user": {
            "id": 7,
            "lastcourseaccess": 0,
            "roles": [{"shortname": "student"}],
            "customfields": [{"shortname": "site", "value": "Oslo"}],
        },
        "user_course": {"progress": 0, "completed": None, "lastaccess": None},
        "grade": {"graderaw": 9.28216, "grademin": 0, "grademax": 220.0},
        "completion": None,
        "active": True,
    }
    found = mapped(normalizer, record)
    done = mapped(
        normalizer, record | {"completion": {"completed": True, "aggregation": 1, "completions": COMPLETIONS}}
    )
    any_of = mapped(
        normalizer, record | {"completion": {"completed": True, "aggregation": 2, "completions": COMPLETIONS}}
    )

    assert (found.id, found.course.title, found.status.value, found.score) == (
        "2:7",
        "Donn\u00e9es & vie priv\u00e9e",
        "enrolled",
        4.22,
    )
    assert found.urls[0].url == "https://lms.example.com/course/view.php?id=2"
    assert found.custom_fields == {"site": "Oslo", "roles": ["student"]}
    assert (done.status.value, done.completed_at) == ("completed", datetime.fromtimestamp(1763710000, UTC))
    assert any_of.completed_at == datetime.fromtimestamp(1763700000, UTC)
    assert mapped(normalizer, record | {"active": False}).status.value == "withdrawn"
    result: Any = normalizer.normalize(record, as_of=NOW)
    assert result.flaws == ()


@pytest.mark.parametrize(
    ("roles", "skipped"),
    [
        (["editingteacher"], True),
        (["editingteacher", "student"], False),
        (["Werkstudent"], False),
        ([], False),
        (["manager", "guide"], False),
    ],
)
def test_only_roles_that_are_all_known_as_staff_leave_a_person_out(roles: list[str], skipped: bool) -> None:  # noqa: FBT001 - parametrized
    record = {"course": {"id": 2}, "user": {"id": 7, "roles": [{"shortname": role} for role in roles]}, "active": True}

    assert isinstance(mapped(ready(DERIVED), record), Skipped) is skipped


OTHERS = """
id = "id(id)"
due_at = "first(date_parts(work.dueDate, work.dueTime), end_of_day(work.dueDate))"
started_at = "first(dotnet_date(started), datetime(started))"
time_spent_seconds = "first(duration(spent), duration_ticks(ticks))"
[course_enrollment.status]
source = "before(status, '/')"
values = { completed = "completed", "in progress" = "in_progress" }
[course_enrollment.custom_fields]
late = "when(has(status, 'past due'), `true`)"
person = "after(urn, 'person:')"
"""


@pytest.mark.parametrize(
    ("record", "field", "expected"),
    [
        (
            {"work": {"dueDate": {"year": 2026, "month": 7, "day": 1}, "dueTime": {"hours": 22}}},
            "due_at",
            datetime(2026, 7, 1, 22, tzinfo=UTC),
        ),
        (
            {"work": {"dueDate": {"year": 2026, "month": 7, "day": 1}}},
            "due_at",
            datetime(2026, 7, 1, 23, 59, 59, tzinfo=UTC),
        ),
        ({"started": "/Date(1563928484663-0700)/"}, "started_at", datetime(2019, 7, 24, 0, 34, 44, 663000, tzinfo=UTC)),
        ({"started": "2021-09-20T19:19:55.847"}, "started_at", datetime(2021, 9, 20, 19, 19, 55, 847000, tzinfo=UTC)),
        ({"spent": "01:21:00.5000000"}, "time_spent_seconds", 4861),
        ({"ticks": 48605000000}, "time_spent_seconds", 4861),
        ({"status": "In Progress / Past Due"}, "status", "in_progress"),
        ({"status": "In Progress / Past Due"}, "custom_fields", {"late": True, "native_status": "In Progress"}),
        ({"urn": "urn:li:person:x1"}, "custom_fields", {"person": "x1"}),
    ],
)
def test_forms_that_only_one_system_uses(record: dict[str, Any], field: str, expected: Any) -> None:
    assert getattr(mapped(ready(OTHERS), {"id": 1, **record}), field) == expected
