"""Any sequence of changes and of whole, cut and failing syncs ends as one fresh full sync does.

A hypothesis state machine over a tenant that changes while it is read. `ROLLBOOK_EXAMPLES=2000` makes it run for long.
"""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from rollbook.core.connection import Connection
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.errors import Forbidden, Gone, RollbookError, VendorError
from rollbook.core.http import Http
from rollbook.core.mapping import compile, load
from rollbook.core.store import PRIVATE, Store
from rollbook.core.store.tables import drift, flaws
from rollbook.core.sync import Sync
from sqlalchemy import select

from .conftest import NOW, Killed

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Sequence

    from rollbook.core.native import JSON, NativeRecord
    from rollbook.core.sync import Report

MAPPING = """
connector = "moving"
[course_enrollment]
id = "id(no)"
user.id = "id(who)"
user.name = "text(person.name)"
due_at = "datetime(due)"
progress_percent = "number(percent)"
updated_at = "datetime(changed_at)"
[course_enrollment.skip]
preview = "role == 'preview'"
[course_enrollment.status]
source = "state"
access_ends_at = "datetime(ends)"
values = { open = "enrolled", busy = "in_progress", done = "completed", gone = "withdrawn" }
"""
HTTP = Http("http://127.0.0.1:9")
T = TypeVar("T", bound="Callable[..., Any]")
COURSES = ("a", "b")
WORDS = ("open", "busy", "done", "gone", "paused")
PEOPLE = ("1", "2", "3")
DEFINITION = load(MAPPING, file="moving.toml")
DATES = (None, "2026-06-02T00:00:00Z", "2026-06-03T06:00:00Z", "soon")


class MovingSettings(Settings):
    staff: bool = True


class Tenant:
    """Enrollments by number; each change is a moment later than the one before."""

    def __init__(self) -> None:
        self.rows: dict[int, dict[str, Any]] = {}
        self.courses: set[str] = set(COURSES)
        self.people = {who: f"Learner {who}" for who in PEOPLE}
        self.moment = 1
        self.size = 2
        self.kill_at: int | None = None
        self.pages = 0
        self.fail: dict[str, tuple[int, Exception]] = {}
        self.no_people = False
        self.between: list[Any] = []

    def put(self, no: int, *, told: bool = True, **facts: Any) -> None:
        """Change an enrollment; `told` moves its time of change, as an LMS that can be asked for changes does."""
        self.moment += 1
        old = self.rows.get(no, {"no": no, "role": "learner", "due": None, "ends": None, "percent": 0, "changed": 0})
        changed = self.moment if told or no not in self.rows else old["changed"]
        moment = f"2026-01-01T{changed // 3600:02}:{changed // 60 % 60:02}:{changed % 60:02}Z"
        self.rows[no] = {**old, **facts, "changed": changed, "changed_at": moment}

    def of(self, course: str, *, staff: bool) -> list[dict[str, Any]]:
        found = [row for row in self.rows.values() if row["course"] == course]
        return [row for row in found if staff or row["role"] != "teacher"]

    def served(self, course: str, page: int) -> None:
        """Note a page; die, fail, or change while it is on its way."""
        if course in self.fail and page >= self.fail[course][0]:
            raise self.fail[course][1]
        if self.kill_at is not None and self.pages >= self.kill_at:
            raise Killed
        self.pages += 1
        if self.between:
            self.between.pop()()


class Moving(Connector[MovingSettings]):
    """Reads by number; the time to ask from next is when the partition's reading began."""

    name: ClassVar[str] = "moving"
    title: ClassVar[str] = "Moving"
    Settings: ClassVar[type[Settings]] = MovingSettings
    incremental: ClassVar[bool] = True
    lookups: ClassVar[tuple[Lookup, ...]] = (Lookup("people", "id", batch=2),)
    joins: ClassVar[tuple[Join, ...]] = (Join("person", "people", "who"),)
    tenant: Tenant

    async def partitions(self) -> AsyncIterator[Partition]:
        for course in sorted(self.tenant.courses):
            yield Partition(course)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        tenant, course = self.tenant, partition.key
        asked = since if isinstance(since, int) else 0
        after, began = cursor if isinstance(cursor, list) else [0, tenant.moment]
        assert isinstance(after, int)
        for number in range(100):
            tenant.served(course, number)
            if course not in tenant.courses:
                raise Gone("no such course")
            rows = [row for row in tenant.of(course, staff=self.settings.staff) if row["changed"] >= asked]
            some = sorted((row for row in rows if row["no"] > after), key=lambda row: row["no"])[: tenant.size]
            if len(some) < tenant.size:
                yield Page([dict(row) for row in some], watermark=began)
                return
            after = some[-1]["no"]
            yield Page([dict(row) for row in some], [after, began], watermark=began)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        if self.tenant.no_people:
            raise VendorError("down")
        yield [{"id": who, "name": name} for who, name in self.tenant.people.items() if keys is None or who in keys]


def _number(row: NativeRecord) -> int:
    number = row["no"]
    assert isinstance(number, int)
    return number


class MovingParts(Moving):
    """An enrollment is folded from several rows."""

    name: ClassVar[str] = "moving-parts"
    part: ClassVar[str | None] = "row"

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            records: list[NativeRecord] = [{**row, "row": row["no"], "no": _number(row) % 3} for row in page.records]
            yield Page(records, page.cursor, watermark=page.watermark)

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        return {**parts[-1], "percent": sum(part["percent"] for part in parts if isinstance(part["percent"], int))}


def connection(kind: type[Moving], tenant: Tenant, *, staff: bool) -> Connection:
    chosen = MovingSettings(staff=staff)
    connector = kind(chosen, HTTP)
    connector.tenant = tenant
    return Connection("acme", connector, DEFINITION, compile(DEFINITION, chosen.public()), HTTP)


def contents(store: Store) -> dict[str, dict[str, Any]]:
    """Give the live rows with their flaws and drift; when a row was mapped is left out."""
    rows: dict[str, dict[str, Any]] = {
        row["id"]: {**row, "mapped_at": None, "flaws": [], "drift": []} for row in store.rows("acme")
    }
    with store.read() as db:
        for one in db.execute(select(flaws).order_by(flaws.c.field)).mappings():
            if one["id"] in rows:
                rows[one["id"]]["flaws"].append(dict(one))
        for one in db.execute(select(drift).order_by(drift.c.value)).mappings():
            if one["id"] in rows:
                rows[one["id"]]["drift"].append((one["what"], one["value"]))
    return rows


def any_of(*choices: Any) -> Callable[[random.Random], Any]:
    return lambda rng: rng.choice(choices)


number, course, word, date = any_of(*range(1, 8)), any_of(*COURSES), any_of(*WORDS), any_of(*DATES)
either = any_of(True, False)
Action = tuple[str, int, dict[str, "Callable[[random.Random], Any]"]]
ACTIONS: list[Action] = []


def action(weight: int = 2, **arguments: Callable[[random.Random], Any]) -> Callable[[T], T]:
    """Let the machine do this, so often relative to others, with arguments by chance."""

    def keep(method: T) -> T:
        ACTIONS.append((method.__name__, weight, arguments))
        return method

    return keep


class Machine(RuleBasedStateMachine):
    """Picks its actions by itself: rules left to hypothesis are tried too unevenly for a few dozen examples."""

    kind: ClassVar[type[Moving]] = Moving

    @initialize(rng=st.randoms(use_true_random=True))
    def begin(self, rng: random.Random) -> None:
        self.rng = rng
        self.store = Store(PRIVATE)
        self.tenant = Tenant()
        self.tenant.size = rng.choice([1, 1, 2, 3])
        self.now = NOW
        self.staff = True
        self.hidden = False  # something changed that no incremental read can see
        self.stored: set[str] = set()
        for no in rng.sample(range(1, 8), rng.randint(2, 7)):
            self.tenant.put(no, course=course(rng), who=no % 4, state=word(rng), due=date(rng), ends=date(rng))

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        try:
            self.an_incremental_sync_ends_as_a_fresh_one_where_all_changes_can_be_seen()
            self.a_full_sync_ends_as_a_fresh_one()
        finally:
            self.store.close()

    @rule()
    def step(self) -> None:
        [(name, _, arguments)] = self.rng.choices(ACTIONS, [weight for _, weight, _ in ACTIONS])
        drawn = {key: choose(self.rng) for key, choose in arguments.items()}
        note(f"{name}({', '.join(f'{key}={value!r}' for key, value in drawn.items())})")
        getattr(self, name)(**drawn)

    # -- the tenant ---------------------------------------------------------------------------------------------------

    @action(no=number, course=course, who=any_of(1, 2, 3, 4), due=date)
    def enrol(self, no: int, course: str, who: int, due: str | None) -> None:
        """Enrol, or enrol again, also in another course."""
        self.hidden |= self._vanishes(no, course)
        self.tenant.put(no, course=course, who=who, state="open", due=due, percent=0)

    @action(no=number, state=word, percent=any_of(0, 50, 100), told=any_of(True, True, True, True, True, False))
    def progress(self, no: int, state: str, percent: int, *, told: bool) -> None:
        if no in self.tenant.rows:
            self.tenant.put(no, told=told, state=state, percent=percent)
            self.hidden |= not told

    @action(6, course=course, state=word)
    def change_a_whole_course(self, course: str, state: str) -> None:
        for no, row in list(self.tenant.rows.items()):
            if row["course"] == course:
                self.tenant.put(no, state=state, percent=row["percent"] + 1)

    @action(no=number, due=date, ends=date)
    def change_dates(self, no: int, due: str | None, ends: str | None) -> None:
        if no in self.tenant.rows:
            self.tenant.put(no, due=due, ends=ends)

    @action(no=number, role=any_of("learner", "teacher", "teacher", "preview"))
    def change_role(self, no: int, role: str) -> None:
        if no in self.tenant.rows:
            self.tenant.put(no, role=role)
            self.hidden |= role == "teacher" and not self.staff

    @action(1, no=number)
    def remove(self, no: int) -> None:
        self.hidden |= self.tenant.rows.pop(no, None) is not None

    @action(1, old=word, new=word, told=any_of(True, True, True, False))
    def rename_a_status_word(self, old: str, new: str, *, told: bool) -> None:
        for no, row in list(self.tenant.rows.items()):
            if row["state"] == old:
                self.tenant.put(no, told=told, state=new)
                self.hidden |= not told

    @action(1, who=any_of(*PEOPLE), name=any_of("Ada", "Ben", None))
    def rename_a_person(self, who: str, name: str | None) -> None:
        self.hidden = True
        if name is None:
            self.tenant.people.pop(who, None)
        else:
            self.tenant.people[who] = name

    @action(course=course)
    def close_or_open_a_course(self, course: str) -> None:
        closing = course in self.tenant.courses
        self.hidden |= closing and bool(self.tenant.of(course, staff=True))
        self.tenant.courses ^= {course}

    @action(hours=any_of(13, 25))
    def let_time_pass(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @action(hours=any_of(13, 30))
    def set_the_clock_back(self, hours: int) -> None:
        self.now -= timedelta(hours=hours)

    @action(2, staff=either)
    def change_a_setting(self, *, staff: bool) -> None:
        self.hidden |= self.staff and not staff  # if the full read that follows is cut, the next one is none
        self.staff = staff

    @action(no=number, course=course, state=word)
    def change_during_the_next_sync(self, no: int, course: str, state: str) -> None:
        def change() -> None:
            if no in self.tenant.rows:
                self.hidden |= self._vanishes(no, course)
                self.tenant.put(no, course=course, state=state)

        self.tenant.between.append(change)

    def _vanishes(self, no: int, course: str) -> bool:
        """Moved into a closed course it is gone, which no incremental read can tell."""
        return no in self.tenant.rows and course not in self.tenant.courses

    # -- syncs --------------------------------------------------------------------------------------------------------

    @action(3, allow=either)
    def sync_in_full(self, *, allow: bool) -> None:
        self._sync(full=True, allow_removals=allow)

    @action(6)
    def sync(self) -> None:
        self._sync()

    @action(6, pages=any_of(0, 1, 1, 2, 2, 3, 4), full=any_of(True, False, False))
    def cut(self, pages: int, *, full: bool) -> None:
        self.tenant.kill_at = self.tenant.pages + pages
        try:
            self._sync(full=full)
        except (Killed, BaseExceptionGroup):
            pass
        finally:
            self.tenant.kill_at = None

    @action(
        6,
        course=course,
        page=any_of(0, 1, 1, 2),
        error=any_of(VendorError("down"), Forbidden("no"), KeyError("bug")),
        full=any_of(True, False, False),
    )
    def fail(self, course: str, page: int, error: Exception, *, full: bool) -> None:
        self.tenant.fail = {course: (page, error)}
        self._sync(full=full)
        self.tenant.fail = {}

    @action(full=either)
    def fail_to_look_people_up(self, *, full: bool) -> None:
        self.tenant.no_people = True
        try:
            self._sync(full=full)
        except RollbookError:
            pass
        finally:
            self.tenant.no_people = False

    def _sync(self, store: Store | None = None, **options: Any) -> Report:
        opened = connection(self.kind, self.tenant, staff=self.staff)
        still = not self.tenant.between
        report = asyncio.run(Sync(opened, store or self.store, clock=lambda: self.now).run(**options))
        if still and store is None and (report.mode, report.outcome, report.resumed) == ("full", "complete", False):
            self.hidden = bool(report.forbidden)
        return report

    def _settle(self, *, full: bool) -> Report:
        """Sync until a run was begun after the last change, and ended."""
        while (report := self._sync(full=full, allow_removals=True)).resumed:
            pass

        assert report.outcome == "complete"
        return report

    # -- what holds ---------------------------------------------------------------------------------------------------

    @action(1)
    def a_full_sync_ends_as_a_fresh_one(self) -> None:
        self.tenant.between.clear()
        self._settle(full=True)
        self.hidden = False
        self._is_fresh()

    @action(5)
    def an_incremental_sync_ends_as_a_fresh_one_where_all_changes_can_be_seen(self) -> None:
        if self.hidden:
            return
        self.tenant.between.clear()
        self._settle(full=False)
        self._is_fresh()

    def _is_fresh(self) -> None:
        with Store(PRIVATE) as fresh:
            self._sync(fresh)
            expected = contents(fresh)

        assert expected == contents(self.store)

    @invariant()
    def no_row_is_ever_lost(self) -> None:
        if hasattr(self, "store"):
            now = {row["id"] for row in self.store.rows("acme", removed=True)}

            assert self.stored <= now
            self.stored = now


class MachineWithParts(Machine):
    kind: ClassVar[type[Moving]] = MovingParts


EXAMPLES = int(os.environ.get("ROLLBOOK_EXAMPLES", "25"))
_bounds = settings(
    max_examples=EXAMPLES,
    stateful_step_count=30,
    deadline=None,
    phases=[Phase.generate],  # what chance chose cannot be made shorter; its notes tell the sequence
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
Machine.TestCase.settings = _bounds
MachineWithParts.TestCase.settings = _bounds
TestMachine = Machine.TestCase
TestMachineWithParts = MachineWithParts.TestCase

__all__ = ["TestMachine", "TestMachineWithParts"]
