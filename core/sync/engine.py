"""The sync: an LMS read into a store, partition by partition, so that it can be stopped anywhere and taken up again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ..errors import RollbookError, SettingsError, StoreError
from ..mapping import compile_expression
from ..mapping.person import person_of
from ..store import clock as stored_clock
from ..store import parts as stored_parts
from ..store import records as stored_records
from ..store import runs as stored_runs
from ..store.forget import kept_out
from .figures import Figures
from .fold import fold_parts
from .intake import Intake, Place
from .joins import Joins
from .keeping import Keeping
from .reader import Reader
from .remap import MAPPED_AT_ONCE, Outdated
from .removals import remove_vanished
from .report import Counts, Report
from .unread import new_unread
from .writing import Writing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection as Transaction

    from ..connection import Connection
    from ..store import Store

T = TypeVar("T")


def now() -> datetime:
    """Give this moment in UTC."""
    return datetime.now(UTC)


class Sync:
    """One connection read into a store.

    Args:
        connection: What to read.
        store: Where to.
        clock: Gives the instant that statuses are told for.
    """

    def __init__(self, connection: Connection, store: Store, *, clock: Callable[[], datetime] = now) -> None:
        self._connection = connection
        self._connector = connection.connector
        self._store = store
        self._clock = clock
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let the run end at the next page of each partition under way; it can be taken up again. For signals."""
        self._stopping.set()

    async def run(
        self, *, full: bool = False, allow_removals: bool = False, observe: Callable[[Report], None] | None = None
    ) -> Report:
        """Read the tenant, going on where an interrupted run stopped.

        Args:
            full: Read everything, also where the connector could read only what changed.
            allow_removals: Remove what the LMS no longer has even if it is suspiciously much.
            observe: Told of the live report after each page and partition.

        Returns:
            What was done. Partitions that failed are in it; they do not stop the others.

        Raises:
            AuthError: The LMS refuses the credentials.
            RateLimited: The quota is spent for longer than `max_wait`.
            VendorError: The LMS cannot be reached.
            Stopped: `stop` was called.
            StoreError: The database failed, or another sync of the connection is under way.
        """
        with self._store.held(self._connection.name) as still_held:
            self._writing = Writing(self._store, still_held)
            try:
                return await self._run(full=full, allow_removals=allow_removals, observe=observe or _ignore)
            finally:
                self._writing.close()

    async def _run(self, *, full: bool, allow_removals: bool, observe: Callable[[Report], None]) -> Report:
        self._observe = observe
        self._as_of = self._clock()
        self._report = await self._in_store(lambda db: self._begin(db, full=full, allow_removals=allow_removals))
        self._figures = Figures(self._report, self._connection.http.stats)
        self._writing.settle = self._figures.settle
        self._intake = Intake(
            self._connection.name,
            self._connector.name,
            self._connection.normalizer,
            self._report.counts,
            self._as_of,
            await self._in_store(self._keeping),
        )
        part = self._connector.part
        self._part_key = None if part is None else compile_expression(part)
        self._joins = Joins(self._connector, whole=self._report.mode == "full")
        self._reader = Reader(
            self._connection,
            self._report,
            intake=self._intake,
            joins=self._joins,
            part_key=self._part_key,
            writing=self._writing,
            figures=self._figures,
            observe=self._observe,
            stopping=self._stopping,
        )
        try:
            await self._reader.read()
            await self._settle(allow_removals=allow_removals)
        except RollbookError as error:
            await self._note_abort(error)
            raise error.at(f"connection {self._connection.name!r}") from None
        finally:
            self._joins.close()
        return self._report

    # -- beginning --------------------------------------------------------------------------------------------------

    def _begin(self, db: Transaction, *, full: bool, allow_removals: bool) -> Report:
        name, fingerprint = self._connection.name, self._connection.fingerprint
        stored_clock.note_instant(db, name, self._as_of)
        last = stored_runs.last_run(db, name)
        mode: Literal["full", "incremental"] = "full"
        if self._connector.incremental and not full and last and last.fingerprint == fingerprint:
            mode = "incremental" if stored_runs.has_watermarks(db, name) else "full"
        if last and last.finished_at is None and self._can_resume(last, full=full, allow_removals=allow_removals):
            for key in stored_runs.partitions_in(db, last.run, "failed"):
                stored_runs.note_partition(db, last.run, key, state="waiting", error=None)
            kept = "full" if last.mode == "full" else "incremental"
            report = Report(name, self._connector.name, kept, last.run, last.started_at, resumed=True)
            report.counts = Counts.from_json(last.counts)
            report.planned = last.planned
            report.partitions = stored_runs.partition_states(db, last.run)
            return report
        if last and last.fingerprint != fingerprint:
            # places to read on from are of the old settings; this run may be cut, and the next must not trust them
            stored_runs.forget_watermarks(db, name)
        run = stored_runs.begin_run(
            db,
            connection=name,
            connector=self._connector.name,
            mode=mode,
            fingerprint=fingerprint,
            now=self._as_of,
        )
        return Report(name, self._connector.name, mode, run, self._as_of)

    def _keeping(self, db: Transaction) -> Keeping:
        settings, name = self._connection.settings, self._connection.name
        person = person_of(self._connection.definition, settings.public())
        keeping = Keeping(name, settings.remote_data, self._connection.vault, kept_out(db, name), person)
        if keeping.mode == "none" and self._connector.part is not None:
            raise SettingsError(
                f"{self._connector.title} puts enrollments together from parts, which have to be kept",
                hint='Set remote_data = "pseudonyms" or "full".',
            )
        if keeping.mode != "full" or keeping.forgotten:
            _ = keeping.key  # now, not in the middle of a page
        return keeping

    def _can_resume(self, last: stored_runs.Run, *, full: bool, allow_removals: bool) -> bool:
        held = last.outcome is not None  # it ended before its removals, and waits for somebody to allow them
        fresh = self._as_of - last.started_at <= timedelta(hours=self._connector.cursor_hours)
        # a run keeps its mode: a full one that was cut has watermarks already, and still has removals to notice
        same = last.fingerprint == self._connection.fingerprint and (last.mode == "full" or not full)
        return same and fresh and (allow_removals or not held)

    # -- afterwards -------------------------------------------------------------------------------------------------

    async def _settle(self, *, allow_removals: bool) -> None:
        full = self._report.mode == "full"
        if full and not self._report.all_gone:
            await self._in_store(
                lambda db: remove_vanished(db, self._report, type(self._connector), self._as_of, allow=allow_removals)
            )
        if self._part_key is not None:
            await self._fold(everything=full and bool(self._connector.joins))
        await self._map_again()
        await self._in_store(self._finish)

    async def _fold(self, *, everything: bool) -> None:
        name = self._connection.name
        if everything:
            await self._in_store(lambda db: stored_parts.mark_all_dirty(db, name))

        def load(db: Transaction) -> tuple[list[str], dict[str, list[tuple[str, str]]]]:
            ids = stored_parts.next_dirty(db, name, MAPPED_AT_ONCE)
            return ids, stored_parts.parts_of(db, name, ids)

        while (loaded := await self._in_store(load))[0]:
            ids, found = loaded
            folded, bad = fold_parts(type(self._connector), found)
            for kind, records in folded.items():
                joined = await self._joins.attach([record for _, record in records])
                folded[kind] = [(id, record) for (id, _), record in zip(records, joined, strict=True)]

            def write(db: Transaction, ids: list[str] = ids, folded: Any = folded, bad: Any = bad) -> None:
                for kind, records in folded.items():
                    self._intake.take(db, Place(self._report.run, "", kind), records, folded=True)
                self._intake.reject(db, Place(self._report.run, "", ""), bad)
                stored_parts.clean(db, name, ids)
                self._figures.note(db)

            await self._in_store(write)
            self._observe(self._report)
            self._reader.go_on()

    async def _map_again(self) -> None:
        outdated = Outdated(self._intake, self._connection.name, self._connection.normalizer.digest, self._as_of)

        def step(db: Transaction) -> bool:
            rows, batch = outdated.step(db)
            self._intake.put_again(db, batch)
            if not rows:
                stored_clock.settle(db, self._connection.name, self._as_of)
            self._figures.note(db)
            return bool(rows)

        while await self._in_store(self._intake.keep_less):
            self._reader.go_on()
        while await self._in_store(step):
            self._observe(self._report)
            self._reader.go_on()

    def _finish(self, db: Transaction) -> None:
        report, run = self._report, self._report.run
        report.partitions = stored_runs.partition_states(db, run)
        report.failures = stored_runs.partitions_in(db, run, "failed")
        report.forbidden = dict(sorted(stored_runs.partitions_in(db, run, "forbidden").items()))
        last = stored_runs.last_run(db, report.connection, finished=True)
        before = stored_runs.partitions_in(db, last.run, "forbidden") if last else {}
        report.newly_forbidden = [key for key in report.forbidden if key not in before]
        report.totals = [] if report.mode == "incremental" else stored_runs.differing_totals(db, run)
        report.live = stored_records.live_count(db, report.connection)
        report.flaws = stored_records.flaw_counts(db, report.connection)
        report.drift = stored_records.drift_counts(db, report.connection)
        report.new_fields = new_unread(db, report.connection, self._connection.definition)
        report.finished_at = self._clock()
        done = sum(report.partitions.get(state, 0) for state in stored_runs.DONE)
        if not done and report.listed:
            report.outcome = "failed"
        elif report.all_gone:
            report.error = f"none of the {report.listed} partitions is there: is an address wrong? Nothing was removed."
            report.outcome = "partial"
        elif report.failures or report.newly_forbidden or report.removals_held or not report.planned:
            report.outcome = "partial"
        else:
            report.outcome = "complete"
        self._figures.note(db)
        stored_runs.note_run(
            db,
            run,
            outcome=report.outcome,
            # a run whose removals are held stays open, so that it can be taken up once they are allowed
            finished_at=None if report.removals_held else report.finished_at,
            error=report.error or None,
        )

    async def _note_abort(self, error: RollbookError) -> None:
        self._report.error = error.message
        if isinstance(error, StoreError):
            return  # the place of the last page is stored; there is nowhere to write more
        await self._in_store(lambda db: stored_runs.note_run(db, self._report.run, error=error.message))

    # -- the store --------------------------------------------------------------------------------------------------

    async def _in_store(self, work: Callable[[Transaction], T]) -> T:
        return await self._writing.alone(work)


def _ignore(report: Report) -> None:
    del report
