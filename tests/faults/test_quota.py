"""A pretend LMS that bans whoever asks for more than its quota: never banned, and the quota is used.

Time passes only when somebody waits, and the sandbox reads the same clock: what would take hours takes seconds.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connection import open_connection
from rollbook.core.errors import RateLimited
from rollbook.core.http import Basic, Http, Limit, no_waits
from rollbook.core.store import Store
from rollbook.core.sync import Sync
from rollbook.sandbox import Quota, Sandbox, Tenant

if TYPE_CHECKING:
    from pathlib import Path

    from rollbook.core.http import Pace

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
PEOPLE = 60
DAY, HOUR = 86_400.0, 3_600.0


async def sync(store: Store, name: str, values: dict[str, Any]) -> str:
    """Sync once; gives the outcome."""
    async with open_connection(name, "talentlms", values) as connection:
        return str((await Sync(connection, store, clock=lambda: AS_OF).run()).outcome)


async def again_and_again(store: Store, name: str, values: dict[str, Any], pace: Pace) -> tuple[str, list[float]]:
    """Sync, coming back when the run says so; gives the outcome, and the waits that it was told."""
    waits: list[float] = []
    while True:
        try:
            return await sync(store, name, values), waits
        except RateLimited as error:
            wait = error.retry_after or 0.0
            waits.append(wait if f"in {wait:.0f} s" in error.hint else -1.0)
            await pace.sleep(wait)


def used(quota: Quota, window: int = 0) -> list[float]:
    """Give the shares that were used of each window which had work to the end."""
    one = quota.windows[window]
    return [count / one.limit for count in one.past]


def hold(quota: Quota, window: int = 0, *, windows: int) -> None:
    assert not quota.banned
    assert quota.refused == 0
    assert len(used(quota, window)) >= windows, "there was not work enough"
    assert min(used(quota, window)) >= 0.9


@pytest.mark.parametrize("at_once", [1, 4])
def test_one_connection_waits_for_the_hour(tmp_path: Path, at_once: int) -> None:
    with no_waits() as pace, Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        quota = Quota(20, HOUR, clock=pace.now, bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=PEOPLE, as_of=AS_OF), quota=quota) as sandbox:
            values = {**sandbox.settings, "hourly_limit": 20, "max_wait": 4_000, "concurrency": at_once}
            outcome = asyncio.run(sync(store, "acme", values))

    assert outcome == "complete"
    hold(quota, windows=3)


def test_a_run_that_may_not_wait_so_long_says_when_to_come_back_and_is_taken_up_then(tmp_path: Path) -> None:
    """Each run is a connection of its own: what the one before has used is not forgotten."""
    with no_waits() as pace, Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        quota = Quota(20, HOUR, clock=pace.now, bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=PEOPLE, as_of=AS_OF), quota=quota) as sandbox:
            values = {**sandbox.settings, "hourly_limit": 20}
            outcome, waits = asyncio.run(again_and_again(store, "acme", values, pace))
            asked = len(sandbox.requests)

    assert outcome == "complete"
    assert len(waits) == 3
    assert all(HOUR - 60 < wait <= HOUR for wait in waits)
    assert asked <= PEOPLE + 2 + len(waits) * 4, "what was read is read again"
    hold(quota, windows=3)


def test_a_run_that_is_started_again_too_early_asks_for_nothing(tmp_path: Path) -> None:
    with no_waits() as pace, Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        quota = Quota(20, HOUR, clock=pace.now, bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=PEOPLE, as_of=AS_OF), quota=quota) as sandbox:
            values = {**sandbox.settings, "hourly_limit": 20}
            for _ in range(3):
                with pytest.raises(RateLimited, match="the quota of 20 requests in 3600 s is spent"):
                    asyncio.run(sync(store, "acme", values))
            asked = len(sandbox.requests)

    assert asked == 20
    assert not quota.banned


@pytest.mark.parametrize("at_once", [1, 4])
def test_two_connections_with_the_same_credentials_share_what_there_is(tmp_path: Path, at_once: int) -> None:
    async def both(store: Store, values: dict[str, Any]) -> list[str]:
        return list(await asyncio.gather(*(sync(store, name, values) for name in ("acme", "again"))))

    with no_waits() as pace, Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        quota = Quota(40, HOUR, clock=pace.now, bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=PEOPLE, as_of=AS_OF), quota=quota) as sandbox:
            values = {**sandbox.settings, "hourly_limit": 40, "max_wait": 4_000, "concurrency": at_once}
            outcomes = asyncio.run(both(store, values))

    assert outcomes == ["complete", "complete"]
    hold(quota, windows=2)


def test_the_seconds_and_the_hour_hold_together(tmp_path: Path) -> None:
    """TalentLMS takes 200 requests in 5 s, whatever the plan's hour allows."""
    with no_waits() as pace, Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        quota = Quota(450, HOUR, clock=pace.now, beside=[(200, 5.0)], bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=900, as_of=AS_OF), quota=quota) as sandbox:
            values = {**sandbox.settings, "hourly_limit": 450, "max_wait": 4_000}
            outcome = asyncio.run(sync(store, "acme", values))

    assert outcome == "complete"
    hold(quota, windows=2)
    assert not quota.banned
    assert max(quota.windows[1].past) <= 200  # how near depends on this machine: these seconds are real ones


def test_the_second_the_hour_and_the_day_hold_together(tmp_path: Path) -> None:
    """The hour is waited for; the day is beyond `max_wait`, and its end is told."""
    limits = [Limit(25, 1.0), Limit(100, HOUR), Limit(250, DAY)]

    async def ask(sandbox: Sandbox, pace: Pace) -> RateLimited:
        auth = Basic(sandbox.app.vendor.key)
        async with Http(sandbox.base_url, auth=auth, key="acme", max_wait=4_000) as http:
            http.limit(limits)
            with pytest.raises(RateLimited) as caught:
                await asyncio.gather(*(some(http, 100) for _ in range(4)))
            assert caught.value.retry_after is not None
            await pace.sleep(caught.value.retry_after)
            await some(http, 30)
        return caught.value

    async def some(http: Http, count: int) -> None:
        for _ in range(count):
            await http.get("api/v1/siteinfo")

    with no_waits() as pace:
        quota = Quota(250, DAY, clock=pace.now, beside=[(100, HOUR), (25, 1.0)], bans=True)
        with Sandbox("talentlms", tenant=Tenant(size=6, as_of=AS_OF), quota=quota) as sandbox:
            error = asyncio.run(ask(sandbox, pace))

    assert error.message == "the quota of 250 requests in 86400 s is spent"
    assert DAY - 3 * HOUR < (error.retry_after or 0) < DAY
    hold(quota, windows=1)
    assert min(used(quota, 1)[:2]) >= 0.9  # the third ends with the day
    assert max(quota.windows[2].past) <= 25
