"""D2L Brightspace: class lists and data sets, sign-in with tokens that work once, refusals, statuses."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from rollbook.connectors.brightspace import Brightspace, BrightspaceSettings
from rollbook.core.api import connect
from rollbook.core.connection import open_connection
from rollbook.core.connector import Partition
from rollbook.core.errors import (
    AuthError,
    ContractError,
    CursorExpired,
    Forbidden,
    Gone,
    RollbookError,
    SettingsError,
)
from rollbook.core.http import Act, Answer, Limit
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.testing import load_case, load_har
from rollbook.core.testing.conformance import conformance_tests

FIXTURES = Path(__file__).parent.parent / "fixtures" / "brightspace"
TENANT = load_case(FIXTURES / "tenant.har.json")
AS_OF = TENANT.as_of
HOST = str(TENANT.settings["base_url"])
LP, LE = f"{HOST}/d2l/api/lp/1.47", f"{HOST}/d2l/api/le/1.75"
SITE: dict[str, Any] = {"base_url": HOST, "access_token": "made-up-access"}
HUB: dict[str, Any] = {**SITE, "strategy": "datahub"}
GRANT = {key: TENANT.settings[key] for key in ("base_url", "client_id", "client_secret", "refresh_token")}

TestConformance = conformance_tests("brightspace", fixtures="../fixtures/brightspace")


def expected(case: str) -> dict[str, dict[str, Any]]:
    text = (FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8")
    return {one["id"]: one for one in json.loads(text)["enrollments"]}


class Site:
    """A site that answers as recorded, but for what is changed: by a piece of the address."""

    def __init__(self, case: str = "tenant", changes: dict[str, Any] | None = None) -> None:
        self.answers: dict[str, list[httpx.Response]] = {}
        for one in load_har(FIXTURES / f"{case}.har.json").exchanges:
            answer = httpx.Response(one.status, headers=one.headers, content=one.content)
            self.answers.setdefault(one.url, []).append(answer)
        self.changes = changes or {}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        url = str(request.url)
        for piece, change in self.changes.items():
            if piece in url:
                return change if isinstance(change, httpx.Response) else change(request)
        several = self.answers.get(url)
        assert several, f"not recorded: {url}"
        one = several.pop(0) if len(several) > 1 else several[0]
        return httpx.Response(one.status_code, headers=one.headers, content=one.content)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def read(self, **settings: Any) -> list[Any]:
        with connect("brightspace", clock=lambda: AS_OF, transport=self.transport, **(settings or SITE)) as lms:
            return list(lms.enrollments())

    def failing(self, **settings: Any) -> str:
        """Give the text of the failure of a part."""
        with connect("brightspace", clock=lambda: AS_OF, transport=self.transport, **(settings or SITE)) as lms:
            with pytest.raises(RollbookError) as raised:
                list(lms.enrollments())
            return str(raised.value)

    def check(self, **settings: Any) -> list[tuple[str, str]]:
        with connect("brightspace", transport=self.transport, **(settings or SITE)) as lms:
            return [(one.level, one.text) for one in lms.check()]


def row(id: int, **more: Any) -> dict[str, Any]:
    person = {"Identifier": str(id), "DisplayName": "Mara Quill", "Email": "mara.quill@example.com", "RoleId": 110}
    return {**person, "LastAccessed": None, "ClasslistRoleDisplayName": "Student", **more}


def says(status: int, body: Any = None, text: str | None = None, kind: str = "text/html") -> httpx.Response:
    if text is not None:
        return httpx.Response(status, headers={"content-type": kind}, text=text)
    return httpx.Response(status, json=body)


# -- two strategies ---------------------------------------------------------------------------------------------------


def test_the_data_hub_gives_no_other_value_for_what_both_see() -> None:
    """It leaves null what it does not see; only the status may be a poorer one."""
    courses, hub = expected("tenant"), expected("datahub")

    assert courses.keys() == hub.keys()
    for id, one in courses.items():
        for name in set(one) - {"status", "custom_fields", "remote_data", "enrolled_at"}:
            assert hub[id][name] in (one[name], None), (id, name)


def test_only_the_data_hub_knows_when_somebody_was_enrolled_and_by_whom() -> None:
    """The one who enrolled somebody is no assigner."""
    hub = expected("datahub")["8069:3163"]

    assert hub["enrolled_at"] == "2026-01-05T15:22:10.347000Z"
    assert (hub["assigned_by"], hub["assigned_at"], hub["created_at"]) == (None, None, None)
    assert hub["custom_fields"]["enrolled_by"] == "3190"
    assert all(one["enrolled_at"] is None for one in expected("tenant").values())


def test_who_enrolled_themselves_was_enrolled_by_nobody_else() -> None:
    assert "enrolled_by" not in expected("datahub")["8069:3164"]["custom_fields"]


def test_the_data_hub_knows_no_completions_and_no_grades() -> None:
    statuses = {id: (one["status"], expected("datahub")[id]["status"]) for id, one in expected("tenant").items()}

    assert statuses["8069:3163"] == ("completed", "in_progress")
    assert statuses["8070:3171"] == ("completed", "expired")
    assert all(one["score"] is one["completed_at"] is None for one in expected("datahub").values())


def test_a_whole_site_takes_a_handful_of_requests_to_the_data_hub() -> None:
    site = Site("datahub")
    site.read(**HUB)

    assert len(site.requests) == 2 + 2 * 5 + 1 + 1  # the list, five sets, a second page of one, a redirect


# -- class lists ------------------------------------------------------------------------------------------------------


def test_a_bookmark_on_the_last_page_is_not_followed() -> None:
    """Every page has one: HasMoreItems says whether the list goes on."""
    site = Site("pass-mark")
    site.read()

    assert [path for path in site.paths if path.endswith("/orgstructure/")] == ["/d2l/api/lp/1.47/orgstructure/"]


def test_the_slashes_at_the_ends_of_addresses_are_kept() -> None:
    site = Site()
    site.read()
    lists = [path for path in site.paths if not path.rpartition("/")[2].isdecimal()]

    assert lists
    assert all(path.endswith("/") for path in lists)


def test_the_class_list_is_read_page_by_page() -> None:
    """The other one, which gives all at once, times out for large courses."""
    site = Site()
    site.read()

    assert sum(path.endswith("/8069/classlist/paged/") for path in site.paths) == 2
    assert not any(path.endswith("/classlist/") for path in site.paths)


def test_a_class_list_may_call_its_rows_items() -> None:
    body = {"Items": [row(3163)], "Next": None}
    site = Site("pass-mark", changes={"/classlist/paged/": says(200, body)})

    assert [one.id for one in site.read()] == ["8069:3163"]


def test_a_class_list_that_goes_on_in_the_other_style_is_told() -> None:
    """Else everybody behind its first page would be lost in silence."""
    body = {"Items": [row(3163)], "PagingInfo": {"Bookmark": "x", "HasMoreItems": True}}
    site = Site("pass-mark", changes={"/classlist/paged/": says(200, body)})

    assert "goes on in a way that is not known" in site.failing()


def test_a_next_link_to_another_host_is_not_followed() -> None:
    body = {"Objects": [row(3163)], "Next": "https://elsewhere.example.com/d2l/api/le/1.75/8069/classlist/paged/?x=1"}
    site = Site("pass-mark", changes={"/classlist/paged/": says(200, body)})

    assert "another host" in site.failing()
    assert {request.url.host for request in site.requests} == {HOST.removeprefix("https://")}


def test_only_course_offerings_are_courses() -> None:
    """Templates, semesters, departments, groups and sections are in the same tree."""
    site = Site()
    site.read()

    assert not any("/6606" in path or "/6614" in path for path in site.paths)


def test_another_site_may_have_another_type_for_courses() -> None:
    unit = {"Identifier": "8069", "Name": "Fire Safety", "Code": "F", "Type": {"Id": 30, "Code": "X", "Name": "X"}}
    paging = {"Bookmark": "", "HasMoreItems": False}
    listing = says(200, {"PagingInfo": paging, "Items": [unit, {**unit, "Identifier": "1", "Type": {"Id": 3}}]})
    site = Site("pass-mark", changes={"orgUnitType=30": listing})

    assert len(site.read(**SITE, course_type_id=30)) == 4


def test_numbers_and_texts_are_one_id() -> None:
    """A learner is "3163" in the class list and in the grades, and 3163 in the completions."""
    one = expected("tenant")["8069:3163"]
    native = one["remote_data"]

    assert (native["enrollment"]["Identifier"], native["completion"]["UserId"]) == ("3163", 3163)
    assert (one["completed_at"], one["score"]) == ("2026-01-20T12:00:00Z", 90.0)


def test_comments_of_teachers_are_not_kept() -> None:
    assert "only for staff" in (FIXTURES / "tenant.har.json").read_text(encoding="utf-8")
    assert "only for staff" not in json.dumps(expected("tenant"))


def test_a_course_that_was_removed_meanwhile_reads_as_empty() -> None:
    site = Site()

    assert {one.course.id for one in site.read()} == {"8069", "8070", "8071"}
    assert site.paths.count("/d2l/api/lp/1.47/courses/8072") == 1


@pytest.mark.parametrize("piece", ["/classlist/paged/", "/courseCompletion/", "/final/values/"])
def test_a_course_that_is_there_with_a_list_that_is_not_is_told(piece: str) -> None:
    """404 may also mean that the version is not supported: nobody may be taken for removed because of it."""
    site = Site("pass-mark", changes={piece: says(404, {"title": "Not Found"})})
    failure = site.failing()

    assert "has the course, but not this of it (404)" in failure


def test_a_course_that_goes_while_it_is_read_is_empty() -> None:
    asked: list[int] = []

    def course(request: httpx.Request) -> httpx.Response:
        asked.append(1)
        return says(200, {"Identifier": "8069"}) if len(asked) == 1 else says(404)

    site = Site("pass-mark", changes={"/courses/8069": course, "/classlist/paged/": says(404)})

    assert site.read() == []
    assert len(asked) == 2


def test_an_answer_about_another_course_is_told() -> None:
    site = Site("pass-mark", changes={"/courses/8069": says(200, {"Identifier": "8070", "EndDate": None})})

    assert "not about the course that was asked for" in site.failing()


def test_what_is_switched_off_is_not_asked_for() -> None:
    site = Site("lean")
    site.read(**load_case(FIXTURES / "lean.har.json").settings)

    assert [path.rpartition("/8069/")[2] for path in site.paths[1:]] == ["grades/courseCompletion/", "classlist/paged/"]


# -- single enrollments -----------------------------------------------------------------------------------------------


def test_a_search_finds_more_than_the_learner_that_was_asked_for() -> None:
    """It looks into names and numbers of others, too."""
    site = Site()
    with connect("brightspace", clock=lambda: AS_OF, transport=site.transport, **SITE) as lms:
        one = lms.enrollment("8069:3163").model_dump(mode="json")

    assert any(request.url.params.get("searchTerm") == "3163" for request in site.requests)
    assert one == expected("tenant")["8069:3163"]


@pytest.mark.parametrize("id", ["8069:", ":3163", "8069", "8069:a", "..:3163", "8069:3163:1", "٨:٣"])
def test_what_is_no_id_is_gone_without_a_request(id: str) -> None:
    site = Site()
    with connect("brightspace", transport=site.transport, **SITE) as lms, pytest.raises(Gone):
        lms.enrollment(id)

    assert site.requests == []


def test_a_learner_of_a_group_is_no_enrollment() -> None:
    group = {"Identifier": "8101", "Name": "Lab group 1", "Code": "", "Type": {"Id": 4, "Code": "Group"}}
    site = Site(changes={"/orgstructure/8101": says(200, group)})
    with connect("brightspace", transport=site.transport, **SITE) as lms, pytest.raises(Gone):
        lms.enrollment("8101:3163")

    assert len(site.requests) == 1


def test_a_single_enrollment_of_the_data_hub_is_the_one_of_the_whole() -> None:
    site = Site("withdrawals")
    with connect("brightspace", clock=lambda: AS_OF, transport=site.transport, **HUB) as lms:
        found = {id: lms.enrollment(id).model_dump(mode="json") for id in ("8069:3163", "8069:3169")}
        with pytest.raises(Gone):
            lms.enrollment("8069:3168")

    assert found == {id: expected("withdrawals")[id] for id in found}


# -- refusals ---------------------------------------------------------------------------------------------------------


def answer(status: int, path: str, body: bytes = b"", query: str = "", **headers: str) -> Answer:
    return Answer(status, httpx.Headers(headers), body, f"GET /d2l/api{path}", f"{HOST}/d2l/api{path}{query}")


FORBIDDEN = (b"<html><body>Forbidden</body></html>", b"Forbidden", b'{ Errors: [ {Message: "Forbidden"} ] }', b"")


@pytest.mark.parametrize("body", FORBIDDEN)
@pytest.mark.parametrize(
    ("path", "scope", "setting"),
    [
        ("/lp/1.47/orgstructure/", "organizations:organization:read", ""),
        ("/le/1.75/8069/classlist/paged/", "enrollment:orgunit:read", ""),
        ("/lp/1.47/roles/", "role:detail:read", "fetch_roles"),
        ("/lp/1.47/courses/8069", "orgunits:course:read", "fetch_courses"),
        ("/le/1.75/8069/grades/courseCompletion/", "grades:coursecompletion:read", "fetch_completions"),
        ("/le/1.75/8069/grades/final/values/", "grades:gradevalues:read", "fetch_grades"),
        ("/lp/1.47/datasets/bds", "datasets:bds:read", ""),
        ("/lp/1.47/dataExport/bds/x/1", "datahub:dataexports:download", ""),
        ("/lp/1.47/whatever", "scopes", ""),
    ],
)
def test_a_missing_permission_names_the_scope_whatever_the_body_is(
    path: str, scope: str, setting: str, body: bytes
) -> None:
    """It may be a web page, a text, or JSON that is none."""
    verdict = Brightspace.verdict(answer(403, path, body, **{"content-type": "text/html"}))

    assert verdict is not None
    assert (verdict.act, verdict.error) == (Act.FAIL, Forbidden)
    assert scope in verdict.hint
    assert (f"{setting} = false" in verdict.hint) is bool(setting)


def test_a_web_page_with_403_reads_as_forbidden() -> None:
    page = says(403, text="<html><title>Not authorized</title></html>")
    failure = Site("pass-mark", changes={"/final/values/": page}).failing()

    assert "does not let final grades be read (403)" in failure


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/lp/1.47/orgstructure/", ContractError),
        ("/lp/1.47/roles/", ContractError),
        ("/lp/1.47/datasets/bds", ContractError),
        ("/lp/1.47/datasets/bds/a/plugins/b/extracts", ContractError),
        ("/lp/1.47/dataExport/bds/b/20260331", ContractError),
        ("/lp/1.47/courses/8069", None),
        ("/lp/1.47/orgstructure/8069", None),
        ("/le/1.75/8069/classlist/paged/", None),
    ],
)
def test_a_list_that_is_not_there_is_not_an_empty_one(path: str, kind: type[RollbookError] | None) -> None:
    """An unsupported version answers 404 to everything; only a course may be gone."""
    verdict = Brightspace.verdict(answer(404, path))

    assert (verdict and verdict.error) is kind
    assert verdict is None or "lp_version" in verdict.hint


def test_a_bookmark_that_is_no_longer_taken_begins_the_list_anew() -> None:
    verdict = Brightspace.verdict(answer(400, "/lp/1.47/orgstructure/", query="?orgUnitType=3&bookmark=8070"))

    assert verdict is not None
    assert verdict.error is CursorExpired
    assert Brightspace.verdict(answer(400, "/lp/1.47/orgstructure/", query="?orgUnitType=3")) is None


@pytest.mark.parametrize("status", [200, 429, 500, 503])
def test_everything_else_is_left_to_the_usual_reading(status: int) -> None:
    assert Brightspace.verdict(answer(status, "/lp/1.47/orgstructure/")) is None


def test_an_access_token_that_is_refused_says_what_to_do() -> None:
    site = Site(changes={"/orgstructure/": says(401, text="", kind="text/plain")})
    with connect("brightspace", transport=site.transport, **SITE) as lms, pytest.raises(AuthError) as raised:
        list(lms.enrollments())

    assert "is it an hour old?" in raised.value.hint
    assert "made-up-access" not in str(raised.value)


@pytest.mark.parametrize(
    ("headers", "remaining"),
    [
        ({"X-Rate-Limit-Remaining": "49990", "X-Rate-Limit-Reset": "53", "X-Request-Cost": "10"}, 4999),
        ({"X-Rate-Limit-Remaining": "45", "X-Rate-Limit-Reset": "53"}, 4),
        ({"X-Rate-Limit-Remaining": "9", "X-Rate-Limit-Reset": "53", "X-Request-Cost": "0"}, 9),
        ({"X-Rate-Limit-Remaining": "x", "X-Rate-Limit-Reset": "53"}, None),
        ({"Retry-After": "7"}, None),
    ],
)
def test_credits_are_read_as_requests(headers: dict[str, Any], remaining: int | None) -> None:
    quota = Brightspace.quota(answer(200, "/lp/1.47/roles/", **headers))

    assert (quota and quota.remaining) == remaining
    assert quota is None or quota.reset == 53


# -- check ------------------------------------------------------------------------------------------------------------


def test_good_credentials_have_nothing_to_tell() -> None:
    assert Site().check() == []
    assert Site("datahub").check(**HUB) == []


def test_a_version_that_the_site_does_not_support_is_told_before_everything_is_404() -> None:
    notices = Site().check(**SITE, lp_version="1.99")

    assert notices == [("missing", "The site does not support lp 1.99, its latest is 1.57: set lp_version.")]
    assert Site("datahub").check(**HUB, le_version="1.1") == []


@pytest.mark.parametrize(
    ("piece", "text"),
    [
        ("/orgstructure/", "the org structure"),
        ("/classlist/", "class lists"),
        ("/roles/", "fetch_roles = false"),
        ("/courses/8069", "fetch_courses = false"),
        ("/courseCompletion/", "fetch_completions = false"),
        ("/final/values/", "fetch_grades = false"),
    ],
)
def test_a_check_tells_which_permission_is_missing(piece: str, text: str) -> None:
    [(level, notice)] = Site(changes={piece: says(403, text="Forbidden")}).check()

    assert level == "missing"
    assert text in notice


def test_what_is_switched_off_needs_no_permission() -> None:
    assert Site(changes={"/final/values/": says(403, text="Forbidden")}).check(**SITE, fetch_grades=False) == []


def test_lists_that_are_empty_everywhere_are_told() -> None:
    """A missing permission shows as 200 and an empty list."""
    nobody = Site(changes={"/classlist/paged/": says(200, {"Objects": [], "Next": None})}).check()
    nothing = Site("empty", changes={"/versions/": says(200, json.loads(versions()))}).check()

    assert [level for level, _ in (*nobody, *nothing)] == ["reduced", "reduced"]
    assert "View User Enrollments" in nobody[0][1]
    assert "No course is seen" in nothing[0][1]


def test_what_privacy_settings_hide_is_told() -> None:
    hidden = row(3163, RoleId=None, Email=None)
    notices = Site(changes={"/classlist/paged/": says(200, {"Objects": [hidden], "Next": None})}).check()

    assert [text.split(" is ")[0] for _, text in notices] == ["Nobody's role", "Nobody's e-mail address"]


def test_a_data_set_that_is_not_offered_is_told() -> None:
    site = Site("datahub", changes={"/datasets/bds?bookmark=2": says(200, {"Objects": [], "Next": None})})
    [(level, text)] = site.check(**HUB)

    assert level == "missing"
    assert "does not offer: Users, Organizational Units, Organizational Unit Recent Access" in text
    assert "fetch_activity = false" in text


def versions() -> str:
    return json.dumps(
        [
            {"ProductCode": "lp", "LatestVersion": "1.57", "SupportedVersions": ["1.47"]},
            {"ProductCode": "le", "LatestVersion": "1.92", "SupportedVersions": ["1.75"]},
        ]
    )


# -- tokens that work once --------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for a process that is killed."""


class Tokens:
    """Gives out tokens: each refresh token works once. What else is asked for is answered by a site."""

    def __init__(self, case: str = "pass-mark") -> None:
        self.site = Site(case)
        self.good = "made-up-refresh"
        self.forms: list[dict[str, str]] = []
        self.killed = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "auth.brightspace.com":
            if self.killed:
                raise Killed
            assert request.headers["authorization"] == f"Bearer access {len(self.forms)}"
            return self.site(request)
        self.forms.append(dict(httpx.QueryParams(request.content.decode())))
        if self.forms[-1]["refresh_token"] != self.good:
            return says(400, {"error": "invalid_grant"})
        self.good = f"made-up-refresh {len(self.forms)}"
        return says(200, {"access_token": f"access {len(self.forms)}", "expires_in": 3600, "refresh_token": self.good})

    def read(self, vault: Path | None, **settings: Any) -> list[str]:
        opened = connect(
            "brightspace",
            transport=httpx.MockTransport(self),
            vault=str(vault) if vault else None,
            clock=lambda: AS_OF,
            **(GRANT | settings),
        )
        with opened as lms:
            return [one.id for one in lms.enrollments()]

    @property
    def used(self) -> list[str]:
        return [form["refresh_token"] for form in self.forms]


def test_each_run_begins_with_the_token_that_the_last_one_was_given(tmp_path: Path) -> None:
    tokens = Tokens()
    for _ in range(3):
        assert len(tokens.read(tmp_path / "vault")) == 4

    assert tokens.used == ["made-up-refresh", "made-up-refresh 1", "made-up-refresh 2"]


def test_the_token_is_not_spent_where_the_next_one_cannot_be_kept() -> None:
    """Else a human would have to consent again."""
    tokens = Tokens()
    with pytest.raises(SettingsError, match="works once, and there is no vault"):
        tokens.read(None)

    assert tokens.forms == []


def test_a_process_that_is_killed_right_after_the_exchange_has_kept_the_next_token(tmp_path: Path) -> None:
    tokens = Tokens()
    tokens.killed = True
    with pytest.raises(Killed):
        tokens.read(tmp_path / "vault")
    tokens.killed = False

    assert len(tokens.read(tmp_path / "vault")) == 4
    assert tokens.used == ["made-up-refresh", "made-up-refresh 1"]


def test_a_token_that_was_lost_on_its_way_says_what_to_do(tmp_path: Path) -> None:
    """The one gap that nobody can close: Brightspace has exchanged it, and the answer never came."""
    tokens = Tokens()
    tokens.good = "made-up-refresh 1"
    with pytest.raises(AuthError, match="make a new refresh_token") as raised:
        tokens.read(tmp_path / "vault")

    assert "made-up" not in str(raised.value)


def test_a_new_token_in_the_settings_takes_the_place_of_a_lost_one(tmp_path: Path) -> None:
    tokens = Tokens()
    tokens.read(tmp_path / "vault")
    tokens.good = "made-up-anew"

    assert len(tokens.read(tmp_path / "vault", refresh_token="made-up-anew")) == 4
    assert tokens.used == ["made-up-refresh", "made-up-anew"]


@pytest.mark.parametrize(
    ("settings", "scope"),
    [
        (
            {"fetch_roles": False, "fetch_courses": False, "fetch_completions": False, "fetch_grades": False},
            "organizations:organization:read enrollment:orgunit:read",
        ),
        ({"strategy": "datahub"}, "datasets:bds:read datahub:dataexports:download"),
        ({"scope": "core:*:*"}, "core:*:*"),
    ],
)
def test_only_what_is_needed_is_asked_for(settings: dict[str, Any], scope: str, tmp_path: Path) -> None:
    tokens = Tokens()
    tokens.site.changes[""] = says(403, text="Forbidden")
    with pytest.raises(Forbidden):
        tokens.read(tmp_path / "vault", **settings)

    assert [form["scope"] for form in tokens.forms] == [scope]


# -- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/", "/d2l", "/d2l/home", "/d2l/api/lp/1.47"])
def test_an_address_may_be_copied_from_the_browser(path: str) -> None:
    settings = BrightspaceSettings.model_validate({**SITE, "base_url": HOST + path})

    assert settings.origin() == HOST


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": HOST},
        {"base_url": HOST, "client_id": "x", "client_secret": "y"},
        {**SITE, "refresh_token": "x"},
    ],
)
def test_a_sign_in_has_to_be_complete(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="give either all of client_id, client_secret and refresh_token"):
        BrightspaceSettings.model_validate(settings)


@pytest.mark.parametrize("version", ["1", "v1.47", "../1.47", "unstable"])
def test_a_version_is_two_numbers(version: str) -> None:
    with pytest.raises(ValueError, match="lp_version"):
        BrightspaceSettings.model_validate({**SITE, "lp_version": version})


def test_the_documented_rate_is_kept_to() -> None:
    with connect("brightspace", **SITE) as lms:
        assert list(lms.connection.connector.limits()) == [Limit(requests=5_000, per=60.0, at_once=4)]


def test_requests_are_estimated_by_what_is_switched_on() -> None:
    with connect("brightspace", transport=Site().transport, **SITE) as lms:
        assert lms.estimate().requests == 2 + 4 * 4 + 1
    with connect("brightspace", **HUB, fetch_activity=False) as lms:
        assert lms.estimate().requests == 1 + 2 * 4


# -- the Data Hub -----------------------------------------------------------------------------------------------------


def packed(text: str) -> httpx.Response:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.csv", "\ufeff" + text)
    return httpx.Response(200, headers={"content-type": "application/zip"}, content=made.getvalue())


def files(site: Site) -> dict[str, list[str]]:
    """Give the header of each file of a recording, by its address."""
    found: dict[str, list[str]] = {}
    for url, answers in site.answers.items():
        if answers[0].content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(answers[0].content)) as archive:
                text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
            found[url] = next(csv.reader(io.StringIO(text)))
    return found


def file_with(site: Site, *columns: str) -> str:
    return next(url for url, header in files(site).items() if set(columns) <= set(header))


def test_the_files_begin_with_a_byte_order_mark() -> None:
    content = Site("withdrawals").answers[file_with(Site("withdrawals"), "EnrollmentType")][0].content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("UserEnrollments.csv").startswith(b"\xef\xbb\xbfOrgUnitId,")


def test_a_file_at_another_host_is_asked_for_without_the_token() -> None:
    site = Site("datahub")
    site.read(**HUB)
    elsewhere = [request for request in site.requests if request.url.host != HOST.removeprefix("https://")]

    assert [request.url.host for request in elsewhere] == ["files.d2l.example.net"]
    assert "authorization" not in elsewhere[0].headers
    assert all(request.headers["authorization"] for request in site.requests if request not in elsewhere)


def test_the_newest_full_file_is_taken() -> None:
    """Not the differential one, and not the last full one, which stand before it in the list."""
    site = Site("datahub")
    site.read(**HUB)
    taken = [path for path in site.paths if "/dataExport/" in path]

    assert len(taken) == 5
    assert all(path.endswith("/20260331") for path in taken)


def test_data_sets_have_british_names_in_places() -> None:
    text = (FIXTURES / "withdrawals.har.json").read_text(encoding="utf-8")

    assert '"Enrolments and withdrawals"' in text
    assert '"Enrollments and Withdrawals"' not in text
    assert expected("withdrawals")["8069:3163"]["status"] == "withdrawn"


def test_groups_sections_and_the_organisation_are_no_courses() -> None:
    found = json.loads((FIXTURES / "datahub.expected.json").read_text(encoding="utf-8"))

    assert found["skipped"] == {"other_org_unit": 2, "staff": 1}


@pytest.mark.parametrize(
    ("id", "status"),
    [
        ("8069:3163", "withdrawn"),  # Unenroll
        ("8069:3164", "withdrawn"),  # WITHDRAW
        ("8069:3165", "withdrawn"),  # Dropped
        ("8069:3166", "unknown"),  # a word that nobody has heard of
        ("8069:3167", "in_progress"),  # unenrolled, but a cascading role keeps the place: it writes no log
        ("8069:3168", None),  # enrolled after the other file was made: it will be in the next one
        ("8069:3169", "enrolled"),  # enrolled again
        ("8069:3171", "withdrawn"),  # no role is told
        ("8073:3170", "withdrawn"),  # the course was deleted
        ("8999:3172", "withdrawn"),  # of an org unit that is not in the list: counted as drift
    ],
)
def test_only_the_last_change_of_who_is_no_longer_there_is_a_withdrawal(id: str, status: str | None) -> None:
    assert expected("withdrawals").get(id, {}).get("status") == status


def test_a_withdrawal_has_its_date_and_no_date_of_enrollment() -> None:
    one = expected("withdrawals")["8069:3163"]

    assert (one["enrolled_at"], one["completed_at"]) == (None, None)
    assert one["custom_fields"]["closed_at"] == "2026-02-10T08:00:00Z"
    assert one["custom_fields"]["native_status"] == "Unenroll"


def test_a_teacher_who_left_is_left_out() -> None:
    """The log tells only the id of the role; its name stands beside those who still have it."""
    found = json.loads((FIXTURES / "withdrawals.expected.json").read_text(encoding="utf-8"))

    assert "8069:3190" not in expected("withdrawals")
    assert found["skipped"]["staff"] == 2


def test_withdrawals_and_activity_can_be_done_without() -> None:
    site = Site("withdrawals")
    found = {one.id: one.status for one in site.read(**HUB, fetch_withdrawals=False, fetch_activity=False)}

    assert set(found.values()) == {"enrolled", "withdrawn"}  # withdrawn: from the deleted course
    assert sum("/dataExport/" in path for path in site.paths) == 3


def test_a_deactivated_account_keeps_the_status() -> None:
    one = expected("datahub")["8069:3167"]

    assert (one["status"], one["custom_fields"]["user_active"]) == ("in_progress", False)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "OrgUnitId,UserId,RoleName\n8069,3163,Student\n",
            "no column EnrollmentDate and no EnrollmentType and no RoleId",
        ),
        ("OrgUnitId,UserId,RoleName,EnrollmentDate,EnrollmentType,RoleId\n8069,3163\n", "row 1 has 2 columns"),
        ("", "no line with the names of its columns"),
    ],
)
def test_a_file_of_another_shape_is_told(text: str, what: str) -> None:
    site = Site("withdrawals")
    site.changes[file_with(site, "EnrollmentType")] = packed(text)

    assert what in site.failing(**HUB)


def test_a_zip_file_that_was_cut_gives_nobody() -> None:
    site = Site("withdrawals")
    url = file_with(site, "EnrollmentType")
    site.changes[url] = httpx.Response(200, content=site.answers[url][0].content[:-30])

    assert "the zip file ends before its end" in site.failing(**HUB)


def test_a_log_without_numbers_is_told() -> None:
    """The last change is the one with the greatest number, not the last in the file."""
    site = Site("withdrawals")
    url = file_with(site, "LogId")
    site.changes[url] = packed(",".join(files(site)[url]) + "\nx,3163,8069,110,Enroll,1,2026-01-05T08:00:00.000Z\n")

    assert "has no number" in site.failing(**HUB)


def test_a_data_set_without_a_file_is_told() -> None:
    empty = says(200, {"Objects": [], "Next": None})

    assert "has no file yet" in Site("withdrawals", changes={"/extracts": empty}).failing(**HUB)


def pages_from(site: Site, cursor: Any = None) -> list[Any]:
    async def read() -> list[Any]:
        async with open_connection("t", "brightspace", HUB, transport=site.transport) as connection:
            return [page async for page in connection.connector.pages(Partition("all"), cursor, None)]

    return asyncio.run(read())


def large(people: int, left: int) -> Site:
    """Give a site with many learners in one course, and many who left it."""
    site = Site("withdrawals")
    enrolled, log = file_with(site, "EnrollmentType"), file_with(site, "LogId")
    rows = "".join(f"8069,{number},Student,2026-01-05T08:00:00.000Z,,110\n" for number in range(people))
    changes = "".join(
        f"{n},{n},8069,110,Unenroll,1,2026-01-05T08:00:00.000Z\n" for n in range(people - 5, people + left)
    )
    site.changes[enrolled] = packed(",".join(files(site)[enrolled]) + "\n" + rows)
    site.changes[log] = packed(",".join(files(site)[log]) + "\n" + changes)
    return site


def test_a_large_file_is_taken_up_at_its_cursor() -> None:
    site = large(people=2_300, left=700)
    pages = pages_from(site)
    sizes = [len(page.records) for page in pages]

    assert sum(sizes) == 3_000
    assert max(sizes) <= 1_000
    assert pages[-1].cursor is None
    for number, page in enumerate(pages[:-1], 1):
        assert pages_from(site, page.cursor) == pages[number:]


def test_a_file_that_was_replaced_meanwhile_is_read_from_its_start() -> None:
    """Of two files the rows are not the same: a place in one is none in the other."""
    with pytest.raises(CursorExpired, match="no longer kept"):
        pages_from(Site("withdrawals"), {"of": "2026-03-17T04:00:00.000Z", "rows": 1_000, "behind": ""})


def test_an_interrupted_reading_goes_on_in_the_file_it_began_with() -> None:
    older = "2026-03-24T04:00:00.000Z"
    site = Site(
        "withdrawals", changes={"/20260324": packed("OrgUnitId,UserId,RoleName,EnrollmentDate,EnrollmentType,RoleId\n")}
    )
    pages_from(site, {"of": older, "rows": 0, "behind": ""})

    assert [path.rpartition("/")[2] for path in site.paths if "/dataExport/" in path] == ["20260331", "20260324"]


@pytest.mark.parametrize("cursor", ["x", 7, {"of": None}, {"rows": 1, "behind": "", "of": 1, "more": 1}])
def test_a_cursor_of_another_strategy_is_none(cursor: Any) -> None:
    with pytest.raises(CursorExpired):
        pages_from(Site("withdrawals"), cursor)


# -- mapping ----------------------------------------------------------------------------------------------------------


def mapped(settings: dict[str, Any] | None = None, /, **parts: Any) -> Any:
    """Map a row of a class list; the parts are added to the record's."""
    return normal(listed(**parts), settings)


def listed(**parts: Any) -> dict[str, Any]:
    return {
        "enrollment": row(3163) | parts.pop("enrollment", {}),
        "course": {"Identifier": "8069", "Name": "Fire Safety"},
        "offering": None,
        "completion": None,
        "grade": None,
        "role": None,
        **parts,
    }


def hub(settings: dict[str, Any] | None = None, /, **parts: Any) -> Any:
    """Map rows of data sets."""
    return normal(exported(**parts), settings, "datahub")


def exported(**parts: Any) -> dict[str, Any]:
    enrolled = {"EnrollmentDate": "2026-01-05T08:00:00.000Z", "EnrollmentType": ""}
    return {
        "OrgUnitId": "8069",
        "UserId": "3163",
        "enrollment": enrolled,
        "change": None,
        "role": {"RoleId": "110", "RoleName": "Student"},
        "user": {"UserId": "3163", "UserName": "mara.quill", "FirstName": "Mara", "LastName": "Quill", "IsActive": "1"},
        "course": {"OrgUnitTypeId": "3", "Type": "Course Offering", "Name": "Fire Safety", "IsDeleted": "False"},
        "access": None,
        **parts,
    }


def normal(record: dict[str, Any], settings: dict[str, Any] | None, kind: str = "") -> Any:
    normalizer = open_connection("t", "brightspace", SITE | (settings or {})).normalizer
    result = normalizer.normalize(record, as_of=AS_OF, kind=kind)
    return result.enrollment if isinstance(result, Mapped) else result


def drift(settings: dict[str, Any] | None = None, kind: str = "", /, **parts: Any) -> list[tuple[str, str]]:
    """Name the native words of a record that nobody has heard of."""
    normalizer = open_connection("t", "brightspace", SITE | (settings or {})).normalizer
    record = exported(**parts) if kind else listed(**parts)
    found = normalizer.normalize(record, as_of=AS_OF, kind=kind)
    assert isinstance(found, Mapped)
    return [(one.what, one.value) for one in found.drift]


PAST, FUTURE = "2026-03-31T22:00:00.000Z", "2026-04-02T22:00:00.000Z"
SEEN = {"LastAccessed": "2026-03-16T10:44:53.017Z"}


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({}, "enrolled"),
        ({"enrollment": SEEN}, "in_progress"),
        ({"offering": {"StartDate": FUTURE}}, "enrolled"),
        ({"offering": {"EndDate": PAST}}, "expired"),
        ({"offering": {"EndDate": PAST}, "enrollment": SEEN}, "expired"),
        ({"offering": {"EndDate": FUTURE}, "enrollment": SEEN}, "in_progress"),
        ({"offering": {"EndDate": None, "IsActive": False}, "enrollment": SEEN}, "in_progress"),
        ({"completion": {"CompletedDate": PAST, "ExpiryDate": None}}, "completed"),
        ({"completion": {"CompletedDate": PAST, "ExpiryDate": FUTURE}}, "completed"),
        ({"completion": {"CompletedDate": PAST, "ExpiryDate": PAST}}, "expired"),
        ({"completion": {"CompletedDate": PAST, "ExpiryDate": None}, "offering": {"EndDate": PAST}}, "completed"),
        ({"grade": {"PointsNumerator": 0, "PointsDenominator": 10}}, "enrolled"),
        ({"grade": {"PointsNumerator": 10, "PointsDenominator": 10}, "enrollment": SEEN}, "in_progress"),
    ],
)
def test_a_status_is_derived_since_brightspace_has_no_word_for_it(parts: dict[str, Any], status: str) -> None:
    """A course that has not begun is no assignment, one that ended is no completion, a grade neither."""
    assert mapped(**parts).status == status


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({}, "enrolled"),
        ({"access": {"LastAccessedDate": PAST}}, "in_progress"),
        ({"course": {"OrgUnitTypeId": "3", "EndDate": PAST}}, "expired"),
        ({"course": {"OrgUnitTypeId": "3", "IsActive": "False"}}, "enrolled"),
        ({"course": {"OrgUnitTypeId": "3", "IsDeleted": "True"}, "access": {"LastAccessedDate": PAST}}, "withdrawn"),
        ({"change": {"Action": "Unenroll"}}, "enrolled"),
        ({"enrollment": None, "change": {"Action": "Unenroll"}}, "withdrawn"),
        ({"enrollment": None, "change": {"Action": " unenrolled"}}, "withdrawn"),
        ({"enrollment": None, "change": {"Action": "Withdrawal"}}, "withdrawn"),
        ({"enrollment": None, "change": {"Action": "DROP"}}, "withdrawn"),
        ({"enrollment": None, "change": {"Action": "Moved"}}, "unknown"),
        ({"enrollment": None, "change": {"Action": ""}}, "unknown"),
    ],
)
def test_a_status_of_the_data_hub(parts: dict[str, Any], status: str) -> None:
    assert hub(**parts).status == status


def test_a_renewed_completion_counts_and_the_old_one_does_not() -> None:
    one = expected("tenant")["8069:3168"]

    assert (one["status"], one["completed_at"]) == ("completed", "2026-01-15T08:00:00Z")
    assert one["custom_fields"]["valid_until"] == "2028-01-15T08:00:00Z"


def test_a_lapsed_completion_keeps_its_date() -> None:
    one = expected("tenant")["8069:3165"]

    assert (one["status"], one["completed_at"]) == ("expired", "2024-01-20T12:00:00Z")


@pytest.mark.parametrize(("score", "status"), [(80, "passed"), (79.99, "completed")])
def test_a_pass_mark_passes_who_completed_and_fails_nobody(score: float, status: str) -> None:
    grade = {"PointsNumerator": score, "PointsDenominator": 100}
    completion = {"CompletedDate": PAST, "ExpiryDate": None}

    assert mapped({"pass_mark": 80}, grade=grade, completion=completion).status == status
    assert mapped({"pass_mark": 80}, grade=grade).status == "enrolled"


@pytest.mark.parametrize(
    ("grade", "score"),
    [
        ({"PointsNumerator": 45, "PointsDenominator": 50, "WeightedNumerator": 1, "WeightedDenominator": 100}, 90),
        ({"PointsNumerator": None, "PointsDenominator": None, "WeightedNumerator": 7, "WeightedDenominator": 8}, 87.5),
        ({"PointsNumerator": 52, "PointsDenominator": 50}, 104),
        ({"PointsNumerator": 0, "PointsDenominator": 50}, 0),
        ({"PointsNumerator": 5, "PointsDenominator": 0}, None),
        ({"DisplayedGrade": "Pass"}, None),
        (None, None),
    ],
)
def test_a_score_is_a_share_of_the_points_or_else_of_the_weight(grade: Any, score: float | None) -> None:
    assert mapped(grade=grade).score == score


def test_a_grade_in_words_is_no_score() -> None:
    one = expected("tenant")["8069:3170"]

    assert (one["score"], one["custom_fields"]["displayed_grade"]) == (None, "Pass")


def test_a_name_is_the_displayed_one_or_made_of_its_halves() -> None:
    halves = {"FirstName": "Mara", "LastName": "Quill"}

    assert mapped(enrollment={"DisplayName": "Quill, Mara", **halves}).user.name == "Quill, Mara"
    assert mapped(enrollment={"DisplayName": "", **halves}).user.name == "Mara Quill"


def test_a_course_offering_is_known_by_the_id_or_the_name_of_its_type() -> None:
    for known in ({"OrgUnitTypeId": "3"}, {"Type": "Course Offering"}):
        assert hub(course=known).user.id == "3163"
    assert isinstance(hub(course={"OrgUnitTypeId": "4", "Type": "Group"}), Skipped)


@pytest.mark.parametrize("role_id", [110, 101, 7])
def test_a_role_is_known_by_its_name_and_never_by_its_id(role_id: int) -> None:
    """Student is 110 on one site and 101 on another."""
    student = {"Identifier": str(role_id), "DisplayName": "Student"}
    teacher = {"Identifier": str(role_id), "DisplayName": "Course Instructor"}

    assert mapped(enrollment={"RoleId": role_id}, role=student).user.id == "3163"
    assert mapped(enrollment={"RoleId": role_id}, role=teacher) == Skipped("staff", "8069:3163")


@pytest.mark.parametrize(
    "name",
    [
        "Instructor",
        "Head Teacher",
        "Lecturer",
        "Professor Emeritus",
        "Faculty",
        "Tutor",
        "Teaching Assistant",
        "Grader",
        "Facilitator",
        "Super Administrator",
        "Auditor",
        "Observer",
        "Parent",
        "Guardian",
        "Course Designer",
        "Support Desk",
    ],
)
def test_staff_are_left_out_unless_they_are_asked_for_and_then_they_are_no_drift(name: str) -> None:
    given = {"role": {"DisplayName": name}}
    rows = {"role": {"RoleId": "9", "RoleName": name}}

    assert isinstance(mapped(**given), Skipped)
    assert isinstance(hub(**rows), Skipped)
    assert mapped({"include_staff": True}, **given).custom_fields["role"] == name
    assert hub({"include_staff": True}, **rows).custom_fields["role"] == name
    assert drift({"include_staff": True}, **given) == []
    assert drift({"include_staff": True}, "datahub", **rows) == []


@pytest.mark.parametrize(
    "name",
    [
        "Student",
        "LEARNER (external)",
        "Participant",
        "Student Assistant",
        "Learner Support",
        "Participant Observer",
        "Guest",
        "",
        None,
    ],
)
def test_whoever_is_not_known_to_be_staff_stays_in(name: str | None) -> None:
    """A student assistant is a student; a role that is hidden or that nobody has heard of is counted as drift."""
    hidden = {"RoleId": None, "ClasslistRoleDisplayName": ""}

    assert mapped(enrollment=hidden, role={"DisplayName": name}).user.id == "3163"
    assert hub(role={"RoleId": "", "RoleName": name}).user.id == "3163"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Student", []),
        ("External Learner", []),
        ("Participant", []),
        ("Guest", [("role", "Guest")]),
        (None, [("role", "(missing)")]),
    ],
)
def test_an_unknown_role_is_counted(name: str | None, told: list[tuple[str, str]]) -> None:
    hidden = {"RoleId": None, "ClasslistRoleDisplayName": ""}

    assert drift(enrollment=hidden, role={"DisplayName": name}) == told
    assert drift(None, "datahub", role={"RoleId": "", "RoleName": name}) == told


def test_the_class_lists_word_for_a_role_serves_where_roles_are_not_read() -> None:
    assert isinstance(mapped(enrollment={"ClasslistRoleDisplayName": "Instructor"}), Skipped)
    assert drift(enrollment={"ClasslistRoleDisplayName": "Guest"}) == [("role", "Guest")]


def test_a_role_without_a_name_is_told_by_its_id() -> None:
    assert drift(enrollment={"RoleId": 117, "ClasslistRoleDisplayName": ""}) == [("role", "117")]
    assert drift(None, "datahub", role={"RoleId": "117", "RoleName": ""}) == [("role", "117")]


@pytest.mark.parametrize(
    ("role_id", "name", "stays"),
    [
        (110, "Anything", True),
        (5, "guest of Honour ", True),
        (5, "Student", False),
        (5, None, False),
        (None, None, True),
    ],
)
def test_named_roles_are_the_learners_and_all_others_are_not(
    role_id: int | None, name: str | None, *, stays: bool
) -> None:
    roles = {"learner_roles": ["110", "Guest of honour"]}
    given = {"enrollment": {"RoleId": role_id, "ClasslistRoleDisplayName": ""}, "role": {"DisplayName": name}}
    rows = {"role": {"RoleId": "" if role_id is None else str(role_id), "RoleName": name or ""}}

    assert isinstance(mapped(roles, **given), Skipped) is not stays
    assert isinstance(hub(roles, **rows), Skipped) is not stays
    told = [] if role_id else [("role", "(missing)")]
    assert drift({**roles, "include_staff": True}, **given) == told
    assert drift({**roles, "include_staff": True}, "datahub", **rows) == told


def test_a_login_is_an_address_only_where_there_is_no_other() -> None:
    """Class lists write Username, data sets UserName."""
    login = {"Username": "mara@example.com"}

    assert [(one.email, one.type) for one in mapped(enrollment=login).user.emails] == [("mara.quill@example.com", None)]
    assert [one.type for one in mapped(enrollment={**login, "Email": None}).user.emails] == ["login"]
    assert hub().custom_fields["username"] == "mara.quill"


def test_what_privacy_settings_blank_out_is_null() -> None:
    blank = {"DisplayName": "", "Email": None, "OrgDefinedId": "", "Username": None}
    one = mapped(enrollment=blank)

    assert (one.user.name, one.user.emails) == (None, [])
    assert not {"username", "org_defined_id"} & set(one.custom_fields)
    assert mapped(enrollment={**blank, "FirstName": "Mara", "LastName": "Quill"}).user.name == "Mara Quill"


def test_the_end_of_a_course_is_no_deadline_and_its_begin_no_activity() -> None:
    one = mapped(offering={"StartDate": PAST, "EndDate": FUTURE, "IsActive": True})

    assert (one.due_at, one.started_at, one.assigned_at) == (None, None, None)
    assert one.custom_fields["course_ends_at"] == "2026-04-02T22:00:00Z"
    assert "access_ends_at" not in one.custom_fields


def test_times_are_utc_with_or_without_their_sign() -> None:
    zone = {"timezone": "Europe/Oslo"}
    stated = mapped(zone, enrollment={"LastAccessed": "2026-03-16T10:44:53.017Z"}).last_activity_at
    bare = hub(zone, access={"LastAccessedDate": "2026-03-16T10:44:53.017"}).last_activity_at

    assert stated == bare


def test_a_course_has_the_address_of_its_home_page() -> None:
    assert [(one.url, one.type) for one in mapped().urls] == [(f"{HOST}/d2l/home/8069", "course")]
    assert hub().urls == mapped().urls
