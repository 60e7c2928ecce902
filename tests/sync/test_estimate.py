"""What a full read costs, told before: the estimate is what a real one takes, or less where it says so."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest
from rollbook.core.connection import Connection, open_connection
from rollbook.core.connector import CHEAP, Connector, Estimate, Lookup, Page, Partition, Settings
from rollbook.core.http import Http, Limit, PageNumber
from rollbook.core.mapping import compile, load
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.sync.estimate import Forecast, Quota, earlier, estimate, quotas
from rollbook.sandbox import Tenant, app

from .conftest import MAPPING, NOW, Campus, open_campus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rollbook.core.native import JSON
    from rollbook.sandbox.server import Application


def forecast(connection: Connection) -> Forecast:
    async def run() -> Forecast:
        async with connection:
            return await estimate(connection)

    return asyncio.run(run())


def read_whole(connection: Connection) -> int:
    """Sync everything, and give the requests it took."""

    async def run() -> int:
        async with connection:
            with Store(PRIVATE) as store:
                report = await Sync(connection, store, clock=lambda: NOW).run(full=True)
            assert report.outcome == "complete"
            return report.counts.requests

    return asyncio.run(run())


def opened(vendor: str, lms: Application, **settings: Any) -> Connection:
    given = {**lms.vendor.settings("http://127.0.0.1:9"), **settings}
    return open_connection(vendor, vendor, given, transport=httpx.ASGITransport(lms))


# -- against the sandbox -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 25, 250])
@pytest.mark.parametrize("strategy", ["users", "courses"])
def test_talentlms_is_counted_exactly(strategy: str, size: int) -> None:
    lms = app("talentlms", tenant=Tenant(size=size, courses=0 if size == 0 else None, as_of=NOW))
    told = forecast(opened("talentlms", lms, strategy=strategy))
    took = read_whole(opened("talentlms", lms, strategy=strategy))

    assert told.estimate.exact
    assert took == told.estimate.requests


def test_a_large_portal_is_counted_as_far_as_ten_requests_go() -> None:
    lms = app("talentlms", tenant=Tenant(size=5_000, as_of=NOW))
    told = forecast(opened("talentlms", lms))

    assert told.estimate == Estimate(
        1_020, exact=False, basis="20 for the list of users, which goes on, 1,000 for these users one by one"
    )
    assert told.asked == len(lms.requests) == CHEAP


@pytest.mark.parametrize("module_progress", [True, False])
@pytest.mark.parametrize("size", [0, 25, 900])
def test_canvas_is_bounded_from_below(size: int, module_progress: bool) -> None:  # noqa: FBT001 - a parameter
    lms = app("canvas", tenant=Tenant(size=size, as_of=NOW))
    told = forecast(opened("canvas", lms, module_progress=module_progress))
    took = read_whole(opened("canvas", lms, module_progress=module_progress))

    assert not told.estimate.exact
    assert took / 3 <= told.estimate.requests <= took


# -- Docebo and Moodle ---------------------------------------------------------------------------------------------


class Lists:
    """Two lists of a Docebo platform, with or without a total."""

    def __init__(self, enrollments: int, users: int, total: str | None) -> None:
        self.sizes = {"/learn/v1/enrollments": enrollments, "/manage/v1/user": users}
        self.total = total

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "made-up", "expires_in": 3600, "token_type": "Bearer"})
        size, page = self.sizes[request.url.path], int(request.url.params["page"])
        start, rows = (page - 1) * 200, range(size)[(page - 1) * 200 : page * 200]
        data: dict[str, Any] = {"has_more_data": start + 200 < size}
        data["items"] = [{"id": 1, "user_id": row, "status": "enrolled", "level": "learner"} for row in rows]
        if self.total:
            data[self.total] = size if self.total == "total_count" else -(-size // 200)
        return httpx.Response(200, json={"data": data})


def docebo(lists: Lists, **settings: Any) -> Connection:
    given = {"domain": "acme", "client_id": "app", "client_secret": "made-up-secret", **settings}
    return open_connection("d", "docebo", given, transport=httpx.MockTransport(lists))


@pytest.mark.parametrize("total", ["total_count", "total_page_count"])
@pytest.mark.parametrize("fetch_users", [True, False])
@pytest.mark.parametrize(("enrollments", "users"), [(0, 3), (1, 1), (200, 401), (1_001, 200)])
def test_docebos_totals_make_it_exact(enrollments: int, users: int, total: str, fetch_users: bool) -> None:  # noqa: FBT001
    lists = Lists(enrollments, users, total)
    told = forecast(docebo(lists, fetch_users=fetch_users))
    took = read_whole(docebo(lists, fetch_users=fetch_users))

    assert told.estimate.exact
    assert took - 1 == told.estimate.requests  # beside the sign-in


def test_without_totals_docebo_is_bounded_from_below() -> None:
    lists = Lists(1_001, 401, None)
    told = forecast(docebo(lists))

    assert told.estimate == Estimate(4, exact=False, basis="2 for the list of enrollments, 2 for the list of users")
    assert told.estimate.requests <= read_whole(docebo(lists))


def moodle(request: httpx.Request) -> httpx.Response:
    """Answer for a site of three courses with two learners each."""
    form = dict(httpx.QueryParams(request.content.decode()))
    start = int(form.get("options[2][value]", 0))
    match form["wsfunction"]:
        case "core_course_get_courses_by_field":
            return httpx.Response(200, json={"courses": [{"id": number} for number in (1, 2, 3, 4)]})
        case "core_enrol_get_enrolled_users":
            active = form["options[0][name]"] == "onlyactive" and start == 0
            return httpx.Response(200, json=[{"id": 7, "roles": []}, {"id": 8, "roles": []}] if active else [])
        case "gradereport_user_get_grade_items":
            return httpx.Response(200, json={"usergrades": []})
        case _:
            return httpx.Response(200, json=[])


@pytest.mark.parametrize(("fetch_grades", "least"), [(True, 10), (False, 7)])
def test_moodle_is_bounded_by_its_courses(fetch_grades: bool, least: int) -> None:  # noqa: FBT001 - a parameter
    def site() -> Connection:
        given = {"base_url": "https://moodle.example.com", "token": "made-up-token", "fetch_grades": fetch_grades}
        return open_connection("m", "moodle", given, transport=httpx.MockTransport(moodle))

    told = forecast(site())

    assert (told.estimate.requests, told.estimate.exact) == (least, False)
    assert least <= read_whole(site())


# -- any connector -------------------------------------------------------------------------------------------------


class Plain(Connector[Settings]):
    """Lists its courses by tens, and says nothing of its own about costs."""

    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "Plain"
    Settings: ClassVar[type[Settings]] = Settings
    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id"), Lookup("single", "id", whole=False, batch=1))
    limited: ClassVar[tuple[Limit, ...]] = ()

    def limits(self) -> tuple[Limit, ...]:
        return self.limited

    async def partitions(self) -> AsyncIterator[Partition]:
        async for answer in self.http.paged("courses", None, PageNumber(size=10, short_ends=True)):
            for course in answer.items:
                yield Partition(f"course:{course['id']}")

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        del partition, cursor, since
        yield Page(())


def plain(courses: int, fail: Callable[[int], bool] = lambda _page: False) -> Connection:
    failed: set[int] = set()

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["page"])
        if fail(page) and page not in failed:
            failed.add(page)
            return httpx.Response(503)
        rows = range(courses)[(page - 1) * 10 : page * 10]
        return httpx.Response(200, json=[{"id": row} for row in rows])

    async def no_sleep(_seconds: float) -> None:
        return

    definition = load(MAPPING, file="plain.toml")
    http = Http("http://127.0.0.1:9", transport=httpx.MockTransport(answer), sleep=no_sleep)
    return Connection("p", Plain(Settings(), http), definition, compile(definition, Settings().public()), http)


def test_by_default_partitions_and_whole_lookups_are_counted() -> None:
    assert forecast(plain(25)).estimate == Estimate(
        3 + 25 + 1,
        exact=False,
        basis="3 for the list of partitions, at least 25 for the partitions one by one, "
        "at least 1 for the list of people",
    )


def test_by_default_no_more_than_ten_requests_are_spent() -> None:
    told = forecast(plain(1_000))

    assert told.asked == CHEAP
    assert told.estimate.requests == CHEAP + 90 + 1
    assert "which goes on" in told.estimate.basis


def test_repeated_requests_are_not_counted() -> None:
    told = forecast(plain(25, fail=lambda page: page == 2))

    assert (told.estimate.requests, told.asked) == (3 + 25 + 1, 4)


def test_an_empty_tenant_needs_no_lookup() -> None:
    assert forecast(plain(0)).estimate.requests == 1


def test_a_connector_that_needs_no_request_to_list_has_a_bound_too(campus: Campus) -> None:
    told = forecast(open_campus(campus))

    assert told.estimate.requests == 2 + 1
    assert (told.asked, told.pace, told.seconds) == (0, 0.0, 0.0)


# -- time ----------------------------------------------------------------------------------------------------------

HOURLY = Limit(requests=2_000, per=3_600.0)


@pytest.mark.parametrize(
    ("requests", "seconds", "stops"),
    [(1, 0, 0), (2_000, 0, 0), (2_001, 3_600, 1), (4_000, 3_600, 1), (4_001, 7_200, 2)],
)
def test_a_rate_lets_its_first_lot_go_at_once(requests: int, seconds: float, stops: int) -> None:
    assert quotas(requests, [HOURLY], 10.0, 120.0) == (Quota(2_000, 3_600.0, seconds, stops),)


def test_a_quota_that_may_be_waited_for_stops_nothing() -> None:
    [patient] = quotas(5_000, [HOURLY], 10.0, 3_600.0)

    assert (patient.seconds, patient.stops) == (7_200, 0)


def test_an_lms_that_answers_slower_than_its_quota_stops_nothing() -> None:
    """4,000 requests that take four hours anyway: the hour is over before its 2,000 are spent."""
    [slow] = quotas(4_000, [HOURLY], 4 * 3_600.0, 120.0)

    assert slow.stops == 0


def test_a_bound_on_requests_at_once_is_no_rate() -> None:
    assert quotas(100, [Limit(at_once=4)], 1.0, 120.0) == ()


def test_the_time_is_that_of_the_slower_of_quota_and_answers() -> None:
    quick = Forecast(Estimate(300, exact=True, basis=""), 10, 0.1, 4, quotas(300, [Limit(200, 5.0)], 7.5, 120.0))
    slow = Forecast(Estimate(300, exact=True, basis=""), 10, 0.01, 4, quotas(300, [Limit(200, 5.0)], 0.75, 120.0))

    assert (quick.seconds, slow.seconds) == (7.5, 5.0)


def test_the_pace_is_measured_without_what_was_waited() -> None:
    ticks = iter([0.0, 1.2])
    connection = plain(25)

    async def run() -> Forecast:
        async with connection:
            return await estimate(connection, clock=lambda: next(ticks))

    assert asyncio.run(run()).pace == pytest.approx(0.4)


# -- the run before ------------------------------------------------------------------------------------------------


def test_the_newest_full_run_is_remembered(campus: Campus, store: Store) -> None:
    for day in (0, 1):
        connection = open_campus(campus)
        ticks = iter([NOW + timedelta(days=day), NOW + timedelta(days=day, minutes=3)])
        asyncio.run(Sync(connection, store, clock=lambda ticks=ticks: next(ticks)).run(full=True))
    with store.read() as db:
        last, none = earlier(db, "acme"), earlier(db, "other")

    assert last is not None
    assert (last.started_at, last.finished_at) == (NOW + timedelta(days=1), NOW + timedelta(days=1, minutes=3))
    assert (last.requests, last.outcome, none) == (0, "complete", None)
