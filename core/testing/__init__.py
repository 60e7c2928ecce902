"""The testing kit: recordings of an LMS's answers, and their replay under httpx."""

from ..http import no_waits
from .case import Case, find_cases, load_case
from .har import ORIGINS, Exchange, Har, Origin, load_har
from .replay import Recording, replay

__all__ = [
    "ORIGINS",
    "Case",
    "Exchange",
    "Har",
    "Origin",
    "Recording",
    "find_cases",
    "load_case",
    "load_har",
    "no_waits",
    "replay",
]
