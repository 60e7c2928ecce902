"""The testing kit: recordings of an LMS's answers, and their replay under httpx."""

from .har import ORIGINS, Exchange, Har, Origin, load_har
from .replay import Recording, replay

__all__ = ["ORIGINS", "Exchange", "Har", "Origin", "Recording", "load_har", "replay"]
