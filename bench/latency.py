"""An LMS that takes its time: how near does a sync come to the ideal, requests x latency / requests at once?

    python bench/latency.py                              # 100 ms for each answer, 20,000 enrollments
    python bench/latency.py --rows 5000 --latency 0.05 --concurrency 2

Canvas-shaped pages over loopback, `rollbook sync` as a whole process and the script written by hand beside it. How
many requests are under way at once is rollbook's own choice (4 for Canvas) unless --concurrency lowers it; the script
keeps 8. The server allows any number.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from contenders import CACHE, CONTENDERS, Contender, install
from machine import machine
from serving import counted, serving
from whole import measured, workspace

if TYPE_CHECKING:
    from serving import Counted
    from whole import Whole

BESIDE = ("rollbook", "script")
GOAL = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--latency", type=float, default=0.1, help="seconds that each answer takes (%(default)s)")
    parser.add_argument("--concurrency", type=int, help="rollbook's requests at once, at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of the script's environment (%(default)s)")
    given = parser.parse_args()
    print(f"{given.rows:,} enrollments, {given.latency:g} s for each answer, median of {given.rounds}; {machine()}")
    heads = ("requests", "at once", "ideal s", "wall s", "CPU s", "of ideal")
    print(f"{'':<12}" + "".join(f"{head:>10}" for head in heads) + f"   (goal: {GOAL:.0%})")
    with serving(given.rows, given.latency) as address:
        for one in CONTENDERS:
            if one.name in BESIDE:
                install(one, given.work)
                runs = [once(one, given, address) for _ in range(given.rounds)]
                print(told(one.name, runs, given.latency), flush=True)


def once(one: Contender, given: argparse.Namespace, address: str) -> tuple[Counted, Whole]:
    """Sync once."""
    with tempfile.TemporaryDirectory(prefix="rb") as name:
        folder = Path(name)
        command = one.command(given.work, address, folder)
        if one.name == "rollbook" and given.concurrency:
            command = workspace(folder, "canvas", base_url=address, concurrency=given.concurrency)
        counted(address)
        run = measured(command, folder)
        return counted(address), run


def told(name: str, runs: list[tuple[Counted, Whole]], latency: float) -> str:
    """Write a line: the ideal of the most that were under way at once, and how much of the time it is."""
    requests, at_once = runs[0][0].requests, max(asked.at_once for asked, _ in runs)
    wall, cpu = (statistics.median(column) for column in list(zip(*(run for _, run in runs), strict=True))[:2])
    ideal = requests * latency / at_once
    return f"{name:<12}{requests:>10,}{at_once:>10}{ideal:>10.2f}{wall:>10.2f}{cpu:>10.2f}{ideal / wall:>10.0%}"


if __name__ == "__main__":
    main()
