"""When a connection is synced next: on a fixed grid that does not drift, a little after the hour, never too early."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from datetime import datetime

__all__ = ["Schedule"]

_SPREAD = 0.1
_WIDEST_SPREAD = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(days=1)
"""An LMS that asks for more than this, and for more than the interval, is asked again all the same."""


class Schedule:
    """The rounds of one connection: round k is due k intervals after the start, and up to a tenth of one later.

    Args:
        begun: The start; round 0 is due then.
        every: The interval.
        rng: Draws how much later, so that not everything asks at the same second.
    """

    def __init__(self, begun: datetime, every: timedelta, rng: random.Random) -> None:
        self._begun = begun
        self._every = every
        self._rng = rng
        self._spread = min(every * _SPREAD, _WIDEST_SPREAD)
        self._round = 0
        self.due = begun
        """When the next round begins."""

    def go_on(self, ended: datetime, wait: float | None = None) -> int:
        """Set the next round's time once one has ended.

        Args:
            ended: When it ended.
            wait: Seconds for which the LMS wants to be left alone: the next round begins right after them, whether
                one is due then or not, for a sync that a quota has stopped goes on where it was.

        Returns:
            How many rounds are left out, because the last one took too long or the LMS asked for it.
        """
        later = self._spread * self._rng.random()
        if wait is not None:
            longest = max(_LONGEST_WAIT, self._every)
            self.due = ended + min(timedelta(seconds=min(wait, longest.total_seconds())), longest) + later
            passed = math.floor((self.due - self._begun) / self._every) - self._round
            self._round += max(0, passed)
            return max(0, passed - 1)
        following = max(self._round + 1, math.ceil((ended - self._spread - self._begun) / self._every))
        skipped, self._round = following - self._round - 1, following
        self.due = max(ended, self._begun + following * self._every + later)
        return skipped
