"""How many requests a tenant may make in a stretch of time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Quota"]


@dataclass(slots=True)
class Quota:
    """So many requests in a window that opens with its first request.

    Args:
        limit: Requests in one window.
        seconds: The window's length.
        clock: Gives seconds since the epoch.
    """

    limit: int
    seconds: float
    clock: Callable[[], float] = time.time
    _used: int = field(default=0, init=False)
    _resets_at: float = field(default=0.0, init=False)

    def take(self) -> bool:
        """Use one request up; false when the window has none left."""
        self._roll()
        if self._used >= self.limit:
            return False
        self._used += 1
        return True

    @property
    def remaining(self) -> int:
        """How many requests the window still has."""
        self._roll()
        return self.limit - self._used

    @property
    def resets_at(self) -> float:
        """When the window ends, in seconds since the epoch."""
        self._roll()
        return self._resets_at

    def _roll(self) -> None:
        now = self.clock()
        if now >= self._resets_at:
            self._used, self._resets_at = 0, now + self.seconds
