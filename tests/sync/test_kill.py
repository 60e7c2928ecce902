"""Killed with SIGKILL at any write or time, and started again: the same table. `bench/kills.py` tries a thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

KILLS = Path(__file__).parents[2] / "bench" / "kills.py"
POINTS = 56
"""Of seven cases: two sandbox vendors and a connector with a fold, each first read, found changed, or read on."""


def killed(*options: str, points: int = POINTS) -> Sequence[str]:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(KILLS), "--points", str(points), *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_killed_at_any_write_and_repeated_it_gives_the_same_table_in_sqlite() -> None:
    assert f"{POINTS} ended equal, 0 did not" in killed("--store", "sqlite")[-1]


def test_killed_at_any_write_and_repeated_it_gives_the_same_table_in_postgresql(postgres_server: str) -> None:
    told = killed("--store", "postgresql", "--server", postgres_server)[-1]

    assert f"{POINTS} ended equal, 0 did not" in told


def test_a_sync_that_stores_its_place_ahead_of_its_rows_would_be_found_out(tmp_path: Path) -> None:
    """The machinery can fail: with the place in a transaction of its own, kills between the two lose rows."""
    spoilt = tmp_path / "spoilt.py"
    spoilt.write_text(
        "import runpy, sys\n"
        "from rollbook.core.store import runs\n"
        "from rollbook.core.sync.reader import Reader\n"
        "keep = Reader._keep\n"
        "async def ahead(self, key, page, records, *, last, **how):\n"
        "    state = 'complete' if last else 'reading'\n"
        "    note = lambda db: runs.note_partition(db, self._report.run, key, state=state, cursor=page.cursor)\n"
        "    await self._writing.alone(note)\n"
        "    return await keep(self, key, page, records, last=last, **how)\n"
        "Reader._keep = ahead\n"
        f"sys.path.insert(0, {str(KILLS.parent)!r})\n"
        f"runpy.run_path({str(KILLS)!r}, run_name='__main__')\n",
        encoding="utf-8",
    )

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, str(spoilt), "--points", "28"], capture_output=True, text=True, check=False, timeout=300
    )

    assert done.returncode == 1, done.stderr
    assert "WRONG" in done.stdout
