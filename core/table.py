"""A private keyed table on disk: looked-up records that must not fill the memory."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Self

from .native import dump, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    from .native import JSON, NativeRecord

_MANY = 500  # keys in one SELECT, well under SQLite's smallest limit of host parameters
FEW = 1_000
"""So many records, as many as a page has at most, are kept as they are."""


class Table:
    """Records by key: a few as they are, more as text in SQLite's private temporary database.

    That goes to a file that is already unlinked: nothing is left behind.
    """

    def __init__(self) -> None:
        self._few: dict[str, NativeRecord] = {}
        self._many: sqlite3.Connection | None = None

    def add(self, records: Mapping[str, NativeRecord]) -> None:
        """Keep the records under their keys; a later one takes an earlier one's place. They belong to the table now."""
        if self._many is None:
            self._few |= records
            if len(self._few) <= FEW:
                return
            self._many, records, self._few = _opened(), self._few, {}
        self._many.execute("BEGIN")
        self._many.executemany(
            "INSERT INTO record VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET native = excluded.native",
            ((key, dump(record)) for key, record in records.items()),
        )
        self._many.execute("COMMIT")

    def many(self, keys: Iterable[JSON]) -> dict[str, NativeRecord]:
        """Give the records that are there for the keys, by the keys' text. They are for reading only."""
        wanted = list({key for item in keys if (key := as_key(item)) is not None})
        if self._many is None:
            return {key: self._few[key] for key in wanted if key in self._few}
        found: dict[str, NativeRecord] = {}
        for start in range(0, len(wanted), _MANY):
            some = wanted[start : start + _MANY]
            marks = ",".join("?" * len(some))
            for key, native in self._many.execute(
                f"SELECT key, native FROM record WHERE key IN ({marks})",  # noqa: S608 - only question marks
                some,
            ):
                record = parse(native)
                if isinstance(record, dict):
                    found[key] = record
        return found

    def batches(self, after: str = "") -> Iterator[dict[str, NativeRecord]]:
        """Give all records in the order of their keys, some at a time, from behind a key on."""
        while found := self._next(after):
            yield {key: record for key, record in found if isinstance(record, dict)}
            after = found[-1][0]

    def _next(self, after: str) -> list[tuple[str, JSON]]:
        if self._many is None:
            return [(key, self._few[key]) for key in sorted(key for key in self._few if key > after)[:_MANY]]
        query = "SELECT key, native FROM record WHERE key > ? ORDER BY key LIMIT ?"
        return [(key, parse(native)) for key, native in self._many.execute(query, (after, _MANY))]

    def __len__(self) -> int:
        return len(self._few) if self._many is None else self._many.execute("SELECT count(*) FROM record").fetchone()[0]

    def close(self) -> None:
        """Give the memory and the file back."""
        self._few = {}
        self._many = self._many or sqlite3.connect("")  # so that whoever still asks is told
        self._many.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _opened() -> sqlite3.Connection:
    # one thread at a time uses it, but not always the same one
    rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    rows.execute("PRAGMA journal_mode=OFF")
    rows.execute("PRAGMA synchronous=OFF")
    rows.execute("CREATE TABLE record (key TEXT PRIMARY KEY, native TEXT NOT NULL) WITHOUT ROWID")
    return rows


def as_key(value: JSON) -> str | None:
    """Write a key as text, so that `7` and `"7"` are the same; null, blank, true, lists and objects are no keys."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if isinstance(value, str):
        return value.strip() or None
    return None
