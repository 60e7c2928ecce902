"""Joins: looked-up records attached to native ones, as the connector declares."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..connection import WORKERS
from ..errors import ContractError, Gone, RollbookError
from ..mapping import compile_expression
from ..native import without
from ..table import Table, as_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..connector import Connector, Lookup
    from ..native import JSON, NativeRecord


class Joins:
    """The lookups of one run.

    Args:
        connector: Declares lookups and joins, and loads them.
        whole: Whether lookups are read whole at their first use (a full run), or only the keys that come up.
    """

    def __init__(self, connector: Connector[Any], *, whole: bool) -> None:
        self._lookups = {one.name: _Looked(connector, one, whole=whole) for one in connector.lookups}
        self._joins = [(one.into, self._lookups[one.lookup], compile_expression(one.on)) for one in connector.joins]

    async def attach(self, records: Sequence[NativeRecord]) -> list[NativeRecord]:
        """Give copies of the records with everything joined; a missing key gives null.

        Raises:
            RollbookError: A lookup cannot be read; good names must not become null because of it.
        """
        joined = [dict(record) for record in records] if self._joins else list(records)
        for into, looked, on in self._joins:
            keys = [on(record) for record in joined]
            found = await looked.many(key for value in keys for key in _each(value))
            for record, value in zip(joined, keys, strict=True):
                joined_here: list[JSON] = [_one(found, key) for key in _each(value)]
                record[into] = joined_here if isinstance(value, list) else joined_here[0]
        return joined

    def close(self) -> None:
        """Give the lookups' memory and files back."""
        for looked in self._lookups.values():
            looked.close()


def _each(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _one(found: dict[str, NativeRecord], value: JSON) -> NativeRecord | None:
    key = as_key(value)
    return None if key is None else found.get(key)


class _Looked:
    """What is known of one lookup so far."""

    def __init__(self, connector: Connector[Any], lookup: Lookup, *, whole: bool) -> None:
        self._connector = connector
        self._lookup = lookup
        self._whole = lookup.whole and (whole or not lookup.batch)
        self._key: Callable[[JSON], JSON] = compile_expression(lookup.key)
        self._table = Table()
        self._asked: set[str] = set()
        self._loaded = False
        self._lock = asyncio.Lock()

    async def many(self, values: Iterable[JSON]) -> dict[str, NativeRecord]:
        keys = list(dict.fromkeys(key for value in values if (key := as_key(value)) is not None))
        async with self._lock:
            self._whole = self._whole or self._is_much(keys)
            if self._whole:
                if not self._loaded and keys:
                    await self._load(None)
                    self._loaded = True
            else:
                await self._load_missing([key for key in keys if key not in self._asked])
        return self._table.many(keys)

    def _is_much(self, keys: list[str]) -> bool:
        most = self._lookup.whole_from
        return bool(self._lookup.whole and most) and len(self._asked.union(keys)) >= most

    async def _load_missing(self, keys: list[str]) -> None:
        size = self._lookup.batch
        batches = [keys[start : start + size] for start in range(0, len(keys), size)]
        for start in range(0, len(batches), WORKERS):  # how many are really under way is for the limiter to say
            some = batches[start : start + WORKERS]
            for error in await asyncio.gather(*map(self._load, some), return_exceptions=True):
                if error is not None:
                    raise error
            self._asked.update(key for batch in some for key in batch)

    async def _load(self, keys: list[str] | None) -> None:
        name = self._lookup.name
        try:
            async for records in self._connector.load(name, keys):
                kept: dict[str, NativeRecord] = {}
                for record in records:
                    key = as_key(self._key(record))
                    if key is None:
                        raise ContractError(f"a record of the lookup {name!r} has no {self._lookup.key!r}")
                    clean = without(record, self._connector.credentials) if self._connector.credentials else record
                    if isinstance(clean, dict):
                        kept[key] = clean
                self._table.add(kept)
        except Gone as error:  # of one key the connector leaves it out; a whole lookup that is not there is a mistake
            raise ContractError(f"the list is not there: {error.message}", where=error.where).at(
                f"lookup {name!r}"
            ) from None
        except RollbookError as error:
            raise error.at(f"lookup {name!r}") from None

    def close(self) -> None:
        self._table.close()
