"""What is left of a quota, by what the answers say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .quota import Quota

__all__ = ["Allowance"]

ANOTHER = 2.0
"""An end that lies so many seconds later than the one known is another window's; what is less is rounding."""


@dataclass(slots=True)
class Allowance:
    """Requests that are left until a moment. The least that an answer named counts, and each request since."""

    left: int | None = None
    """None: nothing is known."""
    until: float = 0.0
    under_way: int = 0
    """Requests that are not answered yet: the LMS may have counted them, or will."""

    def free(self, now: float) -> tuple[float, str]:
        """Tell when the next request may go (`inf`: when one under way is answered), and why not now."""
        if self.left is None or now >= self.until or self.under_way < self.left:
            return 0.0, ""
        return (float("inf") if self.under_way else self.until), "the LMS says that its quota is spent"

    def heed(self, quota: Quota | None, now: float) -> None:
        """Count a request that was answered, with what its answer said."""
        self.under_way -= 1
        if self.left is not None and now >= self.until:
            self.left = None
        if quota is None or quota.remaining is None or (until := quota.until(now)) is None:
            self.left = None if self.left is None else self.left - 1
        elif self.left is None or until > self.until + ANOTHER:
            self.left, self.until = quota.remaining, until
        else:
            self.left = min(self.left, quota.remaining)
