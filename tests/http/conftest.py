"""A pretend LMS that answers as told, and a clock that stands still until somebody sleeps."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.http import Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    Step = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds
        await asyncio.sleep(0)


class Stream(httpx.AsyncByteStream):
    """A body in pieces, which counts how many of them were taken."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            self.taken += 1
            yield piece
        if self.error:
            raise self.error


class Lms:
    """Answers each request with the next step of its script; the last one is repeated."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.script: list[Step] = []
        self.requests: list[httpx.Request] = []

    def will(self, *steps: Step) -> Lms:
        self.script.extend(steps)
        return self

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await asyncio.sleep(0)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step(request) if callable(step) else step

    def http(self, base_url: str = "https://lms.example.com", **options: Any) -> Http:
        given: dict[str, Any] = {
            "transport": httpx.MockTransport(self._answer),
            "sleep": self.clock.sleep,
            "clock": self.clock,
            "rng": random.Random(7),
            **options,
        }
        return Http(base_url, **given)

    def asked(self, do: Callable[[Http], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        """Open a client, do something with it, close it."""

        async def run() -> Any:
            async with self.http(**options) as http:
                return await do(http)

        return asyncio.run(run())

    @property
    def urls(self) -> list[str]:
        return [str(request.url) for request in self.requests]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lms(clock: Clock) -> Lms:
    return Lms(clock)


@pytest.fixture
def stream() -> type[Stream]:
    return Stream
