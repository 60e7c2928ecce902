"""Reading without a store: enrollments straight to the caller, with what was found on the way."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import AuthError, ContractError, CursorExpired, Forbidden, Gone, RateLimited, RollbookError, VendorError
from ..mapping import Flaw, Mapped, Rejected, Skipped, compile_expression
from ..native import parse
from ..store import PRIVATE, Store
from ..store.records import rejected_rows
from ..store.rows import enrollment_of
from ..table import Table, as_key
from .engine import Sync
from .joins import Joins
from .reading import clean_page, read_pages, read_partitions, unforeseen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
    from datetime import datetime

    from ..connection import Connection
    from ..connector import Page, Partition
    from ..native import NativeRecord
    from ..schema import CourseEnrollment

MOST_FLAWS = 1_000
"""So many flaws are kept one by one; all are counted."""


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """A native record that could not become an enrollment, whole, with the reason."""

    id: str | None
    reason: str
    native: NativeRecord


@dataclass(slots=True)
class Findings:
    """What a reading found beside the enrollments."""

    rejected: list[RejectedRecord] = field(default_factory=list[RejectedRecord])
    skipped: Counter[str] = field(default_factory=Counter[str])
    """Records that are not a learner's enrollment, by reason."""
    flaws: list[tuple[str, Flaw]] = field(default_factory=list[tuple[str, Flaw]])
    """The first thousand values that could not be converted, with the enrollment's id."""
    flaw_counts: Counter[str] = field(default_factory=Counter[str])
    """All of them, by field."""
    drift: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """Native words unknown to the mapping, by (what, word)."""
    duplicates: int = 0
    """Records whose id had been given before in the same reading; only the first was given."""
    failures: dict[str, RollbookError] = field(default_factory=dict[str, RollbookError])
    """Partitions that could not be read; the empty key stands for the list of them."""
    forbidden: dict[str, RollbookError] = field(default_factory=dict[str, RollbookError])
    """Partitions that the credentials may not read."""

    def note(self, result: Mapped | Skipped | Rejected, record: NativeRecord) -> CourseEnrollment | None:
        """Keep what is not an enrollment; give the enrollment."""
        if isinstance(result, Skipped):
            self.skipped[result.reason] += 1
        elif isinstance(result, Rejected):
            self.rejected.append(RejectedRecord(result.id, result.reason, record))
        else:
            for flaw in result.flaws:
                self.flaw_counts[flaw.field] += 1
                if len(self.flaws) < MOST_FLAWS:
                    self.flaws.append((result.enrollment.id, flaw))
            for one in result.drift:
                self.drift[one.what, one.value] += 1
            return result.enrollment
        return None


async def stream(connection: Connection, findings: Findings, as_of: datetime) -> AsyncGenerator[CourseEnrollment]:
    """Give a tenant's enrollments, partition by partition as they come; not for connectors that fold parts.

    Raises:
        RollbookError: The credentials are refused, the quota is spent; or, once everything else has been given, the
            first failure of a partition.
    """
    reading = _Stream(connection, findings, as_of)
    try:
        async for some in reading.batches():
            for one in some:
                yield one
        reading.note_all_gone()
    finally:
        await reading.aclose()
    _raise_unread(findings, done=bool(reading.done))


async def stream_folded(
    connection: Connection, findings: Findings, as_of: datetime
) -> AsyncGenerator[CourseEnrollment]:
    """Give a tenant's enrollments for connectors that fold parts: read whole into a private database first.

    Raises:
        RollbookError: As `stream`.
    """
    with Store(PRIVATE) as store:
        report = await Sync(connection, store, clock=lambda: as_of).run(full=True)
        findings.skipped.update(report.counts.skipped)
        findings.flaw_counts.update(report.flaws)
        findings.drift.update(report.drift)
        with store.read() as db:
            for row in rejected_rows(db, connection.name):
                native = parse(row["native"])
                record = native if isinstance(native, dict) else {}
                findings.rejected.append(RejectedRecord(row["id"], row["reason"], record))
        for row in store.rows(connection.name):
            yield enrollment_of(row)
    for key, text in report.failures.items():
        findings.failures[key] = VendorError(text, where=key)
    if report.error:  # the list of partitions broke off: what was listed has been given
        findings.failures[""] = VendorError(report.error)
    findings.forbidden |= {key: Forbidden(text, where=key) for key, text in report.forbidden.items()}
    _raise_unread(findings, done=report.outcome != "failed")


def _raise_unread(findings: Findings, *, done: bool) -> None:
    if findings.failures:
        first = findings.failures.get("") or next(iter(findings.failures.values()))
        if "" not in findings.failures:
            first.hint = f"{len(findings.failures)} partition(s) could not be read; all others were."
        raise first
    if findings.forbidden and not done:
        raise next(iter(findings.forbidden.values()))


class _Stream:
    def __init__(self, connection: Connection, findings: Findings, as_of: datetime) -> None:
        self._connection = connection
        self._findings = findings
        self._as_of = as_of
        self._joins = Joins(connection.connector, whole=True)
        self._given = Table()
        self._tasks: list[asyncio.Task[None]] = []
        self.done = self._gone = 0
        workers = connection.workers
        self._partitions: asyncio.Queue[Partition | None] = asyncio.Queue(workers)
        self._out: asyncio.Queue[list[CourseEnrollment] | BaseException | None] = asyncio.Queue(workers)

    async def batches(self) -> AsyncIterator[list[CourseEnrollment]]:
        workers = self._connection.workers
        self._tasks = [asyncio.create_task(self._guard(self._list(workers)))]
        self._tasks += [asyncio.create_task(self._guard(self._work())) for _ in range(workers)]
        running = workers
        while running:
            item = await self._out.get()
            if item is None:
                running -= 1
            elif isinstance(item, BaseException):
                raise item
            else:
                yield item

    def note_all_gone(self) -> None:
        """Tell if the LMS listed partitions and then had none of them."""
        found = self._findings
        if self._gone > 1 and self._gone == self.done and not (found.failures or found.forbidden):
            text = f"none of the {self._gone} partitions is there: is an address wrong?"
            found.failures[""] = ContractError(text)

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._joins.close()
        self._given.close()

    async def _guard(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - carried to the caller, who raises it
            await self._out.put(error)

    async def _list(self, workers: int) -> None:
        try:
            async with aclosing(read_partitions(self._connection)) as partitions:
                async for partition in partitions:
                    await self._partitions.put(partition)
        except (AuthError, RateLimited):
            raise
        except Exception as error:  # noqa: BLE001 - told once what was listed has been given
            known = error if isinstance(error, RollbookError) else unforeseen(error)
            self._findings.failures[""] = known.at("listing the partitions")
        for _ in range(workers):
            await self._partitions.put(None)

    async def _work(self) -> None:
        while (partition := await self._partitions.get()) is not None:
            try:
                try:
                    await self._read(partition)
                except CursorExpired:
                    await self._read(partition)
                self.done += 1
            except (AuthError, RateLimited):
                raise
            except Gone:
                self.done += 1
                self._gone += 1
            except Forbidden as error:
                self._findings.forbidden[partition.key] = error
            except RollbookError as error:
                self._findings.failures[partition.key] = error
        await self._out.put(None)

    async def _read(self, partition: Partition) -> None:
        async with aclosing(read_pages(self._connection, partition, None, None)) as pages:
            async for page, _ in pages:
                some = await self._map(page)
                if some:
                    await self._out.put(some)

    async def _map(self, page: Page) -> list[CourseEnrollment]:
        records = await self._joins.attach(page.records)
        found: dict[str, CourseEnrollment] = {}
        for record in records:
            result = self._connection.normalizer.normalize(record, kind=page.kind, as_of=self._as_of)
            one = self._findings.note(result, record)
            if one is None:
                continue
            if one.id in found:
                self._findings.duplicates += 1
            else:
                found[one.id] = one
        again = self._given.many(found)
        self._findings.duplicates += len(again)
        fresh = {id: one for id, one in found.items() if id not in again}
        self._given.add({id: {} for id in fresh})
        return list(fresh.values())


async def read_one(connection: Connection, id: str, findings: Findings, as_of: datetime) -> CourseEnrollment:
    """Read one enrollment by its unified id, with the same folding and joins as a sync.

    Raises:
        Gone: There is none, or it is no learner's.
        Unsupported: The connector cannot read a single one.
    """
    connector = connection.connector
    try:
        page = clean_page(connection, await connector.fetch(id, None))
    except RollbookError:
        raise
    except Exception as error:
        raise unforeseen(error) from error
    records = [one for one in page.records if connection.normalizer.identify(one, page.kind) == id]
    if not records:
        raise Gone(f"{connector.title} has no such enrollment")
    record = connector.fold(_sorted_parts(connector.part, records)) if connector.part else records[-1]
    joins = Joins(connector, whole=False)
    try:
        [joined] = await joins.attach([record])
    finally:
        joins.close()
    result = connection.normalizer.normalize(joined, kind=page.kind, as_of=as_of)
    one = findings.note(result, joined)
    if one is None:
        why = result.reason if not isinstance(result, Mapped) else ""
        raise Gone(f"{connector.title} has this record, but it is not given as an enrollment: {why}")
    return one


def _sorted_parts(part: str, records: Sequence[NativeRecord]) -> list[NativeRecord]:
    key = compile_expression(part)
    return sorted(records, key=lambda record: as_key(key(record)) or "")
