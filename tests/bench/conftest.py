"""The benchmark's modules lie in a folder, not in a package."""

from __future__ import annotations

import sys
from pathlib import Path

BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))  # last: nothing of it stands in the way of a package
