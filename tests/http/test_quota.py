"""What answers say of the quota wins over documented numbers."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.connectors.canvas import Canvas
from rollbook.connectors.talentlms import TalentLMS
from rollbook.core.errors import RateLimited
from rollbook.core.http import Answer, Http, Limit, Quota, read_quota

if TYPE_CHECKING:
    from .conftest import Clock, Lms


def answer(body: bytes = b"{}", path: str = "/", **headers: str) -> Answer:
    named = httpx.Headers({name.replace("_", "-"): text for name, text in headers.items()})
    return Answer(200, named, body, f"GET {path}", f"https://lms.example.com{path}")


@pytest.mark.parametrize(
    ("headers", "quota"),
    [
        (
            {"X_RateLimit_Limit": "100", "X_RateLimit_Remaining": "7", "X_RateLimit_Reset": "30"},
            Quota(remaining=7, reset=30, limit=100),
        ),
        (
            {"X_Rate_Limit_Limit": "100", "X_Rate_Limit_Remaining": "0", "X_Rate_Limit_Reset": "1700000060"},
            Quota(remaining=0, reset=1_700_000_060, limit=100),
        ),
        (
            {"RateLimit_Limit": "100, 100;w=60", "RateLimit_Remaining": "7", "RateLimit_Reset": "30"},
            Quota(remaining=7, reset=30, limit=100, per=60),
        ),
        (
            {"RateLimit_Limit": "10, 10;w=1, 50;w=60", "RateLimit_Remaining": "7", "RateLimit_Reset": "1"},
            Quota(remaining=7, reset=1, limit=10),
        ),
        (
            {"RateLimit": "limit=100, remaining=50, reset=5", "RateLimit_Policy": "100;w=10"},
            Quota(remaining=50, reset=5, limit=100, per=10),
        ),
        (
            {"RateLimit": '"default";r=50;t=30', "RateLimit_Policy": '"default";q=100;w=60'},
            Quota(remaining=50, reset=30, limit=100, per=60),
        ),
    ],
)
def test_the_usual_headers_are_read(headers: dict[str, str], quota: Quota) -> None:
    assert read_quota(answer(b"{}", **headers)) == quota


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Rate_Limit_Remaining": "598.4000", "X_Request_Cost": "0.0421"},
        {"X_Rate_Limit_Remaining": "49990", "X_Rate_Limit_Reset": "30"},
        {"X_RateLimit_Limit": "600.0", "X_RateLimit_Remaining": "598.4", "X_RateLimit_Reset": "10"},
        {"X_RateLimit_Limit": "100", "X_RateLimit_Remaining": "101", "X_RateLimit_Reset": "10"},
        {"X_RateLimit_Limit": "100", "X_RateLimit_Remaining": "-1", "X_RateLimit_Reset": "10"},
        {"X_RateLimit_Limit": "100", "X_RateLimit_Remaining": "7", "X_RateLimit_Reset": "soon"},
        {"RateLimit": '"burst";r=5;t=1, "day";r=50;t=30', "RateLimit_Policy": '"burst";q=10;w=1, "day";q=100;w=60'},
        {"RateLimit": "nonsense"},
    ],
)
def test_what_may_mean_something_else_is_not_read(headers: dict[str, str]) -> None:
    """A bucket of costs, credits, several quotas in one: none of them is a number of requests."""
    assert read_quota(answer(b"{}", **headers)) is None


def test_canvas_bucket_is_not_taken_for_requests() -> None:
    told = Canvas.quota(answer(X_Rate_Limit_Remaining="0", X_Rate_Limit_Limit="600", X_Rate_Limit_Reset="9"))

    assert told == Quota()


def test_talentlms_tells_its_quota_when_it_is_asked() -> None:
    body = b'{"limit":"2000","remaining":"1999","reset":"1374757895","formatted_reset":"25/07/2013, 16:11"}'

    assert TalentLMS.quota(answer(body, "/api/v1/ratelimit")) == Quota(
        remaining=1_999, reset=1_374_757_895, limit=2_000, per=3_600
    )
    assert TalentLMS.quota(answer(body, "/api/v1/users")) is None


@pytest.mark.parametrize(
    ("reset", "until"),
    [(30, 1_030), (10_000_000, 87_400), (0, None), (-4, None), (None, None)],
)
def test_an_end_is_some_seconds_away_and_a_day_at_most(reset: float | None, until: float | None) -> None:
    assert Quota(reset=reset).until(1_000) == until


@pytest.mark.parametrize(("reset", "until"), [(1_700_000_060, 1_700_000_060), (1_700_000_060_000, 1_700_000_060)])
def test_or_a_moment(reset: float, until: float) -> None:
    assert Quota(reset=reset).until(1_700_000_000) == until
    assert Quota(reset=reset).until(1_700_000_099) is None


class Server:
    """An LMS that counts in windows of a minute, says so, and refuses what is beyond."""

    def __init__(self, clock: Clock, limit: int, *, says: bool = True) -> None:
        self.clock, self.limit, self.says = clock, limit, says
        self.taken: list[int] = []
        self.ends = 0.0
        self.refused = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        if self.clock.now >= self.ends:
            self.ends = self.clock.now + 60
            self.taken.append(0)
        if self.taken[-1] >= self.limit:
            self.refused += 1
            return httpx.Response(429)
        self.taken[-1] += 1
        left = {"Limit": self.limit, "Remaining": self.limit - self.taken[-1], "Reset": self.ends - self.clock.now}
        headers = {f"X-RateLimit-{name}": str(int(value)) for name, value in left.items()} if self.says else {}
        for _ in range(hash(request.url) % 3):  # answers do not come in the order of the requests
            await asyncio.sleep(0)
        return httpx.Response(200, headers=headers, json={})


async def many(http: Http, count: int, at_once: int) -> None:
    left = list(range(count))

    async def some() -> None:
        while left:
            await http.get(f"users/{left.pop()}")

    await asyncio.gather(*(some() for _ in range(at_once)))


@pytest.mark.parametrize("at_once", [1, 4, 16])
def test_a_lower_limit_than_documented_is_held(lms: Lms, clock: Clock, at_once: int) -> None:
    server = Server(clock, 100)

    async def work(http: Http) -> None:
        http.limit([Limit(requests=1_000, per=60.0)])
        await many(http, 450, at_once)

    lms.asked(work, transport=httpx.MockTransport(server))

    assert server.refused == 0
    assert server.taken[:4] == [100] * 4


def test_without_such_headers_the_same_server_refuses(lms: Lms, clock: Clock) -> None:
    server = Server(clock, 100, says=False)
    lms.asked(lambda http: many(http, 150, 4), transport=httpx.MockTransport(server))

    assert server.refused > 0


def test_a_higher_limit_is_used_where_the_connector_says_so(lms: Lms, clock: Clock) -> None:
    def raising(answer: Answer) -> Quota:
        return Quota(limit=100, per=60.0, raises=True)

    async def work(http: Http) -> None:
        http.limit([Limit(requests=10, per=60.0)])
        await many(http, 150, 1)

    server = Server(clock, 100, says=False)
    lms.asked(work, transport=httpx.MockTransport(server), quota=raising)

    assert server.refused == 0
    assert server.taken == [100, 50]


def test_a_higher_limit_is_not_used_otherwise(lms: Lms, clock: Clock) -> None:
    async def work(http: Http) -> None:
        http.limit([Limit(requests=10, per=60.0)])
        await many(http, 25, 1)

    def a_hundred(answer: Answer) -> Quota:
        del answer
        return Quota(limit=100, per=60.0)

    server = Server(clock, 100)
    lms.asked(work, transport=httpx.MockTransport(server), quota=a_hundred)

    assert server.taken == [10, 10, 5]


def test_an_end_that_is_too_far_away_stops_and_is_told(lms: Lms, clock: Clock) -> None:
    spent = httpx.Response(
        200, headers={"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "3000"}, json={}
    )
    lms.will(spent)
    with pytest.raises(RateLimited, match="the LMS says that its quota is spent") as caught:
        lms.asked(lambda http: many(http, 2, 1))

    assert caught.value.retry_after == 3_000
    assert len(lms.requests) == 1
    assert clock.slept == []


@pytest.mark.parametrize("text", ["7", "date"])
def test_retry_after_on_a_success_slows_everything_down(lms: Lms, clock: Clock, text: str) -> None:
    value = formatdate(clock.now + 7, usegmt=True) if text == "date" else text
    lms.will(httpx.Response(200, headers={"Retry-After": value}, json={}), httpx.Response(200, json={}))
    lms.asked(lambda http: many(http, 2, 1))

    assert clock.slept == [7.0]


def test_retry_after_that_tells_the_end_of_the_quota_is_waited_for_once_that_is_spent(lms: Lms, clock: Clock) -> None:
    """Some LMSs send it with every answer: the connector says so by reading it as the quota's `reset`."""

    def own(answer: Answer) -> Quota:
        return Quota(remaining=int(answer.headers["X-Left"]), reset=float(answer.headers["Retry-After"]))

    left = (httpx.Response(200, headers={"Retry-After": "90", "X-Left": str(left)}, json={}) for left in (1, 0, 9))
    lms.will(*left)
    lms.asked(lambda http: many(http, 3, 1), quota=own)

    assert clock.slept == [90.0]


def test_retry_after_on_a_success_is_heeded_where_the_connector_reads_no_reset(lms: Lms, clock: Clock) -> None:
    def nothing_read(_: Answer) -> Quota:
        return Quota()

    lms.will(httpx.Response(200, headers={"Retry-After": "7"}, json={}), httpx.Response(200, json={}))
    lms.asked(lambda http: many(http, 2, 1), quota=nothing_read)

    assert clock.slept == [7.0]


def test_retry_after_of_a_job_that_was_accepted_is_about_the_job(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(202, headers={"Retry-After": "7"}, json={}))
    lms.asked(lambda http: many(http, 2, 1))

    assert clock.slept == []


def test_what_another_host_says_of_its_quota_is_not_ours(lms: Lms, clock: Clock) -> None:
    async def fetch(http: Http) -> None:
        for _ in range(2):
            async with http.download("https://files.example.net/big", other_host=True):
                pass

    spent = {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}
    lms.will(httpx.Response(200, headers=spent, content=b"x"))
    lms.asked(fetch)

    assert clock.slept == []


def test_a_reading_that_cannot_read_the_body_leaves_it_to_the_usual_headers(lms: Lms, clock: Clock) -> None:
    def own(answer: Answer) -> Quota | None:
        answer.object()
        return None

    spent = {"X-RateLimit-Limit": "9", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "50"}
    lms.will(httpx.Response(200, headers=spent, content=b"no json"))
    lms.asked(lambda http: many(http, 2, 1), quota=own)

    assert clock.slept == [50.0]


def test_a_connection_that_is_closed_leaves_behind_what_it_used(lms: Lms, clock: Clock) -> None:
    """Two syncs in one process, one after the other, are one client to the LMS."""

    async def one(http: Http) -> None:
        http.limit([Limit(requests=2, per=100.0)])
        await many(http, 2, 1)

    lms.will(httpx.Response(200, json={}))
    options: dict[str, Any] = {"key": "acme"}
    lms.asked(one, **options)
    lms.asked(one, **options)

    assert clock.slept == [100.0]
    lms.asked(one, key="zenith")
    assert clock.slept == [100.0]
