"""Promises about partitions: folded in any order, read in any process, taken up at any page."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ...errors import RollbookError
from ...native import dump, parse
from .elsewhere import read_elsewhere
from .promise import Promises, broken, few
from .readings import read_partition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from ...connection import Connection
    from ...connector import Page, Partition
    from ...native import JSON, NativeRecord
    from .readings import PartitionRead
    from .trial import Trial

__all__ = ["PartsPromises"]

MOST_CUTS = 20
"""A sync is interrupted at so many places, spread over all of it; a shorter one at each page."""


class PartsPromises(Promises):
    """Folding, other processes, interruptions."""

    def test_parts_fold_the_same_in_any_order_and_cut(self, trial: Trial) -> None:
        """Folded records are equal with partitions and pages reversed, cut to single records, and served twice."""
        __tracebackhide__ = True
        if trial.kind.part is None:
            return
        reads = trial.partitions
        orders: dict[str, list[tuple[Partition, list[Page]]]] = {
            "as they came": [(one.partition, one.pages) for one in reads],
            "in reverse": [(one.partition, one.pages[::-1]) for one in reversed(reads)],
            "one by one, in reverse": [(one.partition, _single(one.pages)[::-1]) for one in reversed(reads)],
            "twice": [(one.partition, [*one.pages, *one.pages]) for one in reads],
        }
        for order, served in orders.items():
            found = trial.sync(change=_serving(served)).found
            if differing := _differing(trial.synced.found, found):
                broken(
                    trial.name,
                    f"with the parts served {order}, the folded records of {few(differing)} are others",
                    "Let `fold` depend on its parts alone, and `part` name a part the same wherever it comes from.",
                )

    def test_a_partition_reads_the_same_in_a_fresh_process(self, trial: Trial) -> None:
        """Another process gives the same records, from the partition's key and context as JSON alone."""
        __tracebackhide__ = True
        if "<locals>" in trial.kind.__qualname__:
            broken(
                trial.name,
                f"the connector {trial.kind.__qualname__} stands inside a function, where no other process finds it",
                "Move the class to the top of its module.",
            )
        for one in trial.listing:
            if not _is_same_json(one.context):
                broken(
                    trial.name,
                    f"the context of the partition {one.key} is no JSON: it cannot be sent to another process",
                    "Put only texts, numbers, lists and objects with text keys into it.",
                )
        found = read_elsewhere(self.trials)[trial.name]
        if isinstance(found, str):
            broken(
                trial.name,
                f"a fresh process cannot read the partitions: {found}",
                "Let `pages` need nothing but the partition, the cursor and the connection's settings.",
            )
        for one, texts in zip(trial.partitions, found, strict=True):
            mine = [text for page in one.texts for text in page]
            if mine != texts:
                broken(
                    trial.name,
                    f"a fresh process reads {len(texts)} other records of the partition {one.partition.key} "
                    f"than this one ({len(mine)})",
                    "Let `pages` need nothing but the partition, the cursor and the connection's settings.",
                )

    def test_partition_keys_name_entities(self, trial: Trial) -> None:
        """Keys of partitions are unique, the same in each listing, and no page numbers."""
        __tracebackhide__ = True
        first = [one.partition.key for one in trial.partitions]
        if doubled := {key for key in first if first.count(key) > 1}:
            broken(trial.name, f"two partitions have the key {few(doubled)}", "Put what tells them apart into the key.")
        second = [one.key for one in trial.listing]
        if set(first) != set(second):
            broken(
                trial.name,
                f"a second listing has other keys: {few(set(first) ^ set(second))}",
                "Make keys of the LMS's own ids, such as course:41001.",
            )
        if odd := [key for key in first if _is_place(key)] or _counted(first):
            broken(
                trial.name,
                f"the partition keys {few(odd)} are places in a list, which name something else tomorrow",
                "Make keys of the LMS's own ids, such as course:41001.",
            )

    def test_each_cursor_leads_to_what_is_left(self, trial: Trial) -> None:
        """From each page's cursor, sent as JSON, the pages after it come: none twice, none left out."""
        __tracebackhide__ = True
        for whole in trial.partitions:
            for place, page in enumerate(whole.pages):
                if page.cursor is None:
                    continue
                if not _is_same_json(page.cursor):
                    broken(trial.name, f"a cursor of {whole.partition.key} is no JSON", "Make it of JSON values only.")
                _resumed(trial, whole, place)

    def test_an_interrupted_sync_ends_like_another(self, trial: Trial) -> None:
        """Killed after any page and begun again, a sync leaves the same enrollments in the store."""
        __tracebackhide__ = True
        steps = sum(len(one.pages) + 1 for one in trial.partitions) + 1
        cuts = range(1, steps + 1, max(1, -(-steps // MOST_CUTS)))
        for cut in cuts:
            found = trial.sync(cut_after=[cut]).found
            if differing := _differing(trial.synced.found, found):
                broken(
                    trial.name,
                    f"a sync that is killed at step {cut} of {steps} and begun again has other enrollments: "
                    f"{few(differing)}",
                    "Let each page's cursor lead to exactly what comes after it, in any process.",
                )


def _resumed(trial: Trial, whole: PartitionRead, place: int) -> None:
    __tracebackhide__ = True
    cursor = parse(dump(whole.pages[place].cursor))
    lms = trial.lms()

    async def read() -> PartitionRead:
        async with trial.opened(lms) as connection:
            return await read_partition(connection, whole.partition, lms, cursor)

    where = f"the partition {whole.partition.key}, taken up behind page {place + 1} of {len(whole.pages)},"
    try:
        rest = asyncio.run(read())
    except RollbookError as error:
        if lms.unexpected:
            broken(
                trial.name,
                f"{where} asks for what is not recorded:\n{lms.unexpected[0]}",
                'Record it, with `"_use": "resume"`.',
            )
        broken(trial.name, f"{where} fails: {error}", "Let `pages` take each cursor that it gave.")
    mine = [(text, page.kind) for page, text in zip(rest.pages, rest.texts, strict=True)]
    theirs = [(text, page.kind) for page, text in zip(whole.pages, whole.texts, strict=True)][place + 1 :]
    flat = [[one for page, kind in pages for one in ((text, kind) for text in page)] for pages in (mine, theirs)]
    if flat[0] != flat[1]:
        broken(
            trial.name,
            f"{where} gives {len(flat[0])} records in place of the {len(flat[1])} that are left, or others",
            "Let a page's cursor say where the next page begins, and `pages` begin there.",
        )
    if any(page.watermark is not None for page in whole.pages) != any(
        page.watermark is not None for page in (*whole.pages[: place + 1], *rest.pages)
    ):
        broken(trial.name, f"{where} loses its watermark", "Carry what the watermark is made of in the cursor.")


def _serving(served: list[tuple[Partition, list[Page]]]) -> Callable[[Connection], Connection]:
    """Give what puts recorded pages in place of the LMS's; lookups are still asked for."""
    by_key: dict[str, list[Page]] = {}
    for partition, pages in served:
        by_key[partition.key] = pages

    def change(connection: Connection) -> Connection:
        kind = type(connection.connector)

        async def partitions(self: Any) -> AsyncIterator[Partition]:
            del self
            for partition, _ in served:
                yield partition

        async def pages(self: Any, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
            del self, cursor, since
            mine = by_key[partition.key]
            for place, page in enumerate(mine):
                yield replace(
                    page, records=_copies(page.records), cursor=place + 1 if place + 1 < len(mine) else None, total=None
                )

        members = {"partitions": partitions, "pages": pages, "__module__": kind.__module__}
        serving = type(kind.__name__, (kind,), members)
        return replace(connection, connector=serving(connection.settings, connection.http))

    return change


def _copies(records: Sequence[NativeRecord]) -> list[NativeRecord]:
    return [cast("NativeRecord", parse(dump(record))) for record in records]


def _single(pages: list[Page]) -> list[Page]:
    return [replace(page, records=[record]) for page in pages for record in page.records]


def _differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    return {id for id in one.keys() | other.keys() if one.get(id) != other.get(id)}


def _is_same_json(value: JSON) -> bool:
    try:
        return parse(dump(value)) == value
    except (TypeError, ValueError):
        return False


def _is_place(key: str) -> bool:
    word, _, number = (
        key.lower().replace("=", ":").replace("-", ":").replace("_", ":").replace(" ", ":").rpartition(":")
    )
    return number.isdigit() and word in {"page", "p", "offset", "batch", "chunk", "start", "from", "skip", "index", "#"}


def _counted(keys: list[str]) -> list[str]:
    """Give keys that do nothing but count."""
    numbers = [key for key in keys if key.isdigit()]
    counted = {str(number) for start in (0, 1) for number in range(start, start + len(keys))}
    return numbers if len(keys) > 1 and len(numbers) == len(keys) and set(numbers) <= counted else []
