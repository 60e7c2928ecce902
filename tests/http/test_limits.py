"""Rates, concurrency and pauses, shared by everything with the same key."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import RateLimited
from rollbook.core.http import Answer, Http, Limit
from rollbook.core.http.limits import Limiter, limiter

if TYPE_CHECKING:
    from .conftest import Clock, Lms


async def several(http: Http, count: int) -> list[Answer]:
    return await asyncio.gather(*(http.get(f"users/{number}") for number in range(count)))


def test_a_rate_holds_in_any_span_of_its_length(lms: Lms, clock: Clock) -> None:
    moments: list[float] = []

    def note(request: httpx.Request) -> httpx.Response:
        moments.append(clock.now)
        return httpx.Response(200, json={})

    async def ten(http: Http) -> None:
        http.limit([Limit(requests=3, per=5.0)])
        for number in range(10):
            await http.get(f"users/{number}")

    lms.will(note)
    lms.asked(ten)

    assert all(later - earlier >= 5.0 for earlier, later in zip(moments, moments[3:], strict=False))
    assert moments[-1] - moments[0] == 15.0


def test_the_strictest_of_several_rates_decides(lms: Lms, clock: Clock) -> None:
    async def four(http: Http) -> None:
        http.limit([Limit(requests=100, per=1.0), Limit(requests=2, per=60.0)])
        await several(http, 4)

    lms.will(httpx.Response(200, json={}))
    lms.asked(four)

    assert clock.now - 1_700_000_000 == 60.0


def test_a_quota_whose_end_is_too_far_away_stops_instead_of_sleeping(lms: Lms, clock: Clock) -> None:
    async def three(http: Http) -> None:
        http.limit([Limit(requests=2, per=3600.0)])
        await several(http, 3)

    lms.will(httpx.Response(200, json={}))
    with pytest.raises(RateLimited) as caught:
        lms.asked(three, max_wait=120.0)

    assert caught.value.retry_after == 3600
    assert caught.value.message == "the quota of 2 requests in 3600 s is spent"
    assert len(lms.requests) == 2
    assert clock.slept == []


def test_no_more_requests_are_under_way_than_allowed(lms: Lms) -> None:
    under_way, most = 0, 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _ in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, json={})

    async def twenty(http: Http) -> int:
        http.limit([Limit(at_once=3), Limit(at_once=8)])
        return len(await several(http, 20))

    assert lms.asked(twenty, transport=httpx.MockTransport(slow)) == 20
    assert most == 3


def test_a_throttled_answer_pauses_everything_with_the_same_key(lms: Lms, clock: Clock) -> None:
    async def three_clients() -> list[float]:
        asleep = asyncio.Event()

        async def sleep_on(seconds: float) -> None:
            del seconds
            asleep.set()
            await asyncio.Event().wait()

        async with lms.http(key="acme", sleep=sleep_on) as one, lms.http(key="acme") as other, lms.http() as stranger:
            throttled = asyncio.create_task(one.get("throttled"))
            await asleep.wait()
            await stranger.get("free")
            free = list(clock.slept)
            await other.get("waits")
            throttled.cancel()
            return free

    lms.will(httpx.Response(429, headers={"Retry-After": "30"}), httpx.Response(200, json={}))

    assert asyncio.run(three_clients()) == []
    assert clock.slept == [30.0]


def test_a_pause_that_is_too_long_is_told_to_the_others_too(lms: Lms) -> None:
    async def two(http: Http) -> None:
        with pytest.raises(RateLimited):
            await http.get("first")
        await http.get("second")

    lms.will(httpx.Response(429, headers={"Retry-After": "999"}))
    with pytest.raises(RateLimited, match="asked for a pause"):
        lms.asked(two)

    assert len(lms.requests) == 1


def test_the_same_key_is_the_same_limiter_and_an_empty_one_is_shared_with_nobody() -> None:
    first = limiter("acme")

    assert limiter("acme") is first
    assert limiter("zenith") is not first
    assert limiter("") is not limiter("")


def test_limits_that_are_set_twice_do_not_forget_what_was_counted(clock: Clock) -> None:
    shared = Limiter()

    async def turns(count: int) -> None:
        shared.add([Limit(requests=2, per=10.0)])
        for _ in range(count):
            async with shared.turn(clock, clock.sleep, 60.0):
                pass

    asyncio.run(turns(2))
    asyncio.run(turns(1))

    assert clock.slept == [10.0]


def test_a_clock_that_stands_still_does_not_hang_a_waiting_request() -> None:
    async def nothing(seconds: float) -> None:
        del seconds

    async def turns() -> int:
        still = Limiter()
        still.add([Limit(requests=1, per=5.0)])
        done = 0
        for _ in range(3):
            async with still.turn(lambda: 0.0, nothing, 60.0):
                done += 1
        return done

    assert asyncio.run(turns()) == 3


def test_a_request_that_is_cancelled_in_the_queue_gives_its_place_away(clock: Clock) -> None:
    gate = Limiter()
    gate.add([Limit(at_once=1)])

    async def hold(order: list[str], name: str) -> None:
        async with gate.turn(clock, clock.sleep, 60.0):
            order.append(name)
            await asyncio.sleep(0)

    async def scene() -> list[str]:
        order: list[str] = []
        tasks = [asyncio.create_task(hold(order, name)) for name in ("first", "second", "third")]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await hold(order, "fourth")
        return order

    assert asyncio.run(scene()) == ["first", "third", "fourth"]


def test_concurrency_is_shared_across_threads_and_event_loops(clock: Clock) -> None:
    gate = Limiter()
    gate.add([Limit(at_once=2)])
    inside, most, lock = 0, 0, threading.Lock()

    async def hold() -> None:
        nonlocal inside, most
        async with gate.turn(clock, clock.sleep, 60.0):
            with lock:
                inside += 1
                most = max(most, inside)
            await asyncio.sleep(0.001)
            with lock:
                inside -= 1

    async def many() -> Any:
        return await asyncio.gather(*(hold() for _ in range(10)))

    threads = [threading.Thread(target=lambda: asyncio.run(many())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert not any(thread.is_alive() for thread in threads)
    assert most == 2
