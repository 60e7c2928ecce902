"""Schoology: many lists in one request, signatures, its errors, its statuses, its traps."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from rollbook.connectors._schoology_lists import FRESH
from rollbook.connectors.schoology import Schoology, SchoologySettings
from rollbook.core.api import connect
from rollbook.core.connection import open_connection
from rollbook.core.connector import Partition
from rollbook.core.errors import (
    AuthError,
    ContractError,
    CursorExpired,
    Forbidden,
    Gone,
    RateLimited,
    RollbookError,
    VendorError,
)
from rollbook.core.http import Act, Answer
from rollbook.core.mapping import Mapped, Skipped
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance import conformance_tests

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.api import Lms

FIXTURES = Path(__file__).parent.parent / "fixtures" / "schoology"
AS_OF = load_case(FIXTURES / "tenant.har.json").as_of
KEY: dict[str, Any] = {"client_id": "made-up-key", "client_secret": "made-up-secret"}
API = "https://api.schoology.com"

Said = tuple[int, Any]

TestConformance = conformance_tests("schoology", fixtures="../fixtures/schoology")


class School:
    """A small school: what it says by path, and what it was asked."""

    def __init__(self, said: dict[str, Said | Callable[[httpx.Request], httpx.Response]], **lists: int) -> None:
        self.said = {"users/me": (200, {"uid": "1"}), "gradingperiods": listed("gradingperiods"), **said}
        self.lists = {"users": "user", "users/inactive": "user", **lists}
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        place = request.url.path.removeprefix("/v1/")
        if place == "multiget" and place not in self.said:
            return httpx.Response(200, json={"response": [self.item(one) for one in batched(request)]})
        return self.answer(place, request)

    def item(self, address: str) -> dict[str, Any]:
        answer = self.answer(urlsplit(address).path.removeprefix("/v1/"), httpx.Request("GET", f"{API}{address}"))
        try:
            body = answer.json()
        except ValueError:
            body = answer.text
        return {"location": f"{API}{address}", "response_code": answer.status_code, "headers": None, "body": body}

    def answer(self, place: str, request: httpx.Request) -> httpx.Response:
        said = self.said.get(place)
        if said is None:
            said = listed("user") if place in self.lists else usual(place)
        if callable(said):
            return said(request)
        status, body = said
        return httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    @property
    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/v1/") for request in self.asked]


def batched(request: httpx.Request) -> list[str]:
    return json.loads(request.content)["request"]


def usual(place: str) -> Said:
    if place.endswith("/completion"):
        return listed("completion")
    if place.endswith("/grades"):
        return 200, {"grades": {"grade": []}, "period": [], "final_grade": []}
    return 404, "Not Found"


def listed(key: str, *rows: dict[str, Any], following: str = "") -> Said:
    links = {"self": f"{API}/v1/x", **({"next": following} if following else {})}
    return 200, {key: [*rows], "total": str(len(rows)), "links": links}


def section(id: int, **more: Any) -> dict[str, Any]:
    return {"id": str(id), "course_id": "7", "course_title": "Fire", "section_title": "A", "active": 1} | more


def row(id: int, uid: int = 45, **more: Any) -> dict[str, Any]:
    return {"id": str(id), "uid": str(uid), "name_display": "Mara Quill", "admin": 0, "status": "1"} | more


def one_section(*rows: dict[str, Any], **said: Said | Callable[[httpx.Request], httpx.Response]) -> School:
    """Make a school with the section 9 of the course 7."""
    base: dict[str, Any] = {
        "courses": listed("course", {"id": 7}),
        "courses/7/sections": listed("section", section(9, grading_periods=[3])),
        "sections/9/enrollments": listed("enrollment", *(rows or [row(1)])),
    }
    return School(base | {name.replace("__", "/"): value for name, value in said.items()})


def school_of(ids: range) -> School:
    """Make a school of many sections of one course, each with an enrollment of its own number."""
    said: dict[str, Any] = {
        "courses": listed("course", {"id": 7}),
        "courses/7/sections": listed("section", *(section(id, grading_periods=[3]) for id in ids)),
    }
    return School(said | {f"sections/{id}/enrollments": listed("enrollment", row(id)) for id in ids})


def read(school: School, **settings: Any) -> list[Any]:
    with connect("schoology", transport=school.transport, clock=lambda: AS_OF, **KEY, **settings) as lms:
        return list(lms.enrollments())


async def pages_of(school: School) -> list[Any]:
    """Read the first section."""
    async with open_connection("t", "schoology", KEY, transport=school.transport) as connection:
        places = [one async for one in connection.connector.partitions()]
        return [page async for page in connection.connector.pages(places[0], None, None)]


def expected(case: str) -> dict[str, Any]:
    found = json.loads((FIXTURES / f"{case}.expected.json").read_text(encoding="utf-8"))
    return {one["id"]: one for one in found["enrollments"]}


# -- strategies -------------------------------------------------------------------------------------------------------


def test_both_strategies_give_the_same_enrollments() -> None:
    assert expected("tenant") == expected("get")


def test_the_lists_of_fifty_sections_take_one_request() -> None:
    school = school_of(range(100, 220))
    off = {"include_completion": False, "include_results": False, "concurrency": 1}

    assert {f"{id}:{id}" for id in range(100, 220)} == {one.id for one in read(school, **off)}
    assert [len(batched(one)) for one in school.asked if one.url.path == "/v1/multiget"] == [1, 50, 50, 20]
    assert sorted({*school.paths} - {"multiget"}) == ["courses", "gradingperiods", "users", "users/inactive"]
    assert len(school.paths) == 4 + 4


def test_several_at_once_still_ask_only_once_for_a_batch() -> None:
    school = school_of(range(100, 160))
    read(school)

    assert school.paths.count("multiget") == 3
    assert not [path for path in school.paths if path.endswith("/enrollments")]


def test_without_multiget_each_list_is_asked_for_alone() -> None:
    school = school_of(range(100, 103))

    assert len(read(school, strategy="get")) == 3
    assert {"GET"} == {one.method for one in school.asked}


def test_a_section_that_is_read_again_is_asked_for_again() -> None:
    """What was asked for ahead is given once; later it would be stale."""

    async def twice() -> list[int]:
        school = school_of(range(100, 103))
        async with open_connection("t", "schoology", KEY, transport=school.transport) as connection:
            place, *_ = [one async for one in connection.connector.partitions()]
            counts: list[int] = []
            for _ in range(2):
                assert [page async for page in connection.connector.pages(place, None, None)]
                counts.append(school.paths.count("multiget"))
            return counts

    assert asyncio.run(twice()) == [2, 3]


def test_an_answer_that_was_asked_for_long_ago_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def late() -> int:
        school = school_of(range(100, 103))
        async with open_connection("t", "schoology", KEY, transport=school.transport) as connection:
            places = [one async for one in connection.connector.partitions()]
            assert [page async for page in connection.connector.pages(places[0], None, None)]
            now = [10.0**9]
            monkeypatch.setattr("time.monotonic", lambda: now[0] + FRESH)
            assert [page async for page in connection.connector.pages(places[1], None, None)]
            return school.paths.count("multiget")

    assert asyncio.run(late()) == 3


def test_a_partition_is_read_on_its_own_in_another_process() -> None:
    async def alone() -> list[Any]:
        school = school_of(range(100, 103))
        async with open_connection("t", "schoology", KEY, transport=school.transport) as connection:
            place = Partition("section:102", {"section": section(102), "batch": ["100", "101", "102"]})
            return [page async for page in connection.connector.pages(place, None, None)]

    assert [[one["enrollment"]["id"] for one in page.records] for page in asyncio.run(alone())] == [["102"]]


# -- many in one: every item has an outcome of its own ----------------------------------------------------------------


@pytest.mark.parametrize("body", ["No", {"total": 0, "links": {}}])
@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, Gone), (400, ContractError), (500, VendorError)])
def test_an_item_that_failed_fails_only_its_section(status: int, kind: type[RollbookError], body: Any) -> None:
    """The request for all answers 200, whatever became of its items."""
    school = school_of(range(100, 103))
    school.said["sections/101/enrollments"] = (status, body)
    with connect("schoology", transport=school.transport, **KEY) as lms:
        found = safely(lms)
        told = {**lms.findings.forbidden, **lms.findings.failures}

    assert found == ["100:100", "102:102"]
    assert [*map(type, told.values())] == ([] if kind is Gone else [kind])


def safely(lms: Lms) -> list[str]:
    """Give the ids of what can be read, though the reading may end in an error."""
    found: list[str] = []
    with suppress(RollbookError):
        found.extend(one.id for one in lms.enrollments())
    return sorted(found)


def test_a_throttled_item_is_asked_for_alone() -> None:
    calls: list[int] = []

    def once(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(429, text="Slow down") if len(calls) == 1 else httpx.Response(200, json=body)

    body = listed("enrollment", row(1))[1]
    school = one_section(sections__9__enrollments=once)

    assert [one.id for one in read(school)] == ["9:1"]
    assert "sections/9/enrollments" in school.paths


@pytest.mark.parametrize("location", [f"{API}/v1/sections/10/enrollments", "elsewhere"])
def test_answers_in_another_order_are_refused(location: str) -> None:
    """Enrollments of another section must not be taken for this one's."""
    answer = {"response": [{"location": location, "response_code": 200, "body": listed("enrollment", row(1))[1]}]}
    school = one_section(multiget=(200, answer))

    with pytest.raises(ContractError, match="in their order") as raised:
        read(school)
    assert 'strategy = "get"' in raised.value.hint


def test_fewer_answers_than_requests_are_refused() -> None:
    with pytest.raises(ContractError, match="in their order"):
        read(one_section(multiget=(200, {"response": []})))


def test_multiget_that_is_not_there_is_told() -> None:
    """It is offered at api.schoology.com only."""
    with pytest.raises(ContractError, match="does not know this request"):
        read(one_section(multiget=(404, "Not Found")))


def test_when_many_at_once_fail_for_long_the_others_are_asked_for_alone() -> None:
    school = school_of(range(100, 103))

    def half(request: httpx.Request) -> httpx.Response:
        if b"enrollments" in request.content:
            return httpx.Response(500)
        return httpx.Response(200, json={"response": [school.item(one) for one in batched(request)]})

    school.said["multiget"] = half

    with connect("schoology", transport=school.transport, **KEY) as lms:
        found = safely(lms)

    assert found == ["101:101", "102:102"]
    assert [*lms.findings.failures] == ["section:100"]


# -- paging -----------------------------------------------------------------------------------------------------------


def test_every_list_is_asked_for_with_a_limit() -> None:
    """Without one Schoology gives 20 rows."""
    school = one_section()
    read(school, strategy="get")
    lists = [one for one in school.asked if not one.url.path.endswith("/me")]

    assert {"200"} == {one.url.params.get("limit") for one in lists}


def test_sections_of_past_periods_and_all_states_are_asked_for() -> None:
    school = one_section()
    read(school)
    posted = [urlsplit(one) for request in school.asked if request.method == "POST" for one in batched(request)]

    assert [one.path for one in posted] == ["/v1/courses/7/sections", "/v1/sections/9/enrollments"]
    assert dict(parse_qsl(posted[0].query))["include_past"] == "1"
    assert "enrollment_status=1,2,3,4,5" in posted[1].query


def test_past_sections_can_be_left_out() -> None:
    school = one_section()
    read(school, strategy="get", include_past_sections=False)

    assert not any("include_past" in one.url.params for one in school.asked)


def further(request: httpx.Request) -> httpx.Response:
    if "start=1" in str(request.url):
        return httpx.Response(200, json=listed("enrollment", row(2))[1])
    following = "http://api.schoology.com/v1/sections/9/enrollments?enrollment_status=1,2,3,4,5&start=1&limit=1"
    return httpx.Response(200, json=listed("enrollment", row(1), following=following)[1] | {"total": "2"})


@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_a_list_goes_on_by_its_link_whatever_limit_was_honoured(strategy: str) -> None:
    """A link may begin with http://; the connection never leaves its host, or https."""
    school = one_section(sections__9__enrollments=further)

    assert [one.id for one in read(school, strategy=strategy)] == ["9:1", "9:2"]
    assert {"https"} == {one.url.scheme for one in school.asked}


@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_a_section_is_taken_up_at_its_cursor(strategy: str) -> None:
    async def resumed() -> None:
        school = one_section(sections__9__enrollments=further)
        opened = open_connection("t", "schoology", {**KEY, "strategy": strategy}, transport=school.transport)
        async with opened as connection:
            place, *_ = [one async for one in connection.connector.partitions()]
            pages = [page async for page in connection.connector.pages(place, None, None)]
            rest = [page async for page in connection.connector.pages(place, pages[0].cursor, None)]

            assert [len(page.records) for page in pages] == [1, 1]
            assert pages[1:] == rest
            with pytest.raises(CursorExpired):
                [page async for page in connection.connector.pages(place, 3, None)]

    asyncio.run(resumed())


@pytest.mark.parametrize("body", [{"total": "0", "links": {}}, {"links": {"self": "x"}}, {"total": 0}])
@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_an_empty_list_may_lack_its_rows(body: dict[str, Any], strategy: str) -> None:
    school = one_section(sections__9__enrollments=(200, body))

    assert read(school, strategy=strategy) == []


@pytest.mark.parametrize("body", [{"total": "3", "links": {}}, section(9), {"id": "9", "links": {}}, {}])
def test_what_is_no_list_does_not_read_as_empty(body: dict[str, Any]) -> None:
    """Schoology answers 200 with the section itself where it does not have what was asked for."""
    with pytest.raises(ContractError, match="enrollment"):
        read(one_section(sections__9__enrollments=(200, body)))


def test_sections_on_a_second_page_are_found() -> None:
    def sections(request: httpx.Request) -> httpx.Response:
        if "start=1" in str(request.url):
            return httpx.Response(200, json=listed("section", section(10))[1])
        following = f"{API}/v1/courses/7/sections?include_past=1&start=1&limit=1"
        return httpx.Response(200, json=listed("section", section(9), following=following)[1])

    school = one_section(courses__7__sections=sections, sections__10__enrollments=listed("enrollment", row(2)))

    assert sorted(one.id for one in read(school)) == ["10:2", "9:1"]
    assert school.paths.count("courses") == 2, "such a list may shift, and is read twice"


def test_final_grades_that_come_with_each_page_of_grades_are_no_repetition() -> None:
    final = {"enrollment_id": "1", "period": [{"period_id": "final", "grade": 80}]}

    def grades(request: httpx.Request) -> httpx.Response:
        start = dict(parse_qsl(request.url.query.decode())).get("start")
        following = {} if start == "2" else {"next": f"{API}/v1/sections/9/grades?start={int(start or 0) + 1}&limit=1"}
        mark = {"enrollment_id": 1, "assignment_id": 5 + int(start or 0), "grade": 80}
        return httpx.Response(200, json={"grades": {"grade": [mark]}, "final_grade": [final], "links": following})

    (one,) = read(one_section(sections__9__grades=grades))

    assert (one.score, one.status) == (80, "in_progress")


@pytest.mark.parametrize("grades", [{"grade": []}, [], {}])
def test_a_section_without_grades_has_none(grades: Any) -> None:
    (one,) = read(one_section(sections__9__grades=(200, {"grades": grades})))

    assert (one.score, one.status) == (None, "enrolled")


# -- what may be missing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("list_", "setting"), [("completion", "include_completion"), ("grades", "include_results")])
def test_results_that_are_not_there_do_not_read_as_none(list_: str, setting: str) -> None:
    school = one_section(**{f"sections__9__{list_}": (404, "Not Found")})

    with pytest.raises(ContractError, match=f"not its {list_}") as raised:
        asyncio.run(pages_of(school))
    assert setting in raised.value.hint
    assert [one.id for one in read(school, **{setting: False})] == ["9:1"]


@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_a_course_that_was_deleted_meanwhile_is_left_out(strategy: str) -> None:
    school = one_section(courses=listed("course", {"id": 6}, {"id": 7}))

    assert [one.id for one in read(school, strategy=strategy)] == ["9:1"]


def test_a_course_without_its_list_of_sections_is_told() -> None:
    school = one_section(courses=listed("course", {"id": 6}, {"id": 7}), courses__6=(200, {"id": 6}))

    with pytest.raises(ContractError, match="not its sections"):
        read(school)


def test_a_course_that_may_not_be_read_removes_nothing_and_hides_no_other() -> None:
    school = one_section(courses=listed("course", {"id": 6}, {"id": 7}))
    school.said |= {
        "courses/6/sections": listed("section", section(8)),
        "sections/8/enrollments": listed("enrollment", row(4)),
    }

    async def twice() -> Any:
        with Store(PRIVATE) as store:
            async with open_connection("t", "schoology", KEY, transport=school.transport) as connection:
                await Sync(connection, store, clock=lambda: AS_OF).run()
                school.said["courses/6/sections"] = (403, "Forbidden")
                report = await Sync(connection, store, clock=lambda: AS_OF).run(full=True)
                return report, sorted(one["id"] for one in store.rows("t") if one["removed_at"] is None)

    report, ids = asyncio.run(twice())

    assert ids == ["8:4", "9:1"]
    assert "may not read" in report.error


def test_groups_are_never_asked_for() -> None:
    """Their enrollments look alike, but groups are no courses."""
    school = one_section()
    read(school)

    assert not any("group" in f"{one.url} {one.content!r}" for one in school.asked)


def test_paths_are_in_the_plural() -> None:
    school = one_section()
    read(school, strategy="get")

    assert {"courses", "sections", "users", "gradingperiods"} == {path.split("/")[0] for path in school.paths}


# -- signing ----------------------------------------------------------------------------------------------------------


def signature(request: httpx.Request) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', request.headers["authorization"]))


def test_each_request_is_signed_afresh() -> None:
    school = one_section()
    read(school)
    signed = [signature(one) for one in school.asked]

    assert len(signed) == len({one["oauth_nonce"] for one in signed})
    assert [one["oauth_timestamp"] for one in signed] == sorted(one["oauth_timestamp"] for one in signed)
    assert {("Schoology API", "made-up-key", "", "HMAC-SHA1")} == {
        (one["realm"], one["oauth_consumer_key"], one["oauth_token"], one["oauth_signature_method"]) for one in signed
    }


def test_a_repetition_is_signed_afresh() -> None:
    calls: list[httpx.Request] = []

    def once(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(500) if len(calls) == 1 else httpx.Response(200, json=listed("course")[1])

    read(one_section(courses=once))

    assert len({signature(one)["oauth_nonce"] for one in calls}) == 2


def test_plaintext_sends_secret_and_ampersand() -> None:
    school = one_section()
    read(school, signature_method="PLAINTEXT")

    assert school.asked[0].headers["authorization"].startswith('OAuth realm="Schoology API", oauth_consumer_key=')
    assert school.asked[0].headers["authorization"].endswith('oauth_signature="made-up-secret%26"')


def test_a_redirect_is_signed_afresh() -> None:
    """Schoology answers `users/me` with 303; the same nonce twice would be a replay."""
    school = one_section(users__1=(200, {"uid": "1"}))
    school.said["users/me"] = lambda _: httpx.Response(303, headers={"location": f"{API}/v1/users/1"})
    with connect("schoology", transport=school.transport, **KEY) as lms:
        assert lms.check() == []
    first, second = school.asked[:2]

    assert (first.url.path, second.url.path) == ("/v1/users/me", "/v1/users/1")
    assert signature(first)["oauth_nonce"] != signature(second)["oauth_nonce"]


def test_a_redirect_to_another_host_is_not_followed() -> None:
    school = one_section()
    school.said["users/me"] = lambda _: httpx.Response(303, headers={"location": "https://sso.example.com/"})

    with connect("schoology", transport=school.transport, **KEY) as lms, pytest.raises(ContractError):
        lms.check()
    assert {"api.schoology.com"} == {one.url.host for one in school.asked}


def test_json_is_asked_for_and_sent() -> None:
    """Without it Schoology may answer in XML."""
    school = one_section()
    read(school)

    assert {"application/json"} == {one.headers["accept"] for one in school.asked}
    assert {"application/json"} == {one.headers["content-type"] for one in school.asked if one.method == "POST"}
    assert {"api.schoology.com"} == {one.headers["host"] for one in school.asked}


@pytest.mark.parametrize("address", ["https://api.schoology.com/v1/", "https://api.schoology.com"])
def test_the_address_may_have_the_version_in_it(address: str) -> None:
    assert SchoologySettings.model_validate({**KEY, "base_url": address}).origin() == API


def test_the_secret_is_in_no_error() -> None:
    with pytest.raises(AuthError) as raised:
        read(one_section(courses=(401, "made-up-secret is wrong")))

    assert "made-up-secret" not in f"{raised.value} {raised.value.hint}"


# -- errors -----------------------------------------------------------------------------------------------------------


def answer(status: int, body: str = "", request: str = "GET /v1/sections/9/enrollments", **headers: str) -> Answer:
    return Answer(status, httpx.Headers(headers), body.encode(), request, "")


REPLAY = "Duplicate timestamp/nonce combination, possible replay attack. Request rejected."


@pytest.mark.parametrize(
    ("said", "act", "kind"),
    [
        (answer(401, "Unauthorized"), Act.REAUTH, VendorError),
        (answer(401, "<result><error/></result>"), Act.REAUTH, VendorError),
        (answer(401, REPLAY), Act.RETRY, VendorError),
        (answer(403, "Access Denied"), Act.FAIL, Forbidden),
        (answer(404, "", "GET /v1/courses"), Act.FAIL, ContractError),
        (answer(404, "", "POST /v1/multiget"), Act.FAIL, ContractError),
        (answer(405, "", "POST /v1/multiget"), Act.FAIL, ContractError),
        (answer(404, "", "GET /v1/gradingperiods"), Act.FAIL, ContractError),
        (answer(404, "", "GET /v1/users/inactive"), Act.FAIL, ContractError),
        (answer(429, "Too Many Requests"), Act.THROTTLED, VendorError),
    ],
)
def test_errors_are_told_apart_without_reading_their_bodies(said: Answer, act: Act, kind: type[RollbookError]) -> None:
    verdict = Schoology.verdict(said)

    assert verdict is not None
    assert (act, kind) == (verdict.act, verdict.error)


@pytest.mark.parametrize(
    "said", [answer(200, "{}"), answer(404), answer(410), answer(500, "x"), answer(429, **{"retry-after": "7"})]
)
def test_the_rest_is_left_to_the_usual_reading(said: Answer) -> None:
    assert Schoology.verdict(said) is None


def test_a_replayed_nonce_is_tried_again() -> None:
    calls: list[int] = []

    def once(request: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(401, text=REPLAY) if len(calls) == 1 else httpx.Response(200, json=body)

    body = listed("course", {"id": 7})[1]

    assert [one.id for one in read(one_section(courses=once))] == ["9:1"]


def test_after_throttling_without_a_word_five_seconds_are_waited() -> None:
    """Schoology's window is said to be of five seconds."""
    school = one_section(courses=(429, "Too Many Requests"))
    with connect("schoology", transport=school.transport, **KEY) as lms:
        with pytest.raises(RateLimited):
            list(lms.enrollments())
        stats = lms.connection.http.stats

    assert stats.waited == 5.0 * stats.retries > 0


@pytest.mark.parametrize("body", ["<?xml version='1.0'?><result/>", "OK", "<html></html>"])
def test_a_success_that_is_no_json_is_told(body: str) -> None:
    with pytest.raises(ContractError):
        read(one_section(courses=(200, body)))


# -- check ------------------------------------------------------------------------------------------------------------


def checked(school: School, **settings: Any) -> list[tuple[str, str]]:
    with connect("schoology", transport=school.transport, **KEY, **settings) as lms:
        return [(one.level, one.text) for one in lms.check()]


def test_a_wrong_secret_is_no_missing_permission() -> None:
    with pytest.raises(AuthError) as raised:
        checked(School({"users/me": (401, "Unauthorized")}))

    assert "client_secret" in raised.value.hint


def test_a_personal_key_is_good_but_may_not_read_others() -> None:
    """Since June 2025 it is answered with 401 for everybody but its owner."""
    ((level, text),) = checked(School({"courses": (401, "Unauthorized")}))

    assert level == "missing"
    assert "system administrator" in text


@pytest.mark.parametrize(
    ("path", "setting"),
    [
        ("users", "fetch_users"),
        ("users/inactive", "fetch_inactive_users"),
        ("gradingperiods", "fetch_grading_periods"),
        ("sections/9/completion", "include_completion"),
        ("sections/9/grades", "include_results"),
    ],
)
def test_a_list_that_may_not_be_read_is_told_with_its_setting(path: str, setting: str) -> None:
    school = one_section()
    school.said[path] = (403, "Access Denied")
    ((level, text),) = checked(school)

    assert level == "missing"
    assert path in text
    assert setting in text
    assert checked(school, **{setting: False}) == []


def test_a_check_asks_for_nothing_twice() -> None:
    school = one_section()
    checked(school)

    assert len(school.paths) == len(set(school.paths)) == 9


def test_a_key_that_may_be_bound_to_a_building_is_told() -> None:
    """The lists of courses and people then hold that building's alone, without a word."""
    here = [{"id": 7, "building_id": "3"}, {"id": 6, "building_id": "3"}]
    elsewhere = [here[0], {"id": 6, "building_id": "4"}]
    notices = [checked(one_section(courses=listed("course", *courses))) for courses in (here, elsewhere)]

    assert [level for level, _ in notices[0]] == ["info"]
    assert "building" in notices[0][0][1]
    assert notices[1] == []
    assert checked(one_section(courses=listed("course", *here)), building_id="3") == []


# -- single enrollments and people ------------------------------------------------------------------------------------


@pytest.mark.parametrize("id", ["9", "9:", ":1", "9:7", "8:1", ""])
@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_an_enrollment_that_is_not_there_is_gone(id: str, strategy: str) -> None:
    school = one_section(sections__9__enrollments__1=(200, row(1)))

    with connect("schoology", transport=school.transport, strategy=strategy, **KEY) as lms, pytest.raises(Gone):
        lms.enrollment(id)


@pytest.mark.parametrize("strategy", ["multiget", "get"])
def test_a_person_who_was_erased_leaves_the_enrollment(strategy: str) -> None:
    school = one_section(sections__9__enrollments__1=(200, row(1)), sections__9=(200, section(9)))
    with connect("schoology", transport=school.transport, strategy=strategy, **KEY) as lms:
        one = lms.enrollment("9:1")

    assert (one.user.name, one.user.emails) == ("Mara Quill", [])


def test_only_grades_of_the_one_enrollment_are_asked_for() -> None:
    school = one_section(sections__9__enrollments__1=(200, row(1)), sections__9=(200, section(9)))
    with connect("schoology", transport=school.transport, **KEY) as lms:
        lms.enrollment("9:1")
    (grades,) = [one for one in school.asked if one.url.path.endswith("/grades")]

    assert grades.url.params["enrollment_id"] == "1"


def test_ids_are_numbers_here_and_texts_there() -> None:
    """Completion, people and grades are found by either."""
    done = {"uid": 45, "total_rules": 4, "completed_rules": 1, "percent_complete": 0.25, "completed": 0}
    final = {"enrollment_id": 1, "period": [{"period_id": "final", "grade": "71.5"}]}
    school = one_section(
        sections__9__completion=listed("completion", done),
        sections__9__grades=(200, {"grades": {"grade": []}, "final_grade": [final]}),
        users=listed("user", {"uid": "45", "id": 45, "primary_email": "mara@example.com", "role_id": 9}),
        users__inactive=listed("user", {"uid": 45, "name": "Mara Quill"}),
    )
    (one,) = read(school)

    assert (one.progress_percent, one.score, one.user.emails[0].email) == (25, 71.5, "mara@example.com")
    assert one.custom_fields["user_active"] is False


def test_parents_and_door_codes_are_not_kept() -> None:
    person = {"uid": "45", "parents": {"parent": [{"id": 46}]}, "gender": "F", "birthday_date": "2012-01-01"}
    school = one_section(
        users=listed("user", {**person, "password": "", "child_uids": "48"}),
        courses__7__sections=listed("section", section(9, access_code="GBMWW-2QKN5")),
    )
    (one,) = read(school)

    assert one.remote_data["user"] == {"uid": "45"}
    assert "access_code" not in one.remote_data["section"]


@pytest.mark.parametrize(("strategy", "requests"), [("multiget", 308), ("get", 455)])
def test_the_requests_of_a_full_read_are_told_before(strategy: str, requests: int) -> None:
    async def told() -> int:
        settings, transport = {**KEY, "strategy": strategy}, school_of(range(100, 250)).transport
        async with open_connection("t", "schoology", settings, transport=transport) as connection:
            return (await connection.connector.estimate()).requests

    school = school_of(range(100, 250))
    read(school, strategy=strategy)

    assert requests == asyncio.run(told()) == len(school.asked)


# -- mapping ----------------------------------------------------------------------------------------------------------


def mapped(settings: dict[str, Any] | None = None, /, **parts: Any) -> Any:
    """Map a record; `enrollment` and `section` are added to usual ones."""
    record: dict[str, Any] = {
        "completion": None,
        "grade": None,
        "user": None,
        "inactive": None,
        "periods": None,
        **parts,
        "enrollment": row(1) | parts.get("enrollment", {}),
        "section": section(9) | parts.get("section", {}),
    }
    result = open_connection("t", "schoology", KEY | (settings or {})).normalizer.normalize(record, as_of=AS_OF)
    return result.enrollment if isinstance(result, Mapped) else result


def done(completed: int, of: int, flag: int) -> dict[str, Any]:
    return {"uid": 45, "total_rules": of, "completed_rules": completed, "percent_complete": 1, "completed": flag}


FINAL = {"enrollment_id": "1", "period": [{"period_id": "p1", "grade": 50}, {"period_id": "final", "grade": 80}]}
ENDED = {
    "section": {"active": 0, "grading_periods": [3]},
    "periods": [{"id": 3, "start": "2025-09-01", "end": "2025-12-19"}],
}


@pytest.mark.parametrize(
    ("word", "parts", "status"),
    [
        ("1", {}, "enrolled"),
        (1, {}, "enrolled"),
        ("1", {"completion": done(0, 2, 0)}, "enrolled"),
        ("1", {"completion": done(1, 2, 0)}, "in_progress"),
        ("1", {"completion": done(2, 2, 0)}, "in_progress"),
        ("1", {"completion": done(2, 2, 1)}, "completed"),
        ("1", {"completion": done(1, 2, 1)}, "completed"),
        ("1", {"grade": FINAL}, "in_progress"),
        ("2", {}, "expired"),
        ("2", {"completion": done(1, 2, 0), "grade": FINAL}, "expired"),
        ("2", {"completion": done(2, 2, 1)}, "completed"),
        ("3", {}, "assigned"),
        ("3", {"completion": done(2, 2, 1)}, "assigned"),
        ("4", {}, "assigned"),
        ("4", {"grade": FINAL}, "assigned"),
        ("5", {}, "expired"),
        ("5", {"completion": done(2, 2, 1)}, "completed"),
        ("6", {"completion": done(2, 2, 1)}, "unknown"),
        ("", {}, "unknown"),
        (None, {"completion": done(2, 2, 1)}, "unknown"),
        ("1", ENDED, "expired"),
        ("3", ENDED, "expired"),
        ("1", {**ENDED, "completion": done(2, 2, 1)}, "completed"),
        ("1", {**ENDED, "section": {"active": 1, "grading_periods": [3]}}, "enrolled"),
        ("1", {**ENDED, "section": {"active": 0, "grading_periods": [3, 4]}}, "enrolled"),
        ("1", {"section": {"active": 0, "grading_periods": [3]}, "periods": [None]}, "enrolled"),
        ("1", {"section": {"active": 0, "grading_periods": []}, "periods": []}, "enrolled"),
    ],
)
def test_each_state_has_its_status(word: Any, parts: dict[str, Any], status: str) -> None:
    one = mapped(**parts, enrollment={"status": word})

    assert status == one.status
    assert one.completed_at is None


def test_a_section_ends_with_the_last_second_of_its_last_period() -> None:
    periods = [{"id": 3, "end": "2026-03-01", "start": "2026-01-01"}, {"id": 4, "end": "2025-12-19"}]
    one = mapped(section={"active": 0, "grading_periods": [3, 4]}, periods=periods)

    assert one.status == "enrolled"
    assert one.custom_fields["section_ends_at"] == "2026-03-01T23:59:59Z"


def test_a_score_is_no_verdict_without_a_pass_mark() -> None:
    parts = {"completion": done(2, 2, 1), "grade": FINAL}

    assert [mapped(**parts).status, mapped({"pass_mark": 80}, **parts).status] == ["completed", "passed"]
    assert mapped({"pass_mark": 81}, **parts).status == "completed"


@pytest.mark.parametrize(("word", "reason"), [("3", "invitation"), ("4", "approval"), ("1", None)])
def test_a_place_that_is_not_certain_says_why(word: str, reason: str | None) -> None:
    assert mapped(enrollment={"status": word}).custom_fields.get("pending") == reason


@pytest.mark.parametrize("admin", [1, "1"])
def test_teachers_are_left_out_however_the_number_is_written(admin: Any) -> None:
    """Nothing else decides: parents and observers are in the list of people, too."""
    assert isinstance(mapped(enrollment={"admin": admin}), Skipped)
    assert mapped({"include_staff": True}, enrollment={"admin": admin}).custom_fields["role"] == "admin"
    assert mapped(enrollment={"admin": "0"}, user={"uid": "45", "role_id": 1212}).custom_fields["role"] == "member"


@pytest.mark.parametrize(("admin", "told"), [(None, "(missing)"), (2, "2")])
def test_a_role_that_is_unknown_stays_in_and_is_told(admin: Any, told: str) -> None:
    record: dict[str, Any] = {"enrollment": row(1, admin=admin), "section": section(9)}
    result = open_connection("t", "schoology", KEY).normalizer.normalize(record, as_of=AS_OF)

    assert isinstance(result, Mapped)
    assert [("admin", told)] == [(one.what, one.value) for one in result.drift]


@pytest.mark.parametrize("word", ["1", "3", "4"])
def test_a_deactivated_account_is_no_withdrawal(word: str) -> None:
    parts = {"enrollment": {"status": word}, "inactive": {"uid": 45, "inactive_timestamp": 1359504792}}

    assert mapped(**parts).status == mapped(enrollment={"status": word}).status
    assert mapped(**parts).custom_fields["user_active"] is False


@pytest.mark.parametrize(
    ("titles", "title"),
    [
        (("Fire", "A"), "Fire: A"),
        (("Fire", "Fire"), "Fire"),
        (("Fire", ""), "Fire"),
        (("", "A"), "A"),
        (("", ""), None),
        ((None, None), None),
    ],
)
def test_a_section_is_called_by_its_course_and_itself(titles: tuple[Any, Any], title: str | None) -> None:
    one = mapped(section={"course_title": titles[0], "section_title": titles[1]})

    assert title == one.course.title
    assert one.course.id == "9"


def test_a_share_of_rules_is_worked_out_since_the_percentage_may_be_a_fraction() -> None:
    one = mapped(completion={"total_rules": 3, "completed_rules": 1, "percent_complete": 0.3333, "completed": 0})

    assert one.progress_percent == 33.33
    assert one.custom_fields["percent_complete_raw"] == 0.3333
    assert mapped(completion=done(0, 0, 0)).progress_percent is None


def test_hours_of_a_class_are_no_dates() -> None:
    one = mapped(section={"start_time": "08:15", "end_time": "09:00"})

    assert {None} == {
        getattr(one, name) for name in ("enrolled_at", "started_at", "due_at", "created_at", "updated_at")
    }


@pytest.mark.parametrize(
    ("person", "emails"),
    [(None, []), ({"primary_email": ""}, []), ({"primary_email": "asd"}, []), ({"primary_email": "a@example.com"}, 1)],
)
def test_addresses_stand_in_the_list_of_people(person: Any, emails: Any) -> None:
    found = mapped(user=person).user.emails

    assert found == emails or (emails == 1 and found[0].type == "primary" and found[0].is_primary)


def test_links_to_courses_are_for_who_told_the_address() -> None:
    (link,) = mapped({"web_url": "https://school.schoology.com"}).urls

    assert (link.type, link.url) == ("course", "https://school.schoology.com/course/9/materials")
    assert mapped().urls == []
