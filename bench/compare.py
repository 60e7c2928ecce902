"""Rollbook, a script written by hand, and other frameworks, reading the same enrollments side by side.

    python bench/compare.py                       # all of them, 20,000 enrollments, five rounds
    python bench/compare.py --only rollbook script --rounds 9
    python bench/compare.py --markdown table.md --json figures.json --svg docs/img/compare.svg

A server on loopback gives Canvas-shaped pages of 100. Each contender runs as a whole process, from start to exit, in a
folder of its own; they take turns, round by round, after a round that does not count. Ratios, of wall time and of
processor time, are to the script of the same round; the median is given. On a busy machine the latter tells more.
What the others need is installed by this command, each into an environment of its own under --work.
Memory is the process's peak; requests are counted by the server.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plot
from contenders import CACHE, CONTENDERS, Contender, install
from machine import machine
from serving import counted, serving
from whole import Whole, measured

if TYPE_CHECKING:
    from collections.abc import Sequence

BESIDE = "script"
"""What the others are held against."""


def main() -> None:
    names = [one.name for one in CONTENDERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--work", type=Path, default=CACHE, help="folder of the environments (%(default)s)")
    for kind in ("json", "markdown", "svg"):
        parser.add_argument(f"--{kind}", type=Path, metavar="FILE", help=f"also write the figures as {kind}")
    given = parser.parse_args()
    contenders = ready([one for one in CONTENDERS if one.name in given.only], given.work)
    found: dict[str, Any] = {"rows": given.rows, "rounds": given.rounds, "machine": machine(), "contenders": []}
    with serving(given.rows) as address:
        runs = compete(list(contenders), given.work, address, given.rows, given.rounds)
    found["contenders"] = [figures(one, contenders[one], runs) for one in runs]
    print(table(found))
    written = {given.json: json.dumps(found, indent=1) + "\n", given.markdown: table(found) + "\n"}
    if given.svg:
        written[given.svg] = plot.compared(found)
    for file, text in written.items():
        if file:
            file.write_text(text, encoding="utf-8")


def ready(contenders: Sequence[Contender], work: Path) -> dict[Contender, str]:
    """Install what they need, and give their versions; one that cannot be had is told and left out."""
    found: dict[Contender, str] = {}
    for one in contenders:
        try:
            found[one] = install(one, work)
        except (subprocess.CalledProcessError, OSError) as error:
            print(f"{one.name} is left out: it cannot be installed ({error})", file=sys.stderr)
    return found


Runs = dict[Contender, list[tuple[Whole, int]]]
"""What each run took, and its requests."""


def compete(contenders: list[Contender], work: Path, address: str, rows: int, rounds: int) -> Runs:
    """Let them take turns; one that fails is told and left out."""
    runs: Runs = {one: [] for one in contenders}
    for number in range(rounds + 1):
        for one in list(runs):
            try:
                run = once(one, work, address, rows)
            except RuntimeError as error:
                print(f"{one.name} is left out: {error}", file=sys.stderr)
                del runs[one]
                continue
            if number:
                runs[one].append(run)
    return runs


def once(contender: Contender, work: Path, address: str, rows: int) -> tuple[Whole, int]:
    """Run one of them in an empty folder, and look whether it stored all."""
    with tempfile.TemporaryDirectory(prefix="rb") as name:
        folder = Path(name)
        command = contender.command(work, address, folder)
        counted(address)
        run = measured(command, folder)
        stored = contender.rows(folder)
        if stored not in (None, rows):
            raise RuntimeError(f"it stored {stored} enrollments of {rows}")
        return run, counted(address).requests


def figures(one: Contender, versions: str, runs: Runs) -> dict[str, Any]:
    """Give what is told of a contender."""
    mine = runs[one]
    walls = [run.wall for run, _ in mine]
    beside = next((known for known in runs if known.name == BESIDE), None)
    pairs = list(zip(mine, runs[beside], strict=True)) if beside else []
    return {
        "name": one.name,
        "does": one.does,
        "versions": f"{one.name}: {versions}" if one.name == BESIDE else versions,
        "wall": round(statistics.median(walls), 3),
        "walls": [round(wall, 3) for wall in walls],
        "ratio": _median([run.wall / other.wall for (run, _), (other, _) in pairs]),
        "cpu_ratio": _median([run.cpu / other.cpu for (run, _), (other, _) in pairs]),
        "cpu": round(statistics.median(run.cpu for run, _ in mine), 3),
        "peak": round(statistics.median(run.peak for run, _ in mine), 1),
        "requests": round(statistics.median(requests for _, requests in mine)),
    }


def _median(ratios: list[float]) -> float | None:
    return round(statistics.median(ratios), 3) if ratios else None


def _headline(found: dict[str, Any]) -> str:
    measured_in = f"medians of {found['rounds']} rounds in turn; ratios to the {BESIDE}"
    return f"{found['rows']:,} enrollments, {measured_in}. {found['machine']}."


def table(found: dict[str, Any]) -> str:
    """Write the figures as a Markdown table."""
    lines = [
        _headline(found),
        "",
        "| | what becomes of a record | wall s (least, most) | ratio | CPU s | ratio | peak MiB | requests |",
        f"| {'--- | ' * 8}".rstrip(),
    ]
    for one in found["contenders"]:
        span = f"{one['wall']:.2f} ({min(one['walls']):.2f}, {max(one['walls']):.2f})"
        wall, cpu = ("" if one[name] is None else f"{one[name]:.2f}" for name in ("ratio", "cpu_ratio"))
        used = [f"{one['cpu']:.2f}", cpu, f"{one['peak']:.0f}", one["requests"]]
        cells = [one["versions"], one["does"], span, wall, *used]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
