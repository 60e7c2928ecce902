"""What to do about an answer, and whose fault it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Self

from ..errors import ContractError, Forbidden, Gone, RollbookError, VendorError

if TYPE_CHECKING:
    from .answer import Answer

__all__ = ["Act", "Verdict", "read"]


class Act(Enum):
    """What to do about an answer."""

    ACCEPT = auto()
    RETRY = auto()
    THROTTLED = auto()
    REAUTH = auto()
    FAIL = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an answer. Made by `accept`, `retry`, `throttled`, `reauth` and `fail`.

    Reasons and hints are shown to people: no secret, no learner's data, nothing of the body but the LMS's error codes.
    """

    act: Act
    reason: str = ""
    error: type[RollbookError] = VendorError
    hint: str = ""
    after: float | None = None
    """Seconds to wait before the next attempt; None: as `Retry-After` says, else with growing pauses."""

    @classmethod
    def accept(cls) -> Self:
        """It is what was asked for."""
        return cls(Act.ACCEPT)

    @classmethod
    def retry(cls, reason: str, after: float | None = None) -> Self:
        """The LMS failed and may not the next time; in the end a `VendorError`."""
        return cls(Act.RETRY, reason, after=after)

    @classmethod
    def throttled(cls, reason: str, after: float | None = None) -> Self:
        """Too many requests: everything that shares the quota waits; in the end `RateLimited`."""
        return cls(Act.THROTTLED, reason, after=after)

    @classmethod
    def reauth(cls, reason: str) -> Self:
        """The sign-in is refused: renewed once if it can be, else an `AuthError`."""
        return cls(Act.REAUTH, reason)

    @classmethod
    def fail(cls, error: type[RollbookError], reason: str, hint: str = "") -> Self:
        """It will not get better by asking again: raise this."""
        return cls(Act.FAIL, reason, error, hint)


def read(answer: Answer) -> Verdict:
    """Read an answer as HTTP means it; a connector's `verdict` comes first."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own numbers
        if answer.is_html:
            hint = "Is base_url the address of the API, and is there no login page before it?"
            return Verdict.fail(ContractError, f"the LMS answered with a web page instead of data ({status})", hint)
        return Verdict.accept()
    if status >= 500:  # noqa: PLR2004
        return Verdict.retry(f"the LMS failed ({status})")
    return _USUAL.get(status) or Verdict.fail(ContractError, f"the LMS does not take the request ({status})")


_USUAL = {
    401: Verdict.reauth("the LMS refuses the credentials (401)"),
    403: Verdict.fail(Forbidden, "these credentials may not read this (403)"),
    404: Verdict.fail(Gone, "it does not exist (404)"),
    408: Verdict.retry("the LMS took too long to take the request (408)"),
    410: Verdict.fail(Gone, "it no longer exists (410)"),
    425: Verdict.retry("the LMS could not take the request yet (425)"),
    429: Verdict.throttled("too many requests (429)"),
}
