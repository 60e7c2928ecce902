"""Stored rows mapped again without a request: all that another mapping made, or one for another instant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..mapping import Mapped, Skipped
from ..mapping.fields import FILLABLE
from ..native import parse
from ..store import records as stored_records
from ..store.clock import note_instant
from ..store.rows import SAME, enrollment_of, is_stale, moved
from .intake import Batch, Intake
from .report import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..mapping import Normalizer
    from ..schema import CourseEnrollment
    from ..store import Store
    from .keeping import Keeping

__all__ = ["MAPPED_AT_ONCE", "Change", "Outdated", "Remapped", "normalized", "remap"]

MAPPED_AT_ONCE = 500
"""Rows mapped again, or folded, in one transaction."""


class Outdated:
    """The live rows of a connection that another mapping made, or whose status a date has moved, batch by batch.

    Rows that the LMS no longer has stay as they were last mapped.

    Args:
        intake: Maps them.
        name: The connection's name.
        mapping: Fingerprint of today's mapping.
        as_of: The instant that statuses are told for.
    """

    def __init__(self, intake: Intake, name: str, mapping: str, as_of: datetime) -> None:
        self._intake = intake
        self._name = name
        self._mapping = mapping
        self._as_of = as_of
        self._after = ""

    def step(self, db: Transaction, *, whole: bool = False) -> tuple[Sequence[dict[str, Any]], Batch]:
        """Map the next rows again, and write nothing yet.

        Args:
            db: The transaction.
            whole: Give the rows with all their columns.

        Returns:
            The rows as they were (none: that was all), and what becomes of them.
        """
        rows = stored_records.to_map_again(
            db, self._name, self._mapping, self._as_of, self._after, MAPPED_AT_ONCE, whole=whole
        )
        if rows:
            self._after = str(rows[-1]["id"])
        return rows, self._intake.map_again(rows)


@dataclass(slots=True)
class Change:
    """In how many rows a field became another."""

    filled: int = 0
    """From null to a value."""
    emptied: int = 0
    """From a value to null."""
    altered: int = 0
    """From one value to another."""


@dataclass(slots=True)
class Remapped:
    """What mapping again changed, or would change."""

    outdated: int = 0
    """Rows that today's mapping did not make, or whose status a date has moved."""
    live: int = 0
    """Rows that the LMS still has."""
    removed: int = 0
    """Rows that it no longer has; they stay as they are."""
    mapped: int = 0
    """Rows mapped so far."""
    changed: int = 0
    """Those of them that are not the same as before."""
    fields: dict[str, Change] = field(default_factory=dict[str, Change])
    """By unified field, `status` left out; `custom_fields` member by member."""
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    """By status before and after."""
    flaws_before: Counter[str] = field(default_factory=Counter[str])
    flaws_after: Counter[str] = field(default_factory=Counter[str])
    drift_before: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    drift_after: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    skipped: Counter[str] = field(default_factory=Counter[str])
    """Rows that are no learner's enrollment by today's mapping, by reason; they count as removed from now on."""
    rejected: Counter[str] = field(default_factory=Counter[str])
    """Rows that today's mapping cannot make an enrollment of, by reason; they stay as they were."""

    @property
    def done(self) -> int:
        """How many rows were looked at so far."""
        return self.mapped + self.skipped.total() + self.rejected.total()

    def in_order(self) -> list[tuple[str, Change]]:
        """Give the changed fields in the schema's order, custom fields at the end by name."""
        order = {name: place for place, name in enumerate(FILLABLE)}
        return sorted(self.fields.items(), key=lambda one: (order.get(one[0], len(order)), one[0]))

    def note(self, rows: Sequence[Mapping[str, Any]], batch: Batch) -> None:
        """Take in what became of some rows."""
        for old in rows:
            new = batch.rows.get(old["id"])
            if new is not None:
                self.mapped += 1
                self._compare(old, new)
        self.skipped.update(batch.skipped.values())
        self.rejected.update(one["reason"] for one in batch.rejected.values())
        self.flaws_after.update(one["field"] for found in batch.flaws.values() for one in found)
        self.drift_after.update((one["what"], one["value"]) for found in batch.drift.values() for one in found)

    def _compare(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        same = True
        before, after = _fields(old), _fields(new)
        for name in before.keys() | after.keys():
            one, other = before.get(name), after.get(name)
            if one == other:
                continue
            same = False
            change = self.fields.setdefault(name, Change())
            if one is None:
                change.filled += 1
            elif other is None:
                change.emptied += 1
            else:
                change.altered += 1
        if old["status"] != new["status"]:
            same = False
            self.statuses[old["status"], new["status"]] += 1
        self.changed += not same


def remap(
    store: Store,
    name: str,
    connector: str,
    normalizer: Normalizer,
    as_of: datetime,
    *,
    dry_run: bool = False,
    observe: Callable[[Remapped], None] | None = None,
    keeping: Keeping | None = None,
) -> Remapped:
    """Map the stored native records of a connection by today's mapping; a transaction for each batch.

    It can be interrupted at any moment: what is mapped stays, and the next call goes on with the rest.

    Args:
        store: Where the rows are.
        name: The connection's name.
        connector: Its connector's name.
        normalizer: Today's mapping.
        as_of: The instant that statuses are told for.
        dry_run: Change nothing, and tell what would change.
        observe: Told of the live figures after each batch.
        keeping: What may be stored of people.

    Raises:
        StoreError: The database failed.
    """
    intake = Intake(name, connector, normalizer, Counts(), as_of, keeping)
    outdated = Outdated(intake, name, normalizer.digest, as_of)
    told = Remapped()
    with store.read() as db:
        told.outdated = stored_records.count_to_map_again(db, name, normalizer.digest, as_of)
        told.live, told.removed = stored_records.live_count(db, name), stored_records.removed_count(db, name)
        told.flaws_before.update(stored_records.flaw_counts(db, name))
        told.drift_before.update(stored_records.drift_counts(db, name))
    told.flaws_after, told.drift_after = told.flaws_before.copy(), told.drift_before.copy()
    while not dry_run:
        with store.write() as db:
            note_instant(db, name, as_of)
            if not intake.keep_less(db):
                break
    while told.outdated:
        with store.read() if dry_run else store.write() as db:
            rows, batch = outdated.step(db, whole=True)
            if not rows:
                break
            told.flaws_after.subtract(stored_records.flaw_counts(db, name, batch.rows))
            told.drift_after.subtract(stored_records.drift_counts(db, name, batch.rows))
            if not dry_run:
                intake.put_again(db, batch)
        told.note(rows, batch)
        if observe:
            observe(told)
    told.flaws_after, told.drift_after = +told.flaws_after, +told.drift_after
    return told


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give a row's values by unified field; an empty list is null."""
    values = {name: row[name] for name in SAME}
    values |= {
        "user.id": row["user_id"],
        "user.name": row["user_name"],
        "user.emails": row["user_emails"] or None,
        "course.id": row["course_id"],
        "course.title": row["course_title"],
        "assigned_by.id": row["assigned_by_id"],
        "assigned_by.name": row["assigned_by_name"],
        "urls": row["urls"] or None,
    }
    return values | {f"custom_fields.{name}": value for name, value in row["custom_fields"].items()}


def normalized(
    row: Mapping[str, Any], normalizer: Normalizer | None = None, as_of: datetime | None = None
) -> CourseEnrollment | None:
    """Give a stored row's enrollment, with the status it has at an instant.

    Args:
        row: A row of the table `enrollments`.
        normalizer: Maps the row's native record again where the stored status is for another time.
        as_of: The instant; None gives what is stored. A removed row's status is moved by no date.

    Returns:
        The enrollment; None if today's mapping says that the record is no learner's enrollment.
    """
    another = as_of is not None and (as_of < row["mapped_at"] or is_stale(row["stale_at"], as_of))
    if not another or as_of is None or normalizer is None or row["removed_at"] is not None:
        return enrollment_of(row)
    if row["later"] is not None:  # an earlier time than the sync's cannot be told without the native record
        return enrollment_of(moved(row, as_of) if as_of > row["mapped_at"] else row)
    record = parse(row["remote_data"])
    if not isinstance(record, dict):
        return enrollment_of(row)
    result = normalizer.normalize(record, kind=row["kind"], as_of=as_of)
    if isinstance(result, Mapped):
        return result.enrollment
    return None if isinstance(result, Skipped) else enrollment_of(row)
