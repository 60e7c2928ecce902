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


class Table:
    """Records by key, as text, in SQLite's private temporary database.

    It stays in memory until it is large, then goes to a file that is already unlinked: nothing is left behind.
    """

    def __init__(self) -> None:
        # one thread at a time uses it, but not always the same one
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute("PRAGMA journal_mode=OFF")
        self._rows.execute("PRAGMA synchronous=OFF")
        self._rows.execute("CREATE TABLE record (key TEXT PRIMARY KEY, native TEXT NOT NULL) WITHOUT ROWID")

    def add(self, records: Mapping[str, NativeRecord]) -> None:
        """Keep the records under their keys; a later one takes an earlier one's place."""
        self._rows.execute("BEGIN")
        self._rows.executemany(
            "INSERT INTO record VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET native = excluded.native",
            ((key, dump(record)) for key, record in records.items()),
        )
        self._rows.execute("COMMIT")

    def many(self, keys: Iterable[JSON]) -> dict[str, NativeRecord]:
        """Give the records that are there for the keys, by the keys' text."""
        wanted = list({key for item in keys if (key := as_key(item)) is not None})
        found: dict[str, NativeRecord] = {}
        for start in range(0, len(wanted), _MANY):
            some = wanted[start : start + _MANY]
            marks = ",".join("?" * len(some))
            for key, native in self._rows.execute(
                f"SELECT key, native FROM record WHERE key IN ({marks})",  # noqa: S608 - only question marks
                some,
            ):
                record = parse(native)
                if isinstance(record, dict):
                    found[key] = record
        return found

    def batches(self, after: str = "") -> Iterator[dict[str, NativeRecord]]:
        """Give all records in the order of their keys, some at a time, from behind a key on."""
        while found := self._rows.execute(
            "SELECT key, native FROM record WHERE key > ? ORDER BY key LIMIT ?", (after, _MANY)
        ).fetchall():
            yield {key: record for key, native in found if isinstance(record := parse(native), dict)}
            after = found[-1][0]

    def __len__(self) -> int:
        return int(self._rows.execute("SELECT count(*) FROM record").fetchone()[0])

    def close(self) -> None:
        """Give the memory and the file back."""
        self._rows.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def as_key(value: JSON) -> str | None:
    """Write a key as text, so that `7` and `"7"` are the same; null, blank, true, lists and objects are no keys."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if isinstance(value, str):
        return value.strip() or None
    return None
