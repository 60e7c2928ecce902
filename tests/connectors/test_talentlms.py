"""TalentLMS: its two strategies, its errors, its statuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from rollbook.connectors.talentlms import TalentLMS, TalentLMSSettings
from rollbook.core.api import connect
from rollbook.core.connection import open_connection
from rollbook.core.connector import Partition
from rollbook.core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone, RollbookError, VendorError
from rollbook.core.http import Act, Answer, Limit
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.testing import load_case, load_har
from rollbook.core.testing.conformance import conformance_tests

FIXTURES = Path(__file__).parent.parent / "fixtures" / "talentlms"
CASES = {"tenant": "users", "courses": "courses"}
TENANT = load_case(FIXTURES / "tenant.har.json")
AS_OF = TENANT.as_of
PORTAL = {name: value for name, value in TENANT.settings.items() if name != "strategy"}


def expected(case: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))


def recorded() -> httpx.MockTransport:
    """Answer from both recordings, as often as asked."""
    answers = {one.url: one for case in CASES for one in load_har(FIXTURES / f"{case}.har.json").exchanges}

    def answer(request: httpx.Request) -> httpx.Response:
        one = answers[str(request.url)]
        return httpx.Response(one.status, headers=one.headers, content=one.content)

    return httpx.MockTransport(answer)


def says(body: Any, status: int = 200) -> httpx.MockTransport:
    return httpx.MockTransport(lambda _request: httpx.Response(status, json=body))


TestConformance = conformance_tests("talentlms", fixtures="../fixtures/talentlms")


def test_both_strategies_give_the_same_ids() -> None:
    ids = [[one["id"] for one in expected(case)["enrollments"]] for case in CASES]

    assert ids[0] == ids[1]


def test_the_courses_strategy_gives_no_other_value_for_what_both_see() -> None:
    """It leaves null what it does not see; only the status may be a poorer one."""
    for one, other in zip(*(expected(case)["enrollments"] for case in CASES), strict=True):
        for name in set(one) - {"status", "custom_fields", "remote_data", "urls"}:
            assert other[name] in (one[name], None), name


def test_the_courses_strategy_gives_neither_failed_nor_a_lapsed_certificate() -> None:
    status = {case: {one["id"]: one["status"] for one in expected(case)["enrollments"]} for case in CASES}

    assert (status["tenant"]["47:12"], status["courses"]["47:12"]) == ("failed", "in_progress")
    assert (status["tenant"]["49:19"], status["courses"]["49:19"]) == ("expired", "completed")


@pytest.mark.parametrize("case", CASES)
def test_one_click_logins_are_never_kept(case: str) -> None:
    text = (FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8")

    assert "login_key" not in text
    assert "autologin" not in text


@pytest.mark.parametrize(("case", "strategy"), CASES.items())
@pytest.mark.parametrize("id", ["45:12", "49:19"])
def test_a_single_enrollment_is_the_same_as_in_the_whole(case: str, strategy: str, id: str) -> None:
    with connect("talentlms", clock=lambda: AS_OF, transport=recorded(), strategy=strategy, **PORTAL) as lms:
        one = lms.enrollment(id).model_dump(mode="json")

    assert next(each for each in expected(case)["enrollments"] if each["id"] == id) == one


@pytest.mark.parametrize("strategy", CASES.values())
@pytest.mark.parametrize("id", ["45:31", "51:12"])
def test_an_enrollment_that_is_not_there_is_gone(id: str, strategy: str) -> None:
    with connect("talentlms", transport=recorded(), strategy=strategy, **PORTAL) as lms, pytest.raises(Gone):
        lms.enrollment(id)


def test_a_course_of_more_than_a_thousand_is_taken_up_at_its_cursor() -> None:
    body = {"id": "12", "users": [{"id": str(number), "role": "learner"} for number in range(2_001)]}

    async def read() -> None:
        opened = open_connection("t", "talentlms", PORTAL | {"strategy": "courses"}, transport=says(body))
        async with opened as connection:
            place = Partition("course:12")
            pages = [page async for page in connection.connector.pages(place, None, None)]
            rest = [page async for page in connection.connector.pages(place, pages[0].cursor, None)]

            assert [len(page.records) for page in pages] == [1_000, 1_000, 1]
            assert pages[-1].cursor is None
            assert pages[1:] == rest
            with pytest.raises(CursorExpired):
                [page async for page in connection.connector.pages(place, "x", None)]

    asyncio.run(read())


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", ["acme", "acme.talentlms.com", "https://acme.talentlms.com/"])
def test_a_domain_may_be_written_in_full(domain: str) -> None:
    settings = TalentLMSSettings.model_validate({"domain": domain, "api_key": "made-up-key"})

    assert settings.origin() == "https://acme.talentlms.com"
    assert "api_key" not in settings.public()


@pytest.mark.parametrize("domain", ["", " ", "learn.example.com"])
def test_a_domain_that_is_no_portals_name_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match="acme"):
        TalentLMSSettings.model_validate({"domain": domain, "api_key": "made-up-key"})


def test_the_plan_sets_the_hourly_limit() -> None:
    async def read() -> None:
        async with open_connection("t", "talentlms", PORTAL | {"hourly_limit": 10_000}) as connection:
            limits = connection.connector.limits()

            assert Limit(requests=10_000, per=3_600.0) in limits
            assert any((one.requests, one.per) == (200, 5.0) for one in limits)

    asyncio.run(read())


# -- errors -----------------------------------------------------------------------------------------------------------


def answer(body: Any, status: int = 200, request: str = "GET /api/v1/users/id:45") -> Answer:
    return Answer(status, httpx.Headers({"content-type": "application/json"}), json.dumps(body).encode(), request, "")


def error(message: str, kind: str = "invalid_request_error") -> dict[str, Any]:
    return {"error": {"type": kind, "message": message}}


@pytest.mark.parametrize(
    ("body", "status", "act", "kind"),
    [
        (error("The requested user does not exist"), 200, Act.FAIL, Gone),
        (error("The requested user does not exist"), 400, Act.FAIL, Gone),
        (error("The requested user is not enrolled in this course"), 404, Act.FAIL, Gone),
        ({"error": "The requested user does not exist"}, 200, Act.FAIL, Gone),
        ({"type": "invalid_request_error", "message": "The requested course does not exist"}, 400, Act.FAIL, Gone),
        (error("The requested API action does not exist"), 404, Act.FAIL, ContractError),
        (error("Invalid arguments provided"), 200, Act.FAIL, ContractError),
        (error("Something broke", "api_error"), 200, Act.RETRY, VendorError),
        (error("Invalid API key"), 401, Act.FAIL, AuthError),
        (error("API is not enabled"), 403, Act.FAIL, Forbidden),
        (error("Rate limit exceeded"), 403, Act.THROTTLED, VendorError),
    ],
)
def test_an_error_is_read_from_the_body(body: Any, status: int, act: Act, kind: type[RollbookError]) -> None:
    verdict = TalentLMS.verdict(answer(body, status))

    assert verdict is not None
    assert (act, kind) == (verdict.act, verdict.error)


@pytest.mark.parametrize("body", [[], {"id": "45", "courses": []}, {"error": ""}])
def test_data_is_no_error(body: Any) -> None:
    assert TalentLMS.verdict(answer(body)) is None


@pytest.mark.parametrize("status", [429, 500])
def test_limits_and_failures_are_left_to_the_usual_reading(status: int) -> None:
    assert TalentLMS.verdict(answer(error("Too bad", "api_error"), status)) is None


def test_a_list_that_is_not_there_does_not_read_as_empty() -> None:
    verdict = TalentLMS.verdict(answer({}, 404, "GET /api/v1/courses"))

    assert verdict is not None
    assert verdict.error is ContractError


# -- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "told"), [("2000", 0), ("10000", 1), (None, 0)])
def test_a_check_tells_when_the_plan_allows_another_number(limit: str | None, told: int) -> None:
    with connect("talentlms", transport=says({"limit": limit, "remaining": "1999"}), **PORTAL) as lms:
        assert told == len(lms.check())


@pytest.mark.parametrize(("status", "kind"), [(401, AuthError), (403, Forbidden)])
def test_a_check_that_is_refused_says_what_to_do_without_the_key(status: int, kind: type[RollbookError]) -> None:
    with connect("talentlms", transport=says(error("No"), status), **PORTAL) as lms, pytest.raises(kind) as raised:
        lms.check()

    assert "Integrations > API" in raised.value.hint
    assert "made-up-key" not in str(raised.value)


# -- mapping ----------------------------------------------------------------------------------------------------------


def mapped(settings: dict[str, Any] | None = None, /, *, ends: Any = None, user: Any = None, **row: Any) -> Any:
    """Map a row of a user's courses; `ends` is a certificate's end."""
    record: dict[str, Any] = {
        "enrollment": {"id": "12", "role": "learner", "enrolled_on_timestamp": "1768208400"} | row,
        "user": {"id": "45"} | (user or {}),
        "certifications": [] if ends is None else [{"course_id": "12", "expiration_date_timestamp": ends}],
    }
    normalizer = open_connection("t", "talentlms", PORTAL | (settings or {})).normalizer
    result = normalizer.normalize(record, as_of=AS_OF)
    return result.enrollment if isinstance(result, Mapped) else result


PAST, FUTURE = "1770800400", "1798700000"
DONE = {"completed_on_timestamp": "1768905000"}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("not_attempted", "enrolled"),
        ("Not attempted", "enrolled"),
        ("Not Started", "enrolled"),
        ("incomplete", "in_progress"),
        ("In progress", "in_progress"),
        ("pending", "in_progress"),
        ("completed", "completed"),
        ("Completed", "completed"),
        ("Passed", "passed"),
        ("failed", "failed"),
        ("not_passed", "failed"),
        ("did_not_pass", "failed"),
        ("paused", "unknown"),
    ],
)
def test_each_word_has_its_status(word: str, status: str) -> None:
    one = mapped(completion_status=word)

    assert status == one.status
    assert word == one.custom_fields["native_status"]


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({}, "enrolled"),
        ({"completion_percentage": "0", "total_time": None}, "enrolled"),
        ({"completion_percentage": "5"}, "in_progress"),
        ({"completion_percentage": "100"}, "in_progress"),
        ({"total_time_seconds": 3}, "in_progress"),
        ({"total_time": "3m 17s"}, "in_progress"),
        ({"total_time": "0s"}, "enrolled"),
        (DONE, "completed"),
        ({"completed_on_timestamp": "", "completion_status": ""}, "enrolled"),
        ({"enrolled_on_timestamp": ""}, "enrolled"),
    ],
)
def test_without_a_word_the_dates_and_figures_decide(row: dict[str, Any], status: str) -> None:
    assert status == mapped(**row).status


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"completion_status": "incomplete", "expired_on_timestamp": PAST}, "expired"),
        ({"completion_status": "incomplete", "expired_on_timestamp": FUTURE}, "in_progress"),
        ({"completion_status": "completed", "expired_on_timestamp": PAST}, "completed"),
        ({"completion_status": "failed", "expired_on_timestamp": PAST}, "failed"),
        ({"completion_status": "completed", "ends": int(PAST)}, "expired"),
        ({"completion_status": "completed", "ends": int(FUTURE)}, "completed"),
        ({"completion_status": "completed", "ends": 0}, "completed"),
    ],
)
def test_access_ends_for_the_unfinished_and_certificates_lapse_for_the_finished(
    row: dict[str, Any], status: str
) -> None:
    """`expired_on` is the end of access, never a deadline: overdue is not given."""
    one = mapped(**row)

    assert status == one.status
    assert one.due_at is None


def test_a_lapsed_certificate_keeps_the_date_of_completion() -> None:
    assert mapped(completion_status="completed", ends=int(PAST), **DONE).completed_at is not None


@pytest.mark.parametrize("role", [None, "", "observer"])
def test_a_role_that_is_missing_or_unknown_stays_in_and_is_counted(role: str | None) -> None:
    normalizer = open_connection("t", "talentlms", PORTAL).normalizer
    result = normalizer.normalize({"enrollment": {"id": "12", "role": role}, "user": {"id": "45"}}, as_of=AS_OF)

    assert isinstance(result, Mapped)
    assert [(one.what, one.value) for one in result.drift] == [("role", role or "(missing)")]


def test_instructors_are_left_out_unless_asked_for() -> None:
    assert isinstance(mapped(role="instructor"), Skipped)
    assert mapped({"include_staff": True}, role="instructor").id == "45:12"


def test_a_deactivated_account_keeps_the_status() -> None:
    one = mapped(completion_status="incomplete", user={"status": "inactive"})

    assert one.status == "in_progress"
    assert one.custom_fields["user_active"] is False


def test_only_the_timestamp_is_a_time() -> None:
    """The readable twin is local, in an order that the portal chooses."""
    one = mapped(enrolled_on="12/01/2026, 11:00:00")

    assert one.enrolled_at == datetime(2026, 1, 12, 9, tzinfo=UTC)
    assert mapped(enrolled_on="12/01/2026, 11:00:00", enrolled_on_timestamp=None).enrolled_at is None


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ({"total_time_seconds": 3725, "total_time": "9s"}, 3725),
        ({"total_time_seconds": None, "total_time": "1h 2m 5s"}, 3725),
        ({"total_time": "0s"}, 0),
        ({"total_time": ""}, None),
        ({}, None),
    ],
)
def test_time_spent_is_read_from_words_where_there_is_no_number(row: dict[str, Any], seconds: int | None) -> None:
    assert seconds == mapped(**row).time_spent_seconds


def test_a_login_is_an_address_only_where_there_is_no_other() -> None:
    addresses = [
        [(one.email, one.type) for one in mapped(user={"login": "a@example.com", "email": email}).user.emails]
        for email in ("b@example.com", "")
    ]

    assert addresses == [[("b@example.com", None)], [("a@example.com", "login")]]


def test_names_of_courses_are_unescaped_once() -> None:
    assert mapped(name="Law &amp;amp; order").course.title == "Law &amp; order"


def test_the_portals_own_fields_of_a_user_are_kept() -> None:
    assert mapped(user={"custom_field_2": "on"}).custom_fields["custom_field_2"] == "on"
