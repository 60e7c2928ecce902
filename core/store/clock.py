"""The latest instant that a connection's statuses were told for: how a clock that was set back is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from .store import upsert
from .tables import clocks

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["is_ahead", "note_instant", "settle"]


def _latest(db: Connection, connection: str) -> datetime | None:
    return db.scalar(select(clocks.c.latest).where(clocks.c.connection == connection))


def is_ahead(db: Connection, connection: str, now: datetime) -> bool:
    """Tell whether rows may have been mapped for an instant that is still to come."""
    latest = _latest(db, connection)
    return latest is not None and latest > now


def note_instant(db: Connection, connection: str, now: datetime) -> None:
    """Note that rows are going to be mapped for an instant."""
    latest = _latest(db, connection)
    if latest is None or latest < now:
        settle(db, connection, now)


def settle(db: Connection, connection: str, now: datetime) -> None:
    """Note that no live row is mapped for a later instant."""
    upsert(db, clocks, [{"connection": connection, "latest": now}])
