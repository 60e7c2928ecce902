"""The Python interface: `connect`, with and without async."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

from .connection import open_connection
from .errors import Unsupported
from .sync import now
from .sync.stream import Findings, RejectedRecord, read_one, stream, stream_folded

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType

    import httpx

    from .connection import Connection
    from .connector import Estimate, Notice
    from .http import Sample
    from .schema import CourseEnrollment

T = TypeVar("T")

__all__ = ["AsyncLms", "Findings", "Lms", "RejectedRecord", "connect"]


class AsyncLms:
    """An LMS to read from, inside `async with connect(...)`."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime]) -> None:
        self.connection = connection
        self.findings = Findings()
        """What readings found beside enrollments: rejected records, skipped ones by reason, flaws, drift."""
        self._clock = clock
        self._open: set[AsyncGenerator[CourseEnrollment]] = set()
        self._ending = asyncio.Lock()

    async def enrollments(self) -> AsyncGenerator[CourseEnrollment]:
        """Give every enrollment of the tenant.

        Raises:
            AuthError: The LMS refuses the credentials.
            RollbookError: Once all others have been given: the first failure of a part of the tenant.
        """
        read = stream_folded if self.connection.connector.part else stream
        one_by_one = read(self.connection, self.findings, self._clock())
        self._open.add(one_by_one)
        try:
            async for one in one_by_one:
                yield one
        finally:
            await self._end(one_by_one)

    async def enrollment(self, id: str) -> CourseEnrollment:
        """Give one enrollment by its unified id.

        Raises:
            Gone: There is none, or it is no learner's.
            Unsupported: The connector cannot read a single one.
        """
        return await read_one(self.connection, id, self.findings, self._clock())

    async def check(self) -> Sequence[Notice]:
        """Prove the credentials; gives what is missing or reduced.

        Raises:
            AuthError: The LMS refuses them.
        """
        return await self.connection.connector.check()

    async def estimate(self) -> Estimate:
        """Tell by a few cheap requests how many it takes to read everything."""
        return await self.connection.connector.estimate()

    async def aclose(self) -> None:
        """Close what is open."""
        for one_by_one in list(self._open):
            await self._end(one_by_one)
        await self.connection.aclose()

    async def _end(self, one_by_one: AsyncGenerator[CourseEnrollment]) -> None:
        async with self._ending:  # after a `break`, the loop's own clean-up may come at the same moment
            await one_by_one.aclose()
            self._open.discard(one_by_one)


class Lms:
    """The same LMS without async, inside `with connect(...)`."""

    def __init__(self, lms: AsyncLms, runner: asyncio.Runner) -> None:
        self._lms = lms
        self._runner = runner
        self._open: WeakSet[Generator[CourseEnrollment]] = WeakSet()

    @property
    def connection(self) -> Connection:
        """The connection that is read from."""
        return self._lms.connection

    @property
    def findings(self) -> Findings:
        """What readings found beside enrollments: rejected records, skipped ones by reason, flaws, drift."""
        return self._lms.findings

    def enrollments(self) -> Iterator[CourseEnrollment]:
        """Give every enrollment of the tenant; see `AsyncLms.enrollments`."""
        one_by_one = self._one_by_one()
        self._open.add(one_by_one)
        return one_by_one

    def _one_by_one(self) -> Generator[CourseEnrollment]:
        found = self._lms.enrollments()
        try:
            while (one := self._runner.run(_next(found))) is not None:
                yield one
        finally:
            self._runner.run(_close(found))

    def enrollment(self, id: str) -> CourseEnrollment:
        """Give one enrollment by its unified id; see `AsyncLms.enrollment`."""
        return self._runner.run(self._lms.enrollment(id))

    def check(self) -> Sequence[Notice]:
        """Prove the credentials; see `AsyncLms.check`."""
        return self._runner.run(self._lms.check())

    def estimate(self) -> Estimate:
        """Tell by a few cheap requests how many it takes to read everything."""
        return self._runner.run(self._lms.estimate())

    def close(self) -> None:
        """Close what is open: readings that were not finished end here."""
        for one_by_one in list(self._open):
            one_by_one.close()
        self._runner.run(self._lms.aclose())
        self._runner.close()


async def _next(found: AsyncGenerator[T]) -> T | None:
    return await anext(found, None)


async def _close(found: AsyncGenerator[Any]) -> None:
    await found.aclose()


class connect:  # noqa: N801 - used as a function: `async with connect(...)`
    """Open an LMS for reading, with `async with` or plain `with`.

    Args:
        connector: Its name, such as `canvas`.
        name: A name for the connection, for messages.
        mapping: Overrides of the mapping, as under `[connections.NAME.mapping]` in rollbook.toml.
        modules: Further modules that hold connectors.
        vault: File for tokens that the LMS rotates; None keeps them in memory.
        transport: An httpx transport in place of the network, for tests.
        clock: Gives the instant that statuses are told for.
        sample: How much of each list is read; None for all.
        settings: The connector's settings.

    Raises:
        RollbookError: A name, a setting or the mapping is wrong; no request is made yet.

    Example:
        ```python
        async with connect("talentlms", domain="acme", api_key="...") as lms:
            async for enrollment in lms.enrollments():
                print(enrollment.status, enrollment.user.name, enrollment.course.title)
        ```
    """

    def __init__(
        self,
        connector: str,
        *,
        name: str = "",
        mapping: Mapping[str, object] | None = None,
        modules: Iterable[str] = (),
        vault: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = now,
        sample: Sample | None = None,
        **settings: Any,
    ) -> None:
        connection = open_connection(
            name or connector,
            connector,
            settings,
            override=mapping,
            override_file="mapping",
            modules=modules,
            vault=vault,
            transport=transport,
            sample=sample,
        )
        self._lms = AsyncLms(connection, clock)
        self._plain: Lms | None = None

    async def __aenter__(self) -> AsyncLms:
        return self._lms

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._lms.aclose()

    def __enter__(self) -> Lms:
        if _in_a_loop():
            raise Unsupported("`with connect(...)` was used inside async code", hint="Write `async with connect(...)`.")
        self._plain = Lms(self._lms, asyncio.Runner())
        return self._plain

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._plain is not None:
            self._plain.close()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
