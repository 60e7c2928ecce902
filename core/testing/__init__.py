"""The testing kit: recordings of an LMS's answers, and their replay under httpx.

Names are imported when they are first used: pytest loads this package wherever rollbook is installed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .replay import replay  # here and now: a lazy name cannot share the name of its module

if TYPE_CHECKING:
    from ..http import no_waits
    from .case import Case, find_cases, load_case
    from .conformance import conformance_tests, promises
    from .conformance.lms import Fault, RecordedLms, Scripted
    from .expected import check_expected, differences, update_expected
    from .har import ORIGINS, Exchange, Har, Origin, load_har
    from .match import nearest
    from .replay import Recording, open_case, read_case
    from .replayed import Replayed

_HOMES = {
    "..http": ("no_waits",),
    ".case": ("Case", "find_cases", "load_case"),
    ".conformance": ("conformance_tests", "promises"),
    ".expected": ("check_expected", "differences", "update_expected"),
    ".har": ("ORIGINS", "Exchange", "Har", "Origin", "load_har"),
    ".conformance.lms": ("Fault", "RecordedLms", "Scripted"),
    ".match": ("nearest",),
    ".replay": ("Recording", "open_case", "read_case"),
    ".replayed": ("Replayed",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ORIGINS",
    "Case",
    "Exchange",
    "Fault",
    "Har",
    "Origin",
    "RecordedLms",
    "Recording",
    "Replayed",
    "Scripted",
    "check_expected",
    "conformance_tests",
    "differences",
    "find_cases",
    "load_case",
    "load_har",
    "nearest",
    "no_waits",
    "open_case",
    "promises",
    "read_case",
    "replay",
    "update_expected",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name], __name__), name)


def __dir__() -> list[str]:
    return __all__
