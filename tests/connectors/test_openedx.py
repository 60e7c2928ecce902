"""Open edX: its requests, its errors, its statuses."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import httpx
import pytest
from rollbook.connectors.openedx import OpenEdX
from rollbook.core.api import connect
from rollbook.core.connection import open_connection, read_definition
from rollbook.core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone, RollbookError, SettingsError
from rollbook.core.mapping import Mapped, compile
from rollbook.core.testing import load_case, load_har
from rollbook.core.testing.conformance import conformance_tests

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.connector import Notice, Page
    from rollbook.core.schema import CourseEnrollment

    Answering = Callable[[httpx.Request], httpx.Response | None]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "openedx"
LMS = "https://learn.example.com"
APP: dict[str, Any] = {"base_url": LMS, "client_id": "app", "client_secret": "made-up-secret"}
REPORT: dict[str, Any] = {
    "strategy": "enterprise",
    "enterprise_uuid": "5a1f0c1e-0b6f-4d1e-9c55-2f9f3b8c7d10",
    "enterprise_url": "https://analytics.example.com",
}
AS_OF = load_case(FIXTURES / "tenant.har.json").as_of
SETTINGS: dict[str, Any] = {"base_url": LMS, "include_staff": False, "pass_mark": None, "timezone": "UTC"}
ENROLLMENTS = "/api/enrollment/v1/enrollments"
ACCOUNTS = "/api/user/v1/accounts"
GRADES = "/api/grades/v1/courses/"
AGGREGATOR = "/completion-aggregator/"
COURSES = "/api/courses/v1/courses/"
OPS = "course-v1:ExOrg+OPS1+2026_T1"
STRATEGIES = pytest.mark.parametrize("case", ["tenant", "courses", "breakdown", "enterprise"])

TestConformance = conformance_tests("openedx", fixtures="../fixtures/openedx")


def expected_of(case: str) -> dict[str, dict[str, Any]]:
    said = json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))
    return {one["id"]: one for one in said["enrollments"]}


class Site:
    """Answers from a recording as often as it is asked; `instead` comes first."""

    def __init__(self, case: str = "tenant", instead: Answering | None = None) -> None:
        self.settings = dict(load_case(FIXTURES / f"{case}.har.json").settings)
        self.exchanges = load_har(FIXTURES / f"{case}.har.json").exchanges
        self.instead = instead
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.instead and (found := self.instead(request)):
            return found
        for one in self.exchanges:
            url = httpx.URL(one.url)
            same = url.copy_with(query=None) == request.url.copy_with(query=None)
            if same and sorted(url.params.multi_items()) == sorted(request.url.params.multi_items()):
                return httpx.Response(one.status, headers=one.headers, content=one.content)
        return httpx.Response(404, html="<html>Page not found</html>")

    def paths(self, begin: str) -> list[str]:
        return [unquote_plus(str(one.url)) for one in self.asked if one.url.path.startswith(begin)]


def at(begin: str, status: int, body: Any = None, **more: Any) -> Answering:
    """Answer so whatever begins like this; no body is an empty one."""
    kind = {} if body is None else {"json": body}

    def answer(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(status, **kind, **more) if request.url.path.startswith(begin) else None

    return answer


def all_of(site: Site, **settings: Any) -> dict[str, CourseEnrollment]:
    with connect("openedx", clock=lambda: AS_OF, transport=site.transport, **{**site.settings, **settings}) as lms:
        return {one.id: one for one in lms.enrollments()}


def single(site: Site, id: str, **settings: Any) -> CourseEnrollment:
    with connect("openedx", clock=lambda: AS_OF, transport=site.transport, **{**site.settings, **settings}) as lms:
        return lms.enrollment(id)


def check(site: Site, **settings: Any) -> list[Notice]:
    with connect("openedx", transport=site.transport, **{**site.settings, **settings}) as lms:
        return list(lms.check())


def read(site: Site, cursor: Any = None, **settings: Any) -> list[Page]:
    async def run() -> list[Page]:
        chosen = {**site.settings, **settings}
        async with open_connection("o", "openedx", chosen, transport=site.transport) as opened:
            partitions = [one async for one in opened.connector.partitions()]
            return [page async for page in opened.connector.pages(partitions[0], cursor, None)]

    return asyncio.run(run())


# strategies


@pytest.mark.parametrize("case", ["courses", "breakdown", "enterprise"])
def test_each_strategy_has_the_same_enrollments_and_no_other_value_for_what_it_sees(case: str) -> None:
    """A report by the day has no time of day, and a poorer status may be given, never another fact."""
    whole, other = expected_of("tenant"), expected_of(case)
    told_apart = {"custom_fields", "remote_data", "urls", "enrolled_at"}
    seen_here_only = {"completed_at", "last_activity_at", "time_spent_seconds"} if case == "enterprise" else set[str]()

    assert whole.keys() == other.keys()
    for id, one in whole.items():
        for name in one.keys() - told_apart - seen_here_only:
            assert other[id][name] in (one[name], None), (id, name)
        assert other[id]["enrolled_at"][:10] == one["enrolled_at"][:10]


def test_course_by_course_reads_the_very_same() -> None:
    assert expected_of("tenant") == expected_of("courses")


def test_the_grade_of_the_list_of_all_courses_is_no_score() -> None:
    """It is cut to a whole number, so that 0.29 comes as 28; passed or not is as good as elsewhere."""
    exact, cut = expected_of("tenant"), expected_of("breakdown")

    assert {id: one["status"] for id, one in exact.items()} == {id: one["status"] for id, one in cut.items()}
    assert {one["score"] for one in cut.values()} == {None}
    assert cut[f"{OPS}:ada"]["custom_fields"]["current_grade"] == 83


def test_the_settings_of_one_strategy_are_refused_for_another() -> None:
    for wrong in ({"org": "ExOrg"}, {"enterprise_uuid": "x"}, {"strategy": "enterprise"}, {"base_url": None}):
        with pytest.raises(SettingsError):
            open_connection("o", "openedx", {**APP, **wrong})


def test_an_organisation_is_asked_for_by_its_name() -> None:
    site = Site("courses", at(COURSES, 200, {"results": [], "pagination": {"next": None}}))

    assert all_of(site, org="ExOrg") == {}
    assert site.paths(COURSES) == [f"{LMS}{COURSES}?org=ExOrg&page_size=100"]


def test_an_organisation_without_courses_is_told_by_check() -> None:
    instead = at(COURSES, 200, {"results": [], "pagination": {"next": None}})
    [notice] = check(Site("courses", instead), org="Exorg")

    assert (notice.level, "Exorg" in notice.text) == ("missing", True)


def test_grades_are_asked_for_only_of_courses_with_active_enrollments() -> None:
    site = Site("certificates")
    all_of(site)

    assert site.paths(GRADES) == [f"{LMS}{GRADES}{OPS}/?page_size=100"]


def test_what_is_switched_off_is_not_asked_for() -> None:
    site = Site("certificates")
    found = all_of(site, fetch_users=False, fetch_grades=False, fetch_certificates=False)

    assert [path for path in (ACCOUNTS, GRADES, "/api/certificates/") if site.paths(path)] == []
    assert {one.remote_data["user"] for one in found.values() if one.remote_data} == {None}


def test_certificates_are_asked_for_only_of_passed_and_of_withdrawn_enrollments() -> None:
    site = Site("certificates")
    all_of(site)

    assert [path.split("/")[7] for path in site.paths("/api/certificates/")] == ["ada", "ben", "cy", "gus", "hana"]


def test_a_large_tenant_takes_no_request_for_each_enrollment() -> None:
    """300 enrollments of 50 learners in 3 courses: 3 pages, 3 courses' grades, the courses, the accounts."""
    rows = [
        {
            "user": f"u{n % 50}",
            "course_id": f"course-v1:a+c{n % 3}+1",
            "is_active": True,
            "created": "2026-01-01T00:00:00Z",
        }
        for n in range(300)
    ]

    def answer(request: httpx.Request) -> httpx.Response | None:
        path, page = request.url.path, int(request.url.params.get("page", 0))
        if path == ENROLLMENTS:
            following = f"{LMS}{ENROLLMENTS}?page={page + 1}" if page < 2 else None
            return httpx.Response(200, json={"next": following, "results": rows[page * 100 : page * 100 + 100]})
        if path == ACCOUNTS:
            return httpx.Response(200, json=[])
        return None if path.startswith("/oauth2") else httpx.Response(200, json={"next": None, "results": []})

    site = Site("empty", answer)

    assert len(all_of(site)) == 150
    assert len(site.asked) == 1 + 3 + 3 + 1 + 1


def test_learners_are_asked_for_together_and_once() -> None:
    """Fifty in one request, by the parameter `username`, whatever page they first come up in."""
    rows = [
        {"user": f"u{n}", "course_id": OPS, "is_active": False, "created": "2026-01-01T00:00:00Z"} for n in range(120)
    ]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != ENROLLMENTS:
            return httpx.Response(200, json=[]) if request.url.path == ACCOUNTS else None
        page = int(request.url.params.get("page", 0))
        following = f"{LMS}{ENROLLMENTS}?page={page + 1}" if page < 3 else None
        return httpx.Response(200, json={"next": following, "results": rows[page * 40 : page * 40 + 40]})

    site = Site("certificates", answer)
    all_of(site, fetch_certificates=False)
    asked = [one.url.params["username"].split(",") for one in site.asked if one.url.path == ACCOUNTS]

    assert [len(names) for names in asked] == [50, 50, 20]
    assert sorted(name for names in asked for name in names) == sorted(str(row["user"]) for row in rows)


# signing in


def test_a_jwt_is_asked_for_and_sent_as_one() -> None:
    """A JWT after `Bearer` is refused by most endpoints."""
    site = Site()
    all_of(site)
    token, *others = site.asked

    assert "token_type=jwt" in token.content.decode()
    assert {one.headers["Authorization"].split()[0] for one in others} == {"JWT"}


def test_an_opaque_token_is_sent_as_bearer() -> None:
    site = Site()
    all_of(site, token_type="bearer")

    assert "token_type=bearer" in site.asked[0].content.decode()
    assert {one.headers["Authorization"].split()[0] for one in site.asked[1:]} == {"Bearer"}


@pytest.mark.parametrize("life", ["36000", 3600])
def test_the_life_of_a_token_may_be_a_text(life: Any) -> None:
    site = Site("empty", at("/oauth2/", 200, {"access_token": "made-up-jwt", "token_type": "JWT", "expires_in": life}))

    assert all_of(site) == {}


def test_tokens_come_from_the_lms_and_the_report_from_its_own_address() -> None:
    site = Site("enterprise")
    all_of(site)

    assert {one.url.host for one in site.asked[:1]} == {"learn.example.com"}
    assert {one.url.host for one in site.asked[1:]} == {"analytics.example.com"}


def test_a_gateway_may_give_tokens_elsewhere() -> None:
    site = Site("empty", at("/oauth2/v1/access_token", 200, {"access_token": "made-up-jwt", "expires_in": 60}))
    all_of(site, token_path="/oauth2/v1/access_token")

    assert site.asked[0].url == f"{LMS}/oauth2/v1/access_token"


@pytest.mark.parametrize("path", ["https://evil.example.com/token", "//evil.example.com/token"])
def test_tokens_are_asked_for_nowhere_else(path: str) -> None:
    with pytest.raises(SettingsError):
        open_connection("o", "openedx", {**APP, "token_path": path})


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_application_is_told(status: int) -> None:
    """Older releases answer 400."""
    with pytest.raises(AuthError, match="invalid_client"):
        check(Site(instead=at("/oauth2/", status, {"error": "invalid_client"})))


# errors


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "Authentication credentials were not provided."},
        {"developer_message": "Token has expired.", "error_code": "token_expired"},
        {"detail": "JWT text"},
    ],
)
def test_a_refused_token_is_no_missing_permission(body: Any) -> None:
    """The owner of the application is named, since one without is refused everywhere."""
    with pytest.raises(AuthError) as told:
        check(Site(instead=at(ENROLLMENTS, 401, body)))

    assert "owned by a user with staff status" in told.value.hint


def test_a_user_who_is_not_staff_is_told_by_check_and_never_read_as_an_empty_tenant() -> None:
    """Non-staff callers are refused the list of enrollments."""
    instead = at(ENROLLMENTS, 403, {"detail": "You do not have permission to perform this action."})
    [notice] = check(Site(instead=instead))

    assert (notice.level, "staff status" in notice.text) == ("missing", True)
    with pytest.raises(Forbidden, match="may not read"):
        read(Site(instead=instead))


@pytest.mark.parametrize(
    ("path", "setting"), [(ACCOUNTS, "fetch_users"), (GRADES, "fetch_grades"), (AGGREGATOR, "fetch_progress")]
)
def test_check_tells_what_of_the_rest_may_not_be_read(path: str, setting: str) -> None:
    [notice] = check(Site(instead=at(path, 403, {"detail": "no"})))

    assert (notice.level, setting in notice.text) == ("missing", True)


def test_check_tells_that_addresses_are_withheld() -> None:
    """Who is not staff is given only what learners share."""
    [notice] = check(Site(instead=at(ACCOUNTS, 200, [{"username": "ben", "account_privacy": "private"}])))

    assert (notice.level, "E-mail" in notice.text) == ("reduced", True)


def test_check_is_content_with_staff() -> None:
    assert check(Site()) == []


def test_check_tells_that_the_report_may_not_be_read() -> None:
    [notice] = check(Site("enterprise", at("/enterprise/", 403, {"detail": "no"})))

    assert notice.level == "missing"


def test_a_login_page_is_a_refused_sign_in() -> None:
    """An anonymous request is redirected to the login page, which is HTML with 200."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == ENROLLMENTS:
            return httpx.Response(302, headers={"Location": f"/login?next={ENROLLMENTS}"})
        return httpx.Response(200, html="<html>Sign in</html>") if request.url.path == "/login" else None

    with pytest.raises(AuthError, match="asks for a login"):
        read(Site(instead=answer))


def test_a_login_page_elsewhere_is_not_followed() -> None:
    site = Site(instead=at(ENROLLMENTS, 302, headers={"Location": "https://sso.example.org/login"}))
    with pytest.raises(ContractError, match="redirects to"):
        read(site)

    assert {one.url.host for one in site.asked} == {"learn.example.com"}


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("path", [ENROLLMENTS, COURSES, ACCOUNTS])
def test_a_proxys_page_not_found_is_told(path: str, status: int) -> None:
    """A list that is not there must not read as an empty one."""
    with pytest.raises(RollbookError, match="nothing at this address"):
        all_of(Site(instead=at(path, status, html="<html>nginx</html>")))


def test_a_bad_gateway_is_tried_again() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        seen.append(request.url.path)
        return (
            httpx.Response(502, html="<html>nginx</html>")
            if seen.count(ENROLLMENTS) == 1 and request.url.path == ENROLLMENTS
            else None
        )

    assert all_of(Site(instead=answer)).keys() == expected_of("tenant").keys()


@pytest.mark.parametrize("headers", [{"Retry-After": "17"}, {}])
def test_throttling_waits_as_long_as_it_says(headers: dict[str, str]) -> None:
    body = {"detail": "Request was throttled. Expected available in 17 seconds."}
    once: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != ENROLLMENTS or once:
            return None
        once.append(1)
        return httpx.Response(429, json=body, headers=headers)

    async def run() -> float:
        site = Site("empty", answer)
        async with open_connection("o", "openedx", site.settings, transport=site.transport) as opened:
            _ = [page async for page in opened.connector.pages(await anext(opened.connector.partitions()), None, None)]
            return opened.http.stats.waited

    assert asyncio.run(run()) == 17


def test_a_course_that_is_gone_has_no_grades_and_takes_nothing_with_it() -> None:
    found = expected_of("vanished")["course-v1:ExOrg+GONE+1:Dot"]

    assert (found["status"], found["score"], found["course"]["title"]) == ("enrolled", None, None)


@pytest.mark.parametrize(
    "more", [{"html": "<html>Page not found</html>"}, {"text": "not found"}, {}, {"json": {"message": "no route"}}]
)
def test_grades_that_are_not_there_are_no_missing_grades(more: dict[str, Any]) -> None:
    """Only the API's own words say that a course is gone."""
    with pytest.raises(ContractError, match="nothing at this address"):
        read(Site(instead=at(GRADES, 404, **more)))


def test_grades_that_break_off_are_read_again_and_not_taken_for_all() -> None:
    def answer(request: httpx.Request) -> httpx.Response | None:
        further = request.url.path.startswith(GRADES) and "cursor" in request.url.params
        return httpx.Response(404, json={"detail": "Invalid cursor"}) if further else None

    with pytest.raises(CursorExpired):
        read(Site(instead=answer))


def test_nothing_is_asked_about_a_row_without_a_course() -> None:
    row = {"user": "ada", "is_active": True, "mode": "honor", "created": "2026-01-01T00:00:00Z"}
    site = Site("empty", at(ENROLLMENTS, 200, {"next": None, "results": [row]}))
    [page] = read(site)

    assert (len(page.records), site.paths(GRADES)) == (1, [])


@pytest.mark.parametrize("code", ["user_does_not_exist", "user_not_enrolled"])
def test_a_learner_whom_the_grades_do_not_know_has_none(code: str) -> None:
    id = f"{OPS}:ada"
    site = Site(instead=at(GRADES, 404, {"developer_message": "none", "error_code": code}))

    assert single(site, id).score is None


def test_a_site_without_the_aggregator_is_told() -> None:
    """The plugin's address gives a page not found; the setting is named."""
    with pytest.raises(ContractError) as told:
        read(Site(instead=at(AGGREGATOR, 404, html="<html>Page not found</html>")))

    assert "fetch_progress = false" in told.value.hint


@pytest.mark.parametrize("body", [{"message": "No course"}, {"field_errors": {"course_id": "invalid"}}])
def test_an_id_that_the_lms_cannot_read_is_gone(body: Any) -> None:
    with pytest.raises(Gone):
        single(Site(instead=at(ENROLLMENTS, 400, body)), "nonsense:ada")


def test_a_request_that_the_lms_does_not_take_is_told() -> None:
    with pytest.raises(ContractError, match="400"):
        read(Site(instead=at(ENROLLMENTS, 400, {"developer_message": "no"})))


def test_data_of_others_that_is_withheld_by_an_empty_404_is_told() -> None:
    """In place of 403, the Enrollment API hides the data of others behind 404 without a body."""
    with pytest.raises(ContractError):
        single(Site(instead=at(ENROLLMENTS, 404)), f"{OPS}:ada")


@pytest.mark.parametrize("content", [b"", b"null"])
def test_an_empty_answer_is_no_empty_list(content: bytes) -> None:
    """200 with nothing in it is how the API says that a single enrollment is not there: the list is asked instead."""
    with pytest.raises(ContractError):
        single(
            Site(instead=at(ENROLLMENTS, 200, content=content, headers={"Content-Type": "application/json"})),
            f"{OPS}:ada",
        )


# paging


def test_links_are_followed_on_the_configured_host_only() -> None:
    """Behind a proxy they name an inner host, by http: path and query are taken, and asked of base_url."""
    site = Site()
    all_of(site)

    assert {(one.url.scheme, one.url.host) for one in site.asked} == {("https", "learn.example.com")}
    assert sum("cursor=" in path for path in site.paths(ENROLLMENTS)) == 5


def test_a_link_to_another_host_gets_no_token() -> None:
    evil: dict[str, Any] = {"next": f"https://evil.example.org{ENROLLMENTS}?cursor=x", "previous": None, "results": []}
    site = Site("empty", at(ENROLLMENTS, 200, evil))
    with pytest.raises(RollbookError):
        read(site)

    assert {one.url.host for one in site.asked} == {"learn.example.com"}


@pytest.mark.parametrize("param", ["cursor", "page"])
@pytest.mark.parametrize("nested", [False, True])
def test_lists_go_on_by_cursor_or_by_number_and_with_the_link_at_either_place(param: str, *, nested: bool) -> None:
    """Releases differ in the name of the parameter, in counts, and in where the link stands."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path != ENROLLMENTS:
            return None
        last = param in request.url.params
        row = {"user": "b" if last else "a", "course_id": OPS, "is_active": False, "created": "2026-01-01T00:00:00Z"}
        link = {"next": None if last else f"http://lms:8000{ENROLLMENTS}?{param}=2&page_size=100", "previous": None}
        return httpx.Response(200, json={"results": [row], **({"pagination": link} if nested else link)})

    [page] = read(Site("empty", answer))

    users = [row["user"] for record in page.records if isinstance(row := record["enrollment"], dict)]

    assert users == ["a", "b"]


def test_a_read_taken_up_at_a_cursor_gives_what_is_left() -> None:
    whole = read(Site())
    rest = read(Site(), cursor=json.loads(json.dumps(whole[0].cursor)))

    assert (len(whole), whole[1:]) == (2, rest)


@pytest.mark.parametrize("cursor", [f"{ENROLLMENTS}?cursor=old&page_size=4", f"{ENROLLMENTS}?page=99&page_size=4"])
def test_a_page_that_the_lms_no_longer_knows_is_an_expired_cursor(cursor: str) -> None:
    with pytest.raises(CursorExpired):
        read(Site(instead=at(ENROLLMENTS, 404, {"detail": "Invalid cursor"})), cursor=cursor)


# single enrollments


@STRATEGIES
def test_a_single_enrollment_is_the_same_as_in_the_whole(case: str) -> None:
    for id, expected in expected_of(case).items():
        assert expected == single(Site(case), id).model_dump(mode="json")


@STRATEGIES
@pytest.mark.parametrize("id", ["", "x", ":ada", f"{OPS}:", f"{OPS}:nobody"])
def test_an_enrollment_that_is_not_there_is_gone(case: str, id: str) -> None:
    with pytest.raises(Gone):
        single(Site(case), id)


def test_user_names_are_told_apart_by_case() -> None:
    """The LMS's database may not: it gives Dot for dot."""
    row = {"user": "Dot", "course_id": OPS, "is_active": True, "mode": "honor", "created": "2026-01-01T00:00:00Z"}
    with pytest.raises(Gone):
        single(Site(instead=at(ENROLLMENTS, 200, {"next": None, "results": [row]})), f"{OPS}:dot")


@pytest.mark.parametrize(
    ("id", "query", "path"),
    [
        (
            f"{OPS}:ada",
            "course_id=course-v1%3AExOrg%2BOPS1%2B2026_T1&username=ada",
            "course-v1%3AExOrg%2BOPS1%2B2026_T1/",
        ),
        ("ExOrg/Old101/2014:ivo", "course_id=ExOrg%2FOld101%2F2014&username=ivo", "ExOrg%2FOld101%2F2014/"),
    ],
)
def test_course_keys_are_encoded_in_queries_and_paths(id: str, query: str, path: str) -> None:
    """A raw plus in a query is a blank, a raw slash in a path another path; without its last slash, that redirects."""
    site = Site()
    single(site, id)
    raw = [one.url.raw_path.decode() for one in site.asked]

    assert f"{ENROLLMENTS}?{query}&page_size=4" in raw
    assert any(one.startswith(f"{GRADES}{path}?") for one in raw)


def test_the_name_of_one_learner_is_asked_for_with_the_progress() -> None:
    """The aggregator tells it by itself only where it lists all."""
    site = Site()
    single(site, f"{OPS}:ada")

    assert site.paths(AGGREGATOR) == [
        f"{LMS}/completion-aggregator/v1/course/{OPS}/?username=ada&requested_fields=username"
    ]


def test_a_course_is_asked_for_progress_by_name_never_the_list_of_all() -> None:
    """Without a course, the aggregator lists only the caller's own."""
    site = Site()
    all_of(site)

    assert all(path.startswith(f"{LMS}/completion-aggregator/v1/course/") for path in site.paths(AGGREGATOR))
    assert not any("/course/?" in path for path in site.paths(AGGREGATOR))


# values


def mapped(
    row: dict[str, Any] | None = None,
    *,
    grade: dict[str, Any] | None = None,
    done: dict[str, Any] | None = None,
    kind: str = "",
    **more: Any,
) -> CourseEnrollment:
    normalizer = compile(read_definition(OpenEdX), SETTINGS)
    record: dict[str, Any] = {
        "enrollment": {
            "user": "ada",
            "course_id": OPS,
            "mode": "honor",
            "is_active": True,
            "user_username": "ada",
            "courserun_key": OPS,
            **(row or {}),
        },
        "grade": grade,
        "completion": {"completion": done} if done else None,
        "course": None,
        "user": None,
        "certificate": None,
        **more,
    }
    found = normalizer.normalize(record, kind=kind, as_of=AS_OF)
    assert isinstance(found, Mapped)
    assert not found.flaws
    return found.enrollment


PASSED, FAILED, UNGRADED = (
    {"passed": passed, "percent": percent, "letter_grade": None}
    for passed, percent in ((True, 0.7), (False, 0.3), (False, 0.0))
)
ALL = {"earned": 12.0, "possible": 12.0, "percent": 1.0}
HALF = {"earned": 6.0, "possible": 12.0, "percent": 0.5}
OVER, TODAY, AHEAD = (
    {"end": f"{day}Z"} for day in ("2026-05-31T23:59:00", "2026-06-01T00:00:00", "2026-12-01T00:00:00")
)
GONE_ROW = {"is_active": False}
GOOD, BAD = ({"is_passing": good, "status": "x", "created_date": "2026-02-01T00:00:00Z"} for good in (True, False))


@pytest.mark.parametrize(
    ("status", "given"),
    [
        ("passed", {"grade": PASSED}),
        ("passed", {"grade": PASSED, "course": OVER}),
        ("passed", {"row": GONE_ROW, "grade": PASSED}),
        ("passed", {"row": GONE_ROW, "certificate": GOOD}),
        ("withdrawn", {"row": GONE_ROW, "certificate": BAD}),
        ("withdrawn", {"row": GONE_ROW}),
        ("withdrawn", {"row": GONE_ROW, "course": OVER}),
        ("passed", {"done": ALL, "certificate": GOOD}),
        ("completed", {"done": ALL}),
        ("completed", {"done": ALL, "grade": UNGRADED}),
        ("completed", {"done": ALL, "grade": UNGRADED, "course": OVER}),
        ("in_progress", {"done": ALL, "grade": FAILED}),
        ("failed", {"done": ALL, "grade": FAILED, "course": OVER}),
        ("failed", {"grade": FAILED, "course": OVER}),
        ("expired", {"row": {"mode": "audit"}, "grade": FAILED, "course": OVER}),
        ("expired", {"grade": UNGRADED, "course": OVER}),
        ("expired", {"course": OVER}),
        ("expired", {"course": OVER, "done": HALF}),
        ("in_progress", {"grade": FAILED, "course": TODAY}),
        ("in_progress", {"grade": {"passed": False, "current_grade": 29}, "kind": "breakdown"}),
        ("in_progress", {"done": HALF}),
        ("in_progress", {"grade": FAILED, "course": AHEAD}),
        ("enrolled", {}),
        ("enrolled", {"grade": UNGRADED, "done": {"earned": 0.0, "possible": None, "percent": 0.0}}),
        ("enrolled", {"done": {"earned": 0.0, "possible": 0.0, "percent": 1.0}, "course": AHEAD, "grade": UNGRADED}),
        ("enrolled", {"course": {"start": "2027-01-01T00:00:00Z", "end": None}}),
        ("unknown", {"row": {"is_active": None}}),
        ("unknown", {"row": {"is_active": "paused"}, "grade": PASSED}),
    ],
)
def test_each_status(status: str, given: dict[str, Any]) -> None:
    assert mapped(**given).status == status


WORD = "progress_status"


@pytest.mark.parametrize(
    ("status", "row"),
    [
        ("passed", {WORD: "Passed"}),
        ("passed", {WORD: "Passed", "unenrollment_date": "2026-02-01"}),
        ("passed", {WORD: "In Progress", "has_passed": True}),
        ("passed", {WORD: "In Progress", "has_passed": True, "unenrollment_date": "2026-02-01"}),
        ("withdrawn", {WORD: "In Progress", "unenrollment_date": "2026-02-01"}),
        ("withdrawn", {WORD: "Failed", "unenrollment_date": "2026-02-01", "current_grade": 0.3}),
        ("failed", {WORD: "Failed", "current_grade": 0.3}),
        ("failed", {WORD: "In Progress", "course_end_date": "2026-05-31", "current_grade": 0.3}),
        ("expired", {WORD: "Failed", "current_grade": 0.0}),
        ("expired", {WORD: "Failed", "current_grade": 0.3, "user_current_enrollment_mode": "audit"}),
        ("expired", {WORD: "In Progress", "course_end_date": "2026-05-31"}),
        ("in_progress", {WORD: "In Progress", "course_end_date": "2026-06-01", "current_grade": 0.3}),
        ("completed", {WORD: "In Progress", "course_progress": 1.0, "current_grade": 0.0}),
        ("in_progress", {WORD: "In Progress", "course_progress": 1.0, "current_grade": 0.2}),
        ("in_progress", {WORD: "In Progress", "current_grade": 0.2}),
        ("in_progress", {WORD: "In Progress", "course_progress": 0.2}),
        ("in_progress", {WORD: "In Progress", "last_activity_date": "2026-03-01"}),
        ("in_progress", {WORD: "In Progress", "total_learning_time_hours": 0.5}),
        ("enrolled", {WORD: "In Progress", "total_learning_time_hours": 0.0}),
        ("unknown", {WORD: "Upcoming"}),
        ("unknown", {WORD: None}),
    ],
)
def test_each_status_of_the_report(status: str, row: dict[str, Any]) -> None:
    assert mapped(row, kind="enterprise").status == status


@pytest.mark.parametrize(
    ("kind", "row", "course"), [("", {"is_active": True}, OVER), ("enterprise", {WORD: "Failed"}, None)]
)
def test_a_customer_may_count_every_course_that_ended_unpassed_as_failed(kind: str, row: Any, course: Any) -> None:
    """The override that the documentation shows: one line, whatever the strategy."""
    override = {"course_enrollment": {"status": {"rules": {"course_over": {"then": "failed"}}}}}
    normalizer = compile(read_definition(OpenEdX, override), SETTINGS)
    whole = {"user": "ada", "course_id": OPS, "user_username": "ada", "courserun_key": OPS, **row}
    found = normalizer.normalize({"enrollment": whole, "course": course}, kind=kind, as_of=AS_OF)

    assert isinstance(found, Mapped)
    assert found.enrollment.status == "failed"


# what is told of an enrollment


@pytest.mark.parametrize("text", ["2019-04-04T19:44:31.802434Z", "2015-12-22T02:47:17Z"])
def test_creation_times_come_with_and_without_microseconds(text: str) -> None:
    """Who enrolls again keeps the first one."""
    one = mapped({"created": text})

    assert one.created_at == one.enrolled_at == datetime.fromisoformat(text)


def test_rows_of_the_same_moment_are_all_read() -> None:
    same = [one for one in expected_of("tenant").values() if one["created_at"] == "2026-05-20T09:00:00.000001Z"]

    assert [one["user"]["id"] for one in same] == ["ben", "ivo"]


def test_an_id_is_made_of_the_course_and_the_user_name() -> None:
    one = mapped()

    assert (one.id, one.user.id, one.course.id) == (f"{OPS}:ada", "ada", OPS)


def test_staff_of_a_course_is_in_the_list_and_cannot_be_told_apart() -> None:
    assert all_of(Site()).keys() == all_of(Site(), include_staff=True).keys()


def test_a_learner_is_named_by_the_account_never_by_the_user_name() -> None:
    named, blank, unknown = (mapped(user=user) for user in ({"name": "Ada Example"}, {"name": ""}, None))

    assert (named.user.name, blank.user.name, unknown.user.name) == ("Ada Example", None, None)
    assert unknown.custom_fields["username"] == "ada"


def test_the_blank_address_beside_a_grade_is_no_address() -> None:
    """Grades have one for the mode `masters` only; addresses are those of the accounts."""
    assert mapped(grade={**PASSED, "email": ""}).user.emails == []
    assert [one.email for one in mapped(user={"email": "ada@example.com"}).user.emails] == ["ada@example.com"]


def test_a_retired_learner_keeps_the_record_without_name_and_address() -> None:
    """The account is not given any more, or its name and address are stand-ins."""
    name = "retired__user_8f3a"
    for user in (None, {"username": name, "name": "Retired", "email": f"{name}@retired.invalid"}):
        one = mapped({"user": name}, user=user)
        assert (one.id, one.user.name, one.user.emails) == (f"{OPS}:{name}", None, [])
    stands_in = {"user_username": name, "user_first_name": "Retired", "user_email": f"{name}@retired.invalid"}
    one = mapped({**stands_in, WORD: "In Progress"}, kind="enterprise")
    assert (one.id, one.user.name, one.user.emails) == (f"{OPS}:{name}", None, [])


@pytest.mark.parametrize("passed", [{WORD: "Passed"}, {WORD: "In Progress", "has_passed": True}])
def test_leaving_a_course_that_was_passed_closes_nothing(passed: dict[str, Any]) -> None:
    left = {"unenrollment_date": "2026-02-01"}

    assert "closed_at" in mapped({WORD: "In Progress", **left}, kind="enterprise").custom_fields
    assert "closed_at" not in mapped({**passed, **left}, kind="enterprise").custom_fields


def test_a_course_that_is_not_listed_has_no_title() -> None:
    assert mapped().course.title is None
    assert mapped(course={"name": "Operations & Safety"}).course.title == "Operations & Safety"


@pytest.mark.parametrize(("percent", "score"), [(0.83, 83.0), (0.29, 29.0), (0.8333, 83.33), (0.0, None), (None, None)])
def test_a_score_is_a_share_and_0_may_be_none(percent: float | None, score: float | None) -> None:
    """Learners without graded work are given 0.0, too."""
    assert mapped(grade={"percent": percent, "passed": False, "letter_grade": None}).score == score


def test_a_learner_who_is_left_out_of_the_grades_has_no_score() -> None:
    """The list leaves out grades that cannot be worked out, and says nothing."""
    one = expected_of("tenant")["course-v1:ExOrg+HIST+2025_T3:hana"]

    assert (one["score"], one["remote_data"]["grade"], one["progress_percent"]) == (None, None, 15.0)


@pytest.mark.parametrize(
    ("done", "progress"),
    [
        (HALF, 50.0),
        ({"earned": 0.0, "possible": None, "percent": 0.0}, 0.0),
        ({"earned": 1.0, "possible": 3.0, "percent": 1 / 3}, 33.33),
        (None, None),
    ],
)
def test_progress_is_the_share_of_the_aggregator(done: dict[str, Any] | None, progress: float | None) -> None:
    """A share of 1, not percent; its whole may be null."""
    assert mapped(done=done).progress_percent == progress


def test_nobody_has_progress_without_the_aggregator() -> None:
    assert {one["progress_percent"] for one in expected_of("certificates").values()} == {None}


def test_only_a_passing_certificate_counts_and_dates_the_completion() -> None:
    good, bad = mapped(GONE_ROW, certificate=GOOD), mapped(GONE_ROW, certificate=BAD)

    assert (good.status, good.completed_at) == ("passed", datetime(2026, 2, 1, tzinfo=UTC))
    assert (bad.status, bad.completed_at) == ("withdrawn", None)


def test_a_certificate_without_a_whole_address_gives_no_link() -> None:
    links = [mapped(certificate={**GOOD, "download_url": link}).urls for link in (f"{LMS}/c/1", "/c/1", "", None)]

    assert [[one.type for one in found] for found in links] == [["certificate", "course"], *[["course"]] * 3]


def test_what_the_lists_never_tell_is_null() -> None:
    one = mapped(grade=PASSED, done=ALL, course=AHEAD, user={"name": "Ada"})
    never = (one.assigned_at, one.due_at, one.started_at, one.last_activity_at, one.time_spent_seconds, one.updated_at)

    assert {*never, one.is_mandatory, one.attempt_number, one.attempts_count} == {None}
    assert one.assigned_by is None


def test_dates_of_the_report_are_days() -> None:
    """`created` is when the report was made, and no time of the enrollment."""
    one = mapped(
        {
            WORD: "Passed",
            "enrollment_date": "2026-01-15",
            "last_activity_date": "2026-03-09",
            "passed_date": "2026-03-08",
            "created": "2026-05-31T23:10:00Z",
            "total_learning_time_hours": 1.25,
        },
        kind="enterprise",
    )

    assert (one.enrolled_at, one.completed_at) == (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 3, 8, tzinfo=UTC))
    assert (one.last_activity_at, one.created_at) == (datetime(2026, 3, 9, tzinfo=UTC), None)
    assert one.time_spent_seconds == 4500


def test_progress_of_the_report_that_is_no_share_is_a_flaw() -> None:
    """That it is one is inferred: were it a percentage, this would tell."""
    row: dict[str, Any] = {"user_username": "ada", "courserun_key": OPS, WORD: "In Progress", "course_progress": 45}
    found = compile(read_definition(OpenEdX), SETTINGS).normalize({"enrollment": row}, kind="enterprise", as_of=AS_OF)

    assert isinstance(found, Mapped)
    assert [flaw.field for flaw in found.flaws] == ["progress_percent"]


def test_a_row_of_the_report_without_a_user_name_is_rejected() -> None:
    """Learners who did not consent would else share an id."""
    said = json.loads((FIXTURES / "words-enterprise.expected.json").read_text(encoding="utf-8"))

    assert said["rejected"] == [{"id": None, "reason": "no id"}]


def test_the_report_is_asked_for_a_thousand_rows_at_once() -> None:
    site = Site("enterprise")
    all_of(site)

    assert [one.url.params["page_size"] for one in site.asked[1:]] == ["1000", "1000"]


# estimates


def estimate(site: Site, **settings: Any) -> Any:
    async def run() -> Any:
        chosen = {**site.settings, **settings}
        async with open_connection("o", "openedx", chosen, transport=site.transport) as opened:
            return await opened.connector.estimate()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("count", "settings", "requests"),
    [
        ({"count": 950}, {}, 10 + 3 + 250),
        ({}, {}, 2 + 3 + 250),
        ({"count": 950}, {"fetch_progress": True}, 10 + 3 + 500),
        ({"count": 950}, {"fetch_grades": False}, 10 + 3),
        ({"count": 950}, {"strategy": "breakdown"}, 10 + 3 + 10),
    ],
)
def test_an_estimate_counts_pages_and_courses(count: dict[str, int], settings: dict[str, Any], requests: int) -> None:
    """Only newer releases tell how many enrollments there are."""

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == COURSES:
            return httpx.Response(200, json={"results": [], "pagination": {"next": None, "count": 250}})
        following = {"next": f"{LMS}{ENROLLMENTS}?cursor=x"}
        return (
            httpx.Response(200, json={"results": [], **following, **count}) if request.url.path == ENROLLMENTS else None
        )

    found = estimate(Site("empty", answer), **settings)

    assert (found.requests, found.exact) == (requests, False)


def test_the_estimate_of_the_report_is_exact() -> None:
    found = estimate(Site("enterprise", at("/enterprise/", 200, {"count": 2001, "next": None, "results": []})))

    assert (found.requests, found.exact) == (3, True)


def test_no_more_than_the_documented_rate_is_asked() -> None:
    """Staff may ask 120 times a minute, of courses fewer."""
    opened = open_connection("o", "openedx", APP, transport=Site().transport)
    [limit] = opened.connector.limits()

    assert (limit.requests <= 120, limit.per) == (True, 60.0)
