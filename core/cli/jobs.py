"""Syncs of several connections in one event loop: so many at once, and none of them stops another."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Stopped

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Generator, Sequence

    from ..connection import Connection
    from ..store import Store
    from ..sync import Report, Sync
    from .progress import Show

__all__ = ["AT_ONCE", "MOST_AT_ONCE", "Ended", "Jobs", "on_signals"]

AT_ONCE = 4
"""Connections synced at once if nobody says otherwise."""
MOST_AT_ONCE = 32
"""Each takes a thread, a few sockets and, in PostgreSQL, two sessions."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the sync of a connection ended."""

    name: str
    report: Report | None
    """What was done; of one that broke off, as far as it came."""
    error: Exception | None = None
    """What broke it off."""

    @property
    def outcome(self) -> str:
        """`complete`, `partial`, `failed` or `stopped`."""
        if isinstance(self.error, Stopped):
            return "stopped"
        if self.error or self.report is None:
            return "failed"
        return self.report.outcome or "failed"


class Jobs:
    """Syncs connections, so many at once.

    Args:
        store: Where to.
        connect: Opens a connection by its name.
        at_once: How many syncs run at once; the others wait.
        full: Read everything, also where only changes could be read.
        allow_removals: Remove rows even if they are suspiciously many.
    """

    def __init__(
        self,
        store: Store,
        connect: Callable[[str], Connection],
        *,
        at_once: int = AT_ONCE,
        full: bool = False,
        allow_removals: bool = False,
    ) -> None:
        self.stopping = asyncio.Event()
        """Set once no further sync begins."""
        self._store = store
        self._connect = connect
        self._full = full
        self._allow_removals = allow_removals
        self._places = asyncio.Semaphore(at_once)
        self._running: set[Sync] = set()

    def stop(self) -> None:
        """Let each sync under way end at its next page, and begin no other. For signals."""
        self.stopping.set()
        for one in self._running:
            one.stop()

    async def sync(self, name: str, show: Callable[[str], Show]) -> Ended | None:
        """Wait for a place and sync a connection; what goes wrong is in the answer.

        Returns:
            How it ended; None if it was not begun, because all are to stop.
        """
        async with self._places:
            return None if self.stopping.is_set() else await self._sync(name, show)

    async def _sync(self, name: str, show: Callable[[str], Show]) -> Ended:
        from ..sync import Sync  # noqa: PLC0415 - slow to import, and `check` does without

        live: list[Report] = []

        def observe(report: Report) -> None:
            live[:] = [report]
            watch(report)

        try:
            async with self._connect(name) as connection:
                one = Sync(connection, self._store)
                self._running.add(one)
                try:
                    with show(name) as watch:
                        report = await one.run(full=self._full, allow_removals=self._allow_removals, observe=observe)
                finally:
                    self._running.discard(one)
        except Exception as error:  # noqa: BLE001 - told by whoever asked; the other connections are read all the same
            return Ended(name, live[0] if live else None, error)
        return Ended(name, report)

    async def prove(self, names: Sequence[str]) -> list[Exception]:
        """Open each connection once without a request, and give what is wrong with the config."""
        wrong: list[Exception] = []
        for name in names:
            try:
                await self._connect(name).aclose()
            except Exception as error:  # noqa: BLE001 - told by whoever asked, all of them at once
                wrong.append(error)
        return wrong


@contextmanager
def on_signals(stop: Callable[[], None], *signals: signal.Signals) -> Generator[None]:
    """Let signals end what runs at the next page instead of anywhere."""
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    try:
        for one in signals:
            loop.add_signal_handler(one, stop)
            taken.append(one)
    except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread: it ends anywhere
        pass
    try:
        yield
    finally:
        for one in taken:
            loop.remove_signal_handler(one)
