"""A sync in a process of its own that is killed at a chosen write, and what it leaves in the database."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from folded import open_folded
from rollbook.core.connection import Connection, open_connection
from rollbook.core.errors import StoreError
from rollbook.core.store import Store
from rollbook.core.store.tables import metadata
from rollbook.core.sync import Sync
from rollbook.sandbox import Sandbox, Tenant
from sqlalchemy import Dialect, Engine, create_engine, event, select, text
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 7, 15, 12, tzinfo=UTC)
PEOPLE = 9
"""In each pretend LMS: enough for every state, few enough for a thousand syncs."""
LEAVES = ("run", "first_run", "last_run")
"""Columns that number runs: a run that was given up and begun anew has another number."""


@dataclass(frozen=True, slots=True)
class Case:
    """A sync that is killed: of which LMS, and whether it is the first one or finds a changed tenant."""

    lms: str
    stage: str
    """`first`, `changed` (read whole) or `increment`."""

    def __str__(self) -> str:
        return f"{self.lms} {self.stage}"

    def connect(self, addresses: dict[tuple[str, bool], dict[str, str]], *, before: bool = False) -> Connection:
        """Give a connection to the tenant that the case is about, or to what it was before."""
        changed = self.stage != "first" and not before
        if self.lms == "folded":
            return open_folded(changed=changed)
        return open_connection("acme", self.lms, addresses[self.lms, changed])

    async def sync(self, addresses: dict[tuple[str, bool], dict[str, str]], store: Store) -> str:
        """Run the sync."""
        as_of = AS_OF if self.stage == "first" else LATER
        async with self.connect(addresses) as connection:
            one = Sync(connection, store, clock=lambda: as_of)
            report = await one.run(full=self.stage == "changed", allow_removals=True)
        return report.outcome or "none"

    async def before(self, addresses: dict[tuple[str, bool], dict[str, str]], store: Store) -> None:
        """Run the sync that went before."""
        async with self.connect(addresses, before=True) as connection:
            await Sync(connection, store, clock=lambda: AS_OF).run()


CASES = [
    Case(lms, stage)
    for lms in ("canvas", "talentlms", "folded")
    for stage in ("first", "changed", "increment")
    if stage != "increment" or lms == "folded"
]


def serve(vendor: str, *, changed: bool) -> dict[str, str]:
    """Serve a pretend LMS from a process that ends with this one; give the settings of a connection to it."""
    reading, writing = os.pipe()
    life, ours = os.pipe()  # `ours` is closed when this process ends, in whatever way
    if not os.fork():
        os.close(reading)
        os.close(ours)
        tenant = Tenant(as_of=AS_OF, size=PEOPLE)
        if changed:
            _change(tenant)
        with Sandbox(vendor, tenant=tenant) as sandbox:
            os.write(writing, json.dumps(sandbox.settings).encode())
            os.close(writing)
            os.read(life, 1)
        os._exit(0)
    os.close(writing)
    os.close(life)
    with os.fdopen(reading) as told:
        found: dict[str, str] = json.load(told)
    return found


def _change(tenant: Tenant) -> None:
    live = [one for one in tenant.enrollments() if one.role == "learner" and one.state == "active"]
    tenant.remove(live[0].id)
    tenant.complete(live[1].id, score=88.0)
    tenant.progress(live[2].id, 55)
    tenant.enrol(tenant.person_ids[3], tenant.course_ids[0])
    tenant.delete_person(tenant.person_ids[-1])
    tenant.delete_course(tenant.course_ids[1])


class Ticks:
    """Counts the statements and commits of this process, before and after each, and kills it at one of them."""

    def __init__(self, engine: type[Engine], dialect: type[Dialect], last: int | None) -> None:
        self.count = 0
        self._last = last
        event.listen(engine, "before_cursor_execute", self._tick)
        event.listen(engine, "after_cursor_execute", self._tick)
        commit = dialect.do_commit

        def ticking(dialect: Any, connection: Any) -> None:
            self._tick()
            commit(dialect, connection)
            self._tick()

        dialect.do_commit = ticking  # type: ignore[method-assign]

    def _tick(self, *_: object) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


class Place:
    """A database of a worker's own, that can be put back to what it was before the sync that is killed.

    Args:
        kind: `sqlite` or `postgresql`.
        where: A folder, or the server's address.
        name: Of the file, or the schema.
    """

    def __init__(self, kind: str, where: str, name: str) -> None:
        self._kind, self._where, self._name = kind, where, name
        self._file = Path(where, f"{name}.db")

    @property
    def address(self) -> str:
        """The address of the database."""
        if self._kind == "sqlite":
            return f"sqlite:///{self._file}"
        url = make_url(self._where).update_query_dict({"options": f"-c search_path={self._name}"})
        return url.render_as_string(hide_password=False)

    def clear(self, base: Place | None) -> None:
        """Empty it, and fill it with what another one holds."""
        if self._kind == "sqlite":
            for old in self._file.parent.glob(f"{self._name}.db*"):
                old.unlink()
            if base:
                shutil.copy(base._file, self._file)  # noqa: SLF001 - our own kind
            return
        admin = create_engine(make_url(self._where).set(drivername="postgresql+psycopg"))
        with admin.begin() as db:
            db.execute(text(f"drop schema if exists {self._name} cascade"))
            db.execute(text(f"create schema {self._name}"))
        if base:
            Store(self.address).close()
            with admin.begin() as db:
                for table in metadata.sorted_tables:
                    ours, theirs = f"{self._name}.{table.name}", f"{base._name}.{table.name}"  # noqa: SLF001 - our own kind
                    db.execute(text(f"delete from {ours}"))  # noqa: S608 - our own names
                    db.execute(text(f"insert into {ours} select * from {theirs}"))  # noqa: S608 - our own names
                db.execute(text(f"select setval('{self._name}.runs_run_seq', 100)"))
        admin.dispose()


def contents(store: Store) -> str:
    """Give all that a sync leaves, but which run did it, as one text."""
    told: list[str] = []
    with store.read() as db:
        for table in metadata.sorted_tables:
            if table.name not in ("runs", "plan", "rollbook_meta"):
                columns = [column for column in table.columns if column.name not in LEAVES]
                told += [table.name, *sorted(repr(tuple(row)) for row in db.execute(select(*columns)))]
    return "\n".join(told)


def in_child(work: Callable[[], str | None]) -> tuple[int, int]:
    """Do work in a process of its own; give its number, and where what it returns can be read from."""
    reading, writing = os.pipe()
    if pid := os.fork():
        os.close(writing)
        return pid, reading
    status = 70
    try:
        os.close(reading)
        with os.fdopen(writing, "w") as told:
            told.write(work() or "")
        status = 0
    except BaseException:  # noqa: BLE001 - told to whoever waits
        traceback.print_exc()
    os._exit(status)


def result_of(child: tuple[int, int]) -> tuple[int, str]:
    """Wait for a child; give its exit status (negative: the signal that killed it) and what it returned."""
    pid, reading = child
    with os.fdopen(reading) as told:
        found = told.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), found


def run(case: Case, addresses: dict[tuple[str, bool], dict[str, str]], address: str, last: int | None) -> str:
    """Run a case's sync here; killed at that tick. Give the number of ticks, the seconds, the outcome, the contents."""
    ticks = Ticks(Engine, make_url(address).get_dialect(), last)
    began = time.perf_counter()
    with Store(address) as store:
        outcome = asyncio.run(_patient(case, addresses, store))
        count, seconds = ticks.count, time.perf_counter() - began
        return json.dumps([count, seconds, outcome, contents(store)])


async def _patient(case: Case, addresses: dict[tuple[str, bool], dict[str, str]], store: Store) -> str:
    """Sync; a server may take a moment to notice that the process that held the lock is gone."""
    until = time.monotonic() + 10
    while True:
        try:
            return await case.sync(addresses, store)
        except StoreError as error:
            if "under way" not in str(error) or time.monotonic() > until:
                raise
        await asyncio.sleep(0.02)
