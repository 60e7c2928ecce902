"""Faults that a test or a curious person switches on: errors, slowness, cut, garbled and repeated answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Fault", "Faults", "What"]

What = Literal[
    "throttle", "error", "slow", "cut", "reset", "unfinished", "malformed", "answer", "drip", "repeat", "pass"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with some requests.

    `throttle`, `error`, `malformed` (JSON that stops halfway), `answer` (the one that is given here), `drip` (a body
    that comes byte by byte and never ends), `cut` (a connection that ends in the middle of the body), `unfinished`
    (one that ends between a body's chunks) and `reset` (one that is torn down, with an RST) take the answer's place.
    `repeat` answers as the matching request before it, `slow` only delays, and `pass` does nothing but call `then`.
    """

    what: What
    path: str = "/"
    """Beginning of the requests that it strikes, such as `/api/v1/users/id:`; the query may be a part of it."""
    nth: int = 1
    """It strikes from the nth matching request on ..."""
    times: int | None = 1
    """... so many times in a row; None: for ever."""
    status: int | None = None
    """Of `throttle` and `error`; None: the vendor's own (429 or 403; 500). Of `answer`: 200 if None."""
    retry_after: str | None = None
    """The header of `throttle`: seconds or an HTTP date; None: no such header."""
    seconds: float = 1.0
    """Of `slow`; of `drip` between two bytes."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Of `answer`."""
    body: bytes = b""
    """Of `answer`."""
    then: Callable[[], None] | None = None
    """Called as it strikes, before anything is answered: to change the tenant while it is read."""

    def strikes(self, seen: int) -> bool:
        """Tell whether it strikes the matching request of that number, counted from 1."""
        return seen >= self.nth and (self.times is None or seen < self.nth + self.times)


class Faults:
    """The script of faults: each counts the requests that match it, and the first that strikes decides."""

    def __init__(self, script: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._script = [(fault, [0]) for fault in script]

    def add(self, *faults: Fault) -> None:
        """Switch faults on; they count requests from now."""
        with self._lock:
            self._script += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._script.clear()

    def strike(self, path: str) -> Fault | None:
        """Count a request (its path, with the query), and give the fault that strikes it."""
        struck: Fault | None = None
        with self._lock:
            for fault, seen in self._script:
                if not path.startswith(fault.path):
                    continue
                seen[0] += 1
                if struck is None and fault.strikes(seen[0]):
                    struck = fault
        return struck
