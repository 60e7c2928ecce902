"""Reading a partition's pages from a connector, and holding the connector to its contract."""

from __future__ import annotations

import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..connector import MAX_PAGE, Page
from ..errors import ContractError, RollbookError
from ..http import watched
from ..native import without
from ..table import Table

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..connection import Connection
    from ..connector import Partition
    from ..native import JSON, NativeRecord

T = TypeVar("T")


async def read_partitions(connection: Connection) -> AsyncGenerator[Partition]:
    """List a tenant's partitions, or as many as a sample has; twice where a list of several pages may shift."""
    connector, most, listed = connection.connector, connection.http.sample.partitions, 0
    with Table() as known, watched() as lists:
        async with aclosing(_closed(connector.partitions())) as partitions:
            async for partition in partitions:
                yield partition
                listed += 1
                if listed == most:
                    return
                if connector.numbered_partitions:
                    known.add({partition.key: {}})
        if not (connector.numbered_partitions and lists.several_pages):
            return
        async with aclosing(_closed(connector.partitions())) as partitions:
            async for partition in partitions:
                if not known.many([partition.key]):
                    yield partition


async def read_pages(
    connection: Connection, partition: Partition, cursor: JSON, since: JSON
) -> AsyncGenerator[tuple[Page, bool]]:
    """Give a partition's pages without live credentials, each with whether it is the last one.

    Raises:
        ContractError: The connector broke its contract, or failed in an unforeseen way.
    """
    last: Page | None = None
    try:
        async with aclosing(_closed(connection.connector.pages(partition, cursor, since))) as pages:
            async for page in pages:
                if last is not None:
                    raise ContractError("the connector gave a page after its last one (a page with no cursor)")
                clean = clean_page(connection, page)
                if clean.cursor is None:
                    last = clean  # told as the last one only once the connector has really ended
                else:
                    yield clean, False
    except RollbookError:
        raise
    except Exception as error:
        raise unforeseen(error) from error
    yield last or Page(()), True


async def _closed(found: AsyncIterator[T]) -> AsyncGenerator[T]:
    """Give what a connector gives, and end it here and now, not when it is collected."""
    try:
        async for one in found:
            yield one
    finally:
        if isinstance(found, AsyncGenerator):
            await found.aclose()


def clean_page(connection: Connection, page: Page) -> Page:
    """Check a page and remove live credentials from its records."""
    if len(page.records) > MAX_PAGE:
        raise ContractError(f"the connector gave a page of {len(page.records)} records; the most is {MAX_PAGE}")
    keys = connection.connector.credentials
    if not keys:
        return page
    return replace(page, records=[_clean(record, keys) for record in page.records])


def _clean(record: NativeRecord, keys: frozenset[str]) -> NativeRecord:
    clean = without(record, keys)
    assert isinstance(clean, dict)  # noqa: S101 - an object without some members is an object
    return clean


def unforeseen(error: Exception) -> ContractError:
    """Describe an error that nobody foresaw by its type and place; its text may hold a learner's data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return ContractError(
        f"the connector failed with {type(error).__name__}{place}",
        hint="Either the LMS answered in a new shape or the connector has a fault; please report it.",
    )
