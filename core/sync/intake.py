"""Taking native records in: told apart, mapped where they changed, and written in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..mapping import Mapped, Rejected, Skipped
from ..native import dump, parse
from ..store import records as stored_records
from ..store.fields import put_fields
from ..store.parts import drop_all_parts, put_parts
from ..store.rows import is_stale, later_of, moved, spread
from ..table import as_key
from .keeping import Keeping, Kept
from .shapes import Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..mapping import Normalizer
    from ..native import JSON, NativeRecord
    from ..store.records import Known
    from .report import Counts


FORGOTTEN = "forgotten"
"""Why a record of a learner who is kept out is skipped."""


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
        keeping: What may be stored of people.
    """

    def __init__(
        self,
        name: str,
        connector: str,
        normalizer: Normalizer,
        counts: Counts,
        as_of: datetime,
        keeping: Keeping | None = None,
    ) -> None:
        self._name = name
        self._connector = connector
        self._normalizer = normalizer
        self._counts = counts
        self._as_of = as_of
        self._keeping = keeping or Keeping(name)
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
            if self._keeping.keeps_out(record, place.kind):
                self._counts.skipped[FORGOTTEN] = self._counts.skipped.get(FORGOTTEN, 0) + 1
                continue
            self._reject(batch, place, rejection, record)
        stored_records.put_rejected(db, list(batch.rejected.values()))

    def take(
        self,
        db: Transaction,
        place: Place,
        records: Sequence[tuple[str, NativeRecord]],
        *,
        folded: bool = False,
        again: bool = False,
    ) -> None:
        """Write complete records (joined, and folded where they have parts).

        A record whose native text, kind and mapping are the stored ones is neither mapped nor written. Of two records
        with one id in one run, the later stays (by `updated_at`, then by hash); folded ones cannot be doubles, and
        those that are read `again` are not counted as such.
        """
        ids = [id for id, _ in records]
        known = stored_records.known(db, self._name, ids)
        served = set[str]() if folded else stored_records.seen_in(db, self._name, ids, place.run)
        batch = Batch()
        for id, record in records:
            double = id in served or id in batch.seen
            if double and not again:
                self._counts.duplicates += 1
            self._take_one(batch, place, id, record, known.get(id), double=double)
        self._write(db, place, batch, known, folded=folded)

    def _take_one(
        self, batch: Batch, place: Place, id: str, record: NativeRecord, old: Known | None, *, double: bool
    ) -> None:
        text = dump(record)
        native_hash = self._keeping.hash_of(text)
        if old and id not in batch.rows and self._is_current(old, native_hash, place.kind):
            batch.seen[id] = None
            self._counts.unchanged += not double
            self._shapes.note(place.kind, record)
            return
        result = self._normalizer.normalize(record, kind=place.kind, as_of=self._as_of)
        person = result.values["user"]["id"] if isinstance(result, Mapped) else None
        if self._keeping.is_kept_out(person) or self._keeping.keeps_out(record, place.kind):
            result = Skipped(FORGOTTEN, id)
        if isinstance(result, Skipped):
            self._counts.skipped[result.reason] = self._counts.skipped.get(result.reason, 0) + 1
            batch.skipped[id] = result.reason
            return
        self._shapes.note(place.kind, record)
        batch.seen[id] = None
        if isinstance(result, Rejected):
            self._reject(batch, place, Rejected(result.reason, id), record)
            return
        if double and not self._is_later(result, native_hash, batch.rows.get(id), old):
            return
        if not double:
            self._counts.new += old is None
            self._counts.changed += old is not None
        self._add(batch, place.kind, id, self._kept(record, text, place.kind, result), native_hash)

    def _kept(self, record: NativeRecord, text: str, kind: str, result: Mapped) -> Kept:
        if self._keeping.mode == "full":
            return Kept(result, text)

        def map(record: NativeRecord, at: datetime) -> Mapped | Skipped | Rejected:
            return self._normalizer.normalize(record, kind=kind, as_of=at)

        return self._keeping.of(record, text, result, map, self._as_of)

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
        return _rank(new.values["updated_at"], native_hash) > _rank(*other)

    def _add(self, batch: Batch, kind: str, id: str, kept: Kept, native_hash: str) -> None:
        result, later = kept.result, kept.later
        if later is not None:
            following = [(start, one.values, one.stale_at) for start, one in later]
            later = later_of([(self._as_of, result.values, result.stale_at), *following])
        batch.rows[id] = spread(result.values) | {
            "id": id,
            "connection": self._name,
            "connector": self._connector,
            "remote_data": kept.text,
            "removed_at": None,
            "stale_at": result.stale_at,
            "mapped_at": self._as_of,
            "kind": kind,
            "native_hash": native_hash,
            "mapping": self._normalizer.digest,
            "later": later,
        }
        key = {"connection": self._name, "id": id}
        batch.flaws[id] = [
            key | {"field": flaw.field, "type": flaw.type, "preview": flaw.preview, "reason": flaw.reason}
            for flaw in result.flaws
        ]
        batch.drift[id] = [
            key | {"what": one.what, "value": one.value, "first_seen": self._as_of} for one in result.drift
        ]

    def _reject(self, batch: Batch, place: Place, rejection: Rejected, record: NativeRecord) -> None:
        self._counts.rejected += 1
        key = rejection.id if rejection.id is not None else f"#{self._keeping.hash_of(dump(record))}"
        batch.rejected[key] = {
            "connection": self._name,
            "key": key,
            "id": rejection.id,
            "run": place.run,
            "partition": place.partition,
            "kind": place.kind,
            "reason": rejection.reason,
            "native": self._keeping.native(record),
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
        if out := [id for id, reason in batch.skipped.items() if folded and reason == FORGOTTEN]:
            drop_all_parts(db, self._name, out)
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
            if self._keeping.keeps_out(record, place.kind):
                self._counts.skipped[FORGOTTEN] = self._counts.skipped.get(FORGOTTEN, 0) + 1
            elif part is None:
                bad.append((Rejected("the part has no key", None), record))
            else:
                natives[id, part] = self._keeping.native(record)
        put_parts(db, self._name, place.kind, natives)
        stored_records.mark_seen(db, self._name, place.run, place.partition, natives)
        self.reject(db, place, bad)

    def map_again(self, rows: Sequence[dict[str, Any]]) -> Batch:
        """Map stored live rows (`id`, `kind`, `remote_data`) again, from their native records."""
        batch = Batch()
        for row in rows:
            if row["later"] is not None:  # its native record is not kept: what dates make of it was foreseen
                batch.rows[row["id"]] = moved(row, self._as_of)
                self._counts.remapped += 1
                continue
            record = parse(row["remote_data"])
            result = (
                self._normalizer.normalize(record, kind=row["kind"], as_of=self._as_of)
                if isinstance(record, dict)
                else Rejected("the stored native record is no object", row["id"])
            )
            if isinstance(result, Mapped):
                self._counts.remapped += 1
                kept = self._kept(as_object(record), row["remote_data"], row["kind"], result)
                self._add(batch, row["kind"], row["id"], kept, row["native_hash"])
            elif isinstance(result, Skipped):
                batch.skipped[row["id"]] = result.reason
            else:
                self._reject(batch, Place(0, "", row["kind"]), Rejected(result.reason, row["id"]), as_object(record))
        return batch

    def keep_less(self, db: Transaction) -> bool:
        """Take what may not be kept out of some rows that the LMS no longer has; tell whether there were any."""
        if self._keeping.mode == "full":
            return False
        today = {"mapping": self._normalizer.digest}
        rows = stored_records.outdated_removed(db, self._name, self._normalizer.digest, 500)
        stored_records.put_rows(db, [self._keeping.removed(row) | today for row in rows])
        return bool(rows)

    def put_again(self, db: Transaction, batch: Batch) -> None:
        """Write rows that were mapped again; one that today's mapping rejects stays as it was."""
        stored_records.put_rows(db, list(batch.rows.values()))
        if batch.rows:
            self._put_findings(db, batch)
            stored_records.drop_rejected(db, self._name, batch.rows)
        stored_records.put_rejected(db, list(batch.rejected.values()))
        if batch.skipped:
            self._counts.removed += stored_records.remove(db, self._name, batch.skipped, self._as_of)


def as_object(record: JSON) -> NativeRecord:
    """Give a native record, whatever is stored in its place."""
    return record if isinstance(record, dict) else {}


def _rank(updated_at: datetime | None, native_hash: str) -> tuple[bool, float, str]:
    return updated_at is not None, updated_at.timestamp() if updated_at else 0.0, native_hash
