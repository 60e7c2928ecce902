"""One request on the wire: its turn, its answer within bounds, its line in the log."""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import httpx

from ..errors import ContractError
from .answer import Answer
from .quota import Quota, read_quota
from .retry import network_failure, retry_after

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from .address import Site
    from .limits import Limiter

__all__ = ["Sink", "Stats", "Wire", "log", "name", "quiet"]

log = logging.getLogger("rollbook.http")
"""Methods, paths and statuses; no query, no header, no body."""

PATIENCE = 10
"""A whole answer may take this many times as long as the LMS may be silent."""
GLIMPSE = 512
"""How many bytes of a download the answer itself keeps."""


@dataclass(slots=True)
class Stats:
    """What reading has cost so far."""

    requests: int = 0
    """Sent, repeated ones and those for tokens included."""
    retries: int = 0
    """How many of them were repetitions."""
    waited: float = 0.0
    """Seconds that were waited for a quota or before a repetition."""
    bytes: int = 0
    """Received, decompressed."""


class Sink(Protocol):
    """Takes a body that is too large for the memory."""

    def restart(self) -> None:
        """Forget what was written: another attempt begins."""
        ...

    def write(self, chunk: bytes, where: str) -> None:
        """Take a piece."""
        ...


@dataclass(slots=True)
class Wire:
    """Sends requests as they are, one attempt each."""

    client: httpx.AsyncClient
    limiter: Limiter
    stats: Stats
    timeout: float
    max_wait: float
    sleep: Callable[[float], Awaitable[None]]
    clock: Callable[[], float]
    site: Site
    quota: Callable[[Answer], Quota | None] | None = None

    async def send(
        self, request: httpx.Request, max_bytes: int, sink: Sink | None = None, *, counted: bool = True
    ) -> Answer:
        """Send a request and read its answer whole.

        Args:
            request: What to send.
            max_bytes: The largest answer.
            sink: Takes the body in place of the memory.
            counted: Whether what the answer says of a quota is about the LMS's data (and not about its tokens).

        Raises:
            Again: The network failed.
            ContractError: The body is larger than `max_bytes`.
            RateLimited: The wait for a turn would be too long.
            RollbookError: The network failed in a way that another attempt will not mend.
        """
        where = name(request)
        async with self.limiter.turn(self.clock, self.sleep, self.max_wait, where) as turn:
            self.stats.waited += turn.waited
            self.stats.requests += 1
            begun = time.perf_counter()
            mark = _ours.set(True)
            outcome: object = "no answer"
            try:
                async with asyncio.timeout(PATIENCE * self.timeout):
                    answer = await self._exchange(request, where, max_bytes, sink)
                outcome = answer.status
                if counted and self.site.holds(request.url):
                    turn.quota = self._heeded(answer)
            except httpx.RequestError as error:
                raise network_failure(error, request.url, where, self.timeout) from None
            except TimeoutError as error:
                raise network_failure(error, request.url, where, PATIENCE * self.timeout) from None
            except httpx.InvalidURL:  # the library looks at a redirect's target, even if it does not follow it
                raise ContractError("the LMS redirects to what is no address", where=where) from None
            finally:
                _ours.reset(mark)
                log.debug("%s -> %s in %.0f ms", where, outcome, 1000 * (time.perf_counter() - begun))
            return answer

    def _heeded(self, answer: Answer) -> Quota | None:
        """Read what an answer says of the quota; one that was given with `Retry-After` asks all to slow down.

        Unless the connector's own reading tells when the quota is full again: some LMSs say that by `Retry-After`.
        """
        try:
            own = self.quota(answer) if self.quota else None
        except ContractError:  # it wanted to look into a body that is no JSON
            own = None
        after = retry_after(answer.headers, self.clock()) if answer.status == 200 else None  # noqa: PLR2004 - 202: a job
        if after is not None and (own is None or own.reset is None):
            self.limiter.pause(self.clock() + after)
        return own or read_quota(answer)

    async def _exchange(self, request: httpx.Request, where: str, max_bytes: int, sink: Sink | None) -> Answer:
        response = await self.client.send(request, stream=True, auth=None)
        try:
            body = bytearray()
            to_sink = sink if response.is_success else None
            if to_sink:
                to_sink.restart()
            async for chunk in _bounded(response, where, max_bytes):
                self.stats.bytes += len(chunk)
                if to_sink:
                    to_sink.write(chunk, where)
                    chunk = chunk[: max(0, GLIMPSE - len(body))]  # noqa: PLW2901 - the rest is in the sink
                body += chunk
            return Answer(response.status_code, response.headers, bytes(body), where, str(request.url))
        finally:
            await response.aclose()


async def _bounded(response: httpx.Response, where: str, max_bytes: int) -> AsyncIterator[bytes]:
    """Give the decompressed body piece by piece, as long as it stays within the bound on either side."""
    too_large = ContractError(
        f"the answer is larger than {max_bytes / 2**20:g} MiB", where=where, hint="A smaller page size may help."
    )
    if "," in response.headers.get("content-encoding", ""):  # compression inside compression is a bomb, or a mistake
        raise ContractError("the answer is compressed more than once", where=where)
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise too_large
    size = 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if max(size, response.num_bytes_downloaded) > max_bytes:
            raise too_large
        yield chunk


def name(request: httpx.Request) -> str:
    """Name a request for people: method and path as they are sent, never the query."""
    return f"{request.method} {request.url.raw_path.partition(b'?')[0].decode('ascii')}"


_ours: ContextVar[bool] = ContextVar("rollbook_http", default=False)


def _is_not_ours(record: logging.LogRecord) -> bool:
    del record
    return not _ours.get()


def quiet() -> None:
    """Keep the libraries below from logging our requests: they would print queries and headers, secrets included."""
    for library in ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy"):
        logging.getLogger(library).addFilter(_is_not_ours)
