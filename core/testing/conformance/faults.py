"""Faults: what an LMS, a proxy before it or the network does on a bad day."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from .lms import Fault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .lms import Answering

__all__ = [
    "CUT",
    "EMPTY_BODY",
    "FOR_EVER",
    "HTML",
    "MALFORMED",
    "NOT_FOUND",
    "ODD_BODY",
    "ONCE_500",
    "REFUSED",
    "REFUSED_ONCE",
    "THROTTLED",
    "TIME_OUT",
    "TRUNCATED",
    "WITHHELD",
]

PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
JSON_TYPE = "application/json"


class _CutOff(httpx.AsyncByteStream):
    """A body that ends in the middle because the connection is gone."""

    def __init__(self, whole: bytes) -> None:
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._whole[: len(self._whole) // 2]
        raise httpx.ReadError("the connection was cut")


def _says(status: int, **headers: str) -> Answering:
    """Give what answers with a status, whatever is asked for."""

    def answer(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
        del request, recorded
        return httpx.Response(status, headers=headers, json={"message": "made up by the conformance suite"})

    return answer


def _sends(content: bytes, kind: str = JSON_TYPE) -> Answering:
    """Give what answers 200 with a body, whatever is asked for."""

    def answer(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
        del request, recorded
        return httpx.Response(200, headers={"Content-Type": kind}, content=content)

    return answer


def _timed_out(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
    del recorded
    raise httpx.ReadTimeout("no answer in time", request=request)


def _cut(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
    del request
    return httpx.Response(200, stream=_CutOff(recorded.content))


def _truncated(request: httpx.Request, recorded: httpx.Response) -> httpx.Response:
    whole = recorded.content.rstrip()
    half = whole[: len(whole) // 2]
    return _sends(half if half[:1] in (b"[", b"{") else b"[")(request, recorded)


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lms"'}  # RFC 9110 wants it beside a 401

REFUSED = Fault("401", _says(401, **_CHALLENGE))
REFUSED_ONCE = Fault("401 once", _says(401, **_CHALLENGE), times=1)
WITHHELD = Fault("403", _says(403))
NOT_FOUND = Fault("404", _says(404))
THROTTLED = Fault("429 with Retry-After once", _says(429, **{"Retry-After": "1"}), times=1)
ONCE_500 = Fault("500 once", _says(500), times=1)
FOR_EVER = Fault("500 for ever", _says(500))
TIME_OUT = Fault("a time-out once", _timed_out, times=1)
CUT = Fault("a connection cut once", _cut, times=1)
HTML = Fault("a web page instead of JSON", _sends(PAGE, "text/html; charset=utf-8"))
MALFORMED = Fault("malformed JSON", _sends(b"{'items': [], }"))
TRUNCATED = Fault("truncated JSON", _truncated)
EMPTY_BODY = Fault("an empty body (200)", _sends(b""))
ODD_BODY = Fault("JSON of another shape", _sends(b'{"unexpected": true}'))
