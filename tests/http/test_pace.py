"""Waits switched off: nothing is slept through, and the time that the waits would have taken passes all the same."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import RateLimited
from rollbook.core.http import Http, Limit, no_waits, pace

if TYPE_CHECKING:
    from collections.abc import Callable

OK = httpx.Response(200, json={})


def http(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> Http:
    return Http("https://lms.example.com", transport=httpx.MockTransport(answer), **options)


async def ask(client: Http, times: int = 1) -> None:
    async with client:
        for _ in range(times):
            await client.get("users")


def script(*answers: httpx.Response) -> Callable[[httpx.Request], httpx.Response]:
    left = list(answers)
    return lambda _request: left.pop(0) if len(left) > 1 else left[0]


def slow_down(seconds: int) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": str(seconds)})


@pytest.fixture
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every real sleep be an error, and the real time stand still."""
    monkeypatch.setattr(time, "time", lambda: 1_700_000_000.0)
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        assert seconds == 0
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)


@pytest.mark.usefixtures("awake")
def test_a_pause_that_the_lms_asks_for_passes_at_once_and_is_counted() -> None:
    with no_waits():
        client = http(script(slow_down(100), OK))
    asyncio.run(ask(client))

    assert client.stats.requests == 2
    assert client.stats.waited == pytest.approx(100, abs=30)


@pytest.mark.usefixtures("awake")
def test_repetitions_follow_each_other_at_once() -> None:
    with no_waits():
        client = http(script(httpx.Response(503), httpx.Response(500), OK))
    asyncio.run(ask(client))

    assert client.stats.retries == 2


@pytest.mark.usefixtures("awake")
def test_a_quota_is_kept_in_the_time_that_passes() -> None:
    moments: list[float] = []

    with no_waits() as skipping:

        def note(_request: httpx.Request) -> httpx.Response:
            moments.append(skipping.now())
            return OK

        client = http(note)
    client.limit([Limit(requests=2, per=10.0)])
    asyncio.run(ask(client, 7))

    assert [moment - moments[0] for moment in moments] == pytest.approx([0, 0, 10, 10, 20, 20, 30])


@pytest.mark.usefixtures("awake")
def test_a_wait_that_is_too_long_is_refused_all_the_same() -> None:
    with no_waits():
        client = http(script(slow_down(1_000)), max_wait=120.0)
    with pytest.raises(RateLimited):
        asyncio.run(ask(client))


def test_time_goes_on_by_what_was_waited() -> None:
    with no_waits() as skipping:
        before = skipping.now()
        asyncio.run(skipping.sleep(3_600))
        asyncio.run(skipping.sleep(-5))

        assert 3_600 <= skipping.now() - before < 3_700


def test_a_connection_keeps_the_time_it_was_opened_with() -> None:
    with no_waits() as skipping:
        client = http(script(slow_down(100), OK))
    before = skipping.now()
    asyncio.run(ask(client))

    assert pace() is not skipping
    assert skipping.now() - before >= 100


def test_outside_the_real_time_holds() -> None:
    with no_waits():
        pass

    assert pace().now() == pytest.approx(time.time(), abs=60)
    assert type(pace()).__name__ == "Pace"


def test_it_is_undone_after_an_error() -> None:
    before = pace()
    with pytest.raises(ZeroDivisionError), no_waits():
        _ = 1 / 0

    assert pace() is before


def test_the_innermost_holds() -> None:
    with no_waits() as outer:
        with no_waits() as inner:
            assert pace() is inner

        assert pace() is outer


def test_blocks_may_end_in_any_order() -> None:
    outer, inner = no_waits(), no_waits()
    first, second = outer.__enter__(), inner.__enter__()
    outer.__exit__(None, None, None)

    assert pace() is second
    inner.__exit__(None, None, None)

    assert pace() not in (first, second)


@pytest.mark.usefixtures("awake")
def test_waits_of_one_block_do_not_count_against_the_quota_of_the_next() -> None:
    """Both connections have the same credentials, and the first is still open."""
    with no_waits():
        first = http(script(slow_down(100), OK), key="same")
        asyncio.run(ask(first))
    with no_waits():
        second = http(script(OK), key="same")
        asyncio.run(ask(second))

    assert second.stats.waited < 1


def test_whoever_brings_a_clock_of_their_own_keeps_it() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with no_waits():
        client = http(script(slow_down(100), OK), sleep=sleep)
    asyncio.run(ask(client))

    assert sum(slept) >= 100
