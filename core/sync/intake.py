"""Taking native records in: told apart, mapped where they changed, and written in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..mapping import Mapped, Rejected, Skipped
from ..native import digest, dump, parse
from ..store import records as stored_records
from ..store.fields import put_fields
from ..store.parts import put_parts
from ..store.rows import columns_of, is_stale
from ..table import as_key
from .shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..mapping import Normalizer
    from ..native import JSON, NativeRecord
    from ..store.records import Known
    from .report import Counts


@dataclass(frozen=True, slots=True)
class Place:
    """Where records came from."""

    run: int
    partition: str
    kind: str


@dataclass(slots=True)
class Batch:
    """What a page changes, or mapping again: by id."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    flaws: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    drift: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, list[dict[str, Any]]])
    rejected: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    seen: dict[str, None] = field(default_factory=dict[str, None])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    """The reasons."""


class Intake:
    """Takes records of one connection in, for one instant.

    Args:
        name: The connection's.
        connector: Its connector's name.
        normalizer: Says what the records mean.
        counts: Figures to add to.
        as_of: The instant that statuses are told for.
    """

    def __init__(self, name: str, connector: str, normalizer: Normalizer, counts: Counts, as_of: datetime) -> None:
        self._name = name
        self._connector = connector
        self._normalizer = normalizer
        self._counts = counts
        self._as_of = as_of
        self._shapes = Shapes()

    def identify(
        self, records: Sequence[NativeRecord], kind: str
    ) -> tuple[list[tuple[str, NativeRecord]], list[tuple[Rejected, NativeRecord]]]:
        """Tell records with an id from those that have none."""
        good: list[tuple[str, NativeRecord]] = []
        bad: list[tuple[Rejected, NativeRecord]] = []
        for record in records:
            id = self._normalizer.identify(record, kind)
            if isinstance(id, Rejected):
                bad.append((id, record))
            else:
                good.append((id, record))
        return good, bad

    def reject(self, db: Transaction, place: Place, records: Sequence[tuple[Rejected, NativeRecord]]) -> None:
        """Keep records that cannot become an enrollment."""
        batch = Batch()
        for rejection, record in records:
            self._reject(batch, place, rejection, dump(record))
        stored_records.put_rejected(db, list(batch.rejected.values()))

    def take(
        self, db: Transaction, place: Place, records: Sequence[tuple[str, NativeRecord]], *, folded: bool = False
    ) -> None:
        """Write complete records (joined, and folded where they have parts).

        A record whose native text, kind and mapping are the stored ones is neither mapped nor written. Of two records
        with one id in one run, the later stays (by `updated_at`, then by hash); folded ones cannot be doubles.
        """
        ids = [id for id, _ in records]
        known = stored_records.known(db, self._name, ids)
        served = set[str]() if folded else stored_records.seen_in(db, self._name, ids, place.run)
        batch = Batch()
        for id, record in records:
            double = id in served or id in batch.seen
            if double:
                self._counts.duplicates += 1
            self._take_one(batch, place, id, record, known.get(id), double=double)
        self._write(db, place, batch, known, folded=folded)

    def _take_one(
        self, batch: Batch, place: Place, id: str, record: NativeRecord, old: Known | None, *, double: bool
    ) -> None:
        text = dump(record)
        native_hash = digest(text)
        if old and id not in batch.rows and self._is_current(old, native_hash, place.kind):
            batch.seen[id] = None
            self._counts.unchanged += not double
            self._shapes.note(place.kind, record)
            return
        result = self._normalizer.normalize(record, kind=place.kind, as_of=self._as_of)
        if isinstance(result, Skipped):
            self._counts.skipped[result.reason] = self._counts.skipped.get(result.reason, 0) + 1
            batch.skipped[id] = result.reason
            return
        self._shapes.note(place.kind, record)
        batch.seen[id] = None
        if isinstance(result, Rejected):
            self._reject(batch, place, Rejected(result.reason, id), text)
            return
        if double and not self._is_later(result, native_hash, batch.rows.get(id), old):
            return
        if not double:
            self._counts.new += old is None
            self._counts.changed += old is not None
        self._add(batch, place.kind, id, result, text, native_hash)

    def _is_current(self, old: Known, native_hash: str, kind: str) -> bool:
        return (
            old.native_hash == native_hash
            and old.mapping == self._normalizer.digest
            and old.kind == kind
            and old.removed_at is None
            and not is_stale(old.stale_at, self._as_of)
        )

    @staticmethod
    def _is_later(new: Mapped, native_hash: str, row: dict[str, Any] | None, old: Known | None) -> bool:
        other = (row["updated_at"], row["native_hash"]) if row else (old.updated_at, old.native_hash) if old else None
        if other is None:
            return True
        return _rank(new.enrollment.updated_at, native_hash) > _rank(*other)

    def _add(self, batch: Batch, kind: str, id: str, result: Mapped, text: str, native_hash: str) -> None:
        batch.rows[id] = columns_of(result.enrollment) | {
            "id": id,
            "connection": self._name,
            "connector": self._connector,
            "remote_data": text,
            "removed_at": None,
            "stale_at": result.stale_at,
            "mapped_at": self._as_of,
            "kind": kind,
            "native_hash": native_hash,
            "mapping": self._normalizer.digest,
        }
        key = {"connection": self._name, "id": id}
        batch.flaws[id] = [
            key | {"field": flaw.field, "type": flaw.type, "preview": flaw.preview, "reason": flaw.reason}
            for flaw in result.flaws
        ]
        batch.drift[id] = [
            key | {"what": one.what, "value": one.value, "first_seen": self._as_of} for one in result.drift
        ]

    def _reject(self, batch: Batch, place: Place, rejection: Rejected, text: str) -> None:
        self._counts.rejected += 1
        key = rejection.id if rejection.id is not None else f"#{digest(text)}"
        batch.rejected[key] = {
            "connection": self._name,
            "key": key,
            "id": rejection.id,
            "run": place.run,
            "partition": place.partition,
            "kind": place.kind,
            "reason": rejection.reason,
            "native": text,
        }

    def _write(self, db: Transaction, place: Place, batch: Batch, known: dict[str, Known], *, folded: bool) -> None:
        ids = list(batch.rows)
        if ids:
            stored_records.put_rows(db, list(batch.rows.values()))
            self._put_findings(db, batch)
        if batch.rejected:
            stored_records.put_rejected(db, list(batch.rejected.values()))
        accepted = [id for id in batch.seen if id not in batch.rejected]
        if accepted:
            stored_records.drop_rejected(db, self._name, accepted)
        gone = [id for id in batch.skipped if id in known and id not in batch.seen]
        if gone:
            self._counts.removed += stored_records.remove(db, self._name, gone, self._as_of)
        if not folded:
            stored_records.mark_seen(db, self._name, place.run, place.partition, ((id, "") for id in batch.seen))
        put_fields(db, self._name, place.run, self._as_of, self._shapes.take())

    def _put_findings(self, db: Transaction, batch: Batch) -> None:
        flaws = {(one["id"], one["field"]): one for found in batch.flaws.values() for one in found}
        drift = {(one["id"], one["what"], one["value"]): one for found in batch.drift.values() for one in found}
        stored_records.put_findings(db, self._name, list(batch.rows), list(flaws.values()), list(drift.values()))

    def take_parts(
        self,
        db: Transaction,
        place: Place,
        records: Sequence[tuple[str, NativeRecord]],
        part_key: Callable[[JSON], JSON],
    ) -> None:
        """Write parts; the enrollments they belong to are folded later."""
        natives: dict[tuple[str, str], str] = {}
        bad: list[tuple[Rejected, NativeRecord]] = []
        for id, record in records:
            part = as_key(part_key(record))
            if part is None:
                bad.append((Rejected("the part has no key", None), record))
            else:
                natives[id, part] = dump(record)
        put_parts(db, self._name, place.kind, natives)
        stored_records.mark_seen(db, self._name, place.run, place.partition, natives)
        self.reject(db, place, bad)

    def map_again(self, rows: Sequence[dict[str, Any]]) -> Batch:
        """Map stored live rows (`id`, `kind`, `remote_data`) again, from their native records."""
        batch = Batch()
        for row in rows:
            text = row["remote_data"]
            record = parse(text)
            result = (
                self._normalizer.normalize(record, kind=row["kind"], as_of=self._as_of)
                if isinstance(record, dict)
                else Rejected("the stored native record is no object", row["id"])
            )
            if isinstance(result, Mapped):
                self._counts.remapped += 1
                self._add(batch, row["kind"], row["id"], result, text, digest(text))
            elif isinstance(result, Skipped):
                batch.skipped[row["id"]] = result.reason
            else:
                self._reject(batch, Place(0, "", row["kind"]), Rejected(result.reason, row["id"]), text)
        return batch

    def put_again(self, db: Transaction, batch: Batch) -> None:
        """Write rows that were mapped again; one that today's mapping rejects stays as it was."""
        stored_records.put_rows(db, list(batch.rows.values()))
        if batch.rows:
            self._put_findings(db, batch)
            stored_records.drop_rejected(db, self._name, batch.rows)
        stored_records.put_rejected(db, list(batch.rejected.values()))
        if batch.skipped:
            self._counts.removed += stored_records.remove(db, self._name, batch.skipped, self._as_of)


def _rank(updated_at: datetime | None, native_hash: str) -> tuple[bool, float, str]:
    return updated_at is not None, updated_at.timestamp() if updated_at else 0.0, native_hash
