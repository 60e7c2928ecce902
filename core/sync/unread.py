"""Native fields that the mapping does not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..errors import MappingError
from ..mapping.grammar import parse
from ..mapping.provenance import provenance
from ..store.fields import native_fields, new_fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection as Transaction

    from ..mapping import Definition, Entry
    from ..mapping.definition import Shape
    from ..store.fields import NativeField

__all__ = ["Reader", "all_unread", "new_unread", "reader", "unread"]

Path: TypeAlias = "tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Reader:
    """What the mapping of one kind reads of a record."""

    whole: frozenset[Path]
    """Values that are taken with everything inside them."""
    looked_at: frozenset[Path]
    """Values that only decide."""
    starting: frozenset[Path]
    """Members whose names begin with the last part: `starting(user, 'custom_field_')`."""

    def reads(self, path: Path) -> bool:
        """Tell whether the mapping reads a value, something around it, or something inside it."""
        around = (path[:length] for length in range(len(path) + 1))
        if any(outer in self.whole for outer in around) or path in self.looked_at:
            return True
        if any(inner[: len(path)] == path for inner in self.whole | self.looked_at):
            return True
        return any(
            path[: len(one) - 1] == one[:-1] and len(path) >= len(one) and path[len(one) - 1].startswith(one[-1])
            for one in self.starting
        )


def reader(shape: Shape) -> Reader:
    """Work out what the mapping of a kind reads."""
    whole: set[Path] = set()
    looked_at: set[Path] = set()
    starting: set[Path] = set()
    for entry in shape.entries():
        if prefix := _prefix(entry):
            starting |= prefix
            continue
        found = provenance(entry.node)
        whole |= found.values
        looked_at |= found.conditions
    return Reader(frozenset(whole), frozenset(looked_at), frozenset(starting))


def _prefix(entry: Entry) -> set[Path]:
    node = entry.node
    if node.type != "function_expression" or node.value != "starting" or node.children[1].type != "literal":
        return set()
    return {(*path, str(node.children[1].value)) for path in provenance(node.children[0]).values}


def unread(found: Iterable[NativeField], definition: Definition) -> list[NativeField]:
    """Give those of the fields that the mapping does not read."""
    readers = {kind: reader(shape) for kind, shape in definition.kinds.items()}
    return [one for one in found if not (readers.get(one.kind) or readers[""]).reads(_parsed(one.path))]


def _parsed(path: str) -> Path:
    try:
        return next(iter(provenance(parse(path)).values), ())
    except MappingError:  # longer or deeper than a mapping may be
        return (path,)


def new_unread(db: Transaction, connection: str, definition: Definition) -> list[str]:
    """Give the paths that no record had until after the first full run, and that the mapping does not read."""
    return sorted({one.path for one in unread(new_fields(db, connection), definition)})


def all_unread(db: Transaction, connection: str, definition: Definition) -> list[NativeField]:
    """Give every path that the mapping does not read."""
    return unread(native_fields(db, connection), definition)
