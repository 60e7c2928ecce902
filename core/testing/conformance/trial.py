"""A trial: one case read in every way that a promise needs, each way once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from ...api import AsyncLms
from ...connection import check_settings, open_connection
from ...errors import RollbookError
from ...http import TokenAuth, no_waits, stand_in_keys
from ...registry import find, registry
from ...store import PRIVATE, Store
from ...store.rows import enrollment_of
from ...sync import Sync
from ...sync.joins import Joins
from ...sync.reading import read_partitions
from .batches import Batches
from .cut import Cut, cutting
from .lms import Endless, RecordedLms
from .log import listening
from .readings import (
    Native,
    PartitionRead,
    Reading,
    Single,
    Synced,
    bare,
    complete,
    identified,
    read_partition,
    text_of,
    watch_lists,
)
from .shapes import key_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Mapping

    from ...connection import Connection
    from ...connector import Connector, Partition
    from ...schema import CourseEnrollment
    from ...sync import Report
    from ..case import Case
    from ..har import Exchange, Har
    from .lms import Scripted
    from .shapes import Key

T = TypeVar("T")

__all__ = ["Trial"]

SPARE = 50
"""Requests that a reading may make beyond ten times what was recorded, before it counts as endless."""


class Trial:
    """A case and its connector, for promises to be held against.

    Args:
        case: The case.
        kinds: The connector's classes by strategy; the first is the default.
    """

    def __init__(self, case: Case, kinds: Mapping[str, type[Connector[Any]]]) -> None:
        self.case = case
        self.name = case.name
        self.kinds = kinds
        self.connector = next(iter(kinds.values())).name
        self._faulty: dict[object, Reading] = {}
        self._batches: Batches | None = None
        self._singles: dict[tuple[str, int], Single] = {}

    @cached_property
    def kind(self) -> type[Connector[Any]]:
        """The connector's class for the strategy of this case."""
        with self.known():
            return find(self.connector, str(self.case.settings.get("strategy", "")))

    @cached_property
    def har(self) -> Har:
        """The recording."""
        return self.case.load()

    @cached_property
    def recorded(self) -> tuple[Exchange, ...]:
        """The exchanges that a reading of the whole tenant asks for."""
        return tuple(one for one in self.har.exchanges if one.use == "read")

    @cached_property
    def origin(self) -> str:
        """The LMS's address."""
        return check_settings(self.kind, self.case.settings, self.name).origin()

    @cached_property
    def sign_in(self) -> set[Key]:
        """The requests for tokens."""
        return {key_of(one) for one in self.har.exchanges if b'"access_token"' in one.content}

    def renews(self, at: Exchange) -> bool:
        """Tell whether a new token would be got if a request were refused."""
        with stand_in_keys():
            auth = check_settings(self.kind, self.case.settings, self.name).auth(None)
        return isinstance(auth, TokenAuth) and key_of(at) not in self.sign_in and at.url.startswith(self.origin)

    @cached_property
    def is_empty(self) -> bool:
        """Whether it is a tenant with nothing in it."""
        return self.name == "empty" or self.name.startswith(("empty-", "empty_"))

    def _sound(self, reading: Coroutine[Any, Any, T]) -> T:
        """Do what every case must be able to do, nothing going wrong.

        Raises:
            AssertionError: It fails all the same.
        """
        __tracebackhide__ = True
        try:
            return asyncio.run(reading)
        except RollbookError as error:
            raise AssertionError(
                f"{self.name}: it cannot be read at all: {type(error).__name__}: {error}\n"
                "  What to do: see what the first test of the suite says."
            ) from None

    @contextmanager
    def known(self) -> Generator[None]:
        """Let the registry know the connector's classes inside, whether they are registered or not."""
        before = registry.classes.get(self.connector)
        registry.classes[self.connector] = dict(self.kinds)
        try:
            yield
        finally:
            if before is None:
                del registry.classes[self.connector]
            else:
                registry.classes[self.connector] = before

    def lms(self, *faults: Scripted, absent: int = 400) -> RecordedLms:
        """Give the recorded LMS, with or without faults."""
        return RecordedLms(self.har.exchanges, faults, absent, budget=SPARE + 10 * len(self.har.exchanges))

    @asynccontextmanager
    async def opened(self, lms: RecordedLms, *, batches: bool = True) -> AsyncGenerator[Connection]:
        """Open the case's connection to a recorded LMS, which keeps to recorded batches. It never really waits."""
        with TemporaryDirectory(prefix="rollbook_") as folder:  # tokens that are exchanged begin anew each time
            with no_waits(), stand_in_keys(), self.known():
                connection = open_connection(
                    self.name,
                    self.connector,
                    {**self.case.settings, "concurrency": 1},  # in the same order each time
                    override=self.case.mapping or None,
                    override_file="mapping",
                    vault=f"{folder}/vault",
                    transport=lms,
                    sample=self.case.sampled(),
                )
            if self._batches and batches:
                self._batches.keep(connection.connector)
            async with connection:
                yield connection

    @cached_property
    def whole(self) -> Reading:
        """The whole tenant, nothing going wrong."""
        return self.read()

    def know_batches(self) -> None:
        """Learn which keys of lookups were recorded together, by reading the whole once."""
        if self._batches is None:
            self._batches, batches = Batches(), Batches()
            asyncio.run(self._read(self.lms(), batches))
            self._batches = batches

    def read(self, *faults: Scripted) -> Reading:
        """Read the whole tenant."""
        self.know_batches()
        return asyncio.run(self._read(self.lms(*faults)))

    def under(self, name: object, *faults: Scripted) -> Reading:
        """Read the whole tenant while something goes wrong; made once for each name."""
        if name not in self._faulty:
            self._faulty[name] = self.read(*faults)
        return self._faulty[name]

    async def _read(self, lms: RecordedLms, batches: Batches | None = None) -> Reading:
        with listening() as log:
            async with self.opened(lms) as connection:
                if batches:
                    batches.learn(connection.connector)
                opened = AsyncLms(connection, lambda: self.case.as_of)
                reading = Reading(lms, opened.findings, log=log)
                watch_lists(connection, reading.lists)
                given: list[CourseEnrollment] = []
                try:
                    async for one in opened.enrollments():
                        given.append(one)
                        reading.found[one.id] = text_of(one)
                        reading.statuses.add(one.status.value)
                except (Exception, Endless) as error:  # noqa: BLE001 - whatever it is, it is looked at
                    reading.error = bare(error)
                await opened.aclose()
                reading.changed = {one.id for one in given if reading.found[one.id] != text_of(one)}
                reading.retries = connection.http.stats.retries
        return reading

    @cached_property
    def partitions(self) -> list[PartitionRead]:
        """The partitions, read one after another."""

        async def read() -> list[PartitionRead]:
            lms = self.lms()
            async with self.opened(lms) as connection:
                listed = [one async for one in read_partitions(connection)]
                return [await read_partition(connection, one, lms) for one in listed]

        return self._sound(read())

    @cached_property
    def listing(self) -> list[Partition]:
        """The partitions, listed anew."""

        async def read() -> list[Partition]:
            async with self.opened(self.listed_by) as connection:
                return [one async for one in read_partitions(connection)]

        return self._sound(read())

    @cached_property
    def listed_by(self) -> RecordedLms:
        """The LMS that `listing` asks."""
        return self.lms()

    @cached_property
    def joined_by(self) -> RecordedLms:
        """The LMS that `natives` asks for lookups."""
        return self.lms()

    @cached_property
    def natives(self) -> dict[str, list[Native]]:
        """The native records by id, folded, joined and without live credentials."""
        _ = self.partitions  # read before, in a loop of their own
        self.know_batches()

        async def read() -> dict[str, list[Native]]:
            async with self.opened(self.joined_by) as connection:
                joins, found = Joins(connection.connector, whole=True), dict[str, list[Native]]()
                try:
                    for kind, records in complete(connection, self.partitions):
                        for record in await joins.attach(records):
                            id, native = identified(connection, record, kind, self.case.as_of)
                            if id is not None:
                                found.setdefault(id, []).append(native)
                finally:
                    joins.close()
                return found

        return self._sound(read())

    @cached_property
    def synced(self) -> Synced:
        """The whole tenant in a store."""
        self.know_batches()
        return self._sound(self._sync(self.lms(), _as_it_is, []))

    def sync(
        self,
        *faults: Scripted,
        change: Callable[[Connection], Connection] | None = None,
        cut_after: Iterable[int] = (),
    ) -> Synced:
        """Read the tenant into a store of its own.

        Args:
            faults: What goes wrong.
            change: Puts something in place of the connection, after it was opened.
            cut_after: At each of these numbers of pages and partitions a run is killed and another one begun.
        """
        self.know_batches()
        return asyncio.run(self._sync(self.lms(*faults), change or _as_it_is, list(cut_after)))

    def try_sync(self, *faults: Scripted) -> Synced | None:
        """Read the tenant into a store of its own; None if that ends in an error, which is a report too."""
        try:
            return self.sync(*faults)
        except RollbookError:
            return None

    async def _sync(self, lms: RecordedLms, change: Callable[[Connection], Connection], cuts: list[int]) -> Synced:
        with Store(PRIVATE) as store:
            for most in cuts:
                await self._run(lms, store, change, most)
            report = await self._run(lms, store, change)
            assert report is not None  # noqa: S101 - nothing cuts the last run
            rows = list(store.rows(self.name))
        found = {row["id"]: text_of(enrollment_of(row)) for row in rows}
        return Synced(report, found, {row["id"]: row["remote_data"] for row in rows})

    async def _run(
        self, lms: RecordedLms, store: Store, change: Callable[[Connection], Connection], cut_after: int = 0
    ) -> Report | None:
        async with self.opened(lms) as connection:
            with suppress(Cut):
                sync = Sync(change(connection), store, clock=lambda: self.case.as_of)
                return await sync.run(full=True, observe=cutting(cut_after))
        return None

    def single(self, id: str, *, absent: int = 400) -> Single:
        """Read one enrollment: its JSON text, or the error; with the LMS that was asked, and the log."""
        if (id, absent) not in self._singles:

            async def read(opened: AsyncLms) -> str:
                return text_of(await opened.enrollment(id))

            self._singles[id, absent] = self._ask(read, self.lms(absent=absent))
        return self._singles[id, absent]

    def check(self, *faults: Scripted) -> Single:
        """Check the credentials: the notices as text, or the error; with the LMS that was asked, and the log."""

        async def check(opened: AsyncLms) -> str:
            return "\n".join(f"{one.level}: {one.text}" for one in await opened.check())

        return self._ask(check, self.lms(*faults))

    def _ask(self, ask: Callable[[AsyncLms], Coroutine[Any, Any, str]], lms: RecordedLms) -> Single:
        async def run() -> Single:
            with listening() as log:
                async with self.opened(lms, batches=False) as connection:
                    try:
                        text = await ask(AsyncLms(connection, lambda: self.case.as_of))
                    except (Exception, Endless) as error:  # noqa: BLE001 - whatever it is, it is looked at
                        return Single("", bare(error), lms, log)
                    return Single(text, None, lms, log)

        return asyncio.run(run())


def _as_it_is(connection: Connection) -> Connection:
    return connection
