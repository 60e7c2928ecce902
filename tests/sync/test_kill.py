"""Killed with SIGKILL in the middle of a transaction, and started again: the same table."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.store import Store
from rollbook.sandbox import Sandbox, Tenant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)

CHILD = """
import asyncio, json, os, signal, sys
from datetime import datetime
from rollbook.core.connection import open_connection
from rollbook.core.store import Store
from rollbook.core.sync import Sync, engine

vendor, settings, address, last, as_of = sys.argv[1:]
settings, last = json.loads(settings), int(last)
in_store, writes = engine.Sync._in_store, 0

async def counted(self, work):
    global writes
    writes += 1
    mine = writes
    def killing(db):
        found = work(db)
        if mine == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found
    return await in_store(self, killing)

engine.Sync._in_store = counted

async def main():
    async with open_connection("acme", vendor, settings) as connection:
        with Store(address) as store:
            report = await Sync(connection, store, clock=lambda: datetime.fromisoformat(as_of)).run()
    print(report.outcome, writes)

asyncio.run(main())
"""


def sync(vendor: str, sandbox: Sandbox, address: str, last: int = 0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", CHILD, vendor, json.dumps(sandbox.settings), address, str(last), AS_OF.isoformat()],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def contents(address: str) -> list[dict[str, Any]]:
    with Store(address) as store:
        return list(store.rows("acme", removed=True))


@pytest.fixture(params=["sqlite", "postgresql"])
def new_address(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Give addresses of empty databases."""
    if request.param == "postgresql":
        return request.getfixturevalue("postgres")
    numbers = itertools.count()
    return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"


@pytest.mark.parametrize("vendor", ["canvas", "talentlms"])
def test_killed_in_a_transaction_and_repeated_it_gives_the_same_table(
    vendor: str, new_address: Callable[[], str]
) -> None:
    with Sandbox(vendor, tenant=Tenant(as_of=AS_OF)) as sandbox:
        whole = new_address()
        outcome, writes = sync(vendor, sandbox, whole).stdout.split()
        expected = contents(whole)

        assert (outcome, bool(expected)) == ("complete", True)

        cuts = range(2, int(writes), max(1, int(writes) // 6))
        for cut in cuts:
            address = new_address()
            killed = sync(vendor, sandbox, address, cut)

            assert killed.returncode == -signal.SIGKILL

            again = sync(vendor, sandbox, address)

            assert again.stdout.startswith("complete")
            assert expected == contents(address)
