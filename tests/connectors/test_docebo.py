"""Docebo: its requests, its errors, its statuses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.connectors.docebo import Docebo, DoceboCourse
from rollbook.core.api import connect
from rollbook.core.connection import open_connection, read_definition
from rollbook.core.errors import AuthError, CursorExpired, Forbidden, Gone, SettingsError
from rollbook.core.mapping import Mapped, Skipped, compile
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.testing import load_case, load_har
from rollbook.core.testing.conformance import conformance_tests
from rollbook.core.testing.conformance.lms import RecordedLms

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.connector import Notice, Page
    from rollbook.core.sync import Report

FIXTURES = Path(__file__).parent.parent / "fixtures" / "docebo"
TENANT = load_case(FIXTURES / "tenant.har.json")
AS_OF = TENANT.as_of
APP = {name: value for name, value in TENANT.settings.items() if name != "strategy"}
LEARN = "/learn/v1/enrollments"
COURSE = "/course/v1/courses/enrollments"
SETTINGS: dict[str, Any] = {"include_staff": False, "include_containers": False, "pass_mark": None, "timezone": "UTC"}
CASES = pytest.mark.parametrize(("case", "strategy"), [("tenant", "learn"), ("course", "course")])


def expected_of(case: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))


class Platform:
    """Answers from a recording as often as it is asked; `instead` comes first."""

    def __init__(self, case: str = "tenant", instead: Callable[[httpx.Request], httpx.Response | None] | None = None):
        self.exchanges = load_har(FIXTURES / f"{case}.har.json").exchanges
        self.instead = instead
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.instead and (found := self.instead(request)):
            return found
        page = request.url.params.get("page", "")
        for one in self.exchanges:
            url = httpx.URL(one.url)
            if url.path == request.url.path and url.params.get("page", "") == page:
                return httpx.Response(one.status, headers=one.headers, content=one.content)
        return httpx.Response(404, json={"message": "none"})


def at(path: str, status: int, *, html: bool = False) -> Callable[[httpx.Request], httpx.Response | None]:
    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != path:
            return None
        return httpx.Response(status, html="<html></html>") if html else httpx.Response(status, json={})

    return answer


def read(platform: Platform, cursor: Any = None, since: Any = None, **settings: Any) -> list[Page]:
    async def run() -> list[Page]:
        async with open_connection("d", "docebo", {**APP, **settings}, transport=platform.transport) as opened:
            [partition] = [one async for one in opened.connector.partitions()]
            return [page async for page in opened.connector.pages(partition, cursor, since)]

    return asyncio.run(run())


def check(platform: Platform, **settings: Any) -> list[Notice]:
    with connect("docebo", transport=platform.transport, **APP, **settings) as lms:
        return list(lms.check())


TestConformance = conformance_tests("docebo", fixtures="../fixtures/docebo")


def test_both_strategies_give_the_same_ids() -> None:
    first, second = ([one["id"] for one in expected_of(case)["enrollments"]] for case in ("tenant", "course"))

    assert first == second


def test_the_course_list_gives_no_other_value_for_what_both_see() -> None:
    """It leaves null what it does not see; only the status may be a poorer one."""
    told_apart = {"status", "custom_fields", "remote_data", "urls", "is_mandatory", "created_at"}
    for one, other in zip(*(expected_of(case)["enrollments"] for case in ("tenant", "course")), strict=True):
        for name in set(one) - told_apart:
            assert other[name] in (one[name], None), name


def test_an_incremental_run_asks_for_what_changed_since_the_last_change_that_was_seen() -> None:
    async def run(store: Store) -> tuple[Report, RecordedLms]:
        recorded = RecordedLms(TENANT.load().exchanges)
        async with open_connection("d", "docebo", APP, transport=recorded) as connection:
            return await Sync(connection, store, clock=lambda: AS_OF).run(), recorded

    with Store(PRIVATE) as store:
        first, _ = asyncio.run(run(store))
        rows = list(store.rows("d"))
        second, recorded = asyncio.run(run(store))

        assert (first.mode, second.mode) == ("full", "incremental")
        assert rows == list(store.rows("d"))
    assert recorded.unexpected == []
    [asked] = [httpx.URL(one.url).params for one in recorded.asked if httpx.URL(one.url).path == LEARN]
    assert asked["updated_from"] == "2026-05-30 16:45:00"


@CASES
def test_a_single_enrollment_is_the_same_as_in_the_whole_whatever_the_filter_does(case: str, strategy: str) -> None:
    """The pretend platform heeds no filter: the row is found all the same."""
    platform = Platform(case)
    with connect("docebo", clock=lambda: AS_OF, transport=platform.transport, strategy=strategy, **APP) as lms:
        for expected in expected_of(case)["enrollments"]:
            assert expected == lms.enrollment(expected["id"]).model_dump(mode="json")


def test_a_single_enrollment_is_asked_for_by_course_and_learner() -> None:
    platform = Platform()
    with connect("docebo", transport=platform.transport, **APP) as lms:
        lms.enrollment("501:9001")
    [asked] = [one.url.params for one in platform.asked if one.url.path == LEARN]

    assert (asked["id_course[]"], asked["id_user[]"]) == ("501", "9001")


@pytest.mark.parametrize("id", ["501:1", "x", ":9001", "501:", "plan:77:9002"])
def test_an_enrollment_that_is_not_there_is_gone(id: str) -> None:
    with connect("docebo", transport=Platform().transport, **APP) as lms, pytest.raises(Gone):
        lms.enrollment(id)


def test_a_learning_plan_comes_in_by_setting_and_its_id_begins_with_its_kind() -> None:
    with connect("docebo", clock=lambda: AS_OF, transport=Platform().transport, include_containers=True, **APP) as lms:
        [plan] = [one for one in lms.enrollments() if one.id.startswith("learning_plan")]
        alone = lms.enrollment("learning_plan:77:9002")

    assert (plan.id, plan.course.title) == ("learning_plan:77:9002", "Safety Plan")
    assert plan == alone


@CASES
def test_a_read_taken_up_at_a_cursor_gives_what_is_left(case: str, strategy: str) -> None:
    whole = read(Platform(case), strategy=strategy)
    rest = read(Platform(case), cursor=json.loads(json.dumps(whole[0].cursor)), strategy=strategy)

    assert whole[1:] == rest


def test_the_next_read_begins_where_this_one_had_its_last_change_with_an_overlap() -> None:
    first = read(Platform())
    again = Platform()
    read(again, since=first[-1].watermark)

    assert first[-1].watermark == "2026-05-30 17:00:00"
    assert {one.url.params["updated_from"] for one in again.asked if one.url.path == LEARN} == {"2026-05-30 16:45:00"}


def test_what_changes_during_a_read_is_in_the_next_one() -> None:
    """The mark is never later than the vendor's own clock at the read's beginning."""

    def busy(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != LEARN:
            return None
        rows = [{"id": 1, "user_id": 2, "date_last_updated": "2026-06-01 09:30:00"}]
        body = {"data": {"items": rows, "has_more_data": 0}}
        return httpx.Response(200, json=body, headers={"Date": "Mon, 01 Jun 2026 09:00:00 GMT"})

    assert read(Platform(instead=busy))[-1].watermark == "2026-06-01 09:00:00"


def test_the_course_list_cannot_be_asked_for_changes() -> None:
    assert not DoceboCourse.incremental
    assert read(Platform("course"), strategy="course")[-1].watermark is None


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_search_that_the_server_dropped_is_an_expired_cursor(status: int) -> None:
    cursor = {"at": {"page": 2, "cursor": "s1"}, "began": None, "newest": ""}
    with pytest.raises(CursorExpired):
        read(Platform(instead=at(LEARN, status)), cursor=cursor)


@pytest.mark.parametrize("status", [403, 404])
def test_a_list_that_is_not_offered_is_forbidden_and_never_read_as_empty(status: int) -> None:
    with pytest.raises(Forbidden):
        read(Platform(instead=at(LEARN, status)))


def test_a_web_page_with_200_is_a_missing_permission() -> None:
    with pytest.raises(Forbidden, match="role is not allowed"):
        read(Platform(instead=at(LEARN, 200, html=True)))


@pytest.mark.parametrize("path", ["/oauth2/token", LEARN])
def test_check_tells_wrong_credentials(path: str) -> None:
    with pytest.raises(AuthError):
        check(Platform(instead=at(path, 401)))


def test_check_is_content_with_a_superadmin() -> None:
    assert check(Platform()) == []


@pytest.mark.parametrize(("status", "html"), [(403, False), (200, True)])
def test_check_tells_that_users_may_not_be_read(status: int, html: bool) -> None:  # noqa: FBT001 - a parameter of a table
    [notice] = check(Platform(instead=at("/manage/v1/user", status, html=html)))

    assert (notice.level, "fetch_users" in notice.text) == ("missing", True)


def test_without_users_the_join_is_null_and_the_login_stays() -> None:
    platform = Platform()
    with connect("docebo", clock=lambda: AS_OF, transport=platform.transport, fetch_users=False, **APP) as lms:
        found = {one.id: one for one in lms.enrollments()}
        [notice] = lms.check()
    one = found["501:9002"]

    assert notice.level == "reduced"
    assert not [each for each in platform.asked if each.url.path == "/manage/v1/user"]
    assert (one.user.name, one.user.emails[0].email, one.user.emails[0].type) == (None, "lena@example.com", "login")
    assert one.remote_data is not None
    assert one.remote_data["user"] is None


@pytest.mark.parametrize(
    ("settings", "grant"),
    [({}, "client_credentials"), ({"username": "admin", "password": "made-up"}, "password")],
)
def test_a_username_switches_the_grant(settings: dict[str, str], grant: str) -> None:
    platform = Platform()
    check(platform, **settings)

    assert f"grant_type={grant}" in platform.asked[0].content.decode()


@pytest.mark.parametrize(
    "settings",
    [{"domain": ""}, {"username": "admin"}, {"password": "made-up"}],
)
def test_settings_that_lack_something_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        open_connection("d", "docebo", {**APP, **settings})


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        ({"domain": "acme"}, "https://acme.docebosaas.com"),
        ({"domain": "learn.example.com"}, "https://learn.example.com"),
        ({"domain": "acme", "base_url": "https://proxy.example.com/"}, "https://proxy.example.com"),
    ],
)
def test_the_platform_may_have_a_host_of_its_own(settings: dict[str, str], origin: str) -> None:
    assert Docebo.Settings.model_validate({**APP, **settings}).origin() == origin


def mapped(row: dict[str, Any], kind: str = "", **settings: Any) -> Any:
    normalizer = compile(read_definition(Docebo), {**SETTINGS, **settings})
    record: dict[str, Any] = {
        "enrollment": {"user_id": 2, "id": 1, "course_id": 1, **row},
        "user": None,
        "enroller": None,
    }
    found = normalizer.normalize(record, kind=kind, as_of=AS_OF)
    if isinstance(found, Mapped):
        assert not found.flaws
        return found.enrollment
    return found


STATUSES = pytest.mark.parametrize(
    ("native", "status"),
    [
        ("enrolled", "enrolled"),
        ("subscribed", "enrolled"),
        ("not_started", "enrolled"),
        ("in_progress", "in_progress"),
        ("completed", "completed"),
        ("suspended", "withdrawn"),
        ("waiting", "assigned"),
        ("subscription_to_confirm", "assigned"),
        ("overbooking", "assigned"),
        (" Completed ", "completed"),
        (-2, "assigned"),
        (-1, "assigned"),
        (0, "enrolled"),
        (1, "in_progress"),
        (2, "completed"),
        (3, "withdrawn"),
        (4, "assigned"),
        ("something new", "unknown"),
        (None, "unknown"),
    ],
)


@STATUSES
def test_each_native_status_of_the_tenant_wide_list(native: Any, status: str) -> None:
    assert mapped({"status": native}).status == status


@STATUSES
def test_each_native_status_of_the_course_list(native: Any, status: str) -> None:
    assert mapped({"enrollment_status": native}, "course").status == status


@pytest.mark.parametrize(
    ("by", "status", "assigned_by"),
    [(3, "assigned", "3"), ("3", "assigned", "3"), (2, "enrolled", None), ("2", "enrolled", None)]
    + [(nobody, "enrolled", None) for nobody in (None, 0, "0", -1)],
)
def test_enrolled_by_another_is_assigned_and_by_oneself_is_not(by: Any, status: str, assigned_by: str | None) -> None:
    when = "2026-03-02 08:00:00"
    learn = mapped({"status": "enrolled", "subscribed_by": by, "enroll_date_of_enrollment": when})
    course = mapped(
        {"enrollment_status": "enrolled", "enrollment_created_by": by, "enrollment_created_at": when}, "course"
    )

    for one in (learn, course):
        assert one.status == status
        assert (one.assigned_by.id if one.assigned_by else None) == assigned_by
        assert (one.assigned_at is not None) == (assigned_by is not None)


@pytest.mark.parametrize(
    ("native", "soft", "end", "status"),
    [
        ("in_progress", True, "2026-05-01", "overdue"),
        ("in_progress", None, "2026-05-01", "overdue"),
        ("in_progress", False, "2026-05-01", "expired"),
        ("enrolled", 0, "2026-05-01 10:00:00", "expired"),
        ("in_progress", False, "2026-06-01", "in_progress"),
        ("completed", False, "2026-05-01", "completed"),
        ("suspended", False, "2026-05-01", "withdrawn"),
        ("something new", False, "2026-05-01", "unknown"),
    ],
)
def test_the_end_of_validity_is_the_deadline_and_ends_access_only_if_soft_deadline_is_false(
    native: str, soft: Any, end: str, status: str
) -> None:
    one = mapped({"status": native, "soft_deadline": soft, "enroll_end_date": end})

    assert one.status == status
    assert one.due_at is not None


@pytest.mark.parametrize("zero", ["0000-00-00", "0000-00-00 00:00:00", "", "0", None])
def test_zero_dates_are_no_dates(zero: str | None) -> None:
    names = ("enroll_end_date", "enroll_date_of_enrollment", "course_complete_date", "date_last_updated")
    one = mapped({"status": "in_progress", **dict.fromkeys(names, zero)})

    assert (one.due_at, one.enrolled_at, one.completed_at, one.updated_at) == (None, None, None, None)


@pytest.mark.parametrize(("native", "score"), [(0, None), ("0", None), (None, None), (88, 88.0), ("71.5", 71.5)])
def test_a_score_of_0_may_be_none_and_is_null(native: Any, score: float | None) -> None:
    assert mapped({"status": "completed", "score": native}).score == score
    assert mapped({"enrollment_status": "completed", "enrollment_score": native}, "course").score == score


@pytest.mark.parametrize("level", ["tutor", "Instructor", "coach"])
def test_staff_is_left_out_unless_asked_for(level: str) -> None:
    assert isinstance(mapped({"level": level}), Skipped)
    assert isinstance(mapped({"enrollment_level": level}, "course"), Skipped)
    assert mapped({"level": level}, include_staff=True).custom_fields["role"] == level


@pytest.mark.parametrize("level", ["learner", "student", "mentor", "", None])
def test_every_other_level_stays_in(level: str | None) -> None:
    assert mapped({"level": level}).id == "1:2"


@pytest.mark.parametrize(
    ("native", "mandatory"),
    [("mandatory", True), ("Required", True), ("recommended", False), ("optional", False), ("", None), (None, None)],
)
def test_is_mandatory_is_what_the_assignment_type_says(native: str | None, mandatory: bool | None) -> None:  # noqa: FBT001 - a parameter of a table
    assert mapped({"assignment_type": native}, "course").is_mandatory is mandatory


@pytest.mark.parametrize(
    ("row", "drift"),
    [
        ({"level": "learner", "type": "elearning"}, set[tuple[str, str]]()),
        ({"level": "mentor", "type": "elearning"}, {("role", "mentor")}),
        ({"level": None, "type": "elearning"}, {("role", "(missing)")}),
        ({"level": "learner", "type": "game"}, {("course_type", "game")}),
        ({"level": "learner", "status": "something new"}, {("status", "something new")}),
        ({"type": "learning_plan"}, set[tuple[str, str]]()),
    ],
)
def test_words_never_heard_of_stay_in_and_are_counted(row: dict[str, Any], drift: set[tuple[str, str]]) -> None:
    normalizer = compile(read_definition(Docebo), {**SETTINGS, "include_containers": True})
    found = normalizer.normalize({"enrollment": {"id": 1, "user_id": 2, "status": "enrolled", **row}}, as_of=AS_OF)

    assert isinstance(found, Mapped)
    assert {(one.what, one.value) for one in found.drift} == drift


def test_a_completion_date_beside_another_status_completes_nothing() -> None:
    date = {"course_complete_date": "2026-03-01 10:00:00"}
    again, suspended = mapped({"status": "in_progress", **date}), mapped({"status": "suspended", **date})

    assert (again.status, again.completed_at, suspended.completed_at) == ("in_progress", None, None)
    assert again.custom_fields["previously_completed_at"] == "2026-03-01T10:00:00Z"
    assert suspended.custom_fields["closed_at"] == "2026-03-01T10:00:00Z"


@pytest.mark.parametrize(
    ("native", "pending"),
    [("waiting", "approval"), ("subscription_to_confirm", "approval"), ("overbooking", "waitlist"), ("enrolled", None)],
)
def test_what_a_pending_place_waits_for_is_told(native: str, pending: str | None) -> None:
    assert mapped({"status": native}).custom_fields.get("pending") == pending
    assert mapped({"enrollment_status": native}, "course").custom_fields.get("pending") == pending
