"""How many requests a tenant may make in a stretch of time, and what becomes of a client that makes more."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Quota", "Window"]


@dataclass(slots=True)
class Window:
    """A stretch of time that opens with its first request, again and again."""

    limit: int
    seconds: float
    used: int = 0
    resets_at: float = 0.0
    past: list[int] = field(default_factory=list[int])
    """How many requests each window took that is over; empty ones are none."""

    def roll(self, now: float) -> None:
        """Open the next one, if this one is over."""
        if now >= self.resets_at:
            if self.used:
                self.past.append(self.used)
            self.used, self.resets_at = 0, now + self.seconds


@dataclass(slots=True)
class Quota:
    """So many requests in a window that opens with its first request; in several windows at once, if wanted.

    Args:
        limit: Requests in one window.
        seconds: The window's length.
        clock: Gives seconds since the epoch. In a test, that of `no_waits()`, so that both sides live in one time.
        beside: Further windows that hold as well: requests and seconds of each.
        bans: Whether a client that once asks for more is answered no more at all.
    """

    limit: int
    seconds: float
    clock: Callable[[], float] = time.time
    beside: Sequence[tuple[int, float]] = ()
    bans: bool = False
    refused: int = field(default=0, init=False)
    """Requests that came when there was none left, and since the ban."""
    banned: bool = field(default=False, init=False)
    windows: list[Window] = field(init=False)

    def __post_init__(self) -> None:
        self.windows = [Window(limit, seconds) for limit, seconds in ((self.limit, self.seconds), *self.beside)]

    def take(self) -> bool:
        """Use one request up; false when a window has none left, or the client is banned."""
        windows = self._rolled()
        if self.banned or any(window.used >= window.limit for window in windows):
            self.refused += 1
            self.banned = self.bans
            return False
        for window in windows:
            window.used += 1
        return True

    @property
    def remaining(self) -> int:
        """How many requests the first window still has."""
        window = self._rolled()[0]
        return window.limit - window.used

    @property
    def resets_at(self) -> float:
        """When the first window ends, in seconds since the epoch."""
        return self._rolled()[0].resets_at

    def _rolled(self) -> list[Window]:
        now = self.clock()
        for window in self.windows:
            window.roll(now)
        return self.windows
