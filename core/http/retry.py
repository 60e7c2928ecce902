"""When to ask again, and what to say when that did not help."""

from __future__ import annotations

import math
import socket
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from ..errors import RollbookError, SettingsError, VendorError

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping

    from tenacity import RetryCallState

__all__ = ["Again", "Backoff", "network_failure", "retry_after"]

LONGEST = 86_400.0
"""Seconds; what an LMS asks for beyond a day is taken as a day."""


class Again(Exception):  # noqa: N818 - a signal inside this room, not an error
    """An attempt failed and may be repeated.

    Args:
        error: What to raise when no attempt is left.
        after: Seconds that the LMS asks to wait.
        throttled: Everything that shares the quota has to wait.
        untouched: The LMS surely did nothing, so that repeating is safe for any request.
        unreachable: There was no connection at all.
    """

    def __init__(
        self,
        error: RollbookError,
        *,
        after: float | None = None,
        throttled: bool = False,
        untouched: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after
        self.throttled = throttled
        self.untouched = untouched or throttled or unreachable
        self.unreachable = unreachable


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait: what the LMS asks for, else twice as long each time, with jitter. A wait for tenacity."""

    rng: random.Random
    base: float = 1.0
    cap: float = 60.0

    def __call__(self, state: RetryCallState) -> float:
        """Give the seconds before the next attempt."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Again) and error.after is not None:
            return error.after
        longest = min(self.cap, self.base * 2.0 ** (state.attempt_number - 1))
        return longest * (0.5 + self.rng.random() / 2)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Read `Retry-After`, in seconds or as a date; None if there is none that makes sense."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except (ValueError, OverflowError):
            return None
    return min(seconds, LONGEST) if math.isfinite(seconds) and seconds > 0 else None


def network_failure(error: Exception, url: httpx.URL, where: str, timeout: float) -> Again | RollbookError:
    """Say what went wrong on the way to the LMS, and whether another attempt makes sense.

    The library's own texts are left out, since some of them quote headers.
    """
    host = url.netloc.decode("ascii")
    ask = "Is base_url right? Is there a network?"
    causes = list(_causes(error))
    if isinstance(error, httpx.LocalProtocolError):
        hint = "Is there a line break or another odd character in a token or a header?"
        return SettingsError("the request cannot be sent as it is", where=where, hint=hint)
    if isinstance(error, httpx.UnsupportedProtocol):
        return SettingsError(f"{host or 'base_url'}: not an http address", where=where, hint="Is base_url right?")
    if untrusted := [cause for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)]:
        hint = "Is base_url right? Does a proxy stand between, whose certificate this machine does not trust?"
        why = getattr(untrusted[0], "verify_message", "")  # only OpenSSL itself sets it
        text = f"the certificate of {host} is not trusted" + (f": {why}" if why else "")
        return VendorError(text, where=where, hint=hint)
    if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)):
        return Again(
            VendorError(f"cannot reach {host}: {_why(error, causes)}", where=where, hint=ask), unreachable=True
        )
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        hint = "The setting `timeout` allows for more."
        return Again(VendorError(f"no whole answer from {host} within {timeout:g} s", where=where, hint=hint))
    what = "its body cannot be decompressed" if isinstance(error, httpx.DecodingError) else "the connection was cut"
    return Again(VendorError(f"no whole answer from {host}: {what}", where=where))


def _why(error: Exception, causes: list[BaseException]) -> str:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "name not known"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "connection refused"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "the TLS handshake failed"
    if isinstance(error, httpx.ConnectTimeout):
        return "it does not take the connection in time"
    if isinstance(error, httpx.ProxyError):
        return "the proxy does not let it through"
    return "no connection"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] - of anything
                yield from _causes(inner)  # pyright: ignore[reportUnknownArgumentType] - likewise
        error = error.__cause__ or error.__context__
