"""OneRoster: its lists, its errors, its statuses."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.api import connect
from rollbook.core.connection import open_connection, read_definition
from rollbook.core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone, RateLimited, SettingsError
from rollbook.core.http import no_waits
from rollbook.core.mapping import Mapped, Skipped, compile
from rollbook.core.registry import find
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance import conformance_tests
from rollbook.core.testing.conformance.lms import RecordedLms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rollbook.core.connector import Estimate, Notice, Page
    from rollbook.core.sync import Report

    Instead = Callable[[httpx.Request], httpx.Response | None]

FIXTURES = Path(__file__).parent.parent / "fixtures" / "oneroster"
TENANT = load_case(FIXTURES / "tenant.har.json")
AS_OF = TENANT.as_of
APP: dict[str, Any] = {
    "base_url": "https://sis.example.com",
    "client_id": "app",
    "client_secret": "made-up-secret",
    "token_url": "https://login.example.com/oauth/token",
}
OLD: dict[str, Any] = {
    "base_url": "https://sis.example.com",
    "version": "1.1",
    "sign_in": "oauth1",
    "client_id": "key",
    "client_secret": "made-up-secret",
}
SETTINGS: dict[str, Any] = {
    "include_staff": False,
    "pass_mark": None,
    "timezone": "UTC",
    "learner_roles": ["student"],
    "preferred_names": False,
}
ROSTER = "/ims/oneroster/rostering/v1p2"
TOKEN = {"access_token": "made-up-access-token", "token_type": "Bearer", "expires_in": 3600}
RESOURCES = {
    "enrollments",
    "users",
    "students",
    "classes",
    "courses",
    "academicSessions",
    "schools",
    "lineItems",
    "results",
}
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"


@pytest.fixture(autouse=True)
def _quick() -> Iterator[None]:
    with no_waits():
        yield


def expected_of(case: str) -> dict[str, Any]:
    return json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))


def row(id: str = "e-1", user: str = "u-1", class_: str = "c-1", **more: Any) -> dict[str, Any]:
    return {
        "sourcedId": id,
        "status": "active",
        "dateLastModified": "2026-01-08T06:00:00.000Z",
        "user": {"sourcedId": user},  # some servers send neither href nor type
        "class": {"sourcedId": class_},
        "role": "student",
        **more,
    }


class Server:
    """A OneRoster server: lists cut by limit and offset. `instead` comes first."""

    def __init__(
        self,
        lists: dict[str, list[dict[str, Any]]] | None = None,
        instead: Instead | None = None,
        *,
        most: int = 10_000,
        headers: bool = True,
    ) -> None:
        self.lists = {"enrollments": [row()]} if lists is None else lists
        self.instead = instead
        self.most = most
        self.headers = headers
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.instead and (found := self.instead(request)) is not None:
            return found
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json=TOKEN)
        resource = request.url.path.rstrip("/").rpartition("/")[2]
        if resource not in RESOURCES:
            return fault(404, fields("unknownobject"))
        rows = self.lists.get(resource, [])
        start, size = int(request.url.params.get("offset", 0)), int(request.url.params.get("limit", 100))
        page = rows[start : start + min(size, self.most)]
        key = {"students": "users", "schools": "orgs"}.get(resource, resource)
        told = {"X-Total-Count": str(len(rows))} if self.headers else {}
        return httpx.Response(200, json={key: page}, headers={"Date": DATE, **told})

    def queries(self, resource: str) -> list[dict[str, str]]:
        return [dict(one.url.params) for one in self.asked if one.url.path.endswith(f"/{resource}")]


def read(server: Server, cursor: Any = None, since: Any = None, **settings: Any) -> list[Page]:
    async def run() -> list[Page]:
        async with open_connection("o", "oneroster", {**APP, **settings}, transport=server.transport) as opened:
            pages: list[Page] = []
            async for partition in opened.connector.partitions():
                pages += [page async for page in opened.connector.pages(partition, cursor, since)]
            return pages

    return asyncio.run(run())


def ids(pages: Sequence[Page]) -> list[Any]:
    rows: list[Any] = [record["enrollment"] for page in pages for record in page.records]
    return [row["sourcedId"] for row in rows]


def everything(server: Server, **settings: Any) -> dict[str, Any]:
    with connect("oneroster", clock=lambda: AS_OF, transport=server.transport, **{**APP, **settings}) as lms:
        return {one.id: one for one in lms.enrollments()}


def check(server: Server, **settings: Any) -> list[Notice]:
    with connect("oneroster", transport=server.transport, **{**APP, **settings}) as lms:
        return list(lms.check())


def at(path: str, answer: httpx.Response) -> Instead:
    return lambda request: answer if request.url.path.rstrip("/").endswith(f"/{path}") else None


def fault(status: int, code: Any = None, **more: Any) -> httpx.Response:
    body = {"imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": "made-up words"}
    return httpx.Response(status, json={**body, **({} if code is None else {"imsx_codeMinor": code}), **more})


def fields(code: str) -> dict[str, Any]:
    return {"imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": code}]}


def many(count: int) -> dict[str, list[dict[str, Any]]]:
    return {"enrollments": [row(f"e-{number:03}") for number in range(count)]}


TestConformance = conformance_tests("oneroster", fixtures="../fixtures/oneroster")


# one roster in every dress


@pytest.mark.parametrize("case", ["school", "v1p1"])
def test_a_roster_is_the_same_by_school_and_by_either_version(case: str) -> None:
    def without_origin(name: str) -> list[dict[str, Any]]:
        found = expected_of(name)["enrollments"]
        for one in found:
            one["custom_fields"].pop("score_text", None)  # the recording of 1.1 has none
        return [{**one, "remote_data": None} for one in found]

    assert without_origin("tenant") == without_origin(case)


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, "https://sis.example.com/ims/oneroster/rostering/v1p2/"),
        ({"base_url": "https://sis.example.com/"}, "https://sis.example.com/ims/oneroster/rostering/v1p2/"),
        (
            {"base_url": "https://sis.example.com/gate/t1/ims/oneroster"},
            "https://sis.example.com/gate/t1/ims/oneroster/rostering/v1p2/",
        ),
        (
            {"base_url": "https://sis.example.com/ims/oneroster/rostering/v1p2"},
            "https://sis.example.com/ims/oneroster/rostering/v1p2/",
        ),
        ({"version": "1.1"}, "https://sis.example.com/ims/oneroster/v1p1/"),
        (
            {"version": "1.1", "base_url": "https://sis.example.com/campus/ims/oneroster/v1p1"},
            "https://sis.example.com/campus/ims/oneroster/v1p1/",
        ),
        ({"rostering_url": "https://sis.example.com/or/roster"}, "https://sis.example.com/or/roster/"),
    ],
)
def test_the_services_address_is_found_behind_any_gateway_prefix(settings: dict[str, Any], address: str) -> None:
    server = Server()
    read(server, **settings)

    assert str(server.asked[-1].url).startswith(f"{address}enrollments?")


def test_a_gradebook_of_another_address_is_read_there() -> None:
    server = Server()
    everything(server, include_results=True, gradebook_url="https://sis.example.com/grades/v1p2")

    assert {one.url.path for one in server.asked if "results" in one.url.path} == {"/grades/v1p2/results"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"gradebook_url": "https://grades.example.org/v1p2"}, "another host"),
        ({"token_url": None}, "token_url"),
        ({"final_line_item": "Final"}, "include_results"),
        ({"school_ids": ["s-1"]}, "strategy"),
        ({"page_size": 0}, "page_size"),  # limit=0 is an error at some servers, and nothing at others
    ],
)
def test_settings_that_cannot_work_are_told_at_once(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(Server(), **settings)


def test_paths_may_end_with_a_slash() -> None:
    server = Server()
    read(server, trailing_slash=True)

    assert server.asked[-1].url.path == f"{ROSTER}/enrollments/"


def test_a_redirect_to_the_slash_at_the_same_host_is_followed_signed_in() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and not request.url.path.endswith("/"):
            return httpx.Response(308, headers={"Location": f"{request.url.path}/?{request.url.query.decode()}"})
        return None

    server = Server(instead=instead)

    assert ids(read(server)) == ["e-1"]
    assert server.asked[-1].headers["authorization"] == "Bearer made-up-access-token"


# signing in


def test_client_credentials_go_into_a_basic_header_with_the_least_scope() -> None:
    server = Server()
    read(server)
    body = dict(httpx.QueryParams(server.asked[0].content.decode()))

    assert server.asked[0].headers["authorization"].startswith("Basic ")
    assert body == {
        "grant_type": "client_credentials",
        "scope": "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly",
    }


@pytest.mark.parametrize(
    ("settings", "scopes"),
    [
        ({"include_results": True}, ["v1p2/scope/roster-core.readonly", "v1p2/scope/gradebook-core.readonly"]),
        ({"strategy": "school"}, ["v1p2/scope/roster.readonly"]),
        ({"version": "1.1"}, ["v1p1/scope/roster.readonly"]),
        ({"version": "1.1", "include_results": True}, ["v1p1/scope/roster.readonly", "v1p1/scope/gradebook.readonly"]),
        ({"scope": "mine"}, ["mine"]),
    ],
)
def test_scopes_follow_what_is_read_and_never_ask_for_demographics(settings: dict[str, Any], scopes: list[str]) -> None:
    server = Server()
    read(server, **settings)
    asked = dict(httpx.QueryParams(server.asked[0].content.decode()))["scope"]

    assert [one.removeprefix("https://purl.imsglobal.org/spec/or/") for one in asked.split()] == scopes


def test_client_and_secret_may_be_wanted_in_the_form_and_no_scope_at_all() -> None:
    server = Server()
    read(server, client_auth="form", scope="")

    assert dict(httpx.QueryParams(server.asked[0].content.decode())) == {
        "grant_type": "client_credentials",
        "client_id": "app",
        "client_secret": "made-up-secret",
    }


def test_a_token_address_that_redirects_to_the_issuer_is_named() -> None:
    elsewhere = httpx.Response(307, headers={"Location": "https://issuer.example.org/oauth/token"})
    server = Server(instead=lambda request: elsewhere if request.method == "POST" else None)
    with pytest.raises(ContractError, match=r"redirects to https://issuer\.example\.org/oauth/token"):
        read(server)

    assert len(server.asked) == 1


def signed(request: httpx.Request) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', request.headers["authorization"]))


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA1"])
def test_oauth1_signs_each_request_with_the_method_of_the_settings_and_gets_no_token(method: str) -> None:
    server = Server()
    read(server, **OLD, token_url=None, signature_method=method)

    assert [request.method for request in server.asked] == ["GET"]
    assert signed(server.asked[0])["oauth_signature_method"] == method
    assert signed(server.asked[0])["oauth_consumer_key"] == "key"


def test_oauth1_nonces_are_new_for_every_attempt() -> None:
    failing = iter([httpx.Response(503), httpx.Response(502)])
    server = Server(many(3), instead=lambda _request: next(failing, None))
    read(server, **OLD, token_url=None, page_size=1)

    assert len({signed(request)["oauth_nonce"] for request in server.asked}) == len(server.asked) == 5


def test_oauth1_signs_a_filter_as_it_is_sent() -> None:
    """A space is %20, never a plus: that is where signatures break."""
    server = Server()
    read(server, since="2026-03-01T12:00:00+00:00", **OLD, token_url=None)

    assert b"filter=dateLastModified%3E%3D%272026-02-28T12%3A00%3A00.000Z%27" in server.asked[0].url.query


# pages


def test_a_silently_clamped_limit_loses_nothing() -> None:
    server = Server(many(23), most=5, headers=False)

    assert len(set(ids(read(server, page_size=1000)))) == 23
    assert [query["offset"] for query in server.queries("enrollments")] == ["0", "5", "10", "15", "20", "23"]


def test_a_short_page_is_not_the_end_without_headers() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("enrollments") and request.url.params["offset"] == "0":
            return httpx.Response(200, json={"enrollments": [row("e-000")]})
        return None

    assert len(ids(read(Server(many(4), instead, headers=False), page_size=3))) == 4


def test_a_total_ends_the_list_without_an_empty_page() -> None:
    server = Server(many(6))
    pages = read(server, page_size=3)

    assert [query["offset"] for query in server.queries("enrollments")] == ["0", "3"]
    assert {page.total for page in pages} == {6}


def test_a_link_to_a_next_page_outvotes_a_total_that_counts_the_page() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("enrollments"):
            return None
        rows = many(5)["enrollments"][int(request.url.params["offset"]) :][:2]
        more = {"Link": '<http://10.0.0.7/enrollments?offset=2>; rel="next"'} if len(rows) == 2 else {}
        return httpx.Response(200, json={"enrollments": rows}, headers={"X-Total-Count": str(len(rows)), **more})

    server = Server(instead=instead)

    assert len(ids(read(server, page_size=2))) == 5
    assert {request.url.host for request in server.asked} == {"sis.example.com", "login.example.com"}


def test_a_server_that_ignores_the_offset_is_an_error_and_not_a_loop() -> None:
    page = httpx.Response(200, json={"enrollments": [row("e-1"), row("e-2")]})
    with pytest.raises(ContractError, match="repeats itself"):
        read(Server(instead=at("enrollments", page)))


def test_every_list_is_asked_for_in_the_order_of_ids() -> None:
    server = Server()
    everything(server, include_results=True)
    lists = [one for one in server.asked if "limit" in one.url.params]

    assert {(one.url.params["sort"], one.url.params["orderBy"]) for one in lists} == {("sourcedId", "asc")}
    assert len(lists) == 5  # courses and sessions are not read: no class is there to ask for them


def test_a_server_without_sorting_is_asked_once_more_without() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(400, fields("invalid_sort_field")) if "sort" in request.url.params else None

    server = Server(many(4), instead)

    assert len(ids(read(server, page_size=2))) == 4
    assert ["sort" in query for query in server.queries("enrollments")] == [True, False, False]


def test_sorting_can_be_switched_off() -> None:
    server = Server()
    read(server, sort=False)

    assert server.queries("enrollments") == [{"limit": "100", "offset": "0"}]


def test_a_refused_large_limit_becomes_the_usual_one() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(400, "invalid_data") if int(request.url.params.get("limit", 0)) > 500 else None

    server = Server(many(3), instead)

    assert len(ids(read(server, page_size=1000))) == 3
    assert server.queries("enrollments")[-1]["limit"] == "100"


def test_a_request_that_is_refused_however_it_is_asked_is_an_error_with_its_code() -> None:
    server = Server(instead=at("enrollments", fault(400, fields("invaliddata"))))
    with pytest.raises(ContractError, match=r"400, invaliddata") as caught:
        read(server)

    assert "made-up words" not in str(caught.value)
    assert "use_filter" in caught.value.hint


def test_a_gateway_that_gives_up_is_asked_for_half_the_page() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(504, html="<html>") if int(request.url.params.get("limit", 0)) > 30 else None

    server = Server(many(40), instead)

    assert len(ids(read(server, page_size=100))) == 40
    assert [query["limit"] for query in server.queries("enrollments")] == ["100", "50", "25", "25"]


def test_rows_may_come_bare() -> None:
    bare = httpx.Response(200, json=[row("e-1")], headers={"X-Total-Count": "1"})

    assert ids(read(Server(instead=at("enrollments", bare)))) == ["e-1"]


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"enrollments": None}, {"enrollments": {}}, "none", 7])
def test_a_body_without_the_list_is_never_an_empty_one(body: Any) -> None:
    with pytest.raises(ContractError):
        read(Server(instead=at("enrollments", httpx.Response(200, json=body))))


def test_a_gateway_that_refuses_sorting_with_a_web_page_is_asked_without() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(400, html="<html>") if "sort" in request.url.params else None

    assert ids(read(Server(instead=instead))) == ["e-1"]


def test_a_school_without_an_id_is_not_the_whole_roster() -> None:
    lists = {"schools": [{"sourcedId": ""}, {"sourcedId": "s-1"}], "enrollments": [row()]}
    server = Server(lists)
    read(server, strategy="school")

    assert [one.url.path.removeprefix(ROSTER) for one in server.asked[1:]] == ["/schools", "/schools/s-1/enrollments"]


def test_a_cursor_of_another_connector_is_refused() -> None:
    with pytest.raises(CursorExpired):
        read(Server(), cursor={"page": 2})


def test_reading_goes_on_at_an_offset_and_keeps_when_it_began() -> None:
    first = read(Server(many(5)), page_size=2)[0]
    rest = read(Server(many(5)), first.cursor, page_size=2)

    assert (first.cursor, ids(rest)) == ({"at": 2, "begun": "2026-03-01T12:00:00+00:00"}, ["e-002", "e-003", "e-004"])
    assert rest[-1].watermark == "2026-03-01T12:00:00+00:00"


# only what changed


def test_changes_are_asked_for_from_a_day_before_the_servers_clock_said_at_the_last_reading() -> None:
    """Rows' own times lag, are cut to milliseconds and may be in another zone: they are no watermark."""
    server = Server({"enrollments": [row(dateLastModified="2031-01-01T00:00:00.000Z")]})
    mark = read(server)[-1].watermark
    read(server, since=mark)

    assert mark == "2026-03-01T12:00:00+00:00"
    assert server.queries("enrollments")[-1]["filter"] == "dateLastModified>='2026-02-28T12:00:00.000Z'"


@pytest.mark.parametrize("settings", [{"include_results": True}, {"use_filter": False}])
def test_without_a_filter_to_rely_on_every_reading_is_a_full_one(settings: dict[str, Any]) -> None:
    """Results change without their enrollments, so that with them no filter would do."""
    assert [page.watermark for page in read(Server(), **settings)] == [None]


def test_a_server_that_tells_no_time_is_read_in_full_each_time() -> None:
    silent = httpx.Response(200, json={"enrollments": []})

    assert [page.watermark for page in read(Server(instead=at("enrollments", silent)))] == [None]


def test_a_server_that_ignores_the_filter_gives_more_rows_and_no_harm() -> None:
    assert ids(read(Server(many(3)), since="2026-03-01T12:00:00+00:00")) == ["e-000", "e-001", "e-002"]


def test_a_refused_filter_is_told_with_the_setting_that_does_without() -> None:
    """To leave it out in silence would read everything and yet never notice what is gone."""

    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(400, "invalid_filter_field") if "filter" in request.url.params else None

    server = Server(instead=instead)
    with pytest.raises(ContractError, match="invalid_filter_field") as caught:
        read(server, since="2026-03-01T12:00:00+00:00")

    assert "use_filter = false" in caught.value.hint
    assert len(server.queries("enrollments")) == 1


def synced(server: Server, store: Store) -> Report:
    async def run() -> Report:
        async with open_connection("o", "oneroster", APP, transport=server.transport) as connection:
            return await Sync(connection, store, clock=lambda: AS_OF).run()

    return asyncio.run(run())


def test_a_second_sync_asks_for_changes_and_for_the_people_and_classes_in_them_one_by_one() -> None:
    with Store(PRIVATE) as store:
        first = synced(Server(), store)
        objects = {
            "u-1": {"user": {"sourcedId": "u-1", "givenName": "Ana", "familyName": "Silva"}},
            "c-1": {"class": {"sourcedId": "c-1", "title": "Biology"}},
        }

        def instead(request: httpx.Request) -> httpx.Response | None:
            found = objects.get(request.url.path.rpartition("/")[2])
            return httpx.Response(200, json=found) if found else None

        changed = Server({"enrollments": [row(status="tobedeleted")]}, instead)
        second = synced(changed, store)
        [stored] = store.rows("o")

    assert (first.mode, second.mode) == ("full", "incremental")
    assert (stored["status"], stored["user_name"], stored["course_title"]) == ("withdrawn", "Ana Silva", "Biology")
    assert [one.url.path.removeprefix(ROSTER) for one in changed.asked[1:]] == [
        "/enrollments",
        "/users/u-1",
        "/classes/c-1",
    ]


def test_a_nightly_job_that_touched_every_row_does_not_ask_for_people_one_by_one() -> None:
    lists = {"enrollments": [row(f"e-{number:03}", f"u-{number}") for number in range(100)]}
    with Store(PRIVATE) as store:
        synced(Server(lists), store)
        again = Server(lists)
        report = synced(again, store)

    assert report.mode == "incremental"
    assert [one.url.path.removeprefix(ROSTER) for one in again.asked[1:]] == ["/enrollments", "/users", "/classes/c-1"]


def test_a_roster_that_shrank_to_nothing_removes_nobody_unasked() -> None:
    """A token that lost its organization gets 200 and an empty list."""
    with Store(PRIVATE) as store:
        synced(Server({"enrollments": many(40)["enrollments"]}, headers=False), store)
        silent = httpx.Response(200, json={"enrollments": []})

        async def run() -> Report:
            server = Server(instead=at("enrollments", silent))
            async with open_connection("o", "oneroster", APP, transport=server.transport) as connection:
                return await Sync(connection, store, clock=lambda: AS_OF).run(full=True)

        report = asyncio.run(run())
        rows = list(store.rows("o"))

    assert (report.counts.removed, report.removals_held) == (0, 40)
    assert {one["status"] for one in rows} == {"enrolled"}


# errors


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (fault(401), AuthError, "401"),
        (fault(403, fields("forbidden")), Forbidden, "403"),
        (fault(404, fields("unknownobject")), ContractError, "no such list"),
        (httpx.Response(405, html="<html>"), ContractError, "no such list"),
        (fault(501, "unsupported"), ContractError, "no such list"),
        (fault(422, "invaliddata"), ContractError, "422"),
        (httpx.Response(429, text="Too many requests, please try again later."), RateLimited, "429"),
        (
            httpx.Response(429, json={"imsx_codeMinor": "server_busy"}, headers={"Retry-After": "900"}),
            RateLimited,
            "429",
        ),
        (httpx.Response(403, html="<html>gateway</html>"), Forbidden, "403"),
        (httpx.Response(200, html="<html>log in</html>"), ContractError, "web page"),
        (httpx.Response(400, html="<html>gateway</html>"), ContractError, "400"),
    ],
)
def test_each_answer_is_an_error_that_says_whose_fault_it_is(
    answer: httpx.Response, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said) as caught:
        read(Server(instead=at("enrollments", answer)))

    assert "made-up words" not in str(caught.value)


FAILURE = {"imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": "made-up words"}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("unauthorisedrequest", AuthError),
        ("forbidden", Forbidden),
        ("server_busy", RateLimited),
        ("unknownobject", ContractError),  # of a list: it must not read as empty
        ("deletefailure", ContractError),
        ("Ana Silva may not", ContractError),
    ],
)
@pytest.mark.parametrize("wrap", ["statusInfoSet", "imsx_statusInfo", "imsx_StatusInfo", "flat"])
def test_a_failure_beside_the_data_counts_though_the_answer_is_200(
    code: str, error: type[Exception], wrap: str
) -> None:
    status = {**FAILURE, "imsx_CodeMinor": fields(code)}
    body = {"statusInfoSet": [status]} if wrap == "statusInfoSet" else {wrap: status} if wrap != "flat" else status
    answer = httpx.Response(200, json={"enrollments": [row()], **body})
    with pytest.raises(error) as caught:
        read(Server(instead=at("enrollments", answer)))

    assert "Ana" not in str(caught.value)


def test_a_warning_beside_the_data_is_logged_without_its_text_and_a_success_is_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def told(severity: str) -> list[Any]:
        status = {**FAILURE, "imsx_codeMajor": "success", "imsx_severity": severity, "imsx_codeMinor": "invaliddata"}
        answer = httpx.Response(
            200, json={"enrollments": [row()], "statusInfoSet": [status]}, headers={"X-Total-Count": "1"}
        )
        return ids(read(Server(instead=at("enrollments", answer))))

    with caplog.at_level(logging.WARNING, "rollbook.oneroster"):
        assert told("status") == ["e-1"]
        assert caplog.messages == []
        assert told("warning") == ["e-1"]

    assert caplog.messages == [f"GET {ROSTER}/enrollments: the server warns (invaliddata)"]


def test_a_failed_answer_once_makes_no_difference() -> None:
    failing = iter([httpx.Response(200, json=TOKEN), fault(500), httpx.Response(502, html="<html>")])

    assert ids(read(Server(instead=lambda _request: next(failing, None)))) == ["e-1"]


# check


def test_a_check_is_silent_where_all_is_well() -> None:
    assert check(Server(), include_results=True) == []


def test_a_check_tells_a_wrong_secret_from_a_missing_scope() -> None:
    refused = httpx.Response(401, json={"error": "invalid_client"})
    with pytest.raises(AuthError, match="invalid_client"):
        check(Server(instead=lambda request: refused if request.method == "POST" else None))
    with pytest.raises(AuthError) as caught:
        check(Server(instead=at("enrollments", fault(401))))
    [notice] = check(Server(instead=at("classes", fault(403))))

    assert "client_secret" in caught.value.hint
    assert (notice.level, "scope" in notice.text, "No classes" in notice.text) == ("missing", True, True)


def test_a_check_tells_that_there_is_no_gradebook_service() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(404) if "/gradebook/" in request.url.path else None

    notices = check(Server(instead=instead), include_results=True)

    assert [one.text.partition(":")[0] for one in notices] == ["No lineItems", "No results"]
    assert {("include_results = false" in one.text, one.level) for one in notices} == {(True, "missing")}


def test_a_missing_gradebook_is_told_and_never_reads_as_nobody_having_begun() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(404) if request.url.path.endswith("/results") else None

    with pytest.raises(ContractError, match="no such list"):
        everything(Server(instead=instead), include_results=True)


def test_an_empty_list_of_enrollments_is_told_loudly() -> None:
    """A token for no organization gets 200 and no rows."""
    [notice] = check(Server({}))

    assert (notice.level, "no organization" in notice.text) == ("reduced", True)


@pytest.mark.parametrize(
    ("settings", "path"), [({}, "schools"), ({"school_ids": ["s 9"]}, "schools/s%209/enrollments")]
)
def test_a_check_of_single_schools_asks_for_theirs(settings: dict[str, Any], path: str) -> None:
    server = Server()
    check(server, strategy="school", **settings)

    assert f"{ROSTER}/{path}" in [one.url.raw_path.decode().partition("?")[0] for one in server.asked]


def test_a_missing_course_list_is_told_with_the_setting_that_does_without() -> None:
    [notice] = check(Server(instead=at("courses", fault(404))))

    assert "fetch_courses = false" in notice.text


# joins


def test_where_the_list_of_users_is_closed_the_students_are_read() -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        return fault(403) if request.url.path.endswith("/users") else None

    lists = {"enrollments": [row()], "students": [{"sourcedId": "u-1", "givenName": "Ana", "familyName": "Silva"}]}

    assert everything(Server(lists, instead))["e-1"].user.name == "Ana Silva"
    assert check(Server(lists, instead)) == []
    with pytest.raises(Forbidden):
        everything(Server(lists, instead), include_staff=True)


def test_an_empty_id_joins_nobody() -> None:
    lists = {
        "enrollments": [row("e-1"), row("e-2", user="")],
        "users": [{"sourcedId": "", "givenName": "Nobody"}, {"sourcedId": "u-1", "givenName": "Ana"}],
    }
    found = everything(Server(lists))

    assert [found[id].user.name for id in ("e-1", "e-2")] == ["Ana", None]


def test_orphans_keep_their_ids_and_have_no_names() -> None:
    one = everything(Server())["e-1"]

    assert (one.user.id, one.user.name, one.course.id, one.course.title) == ("u-1", None, "c-1", None)


def test_of_a_person_no_password_telephone_or_guardian_is_kept() -> None:
    for case in ("tenant", "v1p1"):
        kept = json.dumps([one["remote_data"]["user"] for one in expected_of(case)["enrollments"]])

        assert not re.search("password|sms|phone|agents|\\+1555", kept)
    assert not any("demographics" in one.url for one in TENANT.load().exchanges)


def test_courses_are_read_unless_it_is_switched_off() -> None:
    lists = {
        "enrollments": [row()],
        "classes": [{"sourcedId": "c-1", "title": "P2", "course": {"sourcedId": "k-1"}}],
        "courses": [{"sourcedId": "k-1", "title": "Biology"}],
    }
    server = Server(lists)
    with_courses, without = everything(Server(lists))["e-1"], everything(server, fetch_courses=False)["e-1"]

    assert (with_courses.custom_fields["parent_course_title"], with_courses.course.title) == ("Biology", "P2")
    assert "parent_course_title" not in without.custom_fields
    assert server.queries("courses") == []


def test_a_district_is_read_in_flat_lists_without_a_request_for_each_row() -> None:
    recorded = RecordedLms(TENANT.load().exchanges)
    with connect("oneroster", clock=lambda: AS_OF, transport=recorded, **TENANT.settings) as lms:
        count = len(list(lms.enrollments()))
    paths = [httpx.URL(one.url).path for one in recorded.asked]

    assert count == 18
    assert {path.rpartition("/")[2] for path in paths} == {
        "token",
        "enrollments",
        "users",
        "classes",
        "courses",
        "academicSessions",
        "lineItems",
        "results",
    }


# single enrollments


@pytest.mark.parametrize(
    ("id", "path"),
    [
        ("enr/2026:A 1", b"enr%2F2026%3AA%201"),
        ("enr?x=1&y=2#z", b"enr%3Fx%3D1%26y%3D2%23z"),
        ("enr-é%41+b", b"enr-%C3%A9%2541%2Bb"),
    ],
)
def test_every_sign_of_an_id_is_encoded_in_the_path(id: str, path: bytes) -> None:
    def instead(request: httpx.Request) -> httpx.Response | None:
        asked = request.url.raw_path == f"{ROSTER}/enrollments/".encode() + path
        return httpx.Response(200, json={"enrollment": row(id)}) if asked else None

    with connect("oneroster", transport=Server(instead=instead).transport, **APP) as lms:
        assert lms.enrollment(id).id == id


@pytest.mark.parametrize("answer", [fault(404), fault(200, "unknownobject")])
def test_an_enrollment_that_is_not_there_is_gone(answer: httpx.Response) -> None:
    server = Server(instead=at("e-0", answer))
    with connect("oneroster", transport=server.transport, **APP) as lms, pytest.raises(Gone):
        lms.enrollment("e-0")


def test_another_enrollment_than_was_asked_for_is_an_error() -> None:
    server = Server(instead=at("e-0", httpx.Response(200, json={"enrollment": row("e-1")})))
    with connect("oneroster", transport=server.transport, **APP) as lms, pytest.raises(ContractError):
        lms.enrollment("e-0")


def test_a_single_enrollment_finds_its_results_where_nested_lists_are_closed() -> None:
    lists = {
        "lineItems": [{"sourcedId": "li", "class": {"sourcedId": "c-1"}}],
        "results": [
            {"lineItem": {"sourcedId": "li"}, "student": {"sourcedId": id}, "scoreStatus": "submitted"}
            for id in ("u-2", "u-1")
        ],
    }

    def instead(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/enrollments/e-1"):
            return httpx.Response(200, json={"enrollment": row()})
        return fault(403) if "/gradebook/v1p2/classes/" in request.url.path else None

    server = Server(lists, instead)
    with connect("oneroster", clock=lambda: AS_OF, transport=server.transport, include_results=True, **APP) as lms:
        assert lms.enrollment("e-1").status == "in_progress"


# how many requests


def estimate(server: Server, **settings: Any) -> Estimate:
    async def run() -> Estimate:
        async with open_connection("o", "oneroster", {**APP, **settings}, transport=server.transport) as opened:
            return await opened.connector.estimate()

    return asyncio.run(run())


def test_an_estimate_is_exact_where_totals_are_told_and_a_lower_bound_elsewhere() -> None:
    lists = many(25)
    told, untold = estimate(Server(lists), page_size=10), estimate(Server(lists, headers=False), page_size=10)

    assert (told.requests, told.exact) == (3 + 4, True)
    assert (untold.requests, untold.exact) == (2 + 4, False)


def test_an_estimate_counts_pages_as_large_as_the_server_gives_them() -> None:
    assert estimate(Server(many(25), most=5), page_size=1000).requests == 5 + 4


# what a record says


def mapped(day: str = "2026-03-01", /, **members: Any) -> Any:
    """Map a record as of noon of a day; `enrollment` is laid over an active one."""
    enrollment = {**row(), **members.pop("enrollment", {})}
    settings = {**SETTINGS, **members.pop("settings", {})}
    native = {"user": None, "class": None, "course": None, "terms": None, "work": None, **members}
    normalizer = compile(read_definition(find("oneroster"), {}), settings)
    return normalizer.normalize(
        {"enrollment": {key: value for key, value in enrollment.items() if value != "left out"}, **native},
        as_of=datetime.fromisoformat(f"{day}T12:00:00+00:00"),
    )


def one(day: str = "2026-03-01", /, **members: Any) -> Any:
    found = mapped(day, **members)
    assert isinstance(found, Mapped)
    assert found.flaws == ()
    return found.enrollment


def in_terms(*ends: str | None) -> dict[str, Any]:
    """Give a class and its academic sessions; None is one that the list does not have."""
    refs = [{"sourcedId": f"t-{number}"} for number, _ in enumerate(ends)]
    terms = [end and {"sourcedId": "t", "title": "T", "endDate": end} for end in ends]
    return {"class": {"sourcedId": "c-1", "status": "active", "terms": refs}, "terms": terms}


def work(status: str, **more: Any) -> dict[str, Any]:
    return {"work": {"pair": "c-1\nu-1", "results": [{"scoreStatus": status, **more}]}}


SPRING = in_terms("2026-06-20")
DONE = in_terms("2025-12-20")


@pytest.mark.parametrize(
    ("members", "status"),
    [
        # the record's own word, in any case; missing is active; an unknown word is never active
        ({"enrollment": {"status": "active"}}, "enrolled"),
        ({"enrollment": {"status": "Active"}}, "enrolled"),
        ({"enrollment": {"status": "left out"}}, "enrolled"),
        ({"enrollment": {"status": None}}, "enrolled"),
        ({"enrollment": {"status": "tobedeleted"}}, "withdrawn"),
        ({"enrollment": {"status": "ToBeDeleted"}}, "withdrawn"),
        ({"enrollment": {"status": "inactive"}}, "withdrawn"),
        ({"enrollment": {"status": "pending"}}, "unknown"),
        ({"enrollment": {"status": "pending", "endDate": "2025-01-01"}, **SPRING}, "unknown"),
        # its class; a deleted person is no withdrawal, and neither is a deactivated one
        ({"class": {"status": "tobedeleted"}}, "withdrawn"),
        ({"class": {"status": "TOBEDELETED"}, **work("submitted")}, "withdrawn"),
        ({"class": {"status": "inactive"}}, "withdrawn"),
        ({"user": {"status": "tobedeleted"}}, "enrolled"),
        ({"user": {"enabledUser": "false"}}, "enrolled"),
        # its dates: enrolled before it begins; ended is withdrawn before the sessions' end, else expired
        ({"enrollment": {"beginDate": "2026-09-01"}}, "enrolled"),
        ({"enrollment": {"endDate": "2026-06-20"}, **SPRING}, "enrolled"),
        ({"enrollment": {"endDate": "2026-02-01"}, **SPRING}, "withdrawn"),
        ({"enrollment": {"endDate": "2026-03-01"}, **SPRING}, "withdrawn"),  # exclusive: over on its day
        ({"enrollment": {"endDate": "2026-03-02"}, **SPRING}, "enrolled"),
        ({"enrollment": {"endDate": "2025-12-20"}, **DONE}, "expired"),
        ({"enrollment": {"endDate": "2026-01-10"}, **DONE}, "expired"),
        ({"enrollment": {"endDate": "2025-12-20"}}, "expired"),
        ({"enrollment": {"endDate": "2025-12-20"}, **in_terms()}, "expired"),
        ({"enrollment": {"endDate": "2025-12-20"}, **in_terms(None)}, "expired"),
        ({"enrollment": {"endDate": "2025-12-20"}, **in_terms("2025-12-20", "2026-06-20")}, "withdrawn"),
        ({"enrollment": {"endDate": "2025-12-20", "status": "tobedeleted"}, **DONE}, "withdrawn"),
        # no end of its own: over with the last of its sessions, if all of them are known
        (DONE, "expired"),
        (SPRING, "enrolled"),
        (in_terms("2025-12-20", "2026-06-20"), "enrolled"),
        (in_terms("2025-12-20", None), "enrolled"),
        (in_terms("2025-10-20", "2025-12-20"), "expired"),
        ({"enrollment": {"endDate": "2026-06-20"}, **DONE}, "enrolled"),
        # work
        (work("submitted"), "in_progress"),
        (work("partially graded"), "in_progress"),
        (work("Fully Graded"), "in_progress"),
        (work("not submitted"), "enrolled"),
        (work("not submitted", inProgress="true"), "in_progress"),
        (work("not submitted", inProgress="false", late="true", missing="true"), "enrolled"),
        (work("exempt"), "enrolled"),
        ({**work("fully graded"), **DONE}, "expired"),
        ({**work("fully graded"), "enrollment": {"endDate": "2026-02-01"}, **SPRING}, "withdrawn"),
        ({**work("fully graded"), "enrollment": {"status": "tobedeleted"}}, "withdrawn"),
        ({**work("fully graded"), "enrollment": {"status": "inactive"}}, "withdrawn"),
    ],
)
def test_status(members: dict[str, Any], status: str) -> None:
    found = one(**members)

    assert (found.status, found.completed_at) == (status, None)


def test_a_status_changes_with_the_calendar_alone() -> None:
    ended = {"enrollment": {"endDate": "2026-02-01"}, **SPRING}

    assert [one(day, **ended).status for day in ("2026-01-31", "2026-02-01")] == ["enrolled", "withdrawn"]
    assert [one(day, **SPRING).status for day in ("2026-06-19", "2026-06-20")] == ["enrolled", "expired"]


def test_words_nobody_has_heard_of_are_told() -> None:
    found = mapped(
        enrollment={"status": "pending", "role": "ext:coach"}, **{"class": {"status": "archived"}}, **work("redo")
    )

    assert {(drift.what, drift.value) for drift in found.drift} == {
        ("status", "pending"),
        ("role", "ext:coach"),
        ("class_status", "archived"),
        ("result", "redo"),
    }


def test_a_role_that_is_set_as_a_learners_is_known() -> None:
    found = mapped(enrollment={"role": "ext:Coach"}, settings={"learner_roles": ["ext:coach"]})

    assert found.drift == ()


def test_an_end_is_an_override_away_from_completed() -> None:
    rule = {"when": "past(datetime(enrollment.endDate))", "then": "completed"}
    override = {
        "course_enrollment": {"status": {"rules": {"ended": rule}}, "completed_at": "datetime(enrollment.endDate)"}
    }
    normalizer = compile(read_definition(find("oneroster"), override), SETTINGS)
    native = {"enrollment": row(endDate="2025-12-20"), **DONE, "user": None, "course": None, "work": None}
    result = normalizer.normalize(native, as_of=AS_OF)
    assert isinstance(result, Mapped)
    found = result.enrollment

    assert (found.status, found.completed_at) == ("completed", datetime(2025, 12, 20, tzinfo=UTC))


@pytest.mark.parametrize(
    ("role", "settings", "outcome"),
    [
        ("student", {}, "in"),
        ("Student", {}, "in"),
        ("ext:student", {}, "in"),
        (None, {}, "in"),
        ("teacher", {}, "staff"),
        ("Teacher", {}, "staff"),
        ("aide", {}, "staff"),
        ("proctor", {}, "staff"),
        ("administrator", {}, "staff"),
        ("invigilator", {}, "staff"),
        ("principal", {}, "staff"),
        ("guardian", {}, "observer"),
        ("parent", {}, "observer"),
        ("relative", {}, "observer"),
        ("teacher", {"include_staff": True}, "in"),
        ("parent", {"include_staff": True}, "in"),
        ("aide", {"learner_roles": ["student", "aide"]}, "in"),
    ],
)
def test_only_roles_that_are_known_to_be_others_are_left_out(
    role: str | None, settings: dict[str, Any], outcome: str
) -> None:
    found = mapped(enrollment={"role": role}, settings=settings)

    assert outcome == (found.reason if isinstance(found, Skipped) else "in")


@pytest.mark.parametrize(
    "value",
    ["2026-01-08T06:00:00.000Z", "2026-01-08T06:00:00Z", "2026-01-08T06:00:00+00:00", "2026-01-08T06:00:00"],
)
def test_times_are_utc_however_they_are_written(value: str) -> None:
    found = one(enrollment={"dateLastModified": value}, settings={"timezone": "America/Chicago"})

    assert found.updated_at == datetime(2026, 1, 8, 6, tzinfo=UTC)


def test_dates_are_whole_days_of_the_connections_zone() -> None:
    enrollment = {"beginDate": "2026-01-05", "endDate": "2026-06-20"}
    here = one(enrollment=enrollment)
    chicago = one(enrollment=enrollment, settings={"timezone": "America/Chicago"})

    assert here.enrolled_at == datetime(2026, 1, 5, tzinfo=UTC)
    assert here.custom_fields["access_ends_at"] == "2026-06-20T00:00:00Z"
    assert chicago.enrolled_at == datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("enabled", "status", "active"),
    [
        ("false", "active", False),
        ("true", "active", True),
        (False, None, False),
        (True, None, True),
        ("true", "ToBeDeleted", False),
        ("true", "inactive", False),
        (None, "active", None),
    ],
)
def test_a_false_that_is_a_text_is_false(enabled: Any, status: str | None, active: Any) -> None:
    found = one(user={"enabledUser": enabled, "status": status})

    assert found.custom_fields.get("user_active") is active


@pytest.mark.parametrize(
    ("user", "name", "emails"),
    [
        ({"givenName": "Ana", "familyName": "Silva", "email": "a@example.com"}, "Ana Silva", [("a@example.com", None)]),
        ({"givenName": "", "familyName": " Silva ", "email": ""}, "Silva", []),
        ({"username": "ana.silva"}, None, []),
        ({"username": "ana@example.com", "email": ""}, None, [("ana@example.com", "login")]),
        ({"username": "ana@example.com", "email": "b@example.com"}, None, [("b@example.com", None)]),
        (None, None, []),
    ],
)
def test_a_login_is_no_name_and_an_address_only_where_there_is_no_other(
    user: Any, name: str | None, emails: list[tuple[str, str | None]]
) -> None:
    found = one(user=user).user

    assert (found.name, [(mail.email, mail.type) for mail in found.emails]) == (name, emails)


def test_preferred_names_are_used_only_by_setting() -> None:
    user = {"givenName": "Anna", "familyName": "Silva", "preferredFirstName": "Anita"}

    assert one(user=user).user.name == "Anna Silva"
    assert one(user=user, settings={"preferred_names": True}).user.name == "Anita Silva"
    user = {"givenName": "Anna", "familyName": "Silva", "preferredLastName": "Souza"}
    assert one(user=user, settings={"preferred_names": True}).user.name == "Anna Souza"


def test_what_servers_leave_empty_or_write_in_another_form_is_no_flaw() -> None:
    found = one(
        enrollment={"metadata": None, "primary": False, "beginDate": None, "endDate": ""},
        user={"grades": [], "metadata": {}, "email": ""},
        **{"class": {"title": "", "subjects": "Science,Maths", "terms": None}},
    )

    assert (found.course.title, found.enrolled_at) == (None, None)
    assert not {"metadata", "grades", "access_ends_at"} & set(found.custom_fields)


def test_the_class_is_the_course_and_its_course_the_one_above() -> None:
    found = one(
        **{"class": {"sourcedId": "c-1", "title": "Biology - P2", "course": {"sourcedId": "k-1"}}},
        course={"sourcedId": "k-1", "title": "Biology"},
    )

    assert (found.course.id, found.course.title) == ("c-1", "Biology - P2")
    assert (found.custom_fields["parent_course_id"], found.custom_fields["parent_course_title"]) == ("k-1", "Biology")


def test_a_student_who_came_back_and_one_who_also_teaches_have_a_row_each() -> None:
    rows = [row("e-1"), row("e-2", beginDate="2026-02-01"), row("e-3", role="teacher", primary="true")]

    assert list(everything(Server({"enrollments": rows}), include_staff=True)) == ["e-1", "e-2", "e-3"]


# the gradebook


def graded(results: list[dict[str, Any]], items: list[dict[str, Any]] | None = None, **settings: Any) -> Any:
    lists = {
        "enrollments": [row()],
        "lineItems": items
        or [{"sourcedId": "li", "title": "Final", "class": {"sourcedId": "c-1"}, "resultValueMax": 20}],
        "results": [{"lineItem": {"sourcedId": "li"}, "student": {"sourcedId": "u-1"}, **one} for one in results],
    }
    given = {"include_results": True, "final_line_item": "final", "page_size": 2, **settings}
    return everything(Server(lists), **given)["e-1"]


@pytest.mark.parametrize(
    ("results", "score"),
    [
        ([{"scoreStatus": "fully graded", "score": 18}], 90),
        ([{"scoreStatus": "fully graded", "score": 0}], 0),
        ([{"scoreStatus": "fully graded", "score": 22}], 110),
        ([{"scoreStatus": "exempt", "score": 0}], None),
        ([{"scoreStatus": "not submitted", "score": None}], None),
        ([{"scoreStatus": "fully graded", "score": 18, "status": "tobedeleted"}], None),
        (
            [
                {"scoreStatus": "fully graded", "score": 10, "scoreDate": "2026-02-10"},
                {"scoreStatus": "fully graded", "score": 20, "scoreDate": "2026-02-20T08:00:00.000Z"},
                {"scoreStatus": "fully graded", "score": 1, "scoreDate": "2026-02-01"},
                {"scoreStatus": "exempt", "score": 0, "scoreDate": "2026-02-28"},
            ],
            100,
        ),
    ],
)
def test_the_score_is_the_last_of_the_final_line_item_as_percent(results: list[Any], score: float | None) -> None:
    assert graded(results).score == score


@pytest.mark.parametrize(
    ("item", "score"),
    [
        ({"title": "Final"}, 15),
        ({"title": "Final", "resultValueMin": 10, "resultValueMax": 20}, 50),
        ({"title": "Essay", "resultValueMax": 20}, None),
        ({"title": "Final", "resultValueMax": 20, "status": "tobedeleted"}, None),
    ],
)
def test_a_score_without_a_maximum_stays_as_it_is(item: dict[str, Any], score: float | None) -> None:
    found = graded(
        [{"scoreStatus": "fully graded", "score": 15}], [{"sourcedId": "li", "class": {"sourcedId": "c-1"}, **item}]
    )

    assert found.score == score


def test_the_final_line_item_may_be_named_by_its_id() -> None:
    assert graded([{"scoreStatus": "fully graded", "score": 18}], final_line_item="li").score == 90


def test_a_result_finds_its_class_by_itself_or_by_its_line_item() -> None:
    """OneRoster 1.1 names it in the line item only."""
    own = graded([{"scoreStatus": "submitted", "class": {"sourcedId": "c-1"}}], [{"sourcedId": "other"}])

    assert own.status == graded([{"scoreStatus": "submitted"}]).status == "in_progress"
    assert graded([{"scoreStatus": "submitted", "class": {"sourcedId": "c-2"}}]).status == "enrolled"


def test_of_a_learners_many_results_one_for_each_word_is_kept_and_no_comment() -> None:
    results = [{"sourcedId": f"r-{no}", "scoreStatus": "submitted", "comment": "see me"} for no in range(5)]
    kept = graded([*results, {"sourcedId": "r-9", "scoreStatus": "exempt"}]).remote_data["work"]["results"]

    assert kept == [
        {"sourcedId": "r-0", "scoreStatus": "submitted"},
        {"sourcedId": "r-9", "scoreStatus": "exempt"},
    ]
