"""What an answer's headers say of the quota."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .answer import Answer

__all__ = ["Quota", "read_quota"]

LONGEST = 86_400.0
"""Seconds; an end beyond a day is taken as a day away."""
_MOMENT = 1e9
"""A larger number is no span of seconds but a moment, in seconds since 1970 ..."""
_MILLISECONDS = 1e11
"""... or in thousandths of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What an answer says of the quota it was counted in. `Quota()` says nothing: the usual headers are not read."""

    remaining: int | None = None
    """Requests that are left until `reset`; None: not told."""
    reset: float | None = None
    """When it is full again: in so many seconds, or at a moment since 1970."""
    limit: int = 0
    """Requests in a window; 0: not told. Held only with `per`; a lower one than documented always is."""
    per: float = 0.0
    """The window's length in seconds; 0: not told."""
    raises: bool = False
    """Whether `limit` holds also where it is higher than what is documented or set."""

    def until(self, now: float) -> float | None:
        """Give the moment of `reset`, at most a day from now; None: not told, or past."""
        if self.reset is None:
            return None
        reset = self.reset / 1_000 if self.reset > _MILLISECONDS else self.reset
        wait = reset - now if reset > _MOMENT else reset
        return now + min(wait, LONGEST) if wait > 0 else None


def read_quota(answer: Answer) -> Quota | None:
    """Read the usual headers, where they say all three: limit, remaining requests and when the window ends.

    `X-RateLimit-*`, `X-Rate-Limit-*` and `RateLimit-*` with `Limit`, `Remaining` and `Reset`, or `RateLimit` in one
    (with `RateLimit-Policy`). A number that is not whole counts something else than requests, as does a lone one.
    """
    headers = answer.headers
    for family in ("ratelimit", "x-ratelimit", "x-rate-limit"):
        told = {part: headers.get(f"{family}-{part}", "") for part in ("limit", "remaining", "reset")}
        if all(told.values()):
            return _quota(told["limit"], told["remaining"], told["reset"], headers)
    fields = dict(_FIELD.findall(headers.get("ratelimit", "")))
    policy = _QUOTAS.findall(headers.get("ratelimit-policy", ""))
    limit = fields.get("limit") or (policy[0] if len(policy) == 1 else "")
    return _quota(
        limit, fields.get("remaining") or fields.get("r", ""), fields.get("reset") or fields.get("t", ""), headers
    )


_FIELD = re.compile(r"\b(limit|remaining|reset|r|t)=(\d+)")
_QUOTAS = re.compile(r"(?:\bq=|(?:^|, ?))(\d+)")
_WINDOW = re.compile(r"\bw=(\d+)")


def _quota(limit: str, remaining: str, reset: str, headers: Mapping[str, str]) -> Quota | None:
    most, _, policy = limit.partition(",")
    windows = _WINDOW.findall(policy or headers.get("ratelimit-policy", ""))
    try:
        left, end, bound = int(remaining), float(reset), int(most)
    except ValueError:
        return None
    if not 0 <= left <= bound:
        return None
    return Quota(remaining=left, reset=end, limit=bound, per=float(windows[0]) if len(windows) == 1 else 0.0)
