"""The connectors of these tests live in modules of their own, as a user's would."""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = str(Path(__file__).parent / "lms")

if FOLDER not in sys.path:
    sys.path.append(FOLDER)
