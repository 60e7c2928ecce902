"""Rates and concurrency, shared by everything in this process that uses the same credentials."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ..errors import RateLimited

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

__all__ = ["Limit", "Limiter", "limiter"]


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound that the LMS sets. Several hold at once."""

    requests: int = 0
    """This many requests ..."""
    per: float = 0.0
    """... in any span of this many seconds; 0 = no rate."""
    at_once: int = 0
    """Requests under way at once; 0 = no bound."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """A task that waits for its turn in the gate, in whichever event loop it runs."""

    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[None]
    admitted: bool = False


@dataclass(slots=True)
class _Gate:
    """A semaphore that works across event loops and threads, and whose bound may be lowered."""

    bound: int = 0
    inside: int = 0
    queue: deque[_Waiter] = field(default_factory=deque[_Waiter])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @asynccontextmanager
    async def passed(self) -> AsyncGenerator[None]:
        await self._enter()
        try:
            yield
        finally:
            self._leave()

    async def _enter(self) -> None:
        with self.lock:
            if not self.bound or (self.inside < self.bound and not self.queue):
                self.inside += 1
                return
            loop = asyncio.get_running_loop()
            waiter = _Waiter(loop, loop.create_future())
            self.queue.append(waiter)
        try:
            await waiter.future
        except BaseException:
            with self.lock:
                if not waiter.admitted:
                    self.queue.remove(waiter)
            if waiter.admitted:  # cancelled on the threshold: the next one goes in its place
                self._leave()
            raise

    def _leave(self) -> None:
        with self.lock:
            self.inside -= 1
            while self.queue and self.inside < self.bound:
                waiter = self.queue.popleft()
                try:
                    waiter.loop.call_soon_threadsafe(_wake, waiter.future)
                except RuntimeError:  # its event loop is closed: nobody waits there any more
                    continue
                waiter.admitted = True
                self.inside += 1


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Limiter:
    """Gives out turns. Thread-safe; time and sleep are the caller's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gate = _Gate()
        self._recent: dict[Limit, deque[float]] = {}
        self._resume = 0.0

    def add(self, limits: Iterable[Limit]) -> None:
        """Hold these limits too; what is already counted stays counted."""
        with self._lock:
            for limit in limits:
                if limit.requests > 0 and limit.per > 0:
                    self._recent.setdefault(limit, deque(maxlen=limit.requests))
                if limit.at_once > 0:
                    self._gate.bound = min(self._gate.bound or limit.at_once, limit.at_once)

    def pause(self, until: float) -> None:
        """Let nothing go before this moment."""
        self._resume = max(self._resume, until)

    @asynccontextmanager
    async def turn(
        self,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        max_wait: float,
        where: str = "",
    ) -> AsyncGenerator[float]:
        """Wait for a turn and hold it; gives the seconds that were waited for a rate or a pause.

        Raises:
            RateLimited: The wait would be longer than `max_wait`.
        """
        async with self._gate.passed():
            begun = now = clock()
            start = self._book(now, max_wait, where)
            while (wait := max(start, self._resume) - now) > 0:
                if wait > max_wait:
                    raise _spent("the LMS asked for a pause", wait, where)
                await sleep(wait)
                now = max(clock(), now + wait)  # a test's clock may stand still
            yield now - begun

    def _book(self, now: float, max_wait: float, where: str) -> float:
        """Take the next free place in every window, and tell when it begins."""
        with self._lock:
            start = now
            for limit, recent in self._recent.items():
                if len(recent) == limit.requests:
                    start = max(start, recent[0] + limit.per)
                if start - now > max_wait:
                    quota = f"the quota of {limit.requests} requests in {limit.per:g} s is spent"
                    raise _spent(quota, start - now, where)
            for recent in self._recent.values():
                recent.append(start)
            return start


def _spent(message: str, wait: float, where: str) -> RateLimited:
    hint = f"It takes requests again in {wait:.0f} s. Start again then: what was read so far is kept."
    return RateLimited(message, where=where, hint=hint, retry_after=wait)


_limiters: WeakValueDictionary[str, Limiter] = WeakValueDictionary()
_lock = threading.Lock()


def limiter(key: str) -> Limiter:
    """Give the limiter that everything with this key shares; one of its own for an empty key."""
    if not key:
        return Limiter()
    with _lock:
        found = _limiters.get(key)
        if found is None:
            found = _limiters[key] = Limiter()
        return found
