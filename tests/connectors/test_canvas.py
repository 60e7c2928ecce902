"""Canvas: every state, module progress, the signs of its errors, one enrollment by id, and going on from a cursor."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core import connect
from rollbook.core.connection import open_connection
from rollbook.core.connector import Partition
from rollbook.core.errors import AuthError, Forbidden, Gone, RateLimited, SettingsError
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance import conformance_tests
from rollbook.sandbox import Tenant, app

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from rollbook.core.connection import Connection

FIXTURES = Path(__file__).parents[1] / "fixtures" / "canvas"
TOKEN = dict(load_case(FIXTURES / "tenant.har.json").settings)
HOST = TOKEN["base_url"]
NOW = datetime(2026, 4, 1, tzinfo=UTC)
NOT_MODULE_BASED = {"error": {"message": "No progress available because this course is not module based"}}
REALM = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
UNAUTHORIZED = {"status": "unauthorized", "errors": [{"message": "user not authorized to perform that action"}]}


@asynccontextmanager
async def opened(answer: Callable[[httpx.Request], httpx.Response], **settings: Any) -> AsyncGenerator[Connection]:
    settings = {**TOKEN, **settings}
    async with open_connection("acme", "canvas", settings, transport=httpx.MockTransport(answer)) as connection:
        yield connection


def asked(answer: Callable[[httpx.Request], httpx.Response], path: str = "api/v1/courses/7", **settings: Any) -> Any:
    async def ask() -> Any:
        async with opened(answer, **settings) as connection:
            return await connection.http.get(path)

    return asyncio.run(ask())


def checked(answer: Callable[[httpx.Request], httpx.Response], **settings: Any) -> list[tuple[str, str]]:
    async def check() -> list[tuple[str, str]]:
        async with opened(answer, **settings) as connection:
            return [(notice.level, notice.text) for notice in await connection.connector.check()]

    return asyncio.run(check())


def outcome(
    enrollment: dict[str, Any], progress: Any = None, course: dict[str, Any] | None = None, **settings: Any
) -> Any:
    settings = {**TOKEN, **settings}
    connection = open_connection("acme", "canvas", settings)
    row = {"id": 9001, "user_id": 7101, "course_id": 41001, "type": "StudentEnrollment", **enrollment}
    try:
        return connection.normalizer.normalize(
            {"enrollment": row, "course": course or {"id": 41001, "name": "Fire Safety"}, "progress": progress},
            as_of=NOW,
        )
    finally:
        asyncio.run(connection.aclose())


def mapped(enrollment: dict[str, Any], progress: Any = None, course: dict[str, Any] | None = None) -> Any:
    result = outcome(enrollment, progress, course)
    assert isinstance(result, Mapped), result
    return result.enrollment


def done(count: int, of: int, at: str | None = None) -> dict[str, Any]:
    return {"requirement_count": of, "requirement_completed_count": count, "completed_at": at}


# --- tenants ------------------------------------------------------------------------------------------------------


TestConformance = conformance_tests("canvas", fixtures="../fixtures/canvas")


# --- status ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("active", "enrolled"),
        ("invited", "assigned"),
        ("creation_pending", "assigned"),
        ("inactive", "withdrawn"),
        ("rejected", "withdrawn"),
        ("deleted", "withdrawn"),
        ("completed", "completed"),
        ("frozen", "unknown"),
    ],
)
def test_each_state_alone(state: str, expected: str) -> None:
    found = mapped({"enrollment_state": state})

    assert expected == found.status.value
    assert found.custom_fields["native_status"] == state


@pytest.mark.parametrize(
    "sign", [{"last_activity_at": "2026-03-16T10:44:53Z"}, {"total_activity_time": 30}], ids=["activity", "time"]
)
def test_an_active_learner_who_was_there_is_in_progress(sign: dict[str, Any]) -> None:
    assert mapped({"enrollment_state": "active", **sign}).status.value == "in_progress"


def test_a_first_requirement_met_is_in_progress() -> None:
    found = mapped({"enrollment_state": "active", "total_activity_time": 0}, done(1, 3))

    assert (found.status.value, found.progress_percent) == ("in_progress", 33.33)


@pytest.mark.parametrize("state", ["active", "completed", "inactive"])
@pytest.mark.parametrize("progress", [done(3, 3), done(3, 3, "2026-03-10T12:00:00Z")], ids=["count", "date"])
def test_all_module_requirements_met_is_completed_in_any_state(state: str, progress: dict[str, Any]) -> None:
    assert mapped({"enrollment_state": state}, progress).status.value == "completed"


def test_the_date_of_the_last_module_completes_whatever_the_counts_say() -> None:
    assert mapped({"enrollment_state": "active"}, done(2, 3, "2026-03-10T12:00:00Z")).status.value == "completed"


def test_no_requirements_are_no_completion() -> None:
    found = mapped({"enrollment_state": "active"}, done(0, 0))

    assert (found.status.value, found.progress_percent) == ("enrolled", None)


@pytest.mark.parametrize(("state", "concluded"), [("completed", False), ("active", True)], ids=["enrollment", "course"])
@pytest.mark.parametrize(
    ("progress", "expected"),
    [(done(2, 2), "completed"), (None, "completed"), (done(1, 2), "expired")],
    ids=["full", "not readable", "unfinished"],
)
def test_concluded_is_completed_unless_known_unfinished(
    state: str, concluded: object, progress: Any, expected: str
) -> None:
    found = mapped({"enrollment_state": state}, progress, {"id": 41001, "concluded": concluded})

    assert expected == found.status.value
    assert found.custom_fields["concluded"] is True
    assert found.completed_at is None


def test_an_invitation_to_a_concluded_course_is_expired() -> None:
    assert mapped({"enrollment_state": "invited"}, None, {"id": 41001, "concluded": True}).status.value == "expired"


def test_the_past_end_of_the_enrollment_expires_it_though_its_state_is_active() -> None:
    found = mapped({"enrollment_state": "active", "end_at": "2026-02-01T00:00:00Z"})

    assert found.status.value == "expired"
    assert found.custom_fields["access_ends_at"] == "2026-02-01T00:00:00Z"
    assert found.due_at is None


# --- fields ---------------------------------------------------------------------------------------------------------


def test_a_big_id_keeps_its_digits() -> None:
    assert mapped({"id": 10000000000000042, "enrollment_state": "active"}).id == "10000000000000042"


def test_start_at_is_the_beginning_of_access_and_not_a_start() -> None:
    found = mapped({"enrollment_state": "active", "start_at": "2026-01-05T00:00:00Z"})

    assert found.started_at is None
    assert found.custom_fields["access_starts_at"] == "2026-01-05T00:00:00Z"


@pytest.mark.parametrize(
    ("state", "grades", "expected"),
    [
        ("active", {"current_score": 87.5, "final_score": 43.75}, 87.5),
        ("completed", {"current_score": 87.5, "final_score": 43.75}, 43.75),
        ("active", {"current_score": 87.5, "override_score": 101.5}, 101.5),
        ("active", {"current_score": None, "final_score": 0.0}, None),
        ("active", {}, None),
    ],
)
def test_the_score(state: str, grades: dict[str, Any], expected: float | None) -> None:
    assert mapped({"enrollment_state": state, "grades": grades}).score == expected


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({"email": "ada@example.com", "login_id": "a@example.com"}, ["ada@example.com"]),
        ({"login_id": "a@example.com"}, ["a@example.com"]),
        ({"login_id": "ada"}, []),
    ],
)
def test_a_login_is_an_e_mail_address_only_if_there_is_no_other(user: dict[str, Any], expected: list[str]) -> None:
    found = mapped({"enrollment_state": "active", "user": user})

    assert expected == [one.email for one in found.user.emails]
    assert found.user.name is None


def test_a_nickname_is_no_title() -> None:
    course = {"id": 41001, "name": "my course", "original_name": "Fire Safety"}

    assert mapped({"enrollment_state": "active"}, None, course).course.title == "Fire Safety"


@pytest.mark.parametrize("kind", [None, "", "MentorEnrollment"])
def test_a_type_that_is_missing_or_unknown_stays_in_and_is_counted(kind: str | None) -> None:
    found = outcome({"type": kind, "enrollment_state": "active"})

    assert isinstance(found, Mapped)
    assert [(one.what, one.value) for one in found.drift] == [("type", kind or "(missing)")]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("TeacherEnrollment", "staff"),
        ("TaEnrollment", "staff"),
        ("DesignerEnrollment", "staff"),
        ("ObserverEnrollment", "observer"),
        ("StudentViewEnrollment", "test_student"),
    ],
)
def test_who_is_no_learner_is_skipped_unless_wanted(kind: str, reason: str) -> None:
    row = {"type": kind, "enrollment_state": "active"}

    assert outcome(row) == Skipped(reason, "9001")
    assert isinstance(outcome(row, include_staff=True), Mapped)


# --- answers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
def test_throttling_is_waited_for_whichever_status_it_has(status: int) -> None:
    text = f"{status} Forbidden (Rate Limit Exceeded)"

    with pytest.raises(RateLimited):
        # a token of its own: what shares a token shares the pause
        asked(
            lambda _: httpx.Response(status, text=text, headers={"Retry-After": "900"}), access_token=f"token-{status}"
        )


def test_a_403_without_that_text_is_a_missing_permission() -> None:
    with pytest.raises(Forbidden):
        asked(lambda _: httpx.Response(403, json=UNAUTHORIZED))


def test_a_401_with_a_challenge_is_a_wrong_token() -> None:
    with pytest.raises(AuthError, match="access_token"):
        asked(lambda _: httpx.Response(401, json={"errors": [{"message": "Invalid access token."}]}, headers=REALM))


def test_a_401_without_a_challenge_is_a_missing_permission() -> None:
    with pytest.raises(Forbidden, match="admin"):
        asked(lambda _: httpx.Response(401, json=UNAUTHORIZED))


def test_a_404_is_gone() -> None:
    with pytest.raises(Gone):
        asked(lambda _: httpx.Response(404, json={"errors": [{"message": "The specified resource does not exist."}]}))


def test_a_refused_token_is_renewed_with_the_refresh_token() -> None:
    forms: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login/oauth2/token":
            forms.append(request.content.decode())
            return httpx.Response(200, json={"access_token": f"token-{len(forms)}", "expires_in": 3600})
        good = request.headers["Authorization"] == "Bearer token-2"
        return httpx.Response(200, json={}) if good else httpx.Response(401, json={}, headers=REALM)

    grant = {"client_id": "17", "client_secret": "made-up-secret", "refresh_token": "made-up-refresh"}
    asked(answer, access_token=None, **grant)

    assert len(forms) == 2
    assert all("grant_type=refresh_token" in form and "refresh_token=made-up-refresh" in form for form in forms)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": HOST},
        {"base_url": HOST, "client_id": "17", "refresh_token": "x"},
        {"base_url": HOST, "access_token": "x", "client_id": "17"},
        {"access_token": "x"},
    ],
)
def test_incomplete_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        open_connection("acme", "canvas", settings)


# --- check ----------------------------------------------------------------------------------------------------------


def test_check_names_the_permission_that_listing_courses_needs() -> None:
    [(level, text)] = checked(lambda _: httpx.Response(401, json=UNAUTHORIZED))

    assert level == "missing"
    assert "read_course_list" in text


def test_check_refuses_a_wrong_token() -> None:
    with pytest.raises(AuthError):
        checked(lambda _: httpx.Response(401, json={}, headers=REALM))


@pytest.mark.parametrize(
    ("module_progress", "levels"), [(True, ["reduced"] * 3 + ["missing"]), (False, ["reduced"] * 3)]
)
def test_check_tells_what_is_left_out_for_want_of_permissions(module_progress: object, levels: list[str]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/bulk_user_progress"):
            return httpx.Response(401, json=UNAUTHORIZED)
        row = {"id": 7} if request.url.path.endswith("/courses") else {"id": 1, "grades": {}, "user": {"id": 2}}
        return httpx.Response(200, json=[row])

    notices = checked(answer, module_progress=module_progress)

    assert levels == [level for level, _ in notices]
    assert "read_reports" in notices[0][1]


# --- pages ----------------------------------------------------------------------------------------------------------


def pages_of(answer: Callable[[httpx.Request], httpx.Response], cursor: Any = None, **settings: Any) -> list[Any]:
    async def read() -> list[Any]:
        async with opened(answer, **settings) as connection:
            partition = Partition("course:7", {"course": {"id": 7}})
            return [page async for page in connection.connector.pages(partition, cursor, None)]

    return asyncio.run(read())


def course_of_three(request: httpx.Request) -> httpx.Response:
    """Three pages of one enrollment; user 2 has met a requirement, user 3 has no readable progress."""
    if request.url.path.endswith("/bulk_user_progress"):
        return httpx.Response(200, json=[{"id": 2, "progress": done(1, 2)}, {"id": 3, "progress": {"error": {}}}])
    if request.url.path.endswith("/users/1/progress"):
        return httpx.Response(200, json=done(2, 2))
    number = int(request.url.params.get("page", "bookmark:1").partition(":")[2])
    row = {"id": number * 10, "user_id": number, "enrollment_state": "completed" if number == 1 else "active"}
    link = f'<{HOST}/api/v1/courses/7/enrollments?page=bookmark:{number + 1}&per_page=100>; rel="next"'
    return httpx.Response(200, json=[row], headers={"link": link} if number < 3 else {})


def test_going_on_from_each_cursor_reads_the_same_as_without_a_stop() -> None:
    whole = pages_of(course_of_three)

    assert len(whole) == 3
    for number, page in enumerate(whole[:-1], start=1):
        assert pages_of(course_of_three, page.cursor) == whole[number:]


def test_progress_is_attached_by_user_and_null_where_it_cannot_be_read() -> None:
    records = [record for page in pages_of(course_of_three) for record in page.records]

    assert [record["progress"] for record in records] == [None, done(1, 2), None]


def test_past_progress_asks_for_concluded_learners_one_by_one() -> None:
    records = [record for page in pages_of(course_of_three, past_progress=True) for record in page.records]

    assert [record["progress"] for record in records] == [done(2, 2), done(1, 2), None]


def test_progress_switched_off_is_null_and_not_asked_for() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert not request.url.path.endswith("progress")
        return course_of_three(request)

    records = [record for page in pages_of(answer, module_progress=False) for record in page.records]

    assert [record["progress"] for record in records] == [None] * 3


def test_a_course_without_modules_has_no_progress_and_is_read_all_the_same() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/bulk_user_progress"):
            return httpx.Response(400, json=NOT_MODULE_BASED)
        return course_of_three(request)

    assert [record["progress"] for page in pages_of(answer) for record in page.records] == [None] * 3


def test_a_course_that_may_not_be_read_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        pages_of(lambda _: httpx.Response(401, json=UNAUTHORIZED))


def test_a_course_that_may_not_be_read_leaves_the_others_readable() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/accounts/self/courses"):
            return httpx.Response(200, json=[{"id": 6, "name": "Locked"}, {"id": 7, "name": "Open"}])
        return httpx.Response(401, json=UNAUTHORIZED) if "/courses/6/" in request.url.path else course_of_three(request)

    with connect("canvas", transport=httpx.MockTransport(answer), clock=lambda: NOW, **TOKEN) as lms:
        rows = list(lms.enrollments())

    assert sorted(row.id for row in rows) == ["10", "20", "30"]
    assert list(lms.findings.forbidden) == ["course:6"]


def test_remote_data_is_what_canvas_sent_and_the_course_is_cut_to_what_is_known() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/accounts/self/courses"):
            return httpx.Response(200, json=[{"id": 7, "name": "Open", "syllabus_body": "<p>long</p>"}])
        return course_of_three(request)

    with connect("canvas", transport=httpx.MockTransport(answer), clock=lambda: NOW, **TOKEN) as lms:
        [second] = [row for row in lms.enrollments() if row.id == "20"]

    assert second.remote_data == {
        "enrollment": {"id": 20, "user_id": 2, "enrollment_state": "active"},
        "course": {"id": 7, "name": "Open"},
        "progress": done(1, 2),
    }


# --- the sandbox ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("include_staff", [False, True])
def test_against_the_sandbox_each_enrollment_alone_is_the_one_of_the_list(include_staff: object) -> None:
    application = app("canvas", tenant=Tenant(as_of=NOW))
    settings = application.vendor.settings("http://127.0.0.1:8000")
    settings_and_staff: dict[str, Any] = {**settings, "include_staff": include_staff}

    async def read() -> tuple[list[Any], list[Any]]:
        transport = httpx.ASGITransport(application)
        async with connect("canvas", transport=transport, clock=lambda: NOW, **settings_and_staff) as lms:
            assert await lms.check() == []
            rows = [row async for row in lms.enrollments()]
            assert not lms.findings.rejected
            assert not lms.findings.drift
            return rows, [await lms.enrollment(row.id) for row in rows]

    listed, alone = asyncio.run(read())

    assert len(listed) > 50
    assert listed == alone
