"""A clock that moves and a tenant that does not change: statuses are right at each sync and in each export."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connection import open_connection
from rollbook.core.mapping import Mapped
from rollbook.core.native import parse
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.sync.remap import normalized
from rollbook.sandbox import VENDORS, Sandbox, Tenant

from .conftest import Campus, Killed, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollbook.core.mapping import Normalizer

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
EARLY = AS_OF - timedelta(days=1000)
MOMENT = timedelta(microseconds=1)
DUE = datetime(2026, 7, 1, tzinfo=UTC)


class Clock:
    now = EARLY

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=sorted(VENDORS))
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox(request.param, tenant=Tenant(as_of=AS_OF, size=12)) as running:
        yield running


def sync(sandbox: Sandbox, store: Store, clock: Clock) -> Normalizer:
    async def run() -> Normalizer:
        name = sandbox.app.vendor.name
        async with open_connection("acme", name, sandbox.settings) as connection:
            report = await Sync(connection, store, clock=clock).run()

            assert report.outcome == "complete"
            return connection.normalizer

    return asyncio.run(run())


def told(one: dict[str, Any], normalizer: Normalizer, at: datetime) -> Mapped:
    """Map a row's native record for an instant, as if nothing had been stored before."""
    record = parse(one["remote_data"])
    assert isinstance(record, dict)
    found = normalizer.normalize(record, kind=one["kind"], as_of=at)
    assert isinstance(found, Mapped)
    return found


def turns(rows: list[dict[str, Any]], normalizer: Normalizer) -> list[datetime]:
    """Give all instants at which some row's status turns into another."""
    found: set[datetime] = set()
    for one in rows:
        at = EARLY
        while (turn := told(one, normalizer, at).stale_at) is not None:
            found.add(turn)
            at = turn + MOMENT
    return sorted(found)


def test_stored_statuses_and_exports_are_right_just_before_at_and_after_each_date(sandbox: Sandbox) -> None:
    clock = Clock()
    with Store(PRIVATE) as store:
        normalizer = sync(sandbox, store, clock)
        first = list(table(store).values())
        dates = turns(first, normalizer)
        instants = [date + step for date in dates for step in (-MOMENT, 0 * MOMENT, MOMENT)]
        statuses: set[str] = set()
        for at in instants:
            truth = {one["id"]: told(one, normalizer, at).enrollment.status for one in first}
            exported = {one["id"]: normalized(one, normalizer, at) for one in first}

            assert truth == {id: one and one.status for id, one in exported.items()}

        for at in random.Random(1).sample(instants, min(12, len(instants))):  # forwards and backwards
            clock.now = at
            sync(sandbox, store, clock)
            truth = {one["id"]: told(one, normalizer, at).enrollment.status.value for one in first}
            statuses |= set(truth.values())

            assert truth == {id: one["status"] for id, one in table(store).items()}

    assert len(dates) > 1, "the tenant has dates that move a status"
    assert "expired" in statuses


@pytest.mark.parametrize("reachable", [True, False])
def test_a_deadline_is_past_from_the_moment_after_it_whether_the_row_is_served_again_or_not(
    store: Store,
    reachable: bool,  # noqa: FBT001 - a parameter
) -> None:
    campus = Campus({"a": [row(1, due=DUE.isoformat()), row(2, state="done", due=DUE.isoformat())], "b": [row(3)]})

    def at(now: datetime) -> tuple[str, str]:
        asyncio.run(Sync(open_campus(campus), store, clock=lambda: now).run())
        return table(store)["1"]["status"], table(store)["2"]["status"]

    assert at(DUE - timedelta(days=1)) == ("enrolled", "completed")
    if not reachable:
        campus.broken["a"] = PermissionError("no")

    assert at(DUE - MOMENT) == ("enrolled", "completed")
    assert at(DUE) == ("enrolled", "completed")
    assert at(DUE + MOMENT) == ("overdue", "completed")


def test_a_clock_that_was_wrong_is_put_right_at_the_next_sync(store: Store) -> None:
    """A machine whose clock runs years ahead tells everything overdue; set right, the next sync takes that back."""
    campus = Campus({"a": [row(1, due=DUE.isoformat())]})
    for now, status in (
        (DUE - timedelta(days=2), "enrolled"),
        (DUE + timedelta(days=2000), "overdue"),
        (DUE - timedelta(days=1), "enrolled"),
        (DUE + MOMENT, "overdue"),
    ):
        asyncio.run(Sync(open_campus(campus), store, clock=lambda now=now: now).run())

        assert table(store)["1"]["status"] == status


def test_a_run_that_was_taken_up_by_a_clock_that_was_wrong_is_noticed_too(store: Store) -> None:
    """The run began at a right time: only what was mapped tells that the clock had run ahead."""
    campus = Campus({"a": [row(1, due=DUE.isoformat())], "b": [row(2)]})
    right, wrong = DUE - timedelta(hours=2), DUE + timedelta(hours=2)

    def sync(now: datetime) -> str:
        report = asyncio.run(Sync(open_campus(campus), store, clock=lambda: now).run())
        return f"{'resumed' if report.resumed else 'new'}, {table(store)['1']['status']}"

    campus.kill_after = 0
    with pytest.raises((Killed, BaseExceptionGroup)):
        sync(right)
    campus.kill_after = None

    assert sync(wrong) == "resumed, overdue"
    assert sync(right) == "new, enrolled"
