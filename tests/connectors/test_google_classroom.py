"""Google Classroom: status out of course and work, lists that are left out, refusals, both sign-ins."""

from __future__ import annotations

import asyncio
import json
import tomllib
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rollbook.core import connect
from rollbook.core.connection import open_connection
from rollbook.core.connector import Partition
from rollbook.core.errors import (
    AuthError,
    ContractError,
    CursorExpired,
    Forbidden,
    Gone,
    RateLimited,
    SettingsError,
    VendorError,
)
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.testing.conformance import conformance_tests
from rollbook.core.testing.recording.record import Source, record

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from rollbook.core.connection import Connection

    Answering = Callable[[httpx.Request], httpx.Response]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CLIENT: dict[str, Any] = {
    "client_id": "1234-abc.apps.example.com",
    "client_secret": "made-up-secret",
    "refresh_token": "made-up-refresh",
}
TOKENS = {"oauth2.googleapis.com", "tokens.example.com"}
ADMIN = "admin@example.com"
ADA = "109876543210987654321"
"""An id beyond 2**53, as all of Google's are."""
BIOLOGY: dict[str, Any] = {"id": "583920184736", "name": "Biology", "courseState": "ACTIVE"}
LINK = "https://classroom.google.com/c/NTgzOTIwMTg0NzM2"
TEACHER = "101234567890123456789"


@cache
def private_key() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(**more: Any) -> str:
    """Make a service account's key file, with a key of this moment."""
    pem = private_key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {
        "type": "service_account",
        "private_key_id": "k1",
        "private_key": pem.decode(),
        "client_email": "reader@acme.iam.gserviceaccount.example.com",
        "client_id": "11122233344455566677",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    return json.dumps(key | more)


def error(status: int, word: str, message: str = "The caller does not have permission", **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": status, "message": message, "status": word, **more}})


def denied(reason: str = "", message: str = "The caller does not have permission") -> httpx.Response:
    errors = {"errors": [{"message": message, "domain": "global", "reason": reason}]} if reason else {}
    return error(403, "PERMISSION_DENIED", message, **errors)


NOT_FOUND = error(404, "NOT_FOUND", "Requested entity was not found.")


def signed_in(answer: Answering) -> Answering:
    """Give out a token, and answer everything else as told."""

    def answered(request: httpx.Request) -> httpx.Response:
        if request.url.host in TOKENS:
            return httpx.Response(200, json={"access_token": "ya29.t0ken-0f-th1s-m0ment", "expires_in": 3599})
        return answer(request)

    return answered


@asynccontextmanager
async def opened(answer: Answering, **settings: Any) -> AsyncGenerator[Connection]:
    settings = {**({} if "service_account_json" in settings else CLIENT), **settings}
    transport = httpx.MockTransport(answer)
    async with open_connection("acme", "google_classroom", settings, transport=transport) as connection:
        yield connection


def asked(answer: httpx.Response | Answering, path: str = "v1/courses/7/students", **settings: Any) -> Any:
    async def ask() -> Any:
        told = answer
        answering = signed_in((lambda _: told) if isinstance(told, httpx.Response) else told)
        async with opened(answering, **settings) as connection:
            return await connection.http.get(path)

    return asyncio.run(ask())


def checked(answer: Answering, **settings: Any) -> list[tuple[str, str]]:
    async def check() -> list[tuple[str, str]]:
        async with opened(signed_in(answer), **settings) as connection:
            return [(notice.level, notice.text) for notice in await connection.connector.check()]

    return asyncio.run(check())


def pages_of(answer: Answering, cursor: Any = None, **settings: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with opened(signed_in(answer), **settings) as connection:
            partition = Partition(f"course:{BIOLOGY['id']}", {"course": BIOLOGY})
            return [page async for page in connection.connector.pages(partition, cursor, None)]

    return asyncio.run(read())


def fetched(answer: Answering, id: str, **settings: Any) -> Any:
    async def read() -> Any:
        async with opened(signed_in(answer), **settings) as connection:
            return await connection.connector.fetch(id, None)

    return asyncio.run(read())


def submission(state: str | None, *history: tuple[str, str, str], work: Any = None, **more: Any) -> dict[str, Any]:
    """Make a submission, with who brought it into which state when; its course work is published."""
    steps = [{"stateHistory": {"state": s, "stateTimestamp": at, "actorUserId": who}} for s, at, who in history]
    row = {"id": "Cg4I", "courseWorkId": "600", "userId": ADA, **more}
    row |= ({"state": state} if state else {}) | ({"submissionHistory": steps} if steps else {})
    return {"submission": row, "course_work": {"id": "600", "state": "PUBLISHED"} if work is None else work or None}


def outcome(
    work: Any = None, state: str | None = "ACTIVE", profile: Any = None, override: Any = None, **settings: Any
) -> Any:
    """Map a student with this work in a course of this state."""
    course = {"id": BIOLOGY["id"], "name": "Biology", "alternateLink": LINK, **settings.pop("course", {})}
    student = {"courseId": course["id"], "userId": ADA, "profile": profile or {"id": ADA}}
    record = {
        "student": student,
        "course": course | ({"courseState": state} if state else {}),
        "work": work,
        "profile": None,
    }
    return normalized(record, "", override, **settings)


def invited(state: str = "ACTIVE", profile: Any = None, **more: Any) -> Any:
    settings = {"override": more.pop("override", None), **more.pop("settings", {})}
    invitation = {"id": "Inv1", "userId": ADA, "courseId": BIOLOGY["id"], "role": "STUDENT", **more}
    course = {**BIOLOGY, "courseState": state}
    return normalized({"invitation": invitation, "course": course, "profile": profile}, "invitation", **settings)


def normalized(record: Any, kind: str, override: Any = None, **settings: Any) -> Any:
    connection = open_connection("acme", "google_classroom", {**CLIENT, **settings}, override=override)
    try:
        return connection.normalizer.normalize(record, kind=kind, as_of=NOW)
    finally:
        asyncio.run(connection.aclose())


def mapped(*args: Any, **more: Any) -> Any:
    result = outcome(*args, **more)
    assert isinstance(result, Mapped), result
    return result.enrollment


TURNED_IN = submission(
    "TURNED_IN", ("CREATED", "2026-01-10T09:00:00.400Z", ADA), ("TURNED_IN", "2026-01-12T18:00:00Z", ADA)
)
RETURNED = submission(
    "RETURNED", ("TURNED_IN", "2026-01-11T18:00:00Z", ADA), ("RETURNED", "2026-01-14T18:37:02.606Z", TEACHER)
)
NEW = submission("NEW")
LATE = submission("NEW", late=True)


# --- tenants ------------------------------------------------------------------------------------------------------


TestConformance = conformance_tests("google_classroom", fixtures="../fixtures/google_classroom")


# --- status ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "work", "expected"),
    [
        ("PROVISIONED", [], "enrolled"),
        ("PROVISIONED", [TURNED_IN], "in_progress"),
        ("DECLINED", [], "unknown"),
        ("SUSPENDED", [], "unknown"),
        ("SUSPENDED", [TURNED_IN], "unknown"),
        ("ARCHIVED", [TURNED_IN, RETURNED], "completed"),
        ("ARCHIVED", None, "expired"),
        ("ARCHIVED", [], "expired"),
        ("ARCHIVED", [TURNED_IN, NEW], "expired"),
        ("ARCHIVED", [submission("RECLAIMED_BY_STUDENT")], "expired"),
        ("ARCHIVED", [submission("CREATED")], "expired"),
        ("ACTIVE", None, "enrolled"),
        ("ACTIVE", [], "enrolled"),
        ("ACTIVE", [NEW, NEW], "enrolled"),
        ("ACTIVE", [NEW, submission("CREATED")], "in_progress"),
        ("ACTIVE", [submission("RECLAIMED_BY_STUDENT")], "in_progress"),
        ("ACTIVE", [TURNED_IN, NEW], "in_progress"),
        ("ACTIVE", [TURNED_IN, RETURNED], "in_progress"),
    ],
)
def test_the_status_is_made_of_the_courses_state_and_the_work(state: str, work: Any, expected: str) -> None:
    found = mapped(work, state)

    assert expected == found.status.value
    assert found.custom_fields["native_status"] == state


@pytest.mark.parametrize(("state", "word"), [("PAUSED", "PAUSED"), ("COURSE_STATE_UNSPECIFIED", None)])
def test_a_state_that_nobody_has_heard_of_is_unknown_and_told(state: str, word: str | None) -> None:
    found = outcome([TURNED_IN], state)

    assert found.enrollment.status.value == "unknown"
    assert [(one.what, one.value) for one in found.drift] == [("status", word or state)]


def test_a_course_without_a_state_is_unknown() -> None:
    assert mapped([TURNED_IN], None).status.value == "unknown"


@pytest.mark.parametrize("known", ["NEW", "CREATED", "TURNED_IN", "RETURNED", "RECLAIMED_BY_STUDENT"])
@pytest.mark.parametrize("state", ["ACTIVE", "ARCHIVED"])
def test_work_in_a_state_that_nobody_has_heard_of_is_unknown_and_told(state: str, known: str) -> None:
    found = outcome([submission(known), submission("EXCUSED")], state)

    assert (found.enrollment.status.value, found.enrollment.progress_percent) == ("unknown", None)
    assert found.enrollment.completed_at is None
    assert [(one.what, one.value) for one in found.drift] == [("submission_state", "EXCUSED")]


def test_late_work_is_no_late_course() -> None:
    """Nothing is ever overdue: the course itself has no deadline."""
    found = mapped([LATE, submission("CREATED", late=True)])

    assert (found.status.value, found.due_at) == ("in_progress", None)
    assert found.custom_fields["submissions_late"] == 2


def test_late_is_left_out_where_it_is_false() -> None:
    assert mapped([NEW, submission("NEW", late=False)]).custom_fields["submissions_late"] == 0


@pytest.mark.parametrize("state", ["ACTIVE", "PROVISIONED"])
def test_an_invitation_is_assigned_with_the_id_that_the_enrollment_will_have(state: str) -> None:
    found = invited(state).enrollment

    assert (found.id, found.status.value) == (mapped().id, "assigned")
    assert (found.custom_fields["pending"], found.custom_fields["enrollment_id"]) == ("invitation", "Inv1")


@pytest.mark.parametrize(("state", "expected"), [("ARCHIVED", "expired"), ("DECLINED", "unknown")])
def test_an_invitation_to_a_closed_course(state: str, expected: str) -> None:
    assert invited(state).enrollment.status.value == expected


@pytest.mark.parametrize("role", ["TEACHER", "OWNER"])
def test_invitations_to_teach_are_left_out_and_counted(role: str) -> None:
    assert invited(role=role) == Skipped("staff", f"{BIOLOGY['id']}:{ADA}")
    assert isinstance(invited(role=role, settings={"include_staff": True}), Mapped)


@pytest.mark.parametrize("role", ["MENTOR", None])
def test_an_invitation_to_an_unknown_role_stays_in_and_is_told(role: str | None) -> None:
    found = invited(role=role)

    assert found.enrollment.status.value == "assigned"
    assert [(one.what, one.value) for one in found.drift] == [("role", role or "(missing)")]


def test_who_is_invited_has_name_and_address_of_the_profile() -> None:
    profile = {"id": ADA, "name": {"givenName": "Ada", "familyName": "Quill"}, "emailAddress": "ada@example.com"}
    user = invited(profile=profile).enrollment.user

    assert (user.id, user.name, [one.email for one in user.emails]) == (ADA, "Ada Quill", ["ada@example.com"])


def test_archived_courses_can_be_read_as_completed_by_the_override_of_the_documentation() -> None:
    page = Path(__file__).parents[2] / "docs" / "connectors" / "google_classroom.md"
    blocks = [one.partition("```")[0] for one in page.read_text(encoding="utf-8").split("```toml\n")[1:]]
    [block] = [one for one in blocks if "values.ARCHIVED" in one]
    override = tomllib.loads(block)["connections"]["school"]["mapping"]
    found = [mapped(work, "ARCHIVED", override=override).status.value for work in (None, [], [TURNED_IN], [NEW])]

    assert found == ["completed", "completed", "completed", "expired"]
    assert invited("ARCHIVED", override=override).enrollment.status.value == "expired"


# --- fields ---------------------------------------------------------------------------------------------------------


def test_an_id_beyond_two_to_the_53_keeps_its_digits() -> None:
    found = mapped()

    assert (found.id, found.user.id) == (f"583920184736:{ADA}", ADA)


def test_a_profile_without_the_scope_for_addresses_has_none_and_no_name_is_made_up() -> None:
    found = mapped(profile={"id": ADA}).user

    assert (found.name, found.emails) == (None, [])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ({"givenName": "Ada", "familyName": "Quill", "fullName": "Ada Q. Quill"}, "Ada Q. Quill"),
        ({"givenName": "Ada", "familyName": "Quill"}, "Ada Quill"),
        ({"givenName": "Ada"}, "Ada"),
    ],
)
def test_the_name_is_the_full_one_or_made_of_its_halves(name: Any, expected: str) -> None:
    profile = {"id": ADA, "name": name, "emailAddress": "ada@example.com"}
    found = mapped(profile=profile).user

    assert found.name == expected
    assert [(one.email, one.type, one.is_primary) for one in found.emails] == [("ada@example.com", "primary", True)]


def test_a_courses_name_is_text_and_no_html() -> None:
    found = mapped(course={"name": "Law &amp; <b>order</b> ", "section": "Period 2"})

    assert found.course.title == "Law &amp; <b>order</b>"
    assert found.custom_fields["section"] == "Period 2"
    assert [(one.url, one.type) for one in found.urls] == [(LINK, "course")]


def test_the_courses_dates_are_none_of_the_enrollments() -> None:
    found = mapped([], course={"creationTime": "2026-01-05T08:00:00.123Z", "updateTime": "2026-02-01T10:15:00Z"})

    assert (found.enrolled_at, found.assigned_at, found.created_at, found.updated_at) == (None,) * 4
    assert found.custom_fields["course_created_at"] == "2026-01-05T08:00:00.123000Z"


def test_activity_is_the_learners_own_and_not_the_teachers() -> None:
    found = mapped([TURNED_IN, RETURNED])

    assert found.started_at == datetime(2026, 1, 10, 9, 0, 0, 400_000, tzinfo=UTC)
    assert found.last_activity_at == datetime(2026, 1, 12, 18, tzinfo=UTC)


def test_work_that_only_a_teacher_touched_shows_no_activity() -> None:
    found = mapped([submission("RETURNED", ("RETURNED", "2026-01-14T18:37:02.606Z", TEACHER))])

    assert (found.status.value, found.started_at, found.last_activity_at) == ("in_progress", None, None)


def test_completed_at_is_when_the_last_work_was_turned_in_and_only_of_a_completed_one() -> None:
    assert mapped([TURNED_IN, RETURNED], "ARCHIVED").completed_at == datetime(2026, 1, 12, 18, tzinfo=UTC)
    for work, state in (([TURNED_IN, NEW], "ARCHIVED"), ([TURNED_IN, RETURNED], "ACTIVE")):
        found = mapped(work, state)

        assert found.completed_at is None
        assert "previously_completed_at" not in found.custom_fields


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        ([TURNED_IN, NEW, RETURNED], 66.67),
        ([NEW], 0),
        ([submission("RECLAIMED_BY_STUDENT")], 0),
        ([TURNED_IN], 100),
        ([], None),
        (None, None),
    ],
)
def test_progress_is_the_share_of_work_that_is_handed_in(work: Any, expected: float | None) -> None:
    assert mapped(work).progress_percent == expected


def test_work_that_was_deleted_does_not_count() -> None:
    """Its submissions still come: neither does it keep from completing, nor is it progress or activity."""
    deleted = [
        submission("NEW", work=False),
        submission("TURNED_IN", ("TURNED_IN", "2026-02-01T08:00:00Z", ADA), work=False),
    ]
    found = mapped([TURNED_IN, *deleted], "ARCHIVED")

    assert (found.status.value, found.progress_percent) == ("completed", 100)
    assert found.last_activity_at == found.completed_at == datetime(2026, 1, 12, 18, tzinfo=UTC)
    assert found.custom_fields["submissions_total"] == 1
    assert mapped(deleted[:1], "ARCHIVED").status.value == "expired"


def graded(*grades: tuple[float | None, float | None]) -> list[dict[str, Any]]:
    return [
        submission(
            "RETURNED",
            work={"id": "600"} | ({} if most is None else {"maxPoints": most}),
            **({} if grade is None else {"assignedGrade": grade}),
        )
        for grade, most in grades
    ]


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (graded((18, 20), (5, 30)), 46),
        (graded((0, 20)), 0),
        (graded((18, 20), (None, 100)), 90),
        (graded((18, 20), (7, None), (7, 0)), 90),
        (graded((None, 20)), None),
        ([], None),
        (None, None),
    ],
    ids=["sum", "0 is a grade", "not graded yet", "without a maximum", "none graded", "no work", "not read"],
)
def test_a_score_is_worked_out_of_graded_work_if_that_is_asked_for(work: Any, expected: float | None) -> None:
    course = {"gradebookSettings": {"calculationType": "TOTAL_POINTS"}}

    assert mapped(work, course=course, derive_score=True).score == expected
    assert mapped(work, course=course).score is None


@pytest.mark.parametrize("gradebook", [{"calculationType": "WEIGHTED_CATEGORIES"}, {}, None])
def test_no_score_is_worked_out_where_grades_are_not_total_points(gradebook: Any) -> None:
    course = {"gradebookSettings": gradebook}

    assert mapped(graded((18, 20)), course=course, derive_score=True).score is None


def test_a_bad_score_of_our_own_reckoning_fails_nobody() -> None:
    course = {"gradebookSettings": {"calculationType": "TOTAL_POINTS"}}
    found = mapped(graded((1, 20)), "ARCHIVED", course=course, derive_score=True, pass_mark=60)

    assert found.status.value == "completed"


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ({"dueTime": {"hours": 22}}, "2026-01-15T22:00:00Z"),
        ({"dueTime": {"minutes": 30}}, "2026-01-15T00:30:00Z"),
        ({}, "2026-01-15T23:59:59Z"),
    ],
)
def test_works_deadlines_are_in_utc_without_their_zero_parts(due: Any, expected: str) -> None:
    work = {"id": "600", "dueDate": {"year": 2026, "month": 1, "day": 15}, **due}
    found = mapped([submission("NEW", work=work)], timezone="America/New_York")

    assert (found.custom_fields["last_work_due_at"], found.due_at) == (expected, None)


# --- pages ----------------------------------------------------------------------------------------------------------


def answers(lists: dict[str, Any], seen: list[httpx.Request] | None = None) -> Answering:
    """Answer by the end of the path and the page token; a list that is not told of is empty, which is `{}`."""

    def answer(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        told = lists.get(request.url.path.rpartition("/")[2], {})
        if isinstance(told, list):
            pages = cast("list[Any]", told)
            number = int(request.url.params.get("pageToken", "0"))
            more = {"nextPageToken": str(number + 1)} if number + 1 < len(pages) else {}
            told = {**pages[number], **more}
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    return answer


def student(id: str) -> dict[str, Any]:
    return {"courseId": BIOLOGY["id"], "userId": id, "profile": {"id": id}}


def users(pages: list[Any]) -> list[str]:
    return [record["student"]["userId"] for page in pages for record in page.records if "student" in record]


ROSTER = [{"students": [student("1"), student("2")]}, {}, {"students": [student("3")]}]
COURSE_WORK = [{"courseWork": [{"id": "w1"}]}, {"courseWork": [{"id": "w2"}]}]
SUBMISSIONS = [
    {"studentSubmissions": [{"id": "b", "courseWorkId": "w2", "userId": "1", "state": "NEW"}]},
    {
        "studentSubmissions": [
            {"id": "a", "courseWorkId": "w1", "userId": "1", "state": "NEW"},
            {"id": "c", "courseWorkId": "gone", "userId": "3", "state": "NEW"},
        ]
    },
]
LISTS: dict[str, Any] = {
    "students": ROSTER,
    "courseWork": COURSE_WORK,
    "studentSubmissions": SUBMISSIONS,
    "invitations": [
        {"invitations": [{"id": "i1", "userId": "9"}, {"id": "i2", "userId": "3"}]},
        {"invitations": [{"id": "i3", "userId": "8"}]},
    ],
}


def test_an_empty_list_is_left_out_of_the_answer() -> None:
    assert [page.records for page in pages_of(answers({}))] == [[]]


@pytest.mark.parametrize("body", [{"unexpected": True}, {"students": None}, {"students": {}}])
def test_an_answer_of_another_shape_is_no_empty_list(body: Any) -> None:
    with pytest.raises(ContractError, match="expected a list at students"):
        pages_of(answers({"students": body}))


def test_a_short_page_or_one_without_students_is_not_the_last() -> None:
    assert users(pages_of(answers(LISTS))) == ["1", "2", "3"]


def test_an_empty_token_ends_the_list() -> None:
    assert users(pages_of(answers({"students": {"students": [student("1")], "nextPageToken": ""}}))) == ["1"]


def test_a_page_token_comes_with_the_same_parameters() -> None:
    seen: list[httpx.Request] = []
    pages_of(answers(LISTS, seen))
    rosters = [dict(request.url.params) for request in seen if request.url.path.endswith("/students")]
    full = [one for one in rosters if "profile" in one["fields"]]

    assert [one.pop("pageToken", None) for one in full] == [None, "1", "2"]
    assert full[0] == full[1] == full[2]


def test_each_student_has_the_work_in_an_order_that_is_always_the_same() -> None:
    records = [record for page in pages_of(answers(LISTS)) for record in page.records if "student" in record]
    found = [[(one["submission"]["id"], one["course_work"]) for one in record["work"]] for record in records]

    assert found == [[("a", {"id": "w1"}), ("b", {"id": "w2"})], [], [("c", None)]]


def test_only_published_work_is_asked_for_and_submissions_only_where_there_is_some() -> None:
    seen: list[httpx.Request] = []
    pages_of(answers({"students": ROSTER}, seen))
    [listed] = [request for request in seen if request.url.path.endswith("/courseWork")]

    assert listed.url.params["courseWorkStates"] == "PUBLISHED"
    assert not [request for request in seen if "studentSubmissions" in request.url.path]


def test_invitations_come_first_without_those_who_are_students_already() -> None:
    pages = pages_of(answers(LISTS))
    found = [[record["invitation"]["id"] for record in page.records] for page in pages if page.kind == "invitation"]

    assert found == [["i1"], ["i3"]]
    assert [page.kind for page in pages] == ["invitation", "invitation", "", "", ""]


def test_going_on_from_each_cursor_reads_the_same_as_without_a_stop() -> None:
    whole = pages_of(answers(LISTS))

    assert len(whole) == 5
    for number, page in enumerate(whole[:-1], start=1):
        assert pages_of(answers(LISTS), page.cursor) == whole[number:]


@pytest.mark.parametrize("cursor", ["CAIQ", 7, {"list": "teachers"}])
def test_a_cursor_of_another_connector_is_no_good(cursor: Any) -> None:
    with pytest.raises(CursorExpired):
        pages_of(answers(LISTS), cursor)


def test_a_page_token_that_google_no_longer_takes_starts_the_partition_again() -> None:
    bad = error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
    with pytest.raises(CursorExpired):
        pages_of(answers({"students": bad}), {"list": "students", "from": "CAIQ"})
    with pytest.raises(ContractError):
        pages_of(answers({"students": bad}))


def test_submissions_and_invitations_switched_off_are_null_and_not_asked_for() -> None:
    seen: list[httpx.Request] = []
    pages = pages_of(answers(LISTS, seen), include_submissions=False, include_invitations=False)

    assert {request.url.path.rpartition("/")[2] for request in seen} == {"students"}
    assert [record["work"] for page in pages for record in page.records] == [None] * 3


def test_teachers_are_in_a_list_of_their_own_that_is_not_read() -> None:
    seen: list[httpx.Request] = []
    pages_of(answers(LISTS, seen), include_staff=True)

    assert not [request for request in seen if "teachers" in request.url.path]


def test_a_course_that_is_gone_is_gone_and_one_that_lost_a_list_is_not() -> None:
    with pytest.raises(Gone):
        pages_of(lambda _: NOT_FOUND)
    for name in ("students", "courseWork", "studentSubmissions", "invitations"):
        with pytest.raises(ContractError, match="has the course"):
            pages_of(answers({**LISTS, name: NOT_FOUND}))


def tenant(request: httpx.Request) -> httpx.Response:
    """Two courses, one of which may not be read."""
    if request.url.path == "/v1/courses":
        secret = {"enrollmentCode": "made-up-code"}
        return httpx.Response(200, json={"courses": [{**BIOLOGY, **secret}, {**BIOLOGY, **secret, "id": "7"}]})
    return denied() if request.url.path.startswith("/v1/courses/7/") else answers(LISTS)(request)


def test_a_course_that_may_not_be_read_leaves_the_others_readable() -> None:
    transport = httpx.MockTransport(signed_in(tenant))
    with connect(
        "google_classroom", transport=transport, clock=lambda: NOW, include_invitations=False, **CLIENT
    ) as lms:
        rows = list(lms.enrollments())

        assert sorted(row.user.id or "" for row in rows) == ["1", "2", "3"]
        assert list(lms.findings.forbidden) == ["course:7"]


def test_the_code_that_lets_anybody_in_is_neither_asked_for_nor_kept() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return tenant(request)

    transport = httpx.MockTransport(signed_in(answer))
    with connect(
        "google_classroom", transport=transport, clock=lambda: NOW, include_invitations=False, **CLIENT
    ) as lms:
        rows = list(lms.enrollments())

    assert rows
    assert "made-up-code" not in repr([row.remote_data for row in rows])
    assert not [request for request in seen if "enrollmentCode" in str(request.url)]


@pytest.mark.parametrize(
    ("settings", "states"),
    [({}, ["ACTIVE", "ARCHIVED"]), ({"course_states": ["ACTIVE", "PROVISIONED"]}, ["ACTIVE", "PROVISIONED"])],
)
def test_the_states_of_courses_are_always_named_since_without_them_declined_ones_come_too(
    settings: Any, states: list[str]
) -> None:
    seen: list[httpx.Request] = []

    async def read() -> None:
        async with opened(signed_in(answers({}, seen)), **settings) as connection:
            assert [one async for one in connection.connector.partitions()] == []

    asyncio.run(read())

    assert seen[0].url.params.get_list("courseStates") == states


def test_a_student_who_is_no_longer_in_the_roster_is_removed_and_not_withdrawn() -> None:
    """Whoever left, was taken out or deleted is simply not there."""
    lists: dict[str, Any] = {"courses": {"courses": [BIOLOGY]}, "students": {"students": [student("1"), student("2")]}}

    async def sync(store: Store) -> None:
        async with opened(signed_in(answers(lists))) as connection:
            await Sync(connection, store, clock=lambda: NOW).run(full=True)

    with Store(PRIVATE) as store:
        asyncio.run(sync(store))
        lists["students"] = {"students": [student("1")]}
        asyncio.run(sync(store))
        rows = {row["user_id"]: row for row in store.rows("acme", removed=True)}

    assert (rows["2"]["status"], rows["2"]["removed_at"]) == ("enrolled", NOW)
    assert rows["1"]["removed_at"] is None


# --- one enrollment -------------------------------------------------------------------------------------------------


def one_course(request: httpx.Request) -> httpx.Response:
    """A course that also answers to an alias, with one student who also answers to an address, and one invitation."""
    path, query = request.url.path, request.url.params
    if path in ("/v1/courses/583920184736", "/v1/courses/d:biology"):
        return httpx.Response(200, json=BIOLOGY)
    if path.rpartition("/")[2] in (ADA, "ada@example.com", "me"):
        return httpx.Response(200, json=student(ADA))
    if path == "/v1/invitations" and query["userId"] == "9":
        return httpx.Response(200, json={"invitations": [{"id": "i1", "userId": "9", "role": "STUDENT"}]})
    return httpx.Response(200, json={}) if path == "/v1/invitations" or "courseWork" in path else NOT_FOUND


def test_a_student_is_read_alone() -> None:
    page = fetched(one_course, f"583920184736:{ADA}")

    assert (page.records, page.kind) == ([{"student": student(ADA), "course": BIOLOGY, "work": []}], "")


def test_who_is_no_student_yet_is_read_as_an_invitation() -> None:
    page = fetched(one_course, "583920184736:9")

    assert page.kind == "invitation"
    assert page.records[0]["invitation"]["id"] == "i1"
    with pytest.raises(Gone):
        fetched(one_course, "583920184736:9", include_invitations=False)


@pytest.mark.parametrize(
    "id", [f"d:biology:{ADA}", "583920184736:me", "583920184736:ada@example.com", "583920184736", ":", "583920184736:1"]
)
def test_an_alias_or_an_address_in_an_id_is_no_enrollment(id: str) -> None:
    """Google takes them in paths, and would answer with an enrollment of another id."""
    with pytest.raises(Gone):
        fetched(one_course, id)


def test_work_of_one_student_is_asked_for_alone() -> None:
    seen: list[httpx.Request] = []
    told = {**LISTS, "583920184736": BIOLOGY, "1": student("1")}
    page = fetched(answers(told, seen), "583920184736:1")
    [listed, *_] = [request for request in seen if request.url.path.endswith("studentSubmissions")]

    assert listed.url.params["userId"] == "1"
    assert [one["submission"]["id"] for one in page.records[0]["work"]] == ["a", "b"]


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        denied("rateLimitExceeded"),
        denied("userRateLimitExceeded"),
        denied("quotaExceeded"),
        error(403, "RESOURCE_EXHAUSTED", "Quota exceeded"),
        error(429, "RESOURCE_EXHAUSTED", "Quota exceeded"),
    ],
    ids=["rate", "user", "quota", "403", "429"],
)
def test_a_spent_quota_is_waited_for_whichever_status_it_has(answer: httpx.Response) -> None:
    calls: list[int] = []

    def twice(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return answer if len(calls) < 3 else httpx.Response(200, json={})

    assert asked(twice).json() == {}
    assert len(calls) == 3
    with pytest.raises(RateLimited):
        asked(answer)


def test_a_403_for_want_of_permission_is_not_asked_again() -> None:
    calls: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return denied("forbidden")

    with pytest.raises(Forbidden, match="administrator"):
        asked(answer)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("answer", "code", "hint"),
    [
        (
            denied(message="@ClassroomDisabled The user has no access to Classroom."),
            "ClassroomDisabled",
            "Admin console",
        ),
        (denied(message="@ClassroomApiDisabled The user may not."), "ClassroomApiDisabled", "data access"),
        (denied("insufficientPermissions", "Request had insufficient authentication scopes."), "insufficient", "scope"),
        (
            error(403, "PERMISSION_DENIED", details=[{"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}]),
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "scope",
        ),
        (denied("accessNotConfigured"), "accessNotConfigured", "Enable the Google Classroom API"),
        (error(403, "PERMISSION_DENIED", details=[{"reason": "SERVICE_DISABLED"}]), "SERVICE_DISABLED", "Enable"),
        (denied(message="@ProjectPermissionDenied No."), "ProjectPermissionDenied", "administrator"),
    ],
)
def test_a_refusal_names_googles_code_and_what_to_do(answer: httpx.Response, code: str, hint: str) -> None:
    with pytest.raises(Forbidden, match=code) as caught:
        asked(answer)

    assert hint in caught.value.hint


def test_a_code_that_only_begins_like_a_known_one_is_not_taken_for_it() -> None:
    with pytest.raises(Forbidden) as caught:
        asked(denied(message="@ClassroomDisabledForNow Wait."))

    assert "Admin console" not in caught.value.hint


def test_a_message_with_a_persons_name_is_not_shown() -> None:
    with pytest.raises(Forbidden) as caught:
        asked(denied(message="@ada.quill may not see Ben Ode"))

    assert "quill" not in str(caught.value)
    assert "Ben" not in str(caught.value)


@pytest.mark.parametrize("word", ["INVALID_ARGUMENT", "FAILED_PRECONDITION"])
def test_a_request_that_google_does_not_take_is_told(word: str) -> None:
    with pytest.raises(ContractError):
        asked(error(400, word, "Request contains an invalid argument."))


def test_a_conflict_is_told() -> None:
    with pytest.raises(ContractError):
        asked(error(409, "ALREADY_EXISTS", "Requested entity already exists"))


@pytest.mark.parametrize("status", [500, 503])
def test_google_out_of_order_is_asked_again(status: int) -> None:
    with pytest.raises(VendorError):
        asked(error(status, "UNAVAILABLE", "The service is currently unavailable."))


def test_a_401_is_a_refused_token() -> None:
    with pytest.raises(AuthError, match="key deleted"):
        asked(error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials."))


def test_a_404_is_gone_but_for_the_list_of_courses() -> None:
    with pytest.raises(Gone):
        asked(NOT_FOUND)
    with pytest.raises(ContractError, match="base_url"):
        asked(NOT_FOUND, "v1/courses")


def loaded(answer: httpx.Response) -> list[Any]:
    async def load() -> list[Any]:
        async with opened(signed_in(lambda _: answer)) as connection:
            return [rows async for rows in connection.connector.load("profiles", [ADA])]

    return asyncio.run(load())


def test_a_profile_that_may_not_be_seen_or_is_not_there_is_left_out() -> None:
    """Google says 403 of both."""
    assert loaded(denied()) == loaded(NOT_FOUND) == []
    assert loaded(httpx.Response(200, json={"id": ADA})) == [[{"id": ADA}]]


@pytest.mark.parametrize("answer", [denied(message="@ClassroomApiDisabled No."), denied("insufficientPermissions")])
def test_profiles_that_may_not_be_read_at_all_are_told(answer: httpx.Response) -> None:
    with pytest.raises(Forbidden):
        loaded(answer)


def test_the_quota_of_the_one_user_is_kept() -> None:
    async def limits() -> Any:
        async with opened(signed_in(answers({}))) as connection:
            return connection.connector.limits()

    [limit] = asyncio.run(limits())

    assert (limit.requests, limit.per) == (1_200, 60)
    assert 5 <= limit.at_once <= 10


# --- sign-in --------------------------------------------------------------------------------------------------------


def statement(**settings: Any) -> tuple[httpx.Request, dict[str, Any], dict[str, Any]]:
    """Sign in as a service account: the request for the token, the verified claims, the header."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return signed_in(answers({}))(request)

    async def ask() -> None:
        given = {"service_account_json": key_file(), "subject": ADMIN, **settings}
        async with opened(answer, **given) as connection:
            await connection.http.get("v1/courses")

    asyncio.run(ask())
    form = dict(httpx.QueryParams(requests[0].content.decode()))
    assertion = form.pop("assertion")
    assert form == {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}
    assert requests[1].headers["authorization"] == "Bearer ya29.t0ken-0f-th1s-m0ment"
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
    claims = jwt.decode(assertion, private_key().public_key(), ["RS256"], options=options)
    return requests[0], claims, jwt.get_unverified_header(assertion)


def test_a_service_account_asks_in_the_administrators_name() -> None:
    request, claims, header = statement()

    assert str(request.url) == claims["aud"] == "https://oauth2.googleapis.com/token"
    assert (claims["iss"], claims["sub"]) == ("reader@acme.iam.gserviceaccount.example.com", ADMIN)
    assert claims["exp"] - claims["iat"] == 3600
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["courses", "rosters", "profile.emails", "coursework.students"]),
        ({"include_submissions": False}, ["courses", "rosters", "profile.emails"]),
        ({"include_submissions": False, "include_emails": False}, ["courses", "rosters"]),
    ],
)
def test_only_the_scopes_that_are_needed_are_asked_for(settings: Any, expected: list[str]) -> None:
    """One that is not delegated, and Google gives no token at all."""
    _, claims, _ = statement(**settings)
    prefix = "https://www.googleapis.com/auth/classroom."

    assert claims["scope"].split() == [
        f"{prefix}{name}" if name == "profile.emails" else f"{prefix}{name}.readonly" for name in expected
    ]


def test_the_key_file_says_where_tokens_are_given_out_and_a_setting_where_they_really_are() -> None:
    file = key_file(token_uri="https://tokens.example.com/token")
    request, claims, _ = statement(service_account_json=file)
    assert str(request.url) == claims["aud"] == "https://tokens.example.com/token"

    request, claims, _ = statement(token_url="https://tokens.example.com/proxy")
    assert str(request.url) == "https://tokens.example.com/proxy"
    assert claims["aud"] == "https://oauth2.googleapis.com/token"


@pytest.mark.parametrize(
    ("code", "hints"),
    [
        ("unauthorized_client", ["11122233344455566677", "Domain-wide delegation", "classroom.rosters.readonly"]),
        ("invalid_grant", ["subject", "clock"]),
        ("access_denied", ["private key"]),
    ],
)
def test_a_refused_service_account_is_told_what_to_delegate(code: str, hints: list[str]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"error": code, "error_description": "Client is unauthorized"})

    async def ask() -> None:
        async with opened(answer, service_account_json=key_file(), subject=ADMIN) as connection:
            await connection.http.get("v1/courses")

    with pytest.raises(AuthError, match=code) as caught:
        asyncio.run(ask())

    assert all(hint in caught.value.hint for hint in hints)


def test_a_refresh_token_is_the_other_way_in() -> None:
    forms: list[dict[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host in TOKENS:
            forms.append(dict(httpx.QueryParams(request.content.decode())))
        return signed_in(answers({}))(request)

    async def ask() -> None:
        async with opened(answer) as connection:
            await connection.http.get("v1/courses")

    asyncio.run(ask())

    assert forms == [{"grant_type": "refresh_token", **CLIENT}]


def test_what_a_service_account_reads_can_be_recorded_and_replayed_without_its_key(tmp_path: Path) -> None:
    lists: dict[str, Any] = {**LISTS, "courses": {"courses": [BIOLOGY]}, "8": {"id": "8"}, "9": {"id": "9"}}
    values = {"service_account_json": key_file(), "subject": "head@school.example.org"}
    source = Source("school", "google_classroom", values, {}, (), None)
    done = record(
        source, tmp_path / "school", pages=0, items=0, transport=httpx.MockTransport(signed_in(answers(lists)))
    )
    kept = "".join(file.read_text(encoding="utf-8") for file in done.files)

    assert done.statuses == {"assigned": 2, "enrolled": 3}
    assert "oauth2.googleapis.com" in kept
    for secret in ("PRIVATE", "acme.iam", "11122233344455566677", "head@school", "ya29"):
        assert secret not in kept


@pytest.mark.parametrize("file", ["s3cr3t", "[]", '{"client_email": "a@example.com"}', key_file(private_key=7)])
def test_what_is_no_key_file_is_told_without_it(file: str) -> None:
    with pytest.raises(SettingsError, match="no key file") as caught:
        open_connection("acme", "google_classroom", {"service_account_json": file, "subject": ADMIN})

    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"service_account_json": "{}"},
        {"service_account_json": "{}", "subject": "admin"},
        {"service_account_json": "{}", "subject": ADMIN, "client_id": "x"},
        {"client_id": "x", "refresh_token": "x"},
        {**CLIENT, "course_states": []},
        {**CLIENT, "course_states": ["ACTIVE", "DELETED"]},
    ],
)
def test_incomplete_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        open_connection("acme", "google_classroom", settings)


# --- check ----------------------------------------------------------------------------------------------------------


def school(own: Any = (), **lists: Any) -> Answering:
    """A school of two courses; of which the account teaches its own."""
    told: dict[str, Any] = {"students": {"students": [{**student("1"), "profile": {"emailAddress": "a@example.com"}}]}}

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/courses":
            ids = own if "teacherId" in request.url.params else ("1", "2")
            return httpx.Response(200, json={"courses": [{"id": id} for id in ids]} if ids else {})
        return answers({**told, **lists})(request)

    return answer


def test_check_is_content_with_an_administrator_who_may_read_all() -> None:
    assert checked(school()) == []
    assert checked(school(own=("2",))) == []


def test_check_tells_an_account_that_sees_its_own_courses_only() -> None:
    """A subject who is a teacher gets fewer courses, and no error."""
    [(level, text)] = checked(school(own=("1", "2", "3")))

    assert level == "reduced"
    assert "no administrator" in text


def test_check_tells_an_account_that_sees_nothing() -> None:
    [(level, text)] = checked(answers({}))

    assert level == "info"
    assert "administrator" in text


def test_check_tells_missing_addresses_by_the_scope() -> None:
    [(level, text)] = checked(school(students={"students": [student("1")]}))

    assert level == "reduced"
    assert "profile.emails" in text
    assert checked(school(students={"students": [student("1")]}), include_emails=False) == []


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("students", "rosters.readonly"),
        ("courseWork", "include_submissions"),
        ("studentSubmissions", "include_submissions"),
        ("invitations", "include_invitations"),
    ],
)
def test_check_names_the_scope_that_a_list_takes(name: str, scope: str) -> None:
    [(level, text)] = checked(school(**{name: denied()}))

    assert level == "missing"
    assert scope in text


def test_check_asks_only_for_what_is_read() -> None:
    off = {"include_submissions": False, "include_invitations": False}
    refused = {"courseWork": denied(), "studentSubmissions": denied(), "invitations": denied()}

    assert checked(school(**refused), **off) == []


def test_check_names_what_keeps_from_listing_courses() -> None:
    [(level, text)] = checked(lambda _: denied(message="@ClassroomApiDisabled No."))

    assert level == "missing"
    assert "data access" in text


def test_check_refuses_a_wrong_secret() -> None:
    with pytest.raises(AuthError):
        checked(lambda _: error(401, "UNAUTHENTICATED", "Invalid credentials"))
