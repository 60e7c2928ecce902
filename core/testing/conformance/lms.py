"""A recorded LMS: it answers a recording's requests as often as it is asked, and fails on command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import httpx

from ..match import asked as as_asked
from ..match import nearest
from .shapes import key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..har import Exchange
    from .shapes import Key

__all__ = ["Answering", "Endless", "Fault", "RecordedLms", "Scripted"]

NUMBER = "x-rollbook-exchange"
"""The header of an answer that tells which exchange of the recording it is."""
_DROPPED = {"content-encoding", "content-length", "transfer-encoding"}  # the recorded body is already decompressed


Answering: TypeAlias = "Callable[[httpx.Request, httpx.Response], httpx.Response]"
"""Answers a request, in place of what was recorded for it."""


class Endless(BaseException):
    """More requests were made than any reading of this recording can need. Nothing may catch it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What an LMS, or the way to it, may do instead of answering."""

    name: str
    """For messages: `500 for ever`."""
    answer: Answering
    """Gives another answer than the recorded one, or raises an error of httpx."""
    times: int = 0
    """How often it happens; 0 = always."""


@dataclass(slots=True)
class Scripted:
    """A fault, and the requests that it befalls."""

    fault: Fault
    befalls: Callable[[Exchange], bool]
    happened: int = 0
    """How often it happened so far."""

    def strikes(self, asked: Exchange) -> bool:
        """Tell whether this request is hit, and count it."""
        if not self.befalls(asked) or (self.fault.times and self.happened >= self.fault.times):
            return False
        self.happened += 1
        return True


@dataclass(slots=True, eq=False)
class RecordedLms(httpx.AsyncBaseTransport):
    """An httpx transport that stands for an LMS.

    Of several answers that were recorded for one request each is given in turn, the last one from then on.
    """

    exchanges: tuple[Exchange, ...]
    faults: tuple[Scripted, ...] = ()
    """What goes wrong; the first that befalls a request counts."""
    absent: int = 400
    """The status of the answer to what was not recorded."""
    budget: int = 0
    """How many requests it takes before it raises `Endless`; 0 = any number."""
    asked: list[Exchange] = field(default_factory=list["Exchange"])
    """Every request, in order."""
    unexpected: list[str] = field(default_factory=list[str])
    """Requests that were not recorded, each with the nearest recorded one."""
    _by_key: dict[Key, list[int]] = field(init=False)
    _given: dict[Key, int] = field(default_factory=dict["Key", int])

    def __post_init__(self) -> None:
        self._by_key = {}
        for number, one in enumerate(self.exchanges):
            self._by_key.setdefault(key_of(one), []).append(number)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        await request.aread()
        asked = as_asked(request)
        self.asked.append(asked)
        if self.budget and len(self.asked) > self.budget:
            raise Endless(f"{len(self.asked)} requests")
        for scripted in self.faults:
            if scripted.strikes(asked):
                return scripted.fault.answer(request, self._recorded(asked, request, given=False))
        return self._recorded(asked, request)

    @property
    def unused(self) -> list[Exchange]:
        """Recorded exchanges that nobody asked for yet, or not often enough."""
        left = dict(self._given)
        unused: list[Exchange] = []
        for one in self.exchanges:
            key = key_of(one)
            if left.get(key, 0) > 0:
                left[key] -= 1
            else:
                unused.append(one)
        return unused

    def _recorded(self, asked: Exchange, request: httpx.Request, *, given: bool = True) -> httpx.Response:
        """Give the answer whose turn it is; `given` says whether the next one follows."""
        key = key_of(asked)
        numbers = self._by_key.get(key)
        if not numbers:
            if given:
                self.unexpected.append(nearest(asked, self.exchanges))
            return httpx.Response(self.absent, json={"rollbook": "this request was not recorded"}, request=request)
        turn = self._given.get(key, 0)
        self._given[key] = turn + given
        number = numbers[min(turn, len(numbers) - 1)]
        return answer_of(self.exchanges[number], request, number)


def answer_of(one: Exchange, request: httpx.Request, number: int | None = None) -> httpx.Response:
    """Make the answer that was recorded."""
    headers = [(name, value) for name, value in one.headers if name.lower() not in _DROPPED]
    if number is not None:
        headers.append((NUMBER, str(number)))
    return httpx.Response(one.status, headers=headers, content=one.content, request=request)
