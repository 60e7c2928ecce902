"""A person taken out of the store: the rows, what was noted of them, and the bytes that a database puts aside."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from rollbook.core.errors import StoreError
from rollbook.core.store import Store
from rollbook.core.store.forget import forget, kept_out, wipe
from rollbook.core.store.tables import metadata
from sqlalchemy import insert, select

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MARK = "Quillfeather"
"""In everything that is the person's, and in nothing else."""


def person(record: Any, kind: str) -> str | None:
    del kind
    whole = cast("dict[str, Any]", record) if isinstance(record, dict) else {}
    return str(whole["user"]) if "user" in whole else None


def row(connection: str, id: str, user: str, name: str, **more: Any) -> dict[str, Any]:
    nothing = {column.name: None for column in metadata.tables["enrollments"].c}
    return nothing | {
        "connection": connection,
        "id": id,
        "connector": "paper",
        "user_id": user,
        "user_name": name,
        "user_emails": [{"email": f"{name}@example.com"}],
        "status": "enrolled",
        "urls": [],
        "custom_fields": {"manager": name},
        "remote_data": json.dumps({"user": user, "name": name, "text": name * 400}),
        "mapped_at": NOW,
        "kind": "",
        "native_hash": "",
        "mapping": "",
        **more,
    }


def fill(db: Connection) -> None:
    """Store two people in each of two connections, `45` in everything that a sync writes."""
    put = {name: table.insert() for name, table in metadata.tables.items()}
    for connection in ("acme", "other"):
        mine = MARK if connection == "acme" else "Namesake"
        people = [row(connection, "e1", "45", mine), row(connection, "e2", "45", mine, removed_at=NOW)]
        people += [row(connection, f"k{n}", "46", "Keeper") for n in range(200)]
        people += [row(connection, "by", "46", "Keeper", assigned_by_id="45")]
        db.execute(put["enrollments"], people)
        key = {"connection": connection}
        for id in ("e1", "k1"):
            db.execute(
                put["flaws"], key | {"id": id, "field": "due_at", "type": "text", "preview": "9", "reason": "odd"}
            )
            db.execute(put["drift"], key | {"id": id, "what": "status", "value": "odd", "first_seen": NOW})
            db.execute(put["seen"], key | {"id": id, "part": "", "run": 1, "partition": "user:45"})
        for id, user, name in (("p1", "45", mine), ("p2", "46", "Keeper")):
            native = json.dumps({"user": user, "name": name})
            db.execute(put["parts"], key | {"id": id, "part": "w1", "kind": "", "native": native})
            db.execute(put["dirty"], key | {"id": id})
            refused = {"id": None, "run": 1, "partition": "all", "kind": "", "reason": "no id", "native": native}
            db.execute(put["rejected"], key | {"key": f"#{id}", **refused})
        folded = json.dumps({"parts": [{"user": 45, "name": mine}]})
        refused = {"id": "p1", "run": 1, "partition": "", "kind": "", "reason": "odd", "native": folded}
        db.execute(put["rejected"], key | {"key": "p1", **refused})
        for partition in ("user:45", "user:46", "course:45"):
            db.execute(put["watermarks"], key | {"partition": partition, "since": '"2026"'})
    for run, connection in ((1, "acme"), (2, "other")):
        told: dict[str, Any] = {
            "connector": "paper",
            "mode": "full",
            "fingerprint": "",
            "started_at": NOW,
            "planned": True,
            "counts": {},
        }
        db.execute(put["runs"], {"run": run, "connection": connection, "error": "GET /users/45: 500", **told})
        for position, partition in enumerate(("user:45", "user:46", "course:45")):
            context = json.dumps({"id": 45, "name": MARK if run == 1 else "Namesake"})
            place = {"run": run, "partition": partition, "position": position, "context": context, "records": 1}
            db.execute(put["plan"], place | {"state": "failed", "cursor": '"c"', "error": "GET /users/45/x, not 450"})


def everything(store: Store, connection: str) -> dict[str, list[dict[str, Any]]]:
    with store.read() as db:
        return {
            name: [dict(one) for one in db.execute(select(table)).mappings() if one.get("connection") == connection]
            for name, table in metadata.tables.items()
        }


def test_all_of_a_person_goes_and_nothing_of_others(address: str) -> None:
    with Store(address) as store:
        with store.write() as db:
            fill(db)
        other = everything(store, "other")
        with store.write() as db:
            told = forget(db, "acme", "45", person, NOW, "mark")
        wipe(store)

        assert (told.rows, told.parts, told.rejected, told.assigned, told.interrupted) == (2, 1, 2, 1, True)

        left = everything(store, "acme")

        assert other == everything(store, "other")
        assert MARK not in repr(left)
        assert len(left["enrollments"]) == 201
        assert {one["id"] for name in ("flaws", "drift") for one in left[name]} == {"k1"}
        assert {one["id"] for name in ("parts", "dirty") for one in left[name]} == {"p2"}
        assert [one["key"] for one in left["rejected"]] == ["#p2"]
        assert {one["partition"] for one in left["watermarks"]} == {"user:46", "course:45"}
        assert [one["error"] for one in left["runs"]] == ["given up to forget a person"]

        with store.read() as db:
            plans = db.execute(select(metadata.tables["plan"])).mappings().all()
            ours = [one for one in plans if one["run"] == 1]

            assert {one["partition"] for one in ours} == {"user:46", "course:45"}
            assert {(one["context"], one["cursor"], one["error"]) for one in ours} == {
                ("null", None, "GET /users/***/x, not 450")
            }
            assert len([one for one in plans if one["run"] == 2]) == 3
            assert (kept_out(db, "acme"), kept_out(db, "other")) == (frozenset({"mark"}), frozenset())


def stored_bytes(file: Path) -> bytes:
    return b"".join(one.read_bytes() for one in file.parent.iterdir() if one.is_file())


def test_no_byte_of_a_person_is_left_in_the_file_or_in_its_log(tmp_path: Path) -> None:
    """Nor of what was replaced or deleted before: free pages and the write-ahead log are written anew."""
    file = tmp_path / "book.db"
    with Store(f"sqlite:///{file}") as store:
        with store.write() as db:
            fill(db)
        with store.write() as db:  # a page of it is in the log, an older one in the file
            table = metadata.tables["enrollments"]
            db.execute(table.delete().where(table.c.id == "e2"))
            db.execute(insert(table), [row("acme", f"z{n}", "46", "Keeper") for n in range(50)])

        assert MARK.encode() in stored_bytes(file)

        with store.write() as db:
            forget(db, "acme", "45", person, NOW)
        wipe(store)

        assert MARK.encode() not in stored_bytes(file)
        assert b"Keeper" in stored_bytes(file)

    assert MARK.encode() not in stored_bytes(file)


def test_a_reader_that_keeps_the_file_from_being_written_anew_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.core.store.database._PRAGMAS", ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=10"))
    address = f"sqlite:///{tmp_path / 'book.db'}"
    with Store(address) as store, Store(address) as reader:
        with store.write() as db:
            fill(db)
        with reader.read() as reading:
            reading.execute(select(metadata.tables["runs"])).all()
            with store.write() as db:
                forget(db, "acme", "45", person, NOW)
            with pytest.raises(StoreError) as caught:
                wipe(store)

            assert "run the same command again" in caught.value.hint
        wipe(store)

        assert MARK.encode() not in stored_bytes(tmp_path / "book.db")
