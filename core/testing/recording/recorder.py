"""The recorder: a transport that lets every exchange through and keeps it."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

from ...http import Cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Cuts", "Recorder", "Taken"]

Headers = list[tuple[str, str]]


@dataclass(slots=True, repr=False)
class Taken:
    """An exchange as it was on the wire, secrets and people included: never printed, never written as it is."""

    method: str
    url: str
    request_headers: Headers
    posted: bytes
    """The request's body."""
    started: datetime
    status: int = 0
    headers: Headers = field(default_factory=list[tuple[str, str]])
    """The answer's."""
    content: bytes = b""
    """The answer's body, decompressed."""
    milliseconds: float = 0.0
    use: str = "read"
    """What asked for it; see `Exchange.use`."""
    whole: bool = False
    """Whether the answer came to its end."""
    comment: str = ""

    def header(self, name: str) -> str:
        """Give a header of the answer, empty if it has none."""
        return _header(self.headers, name)

    def request_header(self, name: str) -> str:
        """Give a header of the request, empty if it has none."""
        return _header(self.request_headers, name)

    @property
    def key(self) -> tuple[str, str, bytes]:
        """What was asked for."""
        return self.method, self.url, self.posted


def _header(headers: Headers, name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


_last: ContextVar[Taken | None] = ContextVar("rollbook_recorded", default=None)


class Recorder(httpx.AsyncBaseTransport):
    """Wraps another transport and keeps what passes: answers are read as before, piece by piece.

    Args:
        inner: Sends the requests.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._taken: list[Taken] = []
        self.use = "read"
        """What the requests from now on are made for."""

    @property
    def taken(self) -> list[Taken]:
        """The exchanges whose answers came whole, in the order they were asked for."""
        return [one for one in self._taken if one.whole]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and keep it with its answer."""
        posted = await request.aread()
        one = Taken(
            request.method,
            str(request.url),
            _texts(request.headers),
            posted,
            datetime.now(UTC),
            use=self.use,
        )
        self._taken.append(one)
        begun = time.perf_counter()
        response = await self._inner.handle_async_request(request)
        _last.set(one)
        one.status, one.headers = response.status_code, _texts(response.headers)
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an async transport gives nothing else
        # a new one, since a response that was read already would not be read again
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Tee(stream, one, begun),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the wrapped transport."""
        await self._inner.aclose()


class _Tee(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, one: Taken, begun: float) -> None:
        self._inner, self._one, self._begun = inner, one, begun

    async def __aiter__(self) -> AsyncIterator[bytes]:
        raw = bytearray()
        async for chunk in self._inner:
            raw += chunk
            yield chunk
        one = self._one
        one.content = httpx.Response(one.status, headers=one.headers, content=bytes(raw)).content
        one.milliseconds = round(1000 * (time.perf_counter() - self._begun), 1)
        one.whole = True

    async def aclose(self) -> None:
        await self._inner.aclose()


def _texts(headers: httpx.Headers) -> Headers:
    return [(name.lower(), value) for name, value in headers.multi_items()]


class Cuts(list[Cut]):
    """The list of a sample's cuts; it also keeps which exchange each one cut.

    A page is cut by the task that has just received it: one address may be asked for many lists.
    """

    def __init__(self) -> None:
        super().__init__()
        self.made: list[tuple[Taken, Cut]] = []
        """Exchanges with the cut that was made in each."""

    def append(self, cut: Cut, /) -> None:
        """Keep a cut."""
        super().append(cut)
        if (one := _last.get()) is not None:
            self.made.append((one, cut))
