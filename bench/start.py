"""How long rollbook takes to start, beside `import httpx`.

    python bench/start.py [ROUNDS]

Each is a process of its own; they take turns, and the figures are medians. The ratio is to `import httpx`, of the same
round.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from machine import machine
from whole import ROLLBOOK, measured

COMMANDS: dict[str, list[str | Path]] = {
    "python": [sys.executable, "-c", ""],
    "import httpx": [sys.executable, "-c", "import httpx"],
    "import rollbook.core": [sys.executable, "-c", "import rollbook.core"],
    "rollbook --help": [ROLLBOOK, "--help"],
    "rollbook sync --help": [ROLLBOOK, "sync", "--help"],
}
GOALS = {"import rollbook.core": 0.25 / 0.13, "rollbook --help": 0.3 / 0.13}
"""Of the time of `import httpx`."""


def main(rounds: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        times = [{name: measured(one, Path(folder)) for name, one in COMMANDS.items()} for _ in range(rounds + 1)][1:]
    print(f"{'':<24}{'wall s':>8}{'CPU s':>8}{'MiB':>6}{'ratio':>8}{'goal':>8}   ({rounds} rounds; {machine()})")
    for name in COMMANDS:
        mine = [one[name] for one in times]
        wall, cpu, peak = (statistics.median(column) for column in zip(*mine, strict=True))
        ratio = statistics.median(one[name].wall / one["import httpx"].wall for one in times)
        goal = f"{GOALS[name]:.2f}" if name in GOALS else ""
        print(f"{name:<24}{wall:>8.3f}{cpu:>8.3f}{peak:>6.0f}{ratio:>8.2f}{goal:>8}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 15)
