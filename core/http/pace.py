"""The time that requests are paced by: the real one, or one that passes only when somebody waits."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Pace", "no_waits", "pace"]


class Pace:
    """The real time."""

    world = ""
    """Names this time: only connections that live in the same one share their quotas and pauses."""

    def now(self) -> float:
        """Give the seconds since 1970."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Skipping(Pace):
    def __init__(self) -> None:
        self._ahead = 0.0
        self.world = f"{next(_worlds)} "

    def now(self) -> float:
        return super().now() + self._ahead

    async def sleep(self, seconds: float) -> None:
        until = self.now() + max(seconds, 0.0)
        await super().sleep(0)  # who waits at the same time waits through the same seconds
        self._ahead += max(0.0, until - self.now())


_worlds = itertools.count(1)
_paces = [Pace()]


def pace() -> Pace:
    """Give the time that holds now; a connection keeps the one it was opened with."""
    return _paces[-1]


@contextmanager
def no_waits() -> Generator[Pace]:
    """Let no connection that is opened inside wait: pauses, quotas and repetitions pass at once, and are counted.

    For tests. Time goes on as if the waits had been kept, so that quotas and tokens behave as they would.
    """
    skipping = _Skipping()
    _paces.append(skipping)
    try:
        yield skipping
    finally:
        _paces.remove(skipping)
