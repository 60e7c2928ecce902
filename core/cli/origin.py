"""Native records to explain: from the store, or from a recording that is read like an LMS."""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ..connection import open_connection
from ..errors import RollbookError, SettingsError
from ..mapping import Mapped, Normalizer, Rejected, Skipped, compile_expression
from ..mapping.grammar import parse as parse_expression
from ..mapping.reads import reads
from ..native import parse
from ..settings import CONFIG
from ..store import PRIVATE, Store
from ..store.parts import parts_of
from ..store.store import row_of
from ..store.tables import enrollments
from ..store.tables import rejected as rejections
from ..sync import Sync, now
from ..table import as_key
from .screen import moment
from .stored import stored_run

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection as Transaction

    from ..connection import Connection
    from ..connector import Connector
    from ..mapping import Definition
    from ..native import JSON, NativeRecord
    from ..testing import Case
    from .workspace import Workspace

__all__ = ["Joined", "Meaning", "Origin", "recorded", "stored"]

_NEAR = 5


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a connection's records are mapped by."""

    connector: type[Connector[Any]]
    definition: Definition
    settings: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Joined:
    """A looked-up record that was attached."""

    into: str
    lookup: str
    on: str
    keys: JSON
    """The key that was looked for, or the list of them."""
    found: bool
    replaced: bool
    """Whether it stands where its key stood, so that the key is not known any more."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A native record, and where it came from."""

    meaning: Meaning
    record: NativeRecord
    kind: str
    as_of: datetime
    """The instant to explain it for."""
    place: str
    parts: tuple[str, ...] = ()
    """Keys of the parts that it was folded from."""
    status: str | None = None
    """The stored one, where there is one."""
    notes: tuple[str, ...] = ()

    def joins(self) -> list[Joined]:
        """Tell what was joined to it."""
        found: list[Joined] = []
        for one in self.meaning.connector.joins:
            keys, into = compile_expression(one.on)(self.record), self.record.get(one.into)
            replaced = any(path.partition(".")[0] == one.into for path in reads(parse_expression(one.on)))
            there = into is not None and into != [None]
            found.append(Joined(one.into, one.lookup, one.on, None if replaced else keys, there, replaced))
        return found


def stored(work: Workspace, name: str, id: str, as_of: datetime | None) -> list[Origin]:
    """Find the stored record of an id (`-`: the rejected ones that have none), and what maps it today.

    Raises:
        RollbookError: There is none (some ids that look like it are named), or its parts could not be folded.
    """
    meaning = Meaning(*work.config.mapping(name))
    with work.store() as store:
        run = stored_run(work, store, name)
        with store.read() as db:
            found = _found(db, meaning, name, id, as_of, f"the store, last run {moment(run.started_at)}")
            near = [] if found else _like(db, name, id)
    if not found and id == "-":
        raise RollbookError("there is no rejected record without an id", where=f"connection {name!r}")
    if not found:
        hint = (
            f"Stored ids like it: {', '.join(near)}." if near else f"If it is new in the LMS, run: rollbook sync {name}"
        )
        raise RollbookError(f"there is no record {id!r} in the store", where=f"connection {name!r}", hint=hint)
    return found


def _found(db: Transaction, meaning: Meaning, name: str, id: str, as_of: datetime | None, place: str) -> list[Origin]:
    query = select(rejections).where(rejections.c.connection == name, rejections.c.id == (None if id == "-" else id))
    refused = [dict(row) for row in db.execute(query.order_by(rejections.c.key)).mappings()]
    row = row_of(db, name, id)
    if row is not None:
        why = [f"the last reading of it was rejected: {one['reason']}" for one in refused]
        return [_origin_of_row(db, meaning, row, as_of, place, why)]
    return [_origin_of_refused(meaning, one, as_of, place) for one in refused]


def _origin_of_refused(meaning: Meaning, row: dict[str, Any], as_of: datetime | None, place: str) -> Origin:
    record, reason = _object(row["native"]), row["reason"]
    if meaning.settings.get("remote_data") == "none":
        raise _not_kept(row["id"], row["connection"])
    if meaning.connector.part and set(record) == {"parts"}:
        name = row["connection"]
        hint = f"Its parts are kept as they are: rollbook rejected {name} --format jsonl"
        raise RollbookError(f"the record {row['id']!r} was rejected: {reason}", where=f"connection {name!r}", hint=hint)
    notes = (f"when it was read it was rejected: {reason}",)
    return Origin(meaning, record, row["kind"], as_of or now(), place, notes=notes)


def _origin_of_row(
    db: Transaction, meaning: Meaning, row: dict[str, Any], as_of: datetime | None, place: str, why: list[str]
) -> Origin:
    name, id, part = row["connection"], row["id"], meaning.connector.part
    if row["later"] is not None:
        raise _not_kept(id, name)
    keys: tuple[str, ...] = ()
    if part:
        key = compile_expression(part)
        keys = tuple(as_key(key(parse(text))) or "" for _, text in parts_of(db, name, [id]).get(id, []))
    if row["removed_at"]:
        as_of = as_of or row["mapped_at"]
        why = [*why, f"the LMS no longer had it on {moment(row['removed_at'])}; its status is moved by no date since"]
    return Origin(
        meaning, _object(row["remote_data"]), row["kind"], as_of or now(), place, keys, row["status"], tuple(why)
    )


def _not_kept(id: str, name: str) -> RollbookError:
    return RollbookError(
        f"the native record of {id!r} is not kept, so that there is nothing to explain it by",
        where=f"connection {name!r}",
        hint='The setting remote_data is, or was, "none".',
    )


def _object(text: str) -> NativeRecord:
    record = parse(text)
    return record if isinstance(record, dict) else {}


def _like(db: Transaction, name: str, id: str) -> list[str]:
    """Give stored ids that hold the text, or that it begins like."""
    table = enrollments.c
    for piece in (id, id.partition(":")[0], id[: max(len(id) // 2, 1)]):
        query = select(table.id).where(table.connection == name, table.id.contains(piece, autoescape=True))
        if found := list(db.scalars(query.order_by(table.id).limit(_NEAR))):
            return found
    return []


def recorded(work: Workspace, name: str, id: str, file: Path, as_of: datetime | None) -> list[Origin]:
    """Read a recording as if it were the LMS, and find the record of an id in it.

    Args:
        work: The config, if there is one.
        name: A connection of the config, or just a connector.
        id: The unified id; `-` for the rejected records that have none.
        file: The recording.
        as_of: The instant to explain it for; by default the recording's.

    Raises:
        RollbookError: There is none; the nearest ids are named. Or the recording cannot be read.
    """
    from ..testing.case import load_case  # noqa: PLC0415 - only with --fixture

    case = load_case(file)
    with Store(PRIVATE) as store:
        watcher, meaning = asyncio.run(_read(work, name, case, store))
        with store.read() as db:
            found = _found(db, meaning, name, id, as_of or case.as_of, case.har.name)
    if not found and id in watcher.skipped:
        record, kind = watcher.skipped[id]
        found = [Origin(meaning, record, kind, as_of or case.as_of, case.har.name)]
    if not found:
        near = difflib.get_close_matches(id, watcher.ids, n=_NEAR, cutoff=0.0)
        hint = f"Nearest ids: {', '.join(near)}." if near else "There is no record in it at all."
        raise RollbookError(f"there is no record {id!r} in the recording", where=case.har.name, hint=hint)
    return found


async def _read(work: Workspace, name: str, case: Case, store: Store) -> tuple[_Watcher, Meaning]:
    from ..http import no_waits, stand_in_keys  # noqa: PLC0415 - httpx is slow to import
    from ..testing.conformance.lms import RecordedLms  # noqa: PLC0415

    lms = RecordedLms(case.load().exchanges)
    with no_waits(), stand_in_keys():
        async with _opened(work, name, case, lms) as connection:
            watcher = _Watcher(connection.normalizer)
            sync = Sync(replace(connection, normalizer=watcher), store, clock=lambda: case.as_of)
            try:
                failures = (await sync.run(full=True)).failures
            except RollbookError as error:
                failures = {"": error.message}
            meaning = Meaning(type(connection.connector), connection.definition, connection.settings.public())
    for partition, why in failures.items():
        place = f"{case.har.name}: {partition}" if partition else case.har.name
        hint = f"Not recorded: {lms.unexpected[0]}" if lms.unexpected else ""
        raise RollbookError(f"it cannot be read: {why}", where=place, hint=hint)
    return watcher, meaning


def _opened(work: Workspace, name: str, case: Case, transport: Any) -> Connection:
    """Open the connection of a case: with the mapping of the user's connection, if it is one of the config."""
    connector, mapping, file = name, case.mapping, case.expected.name
    if (work.path is not None or Path(CONFIG).exists()) and name in work.config.connections:
        one = work.config.connection(name)
        connector, mapping, file = one.connector, one.mapping or case.mapping, str(work.config.path)
    if case.connector and connector != case.connector:
        raise SettingsError(f"the recording is of {case.connector}, not of {connector}", where=case.har.name)
    return open_connection(
        name,
        connector,
        case.settings,
        override=mapping or None,
        override_file=file,
        modules=work.modules,
        transport=transport,
        sample=case.sampled(),
    )


class _Watcher(Normalizer):
    """A normalizer that remembers whose records it has seen."""

    def __init__(self, inner: Normalizer) -> None:
        super().__init__(inner.digest, {})
        self._inner = inner
        self.ids: dict[str, None] = {}
        self.skipped: dict[str, tuple[NativeRecord, str]] = {}

    def identify(self, record: NativeRecord, kind: str = "") -> str | Rejected:
        """Do as the other does."""
        return self._inner.identify(record, kind)

    def normalize(
        self, record: NativeRecord, *, kind: str = "", as_of: datetime, remote_data: NativeRecord | None = None
    ) -> Mapped | Skipped | Rejected:
        """Do as the other does, and remember the id."""
        result = self._inner.normalize(record, kind=kind, as_of=as_of, remote_data=remote_data)
        id = result.enrollment.id if isinstance(result, Mapped) else result.id
        if id is not None:
            self.ids[id] = None
            if isinstance(result, Skipped):
                self.skipped[id] = record, kind
        return result
