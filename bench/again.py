"""A second sync of an unchanged tenant, and a third after a few changes: what is asked, written and spent?

    python bench/again.py [PEOPLE]

The tenants are those of bench/quota.py, in SQLite files. Rows that are written are counted by triggers in the database
itself: every INSERT and UPDATE of a row of `enrollments`. Times are of this process's processor, the answering of the
made-up LMS included. Where the vendor filters by time (Docebo), a third sync follows after one enrollment in a hundred
made progress.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from machine import machine
from rollbook.core.http import no_waits
from rollbook.core.store import Store
from tenants import Case, cases, sync

EVERY = 100
LATER = "2026-06-01 12:30:00"
FIRST, SECOND = "first", "second, unchanged"


class Round(NamedTuple):
    """What one sync took."""

    requests: int
    written: int
    wall: float
    cpu: float


def watch(file: Path) -> None:
    """Let the database count what is written to rows of `enrollments`."""
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS written (id TEXT)")
        for what in ("INSERT", "UPDATE"):
            inside = "BEGIN INSERT INTO written VALUES (NEW.id); END"
            db.execute(f"CREATE TRIGGER IF NOT EXISTS on_{what} AFTER {what} ON enrollments {inside}")


def written(file: Path) -> int:
    """Give how many rows were written since the last look."""
    with closing(sqlite3.connect(file)) as db, db:
        (count,) = db.execute("SELECT count(*) FROM written").fetchone()
        db.execute("DELETE FROM written")
        return count


async def once(case: Case, file: Path) -> Round:
    """Sync, and measure."""
    asked, begun, spent = case.asked(), time.perf_counter(), time.process_time()
    with Store(f"sqlite:///{file}") as store:
        await sync(case, store)
    times = time.perf_counter() - begun, time.process_time() - spent
    return Round(case.asked() - asked, written(file), *times)


async def rounds(case: Case) -> dict[str, Round]:
    """Sync twice, and once more after changes where the vendor filters by time."""
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        file = Path(folder) / "again.db"
        Store(f"sqlite:///{file}").close()
        watch(file)
        found = {FIRST: await once(case, file), SECOND: await once(case, file)}
        if case.name == "docebo learn":
            changed = case.pretend.change(EVERY, LATER)
            found[f"third, {changed:,} changed"] = await once(case, file)
    return found


async def main(size: int) -> None:
    """Measure and print."""
    print(f"{'':<16}{'sync':<22}{'requests':>10}{'rows written':>14}{'wall s':>9}{'CPU s':>9}   ({machine()})")
    for case in await cases(size):
        for which, one in (await rounds(case)).items():
            figures = f"{one.requests:>10,}{one.written:>14,}{one.wall:>9.2f}{one.cpu:>9.2f}"
            print(f"{case.name:<16}{which:<22}{figures}", flush=True)


if __name__ == "__main__":
    with no_waits():
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 1_000))
