"""Lookups by key, asked for in the batches that were recorded, whatever order something else is read in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ...mapping import compile_expression
from ...table import as_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ...connector import Connector
    from ...native import NativeRecord

__all__ = ["Batches"]


class Batches:
    """The keys that a reading of the whole asked for together, by lookup.

    Which keys those are follows from the order of the reading: one that is cut, or that lacks a partition, would ask
    for others, which nobody recorded.
    """

    def __init__(self) -> None:
        self._asked: dict[str, list[tuple[str, ...]]] = {}

    def learn(self, connector: Connector[Any]) -> None:
        """Take down what a connector is asked for."""
        load = connector.load

        async def noted(lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
            if keys is not None:
                self._asked.setdefault(lookup, []).append(tuple(keys))
            async for records in load(lookup, keys):
                yield records

        _replace(connector, noted)

    def keep(self, connector: Connector[Any]) -> None:
        """Have a connector asked for the same keys together, and give of them what is wanted."""
        load = connector.load
        key_of = {one.name: compile_expression(one.key) for one in connector.lookups}

        async def batched(lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
            wanted = dict.fromkeys(keys or ())
            batches = self._asked.get(lookup, []) if keys is not None else []
            for batch in batches:
                if mine := wanted.keys() & set(batch):
                    async for records in load(lookup, batch):
                        yield [one for one in records if as_key(key_of[lookup](one)) in mine]
                    for key in mine:
                        del wanted[key]
            if wanted or keys is None:
                async for records in load(lookup, None if keys is None else list(wanted)):
                    yield records

        _replace(connector, batched)


def _replace(connector: Connector[Any], load: Any) -> None:
    cast("Any", connector).load = load
