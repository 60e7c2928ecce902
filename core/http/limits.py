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
from .allowance import Allowance

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from .quota import Quota

__all__ = ["Limit", "Limiter", "Turn", "keep", "limiter"]

LONG = 30.0
"""Seconds; before a longer wait, or an end of the run, the requests under way are waited for."""
KEPT = 1_000
"""So many requests at least are remembered, for limits that are told of later."""


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
    """A task that waits to be let on, in whichever event loop it runs."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    future: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    admitted: bool = False

    def admit(self) -> bool:
        """Let it on; False if nobody waits any more."""
        try:
            self.loop.call_soon_threadsafe(_wake, self.future)
        except RuntimeError:  # its event loop is closed
            return False
        self.admitted = True
        return True


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
            waiter = _Waiter()
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
                if self.queue.popleft().admit():
                    self.inside += 1


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@dataclass(slots=True, eq=False)
class Turn:
    """A request that may go now."""

    at: float
    """When it went; once it is answered, when that was: the LMS counted it somewhere between."""
    waited: float = 0.0
    """Seconds that were waited for a rate or a pause."""
    quota: Quota | None = None
    """What its answer says of the quota, to be set by whoever has the turn."""
    under_way: bool = True


class Limiter:
    """Gives out turns. Thread-safe; time and sleep are the caller's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gate = _Gate()
        self._door = _Gate(bound=1)  # one waits for the rates at a time, the others behind it
        self._rates: dict[float, int] = {}
        self._told: dict[float, Quota] = {}
        self._turns: deque[Turn] = deque(maxlen=KEPT)
        self._allowance = Allowance()
        self._resume = 0.0
        self._listener: _Waiter | None = None

    def add(self, limits: Iterable[Limit]) -> None:
        """Hold these limits too; what is already counted stays counted."""
        with self._lock:
            for limit in limits:
                if limit.requests > 0 and limit.per > 0:
                    self._rates[limit.per] = min(self._rates.get(limit.per, limit.requests), limit.requests)
                if limit.at_once > 0:
                    self._gate.bound = min(self._gate.bound or limit.at_once, limit.at_once)
            self._remember()

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
    ) -> AsyncGenerator[Turn]:
        """Wait for a turn and hold it until the answer is there.

        Raises:
            RateLimited: The wait would be longer than `max_wait`.
        """
        async with self._gate.passed():
            async with self._door.passed():
                turn = await self._begun(clock, sleep, max_wait, where)
            try:
                yield turn
            finally:
                self._end(turn, clock())

    def spent_until(self) -> float:
        """Tell when nothing that was counted or told so far holds anybody back any more."""
        with self._lock:
            longest = max([*self._rates, *self._told], default=0.0)
            last = max((turn.at for turn in self._turns), default=0.0)
            return max(last + longest, self._resume, self._allowance.until)

    async def _begun(
        self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]], max_wait: float, where: str
    ) -> Turn:
        begun = now = clock()
        while True:
            with self._lock:
                until, why = self._free(now)
                if until <= now:
                    turn = Turn(now, now - begun)
                    self._turns.append(turn)
                    self._allowance.under_way += 1
                    return turn
                long = until - now > min(LONG, max_wait)  # what is under way is answered first, and not lost
                after = until == _AFTER_AN_ANSWER or (long and self._allowance.under_way > 0)
                listener = self._listener = _Waiter() if after else None
            if listener:
                await listener.future
                now = max(clock(), now)
                continue
            if (wait := until - now) > max_wait:
                raise _spent(why, wait, where)
            await sleep(wait)
            now = max(clock(), now + wait)  # a test's clock may stand still

    def _free(self, now: float) -> tuple[float, str]:
        """Tell when the next request may go, and what holds it back until then."""
        found = [(self._resume, "the LMS asked for a pause"), self._allowance.free(now)]
        for per, requests in self._held().items():
            if len(self._turns) >= requests:
                oldest = self._turns[-requests]
                until = _AFTER_AN_ANSWER if oldest.under_way else oldest.at + per
                found.append((until, f"the quota of {requests} requests in {per:g} s is spent"))
        return max(found, key=lambda one: one[0])

    def _held(self) -> dict[float, int]:
        """Give the rates that hold: the documented ones, and what answers said of them."""
        rates = dict(self._rates)
        for per, quota in self._told.items():
            known = rates.get(per)
            rates[per] = quota.limit if known is None or quota.raises else min(known, quota.limit)
        return rates

    def _remember(self) -> None:
        """Remember as many requests as the rates count."""
        if (needed := max([KEPT, *self._held().values()])) > (self._turns.maxlen or 0):
            self._turns = deque(self._turns, maxlen=needed)

    def _end(self, turn: Turn, now: float) -> None:
        with self._lock:
            turn.under_way, turn.at = False, max(turn.at, now)
            quota = turn.quota
            self._allowance.heed(quota, turn.at)
            if quota and quota.limit > 0 and quota.per > 0:
                self._told[quota.per] = quota
                self._remember()
            listener, self._listener = self._listener, None
        if listener:
            listener.admit()


_AFTER_AN_ANSWER = float("inf")


def _spent(message: str, wait: float, where: str) -> RateLimited:
    hint = f"It takes requests again in {wait:.0f} s. Start again then: what was read so far is kept."
    return RateLimited(message, where=where, hint=hint, retry_after=wait)


_limiters: WeakValueDictionary[str, Limiter] = WeakValueDictionary()
_kept: dict[str, tuple[Limiter, float, Callable[[], float]]] = {}
_lock = threading.Lock()


def limiter(key: str) -> Limiter:
    """Give the limiter that everything with this key shares; one of its own for an empty key."""
    if not key:
        return Limiter()
    with _lock:
        for other in [other for other, (_, until, clock) in _kept.items() if until <= clock()]:
            del _kept[other]
        found = _limiters.get(key)
        if found is None:
            found = _limiters[key] = Limiter()
        return found


def keep(key: str, clock: Callable[[], float]) -> None:
    """Remember what a key has used for as long as it matters, also when nobody holds its limiter meanwhile."""
    with _lock:
        if key and (found := _limiters.get(key)):
            _kept[key] = (found, found.spent_until(), clock)
