"""The same store in SQLite and in PostgreSQL: what is written comes back, and errors say what to do."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.errors import StoreError
from rollbook.core.mapping import Mapped, compile, load
from rollbook.core.native import dump
from rollbook.core.store import Store
from rollbook.core.store import records as stored
from rollbook.core.store.clock import is_ahead
from rollbook.core.store.migrations import VERSION
from rollbook.core.store.rows import columns_of
from rollbook.core.store.runs import begin_run
from rollbook.core.store.tables import fields, meta
from sqlalchemy import Connection, create_engine, inspect, select, text, update
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable

AS_OF = datetime(2026, 6, 1, 12, 30, 15, 123456, tzinfo=UTC)
MAPPING = """
connector = "odd"
[course_enrollment]
id = "id(id)"
user.name = "text(name)"
score = "number(score)"
time_spent_seconds = "seconds(time)"
due_at = "datetime(due)"
custom_fields."*" = "more"
"""


def row(record: dict[str, Any]) -> dict[str, Any]:
    found = compile(load(MAPPING)).normalize(record, as_of=AS_OF)
    assert isinstance(found, Mapped)
    return columns_of(found.enrollment) | {
        "connection": "acme",
        "connector": "odd",
        "remote_data": dump(record),
        "removed_at": None,
        "stale_at": found.stale_at,
        "mapped_at": AS_OF,
        "kind": "",
        "native_hash": "h",
        "mapping": "m",
    }


def put(store: Store, *records: dict[str, Any]) -> None:
    with store.write() as db:
        stored.put_rows(db, [row(record) for record in records])


ODD: dict[str, dict[str, Any]] = {
    "every plane of unicode": {"name": "Zoë 山田 𐍈 👩‍🏫", "more": {"ключ": "значение 😀"}},
    "control characters": {"name": "a\u0001b\nc", "more": {"x": "a\u0001b"}},
    "a long number": {"score": 12345678901234567890, "more": {"n": 10**50}},
    "a long time": {"time": 9007199254740991},
    "a far date": {"due": "9999-12-31T23:59:59.999999+00:00"},
    "an early date": {"due": "1970-01-01T00:00:00+14:00"},
    "a deep object": {"more": {"a": [[[{"b": [None, True, 1.5]}]]]}},
    "nothing": {},
}


@pytest.mark.parametrize("record", ODD.values(), ids=ODD)
def test_what_is_written_comes_back(address: str, record: dict[str, Any]) -> None:
    record = {"id": "1", **record}
    found = compile(load(MAPPING)).normalize(record, as_of=AS_OF)
    assert isinstance(found, Mapped)

    with Store(address) as store:
        put(store, record)
        back = store.enrollment("acme", "1")

    assert back == found.enrollment


@pytest.mark.parametrize(
    "record", [{"name": "a\0b", "more": {"k\0": "x\0y"}}, {"more": {"k": "\ud800"}}, {"more": {"k": float("nan")}}]
)
def test_what_a_database_cannot_hold_is_still_in_remote_data(address: str, record: dict[str, Any]) -> None:
    record = {"id": "1", **record}

    with Store(address) as store:
        put(store, record)
        back = store.enrollment("acme", "1")

    assert back is not None
    assert dump(record) == dump(back.remote_data)


def test_rows_come_by_the_bytes_of_their_ids(address: str) -> None:
    ids = ["B", "a", "Ä", "10", "9", "a:1", "a-1", "_", "Z"]
    with Store(address) as store:
        put(store, *({"id": id} for id in ids))
        found = [one["id"] for one in store.rows("acme", batch=2)]

    assert sorted(ids) == found


def test_a_connection_never_sees_anothers_rows(address: str) -> None:
    with Store(address) as store:
        put(store, {"id": "1", "name": "ours"})
        with store.write() as db:
            stored.put_rows(db, [row({"id": "1", "name": "theirs"}) | {"connection": "globex"}])
            stored.remove(db, "globex", ["1"], AS_OF)

        assert [one["user_name"] for one in store.rows("acme")] == ["ours"]
        assert not list(store.rows("globex"))


def test_a_transaction_that_fails_leaves_nothing(address: str) -> None:
    def failing(store: Store) -> None:
        with store.write() as db:
            stored.put_rows(db, [row({"id": "1"})])
            raise ZeroDivisionError

    with Store(address) as store:
        with pytest.raises(ZeroDivisionError):
            failing(store)

        assert not list(store.rows("acme"))


def test_a_reading_sees_one_moment(address: str) -> None:
    with Store(address) as store, Store(address) as other:
        put(store, {"id": "1"})
        with store.read() as db:
            before = stored.live_count(db, "acme")
            put(other, {"id": "2"})
            after = stored.live_count(db, "acme")

    assert (before, after) == (1, 1)


def test_a_newer_database_is_refused(address: str) -> None:
    with Store(address) as store, store.write() as db:
        db.execute(update(meta).values(version=VERSION + 1))

    with pytest.raises(StoreError, match="Upgrade rollbook"):
        Store(address)


def test_several_may_open_a_new_database_at_once(address: str) -> None:
    def opened(number: int) -> int:
        with Store(address) as store:
            put(store, {"id": str(number)})
            return number

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(opened, range(6)))

    with Store(address) as store, store.read() as db:
        assert list(db.scalars(select(meta.c.version))) == [VERSION]
        assert stored.live_count(db, "acme") == 6


# -- PostgreSQL alone -------------------------------------------------------------------------------------------------


def test_postgresql_holds_custom_fields_as_jsonb_and_native_records_as_text(postgres: Callable[[], str]) -> None:
    address = postgres()
    native: dict[str, Any] = {"id": "1", "more": {"grade": "A"}, "exact": 1.10, "big": 10**50}
    with Store(address) as store:
        put(store, native)
        with store.read() as db:
            grade, remote, kind = db.execute(
                text("select custom_fields->>'grade', remote_data, pg_typeof(due_at)::text from enrollments")
            ).one()

    assert (grade, remote, kind) == ("A", dump(native), "timestamp with time zone")
    assert json.loads(remote) == native


@pytest.mark.parametrize("spelling", ["postgresql", "postgres", "postgresql+psycopg"])
def test_each_spelling_of_the_address_is_taken(postgres: Callable[[], str], spelling: str) -> None:
    address = spelling + postgres().removeprefix("postgresql")
    with Store(address) as store:
        put(store, {"id": "1"})

        assert store.kind == "postgresql"


def test_a_database_that_is_not_there_is_named_without_the_password(postgres: Callable[[], str]) -> None:
    url = make_url(postgres()).set(database="nowhere", password="made-up-secret")

    with pytest.raises(StoreError, match="nowhere") as caught:
        Store(url.render_as_string(hide_password=False))
    assert "made-up-secret" not in str(caught.value)
    assert "mend [store] url" in caught.value.hint


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreError, match="onnection") as caught:
        Store("postgresql://rollbook:made-up-secret@127.0.0.1:9/rollbook")
    assert "made-up-secret" not in str(caught.value)
    assert "running" in caught.value.hint


def test_a_session_that_the_server_ends_is_told_and_the_next_one_works(postgres: Callable[[], str]) -> None:
    address = postgres()
    admin = create_engine(make_url(address).set(drivername="postgresql+psycopg"))

    def cut_off(store: Store) -> None:
        with store.write() as db:
            mine = db.scalar(text("select pg_backend_pid()"))
            with admin.begin() as other:
                other.execute(text("select pg_terminate_backend(:pid)"), {"pid": mine})
            stored.put_rows(db, [row({"id": "1"})])

    with Store(address) as store:
        with pytest.raises(StoreError, match="failed") as caught:
            cut_off(store)
        put(store, {"id": "2"})

        assert [one["id"] for one in store.rows("acme")] == ["2"]
    admin.dispose()
    assert caught.value.hint


@pytest.mark.parametrize("odd", [{"status": None}, {"user_name": "Ada\0Example"}, {"score": "Ada"}])
def test_an_error_about_a_row_does_not_quote_it(postgres: Callable[[], str], odd: dict[str, Any]) -> None:
    def write(store: Store) -> None:
        with store.write() as db:
            stored.put_rows(db, [row({"id": "1", "name": "Ada Example"}) | odd])

    with Store(postgres()) as store, pytest.raises(StoreError, match="the database failed") as caught:
        write(store)

    assert "Ada" not in f"{caught.value!r} {caught.value}"


# -- versions ---------------------------------------------------------------------------------------------------------


def test_a_database_of_the_first_version_is_brought_up_with_its_rows(address: str) -> None:
    with Store(address) as store:
        put(store, {"id": "1"})
        with store.write() as db:
            begin_run(db, connection="acme", connector="odd", mode="full", fingerprint="", now=AS_OF)
            db.execute(text("drop table fields"))
            db.execute(text("drop table clocks"))
            db.execute(update(meta).values(version=1))

    with Store(address) as store, store.read() as db:
        columns = {column["name"] for column in inspect(db).get_columns("fields")}

        assert columns == set(fields.columns.keys())
        assert is_ahead(db, "acme", AS_OF - timedelta(seconds=1))
        assert not is_ahead(db, "acme", AS_OF)
        assert db.scalar(select(meta.c.version)) == VERSION
        assert stored.live_count(db, "acme") == 1


def test_a_step_that_fails_leaves_the_database_as_it_was(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(db: Connection) -> None:
        db.execute(text("create table half (x integer)"))
        raise ZeroDivisionError

    with Store(address) as store, store.write() as db:
        db.execute(update(meta).values(version=1))
    monkeypatch.setattr("rollbook.core.store.migrations.STEPS", (failing,))
    with pytest.raises(ZeroDivisionError):
        Store(address)
    monkeypatch.undo()

    with Store(address) as store, store.read() as db:
        assert not inspect(db).has_table("half")
        assert db.scalar(select(meta.c.version)) == VERSION
