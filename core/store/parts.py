"""Parts of enrollments, and which enrollments are to be folded again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, insert, literal, select, tuple_

from .finding import rows_by_ids
from .store import upsert
from .tables import dirty, parts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_MANY = 200


def put_parts(db: Connection, connection: str, kind: str, natives: Mapping[tuple[str, str], str]) -> None:
    """Write parts by (id, part); an enrollment is dirty where a part is new or another than before."""
    ids = {id for id, _ in natives}
    found = rows_by_ids(db, parts, connection, ids, "id", "part", "native", "kind")
    stored = {(row[0], row[1]): (row[2], row[3]) for row in found}
    changed = {key: native for key, native in natives.items() if stored.get(key) != (native, kind)}
    upsert(
        db,
        parts,
        [
            {"connection": connection, "id": id, "part": part, "kind": kind, "native": native}
            for (id, part), native in changed.items()
        ],
    )
    mark_dirty(db, connection, {id for id, _ in changed})


def mark_dirty(db: Connection, connection: str, ids: Collection[str]) -> None:
    """Note that enrollments are to be folded again."""
    upsert(db, dirty, [{"connection": connection, "id": id} for id in sorted(ids)])


def mark_all_dirty(db: Connection, connection: str) -> None:
    """Note that every enrollment with parts is to be folded again: what is joined to it may have changed."""
    db.execute(delete(dirty).where(dirty.c.connection == connection))
    ids = select(literal(connection), parts.c.id).where(parts.c.connection == connection).distinct()
    db.execute(insert(dirty).from_select(["connection", "id"], ids))


def next_dirty(db: Connection, connection: str, limit: int) -> list[str]:
    """Give ids that are to be folded."""
    query = select(dirty.c.id).where(dirty.c.connection == connection).order_by(dirty.c.id).limit(limit)
    return list(db.scalars(query))


def clean(db: Connection, connection: str, ids: Collection[str]) -> None:
    """Note that enrollments are folded."""
    db.execute(delete(dirty).where(dirty.c.connection == connection, dirty.c.id.in_(ids)))


def parts_of(db: Connection, connection: str, ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """Give the parts (kind, native) of enrollments, sorted by part key."""
    found: dict[str, list[tuple[str, str]]] = {}
    for id, _, kind, native in sorted(rows_by_ids(db, parts, connection, ids, "id", "part", "kind", "native")):
        found.setdefault(id, []).append((kind, native))
    return found


def part_counts(db: Connection, connection: str, ids: Collection[str]) -> dict[str, int]:
    """Count the parts of enrollments."""
    return {id: len(found) for id, found in parts_of(db, connection, ids).items()}


def drop_all_parts(db: Connection, connection: str, ids: Collection[str]) -> None:
    """Delete all parts of enrollments."""
    db.execute(delete(parts).where(parts.c.connection == connection, parts.c.id.in_(ids)))


def drop_parts(db: Connection, connection: str, keys: Collection[tuple[str, str]]) -> None:
    """Delete parts (id, part) that the LMS no longer has."""
    gone = list(keys)
    for start in range(0, len(gone), _MANY):
        some = gone[start : start + _MANY]
        db.execute(delete(parts).where(parts.c.connection == connection, tuple_(parts.c.id, parts.c.part).in_(some)))
