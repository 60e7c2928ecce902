"""What noting a record's fields costs, beside writing it as JSON and taking its fingerprint, which a sync does too.

    python bench/shapes.py [ROUNDS]

All are measured in turn, in one run, on the same records; the figures are the best and the median of the rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

from normalizer import CANVAS_RECORD, TALENTLMS_RECORD
from rollbook.core.native import digest, dump, parse
from rollbook.core.sync.shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.native import NativeRecord

RECORDS = 100
"""Of a page."""
TIMES = 20


def page(record: NativeRecord, shared: str) -> list[NativeRecord]:
    """Make a page of records that have one member in common, as those of a course or a user have."""
    rows = [parse(dump(record)) for _ in range(RECORDS)]
    found = [row for row in rows if isinstance(row, dict)]
    return [{**row, shared: found[0][shared]} for row in found]


def main(rounds: int) -> None:
    """Measure and print."""
    print(f"{'page of':<12}{'note fields':>20}{'write and hash':>20}   (us a record: best, median)")
    for name, record, shared in (("canvas", CANVAS_RECORD, "course"), ("talentlms", TALENTLMS_RECORD, "user")):
        rows, shapes = page(record, shared), Shapes()

        def note(rows: list[NativeRecord] = rows, shapes: Shapes = shapes) -> None:
            for row in rows:
                shapes.note("", row)

        def write(rows: list[NativeRecord] = rows) -> None:
            for row in rows:
                digest(dump(row))

        pairs = [(timed(note), timed(write)) for _ in range(rounds)]
        noted, written = zip(*pairs, strict=True)
        print(f"{name:<12}{_both(noted):>20}{_both(written):>20}")


def timed(call: Callable[[], object]) -> float:
    """Give the microseconds that one record takes."""
    start = time.perf_counter()
    for _ in range(TIMES):
        call()
    return (time.perf_counter() - start) / TIMES / RECORDS * 1e6


def _both(times: tuple[float, ...]) -> str:
    return f"{min(times):.2f}, {statistics.median(times):.2f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 25)
