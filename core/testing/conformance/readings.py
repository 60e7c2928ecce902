"""What a reading gave, told and asked for."""

from __future__ import annotations

from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ...errors import Gone, RollbookError
from ...mapping import Mapped, compile_expression
from ...native import dump, parse, without
from ...sync.reading import read_pages
from ...table import as_key
from .lms import NUMBER, Endless

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator, Sequence
    from datetime import datetime

    from ...connection import Connection
    from ...connector import Page, Partition
    from ...http import PageAnswer
    from ...native import JSON, NativeRecord
    from ...schema import CourseEnrollment
    from ...sync import Report
    from ...sync.stream import Findings
    from ..har import Exchange
    from .lms import RecordedLms

__all__ = [
    "ListRead",
    "Native",
    "PartitionRead",
    "Reading",
    "Single",
    "Synced",
    "bare",
    "complete",
    "identified",
    "read_partition",
    "text_of",
    "watch_lists",
]


@dataclass(slots=True)
class ListRead:
    """A list that the connector read page by page."""

    place: str
    """The path that was asked for."""
    items: object
    """Where its items stand."""
    numbers: list[int] = field(default_factory=list[int])
    """Which exchanges of the recording were its pages."""
    total: int | None = None
    stop: str = ""
    """Why it ended; empty if it was left before."""
    pages: int = 0
    failed: bool = False


@dataclass(slots=True)
class Reading:
    """What a reading of the whole tenant gave, told and asked for."""

    lms: RecordedLms
    findings: Findings
    found: dict[str, str] = field(default_factory=dict[str, str])
    """The enrollments as JSON text, by id."""
    changed: set[str] = field(default_factory=set[str])
    """Ids of those that were not the same any more when everything was read."""
    statuses: set[str] = field(default_factory=set[str])
    error: BaseException | None = None
    lists: list[ListRead] = field(default_factory=list[ListRead])
    log: list[str] = field(default_factory=list[str])
    retries: int = 0

    @property
    def errors(self) -> list[BaseException]:
        """Everything that was reported as gone wrong."""
        found: list[BaseException] = [*self.findings.failures.values(), *self.findings.forbidden.values()]
        if self.error is not None and self.error not in found:
            found.append(self.error)
        return found

    @property
    def unforeseen(self) -> str:
        """The first error that nobody foresaw; empty if there is none."""
        for error in self.errors:
            if not isinstance(error, (RollbookError, Endless)):
                return f"{type(error).__name__} out of the connector"
            if "the connector failed with" in str(error):
                return str(error)
        return ""


@dataclass(slots=True)
class PartitionRead:
    """A partition, read alone."""

    partition: Partition
    pages: list[Page] = field(default_factory=list["Page"])
    texts: list[list[str]] = field(default_factory=list[list[str]])
    """The native records of each page as text, at the moment they were given."""
    asked: list[Exchange] = field(default_factory=list["Exchange"])
    ids: set[str] = field(default_factory=set[str])


class Native(NamedTuple):
    """A native record."""

    text: str
    updated_at: datetime | None
    """When the LMS last changed it, by the mapping."""


@dataclass(slots=True)
class Synced:
    """What a sync left in a store of its own."""

    report: Report
    found: dict[str, str]
    """The enrollments as JSON text, by id."""
    remote: dict[str, str]
    """Their native records, as they are stored."""


class Single(NamedTuple):
    """What a single reading or a check gave."""

    text: str
    """The enrollment as JSON text, or the notices."""
    error: BaseException | None
    lms: RecordedLms
    log: list[str]


def text_of(one: CourseEnrollment) -> str:
    """Write an enrollment as text: exact for integers of any size, and comparable although it may hold NaN."""
    return dump(one.model_dump(mode="json") | {"remote_data": one.remote_data})  # else NaN becomes null


def watch_lists(connection: Connection, lists: list[ListRead]) -> None:
    """Note the lists that a connection reads from now on, with why each one ended."""
    http = connection.http
    original = http.paged

    async def paged(path: str, *args: Any, **more: Any) -> AsyncGenerator[PageAnswer]:
        seen = ListRead(path, more.get("items", ""))
        lists.append(seen)
        try:
            async with aclosing(original(path, *args, **more)) as pages:
                async for page in pages:
                    number = page.answer.headers.get(NUMBER)
                    seen.numbers += [int(number)] if number else []
                    seen.pages += 1
                    seen.total = page.total if seen.total is None else seen.total
                    seen.stop = page.stop
                    yield page
        except Exception:
            seen.failed = True
            raise

    http.paged = paged


async def read_partition(
    connection: Connection, partition: Partition, lms: RecordedLms, cursor: JSON = None
) -> PartitionRead:
    """Read a partition, or what is left of it behind a cursor; one that is gone has no pages."""
    read, before = PartitionRead(partition), len(lms.asked)
    with suppress(Gone):
        async with aclosing(read_pages(connection, partition, cursor, None)) as pages:
            async for page, _ in pages:
                read.pages.append(page)
                read.texts.append([dump(record) for record in page.records])
                ids = (connection.normalizer.identify(record, page.kind) for record in page.records)
                read.ids |= {id for id in ids if isinstance(id, str)}
    read.asked = lms.asked[before:]
    return read


def complete(connection: Connection, partitions: Sequence[PartitionRead]) -> Iterator[tuple[str, list[NativeRecord]]]:
    """Give native records before joins, by kind: a page's, or what is folded of an enrollment's parts."""
    part = connection.connector.part
    key = compile_expression(part) if part is not None else None
    parts: dict[str, dict[str, tuple[str, NativeRecord]]] = {}
    for one in partitions:
        for page, texts in zip(one.pages, one.texts, strict=True):
            records = [cast("NativeRecord", parse(text)) for text in texts]
            if key is None:
                yield page.kind, records
                continue
            for record in records:
                id, name = connection.normalizer.identify(record, page.kind), as_key(key(record))
                if isinstance(id, str) and name is not None:
                    parts.setdefault(id, {})[name] = page.kind, record
    for mine in parts.values():
        found = [mine[name] for name in sorted(mine)]
        yield found[-1][0], [connection.connector.fold([record for _, record in found])]


def identified(connection: Connection, record: NativeRecord, kind: str, as_of: datetime) -> tuple[str | None, Native]:
    """Give a joined record's id, and the record without live credentials."""
    result = connection.normalizer.normalize(record, kind=kind, as_of=as_of)
    text = dump(without(record, connection.connector.credentials))
    if isinstance(result, Mapped):
        return result.enrollment.id, Native(text, result.enrollment.updated_at)
    return result.id, Native(text, None)


def bare(error: BaseException) -> BaseException:
    """Take away the frames, so that nothing of a finished reading stays alive."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = None
        seen = seen.__cause__ or seen.__context__
    return error
