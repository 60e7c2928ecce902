"""Blackboard Learn: availability and what follows from it, grades, quota, cross-listing, its errors, one by id."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.connectors.blackboard import Blackboard
from rollbook.core.api import connect
from rollbook.core.connection import open_connection, read_definition
from rollbook.core.connector import Partition
from rollbook.core.errors import AuthError, ContractError, Forbidden, Gone, RateLimited, SettingsError
from rollbook.core.http import Answer, Quota
from rollbook.core.mapping import Mapped, Skipped, compile
from rollbook.core.testing import load_case, load_har
from rollbook.core.testing.conformance import conformance_tests

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.connector import Notice, Page

    Instead = Callable[[httpx.Request], httpx.Response | None]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "blackboard"
TENANT = load_case(FIXTURES / "tenant.har.json")
SITE = dict(TENANT.settings)
NOW = TENANT.as_of
ROOT = "/learn/api/public"
TOKEN = f"{ROOT}/v1/oauth2/token"
COURSES, USERS, TERMS = f"{ROOT}/v3/courses", f"{ROOT}/v1/users", f"{ROOT}/v1/terms"
MEMBERS = f"{ROOT}/v1/courses/_31_1/users"
GRADES = f"{ROOT}/v2/courses/_31_1/gradebook/columns/finalGrade/users"
PUBLIC: dict[str, Any] = {
    "include_staff": False,
    "include_organizations": False,
    "pass_mark": None,
    "timezone": "UTC",
    "learner_roles": ["Student"],
}
ERROR = {"status": "403", "code": "bb-rest-forbidden", "message": "no", "developerMessage": "none", "extraInfo": "x"}


def expected_of(case: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))


def enrollments(case: str) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in expected_of(case)["enrollments"]}


class Site:
    """Answers from a recording as often as it is asked; `instead` comes first."""

    def __init__(self, case: str = "tenant", instead: Instead | None = None) -> None:
        found = load_har(FIXTURES / f"{case}.har.json").exchanges
        self.exchanges = {(one.method, one.place, one.query): one for one in reversed(found)}
        self.instead = instead
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.instead and (found := self.instead(request)):
            return found
        url = request.url
        place = (request.method, str(url.copy_with(query=None)), tuple(sorted(url.params.multi_items())))
        if one := self.exchanges.get(place):
            return httpx.Response(one.status, headers=one.headers, content=one.content)
        return httpx.Response(404, json={"status": 404, "message": "none"})

    def paths(self) -> list[str]:
        return [one.url.path for one in self.asked if one.url.path != TOKEN]


def at(path: str, status: int, body: Any = None, **headers: str) -> Instead:
    named = {name.replace("_", "-"): text for name, text in headers.items()}

    def answer(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, json=body or ERROR, headers=named) if request.url.path == path else None

    return answer


def rows(path: str, *found: dict[str, Any]) -> Instead:
    return at(path, 200, {"results": list(found)})


def asked(site: Site, path: str, **settings: Any) -> Answer:
    async def ask() -> Answer:
        async with open_connection("b", "blackboard", {**SITE, **settings}, transport=site.transport) as opened:
            return await opened.http.get(path)

    return asyncio.run(ask())


def listed(site: Site, **settings: Any) -> list[Partition]:
    async def run() -> list[Partition]:
        async with open_connection("b", "blackboard", {**SITE, **settings}, transport=site.transport) as opened:
            return [one async for one in opened.connector.partitions()]

    return asyncio.run(run())


def read(site: Site, course: str = "_31_1", cursor: Any = None, **settings: Any) -> list[Page]:
    partition = Partition(f"course:{course}", {"course": {"id": course}})

    async def run() -> list[Page]:
        async with open_connection("b", "blackboard", {**SITE, **settings}, transport=site.transport) as opened:
            return [page async for page in opened.connector.pages(partition, cursor, None)]

    return asyncio.run(run())


def check(site: Site, **settings: Any) -> list[Notice]:
    with connect("blackboard", transport=site.transport, **{**SITE, **settings}) as lms:
        return list(lms.check())


def outcome(
    membership: dict[str, Any] | None = None,
    course: dict[str, Any] | None = None,
    grade: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    term: dict[str, Any] | None = None,
    kind: str = "",
    **settings: Any,
) -> Any:
    normalizer = compile(read_definition(Blackboard), {**PUBLIC, **settings})
    row = {"userId": "_1_1", "courseId": "_2_1", "courseRoleId": "Student", "availability": {"available": "Yes"}}
    record: dict[str, Any] = {
        "membership": {**row, **(membership or {})},
        "user": {"id": "_1_1"} if user is None else user,
        "course": {"id": "_2_1", "name": "Chemistry", **(course or {})},
        "grade": grade,
        "term": term,
    }
    return normalizer.normalize(record, kind=kind, as_of=NOW)


def mapped(**parts: Any) -> Any:
    found = outcome(**parts)
    assert isinstance(found, Mapped), found
    assert not found.flaws
    return found.enrollment


def available(word: Any) -> dict[str, Any]:
    return {"availability": {"available": word}}


def dates(start: str | None = None, end: str | None = None, kind: str = "DateRange") -> dict[str, Any]:
    return {"availability": {"available": "Yes", "duration": {"type": kind, "start": start, "end": end}}}


def shown(scale: str, score: Any = None, possible: Any = None, text: str | None = None) -> dict[str, Any]:
    return {"displayGrade": {"scaleType": scale, "score": score, "possible": possible, "text": text}}


TestConformance = conformance_tests("blackboard", fixtures="../fixtures/blackboard")
SEEN = {"lastAccessed": "2026-03-27T08:12:44.120Z"}
PAST, AHEAD = "2026-03-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"


# --- status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Yes", "enrolled"),
        ("No", "withdrawn"),
        ("Disabled", "withdrawn"),
        (" disabled ", "withdrawn"),
        ("Paused", "unknown"),
        (None, "enrolled"),
        ("", "enrolled"),
    ],
)
def test_each_availability_of_a_membership(word: str | None, status: str) -> None:
    assert mapped(membership=available(word)).status == status


@pytest.mark.parametrize(
    ("word", "status"), [("Yes", "in_progress"), (None, "in_progress"), ("No", "withdrawn"), ("Paused", "unknown")]
)
def test_access_is_the_sign_of_having_begun(word: str | None, status: str) -> None:
    one = mapped(membership={**available(word), **SEEN})

    assert one.status == status
    assert (one.started_at, one.last_activity_at) == (None, datetime(2026, 3, 27, 8, 12, 44, 120_000, UTC))


def test_an_availability_that_is_not_told_is_counted_and_its_status_derived() -> None:
    found = outcome(membership={"availability": None, **SEEN})

    assert found.enrollment.status == "in_progress"
    assert [(one.what, one.value) for one in found.drift] == [("availability", "(missing)")]


@pytest.mark.parametrize("word", ["Disabled", "No"])
def test_an_account_that_is_switched_off_withdraws_nobody(word: str) -> None:
    one = mapped(membership=SEEN, user={"id": "_1_1", **available(word)})

    assert (one.status, one.custom_fields["user_active"]) == ("in_progress", False)


@pytest.mark.parametrize(
    ("membership", "status"), [({}, "expired"), (SEEN, "expired"), (available("Disabled"), "withdrawn")]
)
def test_a_course_closed_complete_is_no_completion(membership: dict[str, Any], status: str) -> None:
    one = mapped(membership=membership, course={"closedComplete": True})

    assert (one.status, one.completed_at, one.custom_fields["concluded"]) == (status, None, True)


@pytest.mark.parametrize(
    ("end", "status"), [(PAST, "expired"), (AHEAD, "in_progress"), ("2026-04-01T00:00:00.000Z", "in_progress")]
)
def test_the_end_of_a_course_ends_access_and_is_no_due_date(end: str, status: str) -> None:
    one = mapped(membership=SEEN, course=dates(end=end))

    assert (one.status, one.due_at) == (status, None)
    assert one.custom_fields["course_ends_at"] == end.replace(".000", "")


def test_a_course_that_has_not_begun_is_enrolled_and_not_assigned() -> None:
    one = mapped(course=dates(start=AHEAD))

    assert (one.status, one.assigned_at) == ("enrolled", None)
    assert one.custom_fields["access_starts_at"] == "2026-09-01T00:00:00Z"


@pytest.mark.parametrize(("until", "status"), [(AHEAD, "in_progress"), ("2026-03-20T00:00:00.000Z", "expired")])
def test_special_access_goes_on_after_the_end_of_the_course(until: str, status: str) -> None:
    row = {**SEEN, "bypassCourseAvailabilityUntil": until}

    assert mapped(membership=row, course=dates(end=PAST)).status == status


@pytest.mark.parametrize("kind", ["UseTerm", "Term"])
@pytest.mark.parametrize(("end", "status"), [(PAST, "expired"), (AHEAD, "in_progress"), (None, "in_progress")])
def test_a_course_takes_its_dates_from_its_term_by_either_spelling(kind: str, end: str | None, status: str) -> None:
    term = {"id": "_7_1", "name": "Winter", **dates(end=end)}

    assert mapped(membership=SEEN, course=dates(kind=kind), term=term).status == status


def test_without_its_term_a_course_has_no_dates() -> None:
    assert mapped(membership=SEEN, course=dates(kind="UseTerm"), term=None).status == "in_progress"


@pytest.mark.parametrize("kind", ["Continuous", "FixedNumDays"])
def test_another_duration_has_no_end(kind: str) -> None:
    assert mapped(membership=SEEN, course=dates(end=PAST, kind=kind), term=dates(end=PAST)).status == "in_progress"


@pytest.mark.parametrize("word", ["No", "Disabled", "Term"])
def test_the_availability_of_the_course_is_told_and_decides_nothing(word: str) -> None:
    one = mapped(membership=SEEN, course=available(word))

    assert (one.status, one.custom_fields["course_availability"]) == ("in_progress", word)


@pytest.mark.parametrize(
    ("membership", "course", "grade", "mark", "status"),
    [
        (SEEN, {"closedComplete": True}, shown("Percent", 60, 200), 60, "passed"),
        (SEEN, dates(end=PAST), shown("Score", 120, 200), 60, "passed"),
        (SEEN, dates(end=PAST), shown("Score", 119, 200), 60, "expired"),
        (SEEN, dates(end=AHEAD), shown("Percent", 99, 100), 60, "in_progress"),
        (available("No"), {"closedComplete": True}, shown("Percent", 99, 100), 60, "withdrawn"),
        (SEEN, {"closedComplete": True}, shown("Percent", 99, 100), None, "expired"),
        (SEEN, {"closedComplete": True}, None, 60, "expired"),
    ],
)
def test_only_the_pass_mark_makes_passed_and_nothing_makes_failed(
    membership: dict[str, Any], course: dict[str, Any], grade: Any, mark: float | None, status: str
) -> None:
    assert mapped(membership=membership, course=course, grade=grade, pass_mark=mark).status == status


# --- fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("grade", "score"),
    [
        (shown("Percent", 87.5, 200, "87.5%"), 87.5),
        (shown("Score", 150, 200), 75),
        (shown("Score", 210, 200), 105),
        (shown("Score", 0, 200), 0),
        (shown("Tabular", 150, 200, "C+"), 75),
        (shown("Score", 18.5), 18.5),
        (shown("Complete", 1, 0), 1),
        (shown("Text", text="Pass"), None),
        ({**shown("Score", 33, 200), "corrupt": True}, None),
        ({"status": "Graded", "score": 44, "text": "44", "exempt": False}, None),
        (None, None),
    ],
)
def test_the_score_is_of_what_is_possible_unless_the_scale_is_percent(grade: Any, score: float | None) -> None:
    assert mapped(grade=grade).score == score


def test_the_members_of_an_override_and_the_unreliable_status_of_a_grade_are_not_read() -> None:
    grade = {"status": "NeedsGrading", "score": 12, "text": "12", **shown("Score", 180, 200)}
    one = mapped(grade=grade)

    assert (one.status, one.score, one.custom_fields["score_raw"]) == ("enrolled", 90, 180)


@pytest.mark.parametrize(("score", "text", "count"), [(87.5, "87.5%", 0), (0.875, "87.5%", 1), (87, "87,5 %", 0)])
def test_a_percentage_that_is_another_than_its_text_is_drift(score: float, text: str, count: int) -> None:
    drift = outcome(grade=shown("Percent", score, 200, text)).drift

    assert [one.what for one in drift] == ["percent_grade"] * count


@pytest.mark.parametrize(
    ("prefers", "name"),
    [(None, "Ada Quill"), ("GivenName", "Ada Quill"), ("OtherName", "Addy Quill"), ("Both", "Ada Quill")],
)
def test_the_name_that_a_user_prefers(prefers: str | None, name: str) -> None:
    user = {"name": {"given": "Ada", "family": "Quill", "other": "Addy", "preferredDisplayName": prefers}}

    assert mapped(user=user).user.name == name


def test_two_kinds_of_addresses_and_a_login_only_without_them() -> None:
    both = mapped(user={"userName": "ada@example.com", "contact": {"institutionEmail": "q@example.com"}})
    login = mapped(user={"userName": "ada@example.com"})

    assert [(one.email, one.type) for one in both.user.emails] == [("q@example.com", "institution")]
    assert [(one.email, one.type) for one in login.user.emails] == [("ada@example.com", "login")]


def test_the_code_of_a_course_is_not_its_id() -> None:
    """`courseId` of a membership is the primary id, of a course what people call it."""
    one = mapped(course={"courseId": "chem101", "externalId": "sis-1"})

    assert (one.id, one.course.id, one.course.title) == ("_2_1:_1_1", "_2_1", "Chemistry")
    assert one.custom_fields["course_code"] == "chem101"


def test_the_id_is_the_same_with_and_without_an_id_of_the_membership() -> None:
    """Sites before 3700.14 do not tell one."""
    old, new = mapped(), mapped(membership={"id": "_50101_1"})

    assert old.id == new.id
    assert ("enrollment_id" in old.custom_fields, new.custom_fields["enrollment_id"]) == (False, "_50101_1")


def test_a_user_who_may_not_be_seen_keeps_the_membership() -> None:
    """System administrators are hidden from callers who are none."""
    one = enrollments("weak")["_31_1:_203_1"]

    assert (one["user"]["id"], one["user"]["name"], one["status"]) == ("_203_1", None, "in_progress")
    assert ["user", "(missing)", 1] in expected_of("weak")["drift"]


def test_fields_that_weaker_entitlements_hide_are_null_and_no_flaw() -> None:
    one = enrollments("weak")["_31_1:_201_1"]

    assert (one["user"]["name"], one["user"]["emails"], one["urls"]) == ("Mara Quill", [], [])
    assert not {"concluded", "data_source_id", "user_external_id", "username"} & one["custom_fields"].keys()


@pytest.mark.parametrize(
    ("role", "reason"),
    [(role, "staff") for role in ("Instructor", "BbFacilitator", "TeachingAssistant", "CourseBuilder", "Grader")]
    + [("Guest", "guest")],
)
def test_who_is_no_learner_is_skipped_unless_wanted(role: str, reason: str) -> None:
    row = {"courseRoleId": role}

    assert outcome(membership=row) == Skipped(reason, "_2_1:_1_1")
    assert isinstance(outcome(membership=row, include_staff=True), Mapped)


@pytest.mark.parametrize(("role", "told"), [("Auditor", "Auditor"), (None, "(missing)"), ("Mentee", None)])
def test_a_role_that_is_unknown_or_missing_stays_in_and_is_counted(role: str | None, told: str | None) -> None:
    found = outcome(membership={"courseRoleId": role}, learner_roles=["Student", "Mentee"])

    assert isinstance(found, Mapped)
    assert [one.value for one in found.drift] == ([told] if told else [])


def test_an_organization_is_no_course_unless_wanted() -> None:
    course = {"organization": True}

    assert outcome(course=course) == Skipped("organization", "_2_1:_1_1")
    assert mapped(course=course, include_organizations=True).custom_fields["course_type"] == "organization"


# --- requests ---------------------------------------------------------------------------------------------------------


def test_a_reading_asks_for_what_is_documented_and_no_more_than_the_known_maxima() -> None:
    site = Site()
    read(site)
    listed(site)
    params = {one.url.path: dict(one.url.params) for one in reversed(site.asked)}

    assert params[MEMBERS] == {"sort": "created", "expand": "user", "limit": "200"}
    assert params[GRADES] == {"limit": "100"}
    assert (params[COURSES]["limit"], params[COURSES]["organization"]) == ("100", "false")
    assert "accessCode" not in params[COURSES]["fields"]


def test_the_courses_can_be_narrowed_and_organizations_let_in() -> None:
    site = Site(instead=rows(COURSES))
    listed(site, term_id="externalId:spring", data_source_id="_2_1", include_organizations=True)
    params = site.asked[-1].url.params

    assert (params["termId"], params["dataSourceId"]) == ("externalId:spring", "_2_1")
    assert "organization" not in params


def test_a_list_ends_where_there_is_no_next_page_and_follows_it_word_for_word() -> None:
    site = Site()
    pages = read(site)

    assert [len(page.records) for page in pages] == [7, 7]
    assert pages[0].cursor == f"{MEMBERS}?limit=200&sort=created&expand=user&offset=200"
    assert str(site.asked[-1].url) == f"{SITE['base_url']}{pages[0].cursor}"
    assert pages[-1].cursor is None


def test_a_next_page_at_another_host_is_not_followed() -> None:
    body: dict[str, Any] = {"results": [], "paging": {"nextPage": f"https://elsewhere.example.com{MEMBERS}?offset=200"}}
    site = Site(instead=at(MEMBERS, 200, body))
    with pytest.raises(ContractError, match="another host"):
        read(site)


def test_a_whole_address_of_the_same_host_is_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != MEMBERS or "offset" in request.url.params:
            return None
        link = f"{SITE['base_url']}{MEMBERS}?limit=200&sort=created&expand=user&offset=200"
        return httpx.Response(200, json={"results": [], "paging": {"nextPage": link}})

    assert [len(page.records) for page in read(Site(instead=answer))] == [0, 7]


def test_a_read_taken_up_at_a_cursor_gives_what_is_left_with_its_grades() -> None:
    whole = read(Site())
    rest = read(Site(), cursor=json.loads(json.dumps(whole[0].cursor)))

    assert whole[1:] == rest


def test_grades_are_not_read_where_they_are_switched_off() -> None:
    site = Site()
    pages = read(site, fetch_grades=False)

    assert GRADES not in site.paths()
    assert {record["grade"] is None for page in pages for record in page.records} == {True}


@pytest.mark.parametrize(
    "row", [{"courseRoleId": "CourseBuilder"}, {"courseRoleId": "Student", **available("Disabled")}]
)
def test_a_course_without_anybody_who_can_have_a_grade_takes_no_second_request(row: dict[str, Any]) -> None:
    """The quota of a day counts: templates, and courses whose learners were all switched off."""
    site = Site(instead=rows(MEMBERS, {"userId": "_1_1", "courseId": "_31_1", **row}))
    read(site)

    assert site.paths() == [MEMBERS]


def test_grades_are_read_once_for_all_pages_of_memberships() -> None:
    site = Site()
    read(site)

    assert site.paths() == [MEMBERS, GRADES, GRADES, MEMBERS]


def test_a_course_without_a_final_grade_is_read_without_scores() -> None:
    site = Site(instead=at(GRADES, 404))

    assert [len(page.records) for page in read(site)] == [7, 7]


def test_disabled_memberships_are_listed_and_have_no_grade_in_either_reading() -> None:
    """Grades leave them out, unless asked for with further entitlements."""
    one = enrollments("tenant")["_31_1:_202_1"]
    grade = {"userId": "_202_1", **shown("Score", 9, 10)}
    [first, _] = read(Site(instead=rows(GRADES, grade)))
    records: list[Any] = list(first.records)

    assert (one["status"], one["score"]) == ("withdrawn", None)
    assert next(each for each in records if each["user"]["id"] == "_202_1")["grade"] is None


def test_a_child_course_is_read_with_its_parent_and_alone_only_where_that_is_not_listed() -> None:
    site = Site()
    keys = [one.key for one in listed(site)]

    assert "course:_32_1" not in keys
    assert keys[-1] == "course:_37_1"
    assert enrollments("tenant")["_31_1:_206_1"]["custom_fields"]["child_course_id"] == "_32_1"
    assert enrollments("tenant")["_37_1:_206_1"]["custom_fields"]["parent_course_id"] == "_99_1"


def test_a_membership_that_is_listed_with_another_course_keeps_its_own() -> None:
    """Should a child's list hold memberships of its parent, the id is the same there, and the title is not theirs."""
    one = mapped(membership={"courseId": "_9_1", "childCourseId": "_2_1"})

    assert (one.id, one.course.id, one.course.title) == ("_9_1:_1_1", "_9_1", None)


def test_a_join_code_and_private_data_of_people_are_not_kept() -> None:
    for case in ("tenant", "users"):
        for one in enrollments(case).values():
            text = json.dumps(one["remote_data"])
            assert not [key for key in ("accessCode", "birthDate", "address", "mobilePhone") if key in text]


def test_both_strategies_give_the_same_but_for_grades() -> None:
    courses, users = enrollments("tenant"), enrollments("users")

    assert courses.keys() == users.keys()
    for id, one in users.items():
        assert one["score"] is None
        for name in one.keys() - {"score", "custom_fields", "remote_data"}:
            assert one[name] == courses[id][name], (id, name)


def test_nothing_can_be_asked_for_changes_only() -> None:
    """`modified` of a membership moves neither with access nor with grades, courses or people."""
    assert not Blackboard.incremental
    assert {page.watermark is None for page in read(Site())} == {True}


# --- single enrollments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["courses", "users"])
def test_a_single_enrollment_is_the_same_as_in_the_whole(strategy: str) -> None:
    case = "tenant" if strategy == "courses" else "users"
    with connect("blackboard", clock=lambda: NOW, transport=Site(case).transport, strategy=strategy, **SITE) as lms:
        found = lms.enrollment("_31_1:_201_1").model_dump(mode="json")

    assert enrollments(case)["_31_1:_201_1"] == found


@pytest.mark.parametrize(
    "id", ["_31_1", "_31_1:userName:ada", "externalId:x:_201_1", "_31_1:_201_1/", ":", "_31_1:_999_1"]
)
def test_an_enrollment_that_is_not_there_is_gone_and_another_form_of_id_is_not_asked_for(id: str) -> None:
    site = Site()
    with connect("blackboard", transport=site.transport, **SITE) as lms, pytest.raises(Gone):
        lms.enrollment(id)

    assert site.paths() == ([f"{MEMBERS}/_999_1"] if id.endswith("_999_1") else [])


# --- answers ----------------------------------------------------------------------------------------------------------


def test_the_token_is_asked_for_with_key_and_secret_in_the_header() -> None:
    site = Site()
    asked(site, TERMS)
    first = site.asked[0]

    assert first.headers["Authorization"] == "Basic bWFkZS11cC1rZXk6bWFkZS11cC1zZWNyZXQ="
    assert (first.url.path, first.content) == (TOKEN, b"grant_type=client_credentials")


def test_a_token_that_is_given_again_counts_for_the_seconds_that_it_still_has() -> None:
    """There is one token for an application and a site: it may be near its end."""
    tokens = [{"access_token": "made-up-1", "expires_in": 0}, {"access_token": "made-up-2", "expires_in": 3599}]
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == TOKEN:
            return httpx.Response(200, json=tokens.pop(0) if len(tokens) > 1 else tokens[0])
        seen.append(request.headers["Authorization"])
        return None

    site = Site(instead=answer)
    listed(site)

    assert seen == ["Bearer made-up-1", "Bearer made-up-2"]


@pytest.mark.parametrize(("status", "error"), [(400, AuthError), (401, AuthError), (404, ContractError)])
def test_a_refused_key_and_an_application_that_is_not_installed_are_told_apart(
    status: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        check(Site(instead=at(TOKEN, status, {"error": "invalid_client"})))


def test_a_refused_token_is_renewed_once_and_then_an_auth_error() -> None:
    site = Site(instead=at(COURSES, 401))
    with pytest.raises(AuthError, match="client_secret"):
        listed(site)

    assert [one.url.path for one in site.asked] == [TOKEN, COURSES, TOKEN, COURSES]


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        (MEMBERS, "system.courseuserlist.VIEW"),
        (GRADES, "fetch_grades = false"),
        (TERMS, "fetch_terms = false"),
        (COURSES, "system.course.VIEW"),
    ],
)
def test_a_missing_entitlement_is_named(path: str, needed: str) -> None:
    with pytest.raises(Forbidden, match=needed) as caught:
        asked(Site(instead=at(path, 403)), path)

    assert "Integrations" in str(caught.value)
    assert "bb-rest-forbidden" not in str(caught.value)


def test_a_course_that_may_not_be_read_leaves_the_others() -> None:
    site = Site(instead=at(MEMBERS, 403))
    with connect("blackboard", clock=lambda: NOW, transport=site.transport, **SITE) as lms:
        found = {one.course.id for one in lms.enrollments()}

        assert found == {"_33_1", "_34_1", "_36_1", "_37_1", "_38_1", "_40_1"}
        assert set(lms.findings.forbidden) == {"course:_31_1"}


@pytest.mark.parametrize("path", [COURSES, USERS, TERMS])
def test_a_list_that_is_not_there_does_not_read_as_empty(path: str) -> None:
    with pytest.raises(ContractError, match="installed"):
        asked(Site(instead=at(path, 404)), path)


@pytest.mark.parametrize("body", [{**ERROR, "status": 404}, {**ERROR, "status": "404"}, {"message": "none"}])
def test_a_course_that_is_not_there_is_gone_whatever_the_body_looks_like(body: Any) -> None:
    with pytest.raises(Gone):
        read(Site(instead=at(MEMBERS, 404, body)))


def test_a_filter_that_is_not_taken_is_a_contract_error() -> None:
    with pytest.raises(ContractError, match="400"):
        read(Site(instead=at(MEMBERS, 400)))


# --- quota ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        (
            {"X-Rate-Limit-Limit": "50000", "X-Rate-Limit-Remaining": "49999", "Retry-After": "86399"},
            Quota(remaining=49_999, reset=86_399, limit=50_000, per=86_400),
        ),
        (
            {"X-Rate-Limit-Limit": "10000", "X-Rate-Limit-Remaining": "7", "X-Rate-Limit-Reset": "1775000000"},
            Quota(remaining=7, reset=1_775_000_000, limit=10_000, per=86_400),
        ),
        ({}, Quota(per=86_400)),
        ({"X-Rate-Limit-Remaining": "many", "Retry-After": "soon"}, Quota(per=86_400)),
    ],
)
def test_the_quota_is_read_from_new_headers_and_old(headers: dict[str, str], quota: Quota) -> None:
    answer = Answer(200, httpx.Headers(headers), b"{}", "GET /", "https://learn.example.com/")

    assert Blackboard.quota(answer) == quota


def test_retry_after_in_every_answer_holds_nobody_back() -> None:
    """It is the time until the quota is full again, and nearly a day in each answer of the recording."""
    with connect("blackboard", clock=lambda: NOW, transport=Site().transport, max_wait=1, **SITE) as lms:
        found = {one.id for one in lms.enrollments()}

    assert found == enrollments("tenant").keys()


def test_a_spent_quota_stops_at_once_and_says_when_to_come_back() -> None:
    spent = {"X_Rate_Limit_Limit": "10000", "X_Rate_Limit_Remaining": "0", "Retry_After": "7200"}
    site = Site(instead=at(COURSES, 429, ERROR, **spent))
    with pytest.raises(RateLimited, match="24 hours is spent") as caught:
        listed(site, client_secret="made-up-spent")  # what shares a key shares the pause

    assert caught.value.retry_after == 7_200
    assert site.paths() == [COURSES]


def test_the_last_request_of_the_quota_is_the_last_one_sent() -> None:
    """Old sites tell the end as a moment, and no `Retry-After`."""
    last = {"X_Rate_Limit_Limit": "10000", "X_Rate_Limit_Remaining": "0", "X_Rate_Limit_Reset": "9999999999"}
    body: dict[str, Any] = {"results": [], "paging": {"nextPage": f"{COURSES}?offset=100"}}
    site = Site(instead=at(COURSES, 200, body, **last))
    with pytest.raises(RateLimited):
        listed(site, client_secret="made-up-last")

    assert site.paths() == [COURSES]


def test_an_overloaded_site_is_asked_again() -> None:
    answers = iter([429, 429])

    def answer(request: httpx.Request) -> httpx.Response | None:
        status = next(answers, None) if request.url.path == MEMBERS else None
        return httpx.Response(status, json=ERROR, headers={"Retry-After": "2"}) if status else None

    site = Site(instead=answer)

    assert [len(page.records) for page in read(site, client_secret="made-up-busy")] == [7, 7]


def test_the_quota_of_a_day_is_kept_to() -> None:
    [limit] = open_connection("b", "blackboard", {**SITE, "daily_limit": 50_000}).connector.limits()

    assert (limit.requests, limit.per) == (50_000, 86_400)


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_is_content_with_all_entitlements_and_takes_a_request_for_each_list() -> None:
    site = Site()

    assert check(site) == []
    assert site.paths() == [COURSES, MEMBERS, GRADES, TERMS]


def test_check_of_users_is_content() -> None:
    site = Site("users")

    assert check(site, strategy="users") == []
    assert site.paths() == [USERS, f"{USERS}/_201_1/courses", TERMS]


@pytest.mark.parametrize(
    ("path", "text"),
    [(COURSES, "system.course.VIEW"), (MEMBERS, "courseuserlist"), (GRADES, "fetch_grades"), (TERMS, "fetch_terms")],
)
def test_check_tells_a_missing_entitlement(path: str, text: str) -> None:
    [notice] = check(Site(instead=at(path, 403)))

    assert (notice.level, text in notice.text) == ("missing", True)


def test_check_is_content_with_a_course_without_a_final_grade() -> None:
    assert check(Site(instead=at(GRADES, 404))) == []


@pytest.mark.parametrize(
    ("path", "row", "text"),
    [
        (COURSES, {"id": "_31_1", "courseId": "math101", "name": "M"}, "closed"),
        (MEMBERS, {"userId": "_1_1", "courseRoleId": "Student"}, "system.user.VIEW"),
        (MEMBERS, {"userId": "_1_1", "courseRoleId": "Student", "user": {"id": "_1_1"}}, "system.user.VIEW"),
    ],
)
def test_check_tells_what_is_left_out_without_a_word(path: str, row: dict[str, Any], text: str) -> None:
    [notice] = check(Site(instead=rows(path, row)))

    assert notice.level == "reduced"
    assert text in notice.text or "expired" in notice.text


def test_check_tells_a_site_without_courses_and_another_quota() -> None:
    [nothing] = check(Site(instead=rows(COURSES)))
    [quota] = check(Site(), daily_limit=9_000)

    assert "no course" in nothing.text
    assert "10000" in quota.text


@pytest.mark.parametrize("path", [TOKEN, COURSES])
def test_check_refuses_wrong_credentials(path: str) -> None:
    with pytest.raises(AuthError):
        check(Site(instead=at(path, 401)))


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["base_url", "client_id", "client_secret"])
def test_incomplete_settings_are_refused(missing: str) -> None:
    with pytest.raises(SettingsError):
        open_connection("b", "blackboard", {name: value for name, value in SITE.items() if name != missing})


@pytest.mark.parametrize("settings", [{"page_size": 201}, {"page_size": 0}, {"daily_limit": 0}])
def test_numbers_beyond_what_the_site_gives_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(SettingsError):
        open_connection("b", "blackboard", {**SITE, **settings})


def test_the_address_may_be_that_of_the_api() -> None:
    url = Blackboard.Settings.model_validate(
        {**SITE, "base_url": "https://learn.example.com/learn/api/public/"}
    ).origin()

    assert url == "https://learn.example.com"
