"""What a store keeps of people: native records, made-up names in them, or none; and who is kept out for good."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connector import Settings
from rollbook.core.errors import SettingsError
from rollbook.core.mapping import compile, load
from rollbook.core.pseudonyms import Pseudonyms
from rollbook.core.store.forget import forget
from rollbook.core.sync import Sync
from rollbook.core.sync.keeping import Keeping
from rollbook.core.sync.remap import normalized, remap

from .conftest import MAPPING, NOW, Campus, CampusConnector, WindowsConnector, open_campus, row, table

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from rollbook.core.connection import Connection
    from rollbook.core.store import Store
    from rollbook.core.sync import Report

MAIL = MAPPING + '\n[course_enrollment.user.emails]\nwork = "email(person.mail)"\n'
PEOPLE = ("Ada", "Example", "ada@", "Ben")


def connection(
    campus: Campus, vault: Path, mode: str = "full", kind: type[CampusConnector] = CampusConnector, mapping: str = MAIL
) -> Connection:
    settings = Settings.model_validate({"remote_data": mode})
    opened = open_campus(campus, kind)
    connector = kind(settings, opened.http)
    connector.campus = campus
    definition = load(mapping)
    return replace(
        opened,
        connector=connector,
        definition=definition,
        normalizer=compile(definition, settings.public()),
        vault=str(vault),
    )


def sync(store: Store, one: Connection, at: datetime = NOW) -> Report:
    async def run() -> Report:
        async with one:
            return await Sync(one, store, clock=lambda: at).run(full=True)

    return asyncio.run(run())


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return tmp_path / "rollbook.vault"


def bytes_of(store: Store, tmp_path: Path) -> str:
    with store.alone() as db:
        if store.kind == "sqlite":
            db.exec_driver_sql("VACUUM")
            db.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return (tmp_path / "book.db").read_bytes().decode("latin-1") if store.kind == "sqlite" else repr(table(store))


@pytest.mark.parametrize("mode", ["none", "pseudonyms"])
def test_names_and_addresses_are_in_no_byte_of_the_store(
    store: Store, campus: Campus, vault: Path, tmp_path: Path, mode: str
) -> None:
    """With `none`, the columns still name people: so the mapping here leaves names out."""
    for rows in campus.courses.values():
        for one in rows:
            name = campus.people.get(str(one["who"]), "nobody")
            one["grader"] = {"first_name": "Ben", "email": "ben@example.com", "note": f"of {name}"}
    mapping = MAIL if mode == "pseudonyms" else "\n".join(x for x in MAIL.splitlines() if "person" not in x)
    sync(store, connection(campus, vault, mode, mapping=mapping))

    assert len(table(store)) == 5
    assert not [name for name in PEOPLE if name in bytes_of(store, tmp_path)]


def test_pseudonyms_are_the_same_in_each_row_and_each_run_and_another_for_each_person(
    store: Store, campus: Campus, vault: Path
) -> None:
    sync(store, connection(campus, vault, "pseudonyms"))
    first = table(store)
    again = sync(store, connection(campus, vault, "pseudonyms"), NOW + timedelta(hours=1))

    names = {id: one["user_name"] for id, one in first.items()}

    assert names["1"] == names["4"]
    assert len({names["1"], names["2"], names["3"]}) == 3
    assert names["1"].startswith("Person ")
    assert json.loads(first["1"]["remote_data"])["person"]["name"] == names["1"]
    assert (again.counts.changed, again.counts.unchanged) == (0, 5)
    assert first == table(store)


def test_pseudonyms_can_be_mapped_again(store: Store, campus: Campus, vault: Path) -> None:
    sync(store, connection(campus, vault, "pseudonyms"))
    before = table(store)["1"]["user_name"]
    one = connection(campus, vault, "pseudonyms", mapping=MAIL.replace('"text(person.name)"', '"upper(person.name)"'))
    keeping = Keeping("acme", "pseudonyms", str(vault))
    told = remap(store, "acme", "campus", one.normalizer, NOW, keeping=keeping)

    assert told.mapped == 5
    assert table(store)["1"]["user_name"] not in (before, "ADA EXAMPLE")
    assert "ADA" not in repr(table(store))


@pytest.mark.parametrize("mode", ["none", "pseudonyms", "full"])
def test_statuses_follow_their_dates_whatever_is_kept(store: Store, campus: Campus, vault: Path, mode: str) -> None:
    """Row 2 is due in July: a sync in August finds it overdue, an export for August told so before."""
    sync(store, connection(campus, vault, mode))
    one = connection(campus, vault, mode)
    august = NOW + timedelta(days=70)
    row_2 = table(store)["2"]
    foreseen = normalized(row_2, one.normalizer, august)

    assert row_2["status"] == "in_progress"
    assert foreseen is not None
    assert foreseen.status.value == "overdue"

    sync(store, one, august)

    assert table(store)["2"]["status"] == "overdue"
    assert table(store)["2"]["stale_at"] is None


def test_without_native_records_a_date_moves_a_row_without_asking_the_lms(
    store: Store, campus: Campus, vault: Path
) -> None:
    sync(store, connection(campus, vault, "none"))
    one = connection(campus, vault, "none")
    told = remap(store, "acme", "campus", one.normalizer, NOW + timedelta(days=70), keeping=Keeping("acme", "none"))

    assert told.statuses == {("in_progress", "overdue"): 1}
    assert (table(store)["2"]["status"], table(store)["2"]["later"]) == ("overdue", [])


def test_without_native_records_another_mapping_waits_for_the_next_full_sync(
    store: Store, campus: Campus, vault: Path
) -> None:
    sync(store, connection(campus, vault, "none"))
    one = connection(campus, vault, "none", mapping=MAIL.replace("enrolled", "assigned"))
    told = remap(store, "acme", "campus", one.normalizer, NOW, keeping=Keeping("acme", "none"))

    assert told.outdated == 0
    assert table(store)["1"]["status"] == "enrolled"

    sync(store, one)

    assert table(store)["1"]["status"] == "assigned"


@pytest.mark.parametrize("mode", ["none", "pseudonyms"])
def test_a_change_of_the_setting_holds_for_what_is_stored_too(
    store: Store, campus: Campus, vault: Path, tmp_path: Path, mode: str
) -> None:
    """Also for rows that the LMS no longer has, and without asking it; and back again with the next full sync."""
    sync(store, connection(campus, vault))
    campus.courses["course:a"] = campus.courses["course:a"][1:]
    sync(store, connection(campus, vault))

    assert table(store)["1"]["removed_at"]

    one = connection(campus, vault, mode)
    remap(store, "acme", "campus", one.normalizer, NOW, keeping=Keeping("acme", mode, str(vault)))  # pyright: ignore[reportArgumentType] - a mode
    natives = " ".join(each["remote_data"] for each in table(store).values())

    assert not [name for name in PEOPLE if name in natives]
    assert table(store)["1"]["removed_at"]

    sync(store, connection(campus, vault))

    assert json.loads(table(store)["2"]["remote_data"])["person"]["name"] == "Ben Example"


def test_rejected_records_and_parts_are_kept_by_the_same_rules(store: Store, campus: Campus, vault: Path) -> None:
    from rollbook.core.store.tables import parts, rejected
    from sqlalchemy import select

    campus.courses = {"course:a": [row(1, 1, window=1, seconds=1, mail="ada@example.com"), row(None, mail="ada@x.org")]}
    sync(store, connection(campus, vault, "pseudonyms", WindowsConnector))
    with store.read() as db:
        kept = [*db.scalars(select(parts.c.native)), *db.scalars(select(rejected.c.native))]

    assert len(kept) == 2
    assert "ada@" not in repr(kept)
    assert repr(kept).count("@person.example.com") == 2


def test_parts_cannot_be_left_out(store: Store, campus: Campus, vault: Path) -> None:
    with pytest.raises(SettingsError, match="from parts, which have to be kept"):
        sync(store, connection(campus, vault, "none", WindowsConnector))


@pytest.mark.parametrize("kind", [CampusConnector, WindowsConnector])
def test_who_is_kept_out_is_skipped_by_later_syncs(
    store: Store, campus: Campus, vault: Path, kind: type[CampusConnector]
) -> None:
    for rows in campus.courses.values():
        for number, one in enumerate(rows):
            one |= {"window": number, "seconds": 1}
    sync(store, connection(campus, vault, kind=kind))
    keeping = Keeping("acme", vault=str(vault))
    with store.write() as db:
        told = forget(db, "acme", "1", lambda record, _: str(record["who"]), NOW, keeping.mark("1"))

    assert told.rows == 2

    report = sync(store, connection(campus, vault, kind=kind))

    assert sorted(table(store)) == ["2", "3", "6"]
    assert report.counts.skipped["forgotten"] == 2
    assert report.outcome == "complete"


def test_a_lost_key_stops_the_sync_before_it_brings_anybody_back(store: Store, campus: Campus, vault: Path) -> None:
    sync(store, connection(campus, vault))
    with store.write() as db:
        forget(db, "acme", "1", lambda _record, _kind: None, NOW, Keeping("acme", vault=str(vault)).mark("1"))
    vault.unlink()
    with pytest.raises(SettingsError, match="the key by which kept-out learners are known"):
        sync(store, connection(campus, vault))

    assert "1" not in table(store)


@pytest.mark.parametrize(
    ("native", "hidden", "kept"),
    [
        ({"user": {"id": 7, "firstname": "Mara", "lastName": "Quill"}}, ["Mara", "Quill"], [7]),
        ({"sortable_name": "Quill, Mara", "login_id": "mquill"}, ["Quill", "mquill"], []),
        ({"note": "by Mara Quill <m.quill@corp.example>"}, ["Mara", "m.quill", "corp"], ["by "]),
        ({"path": "/u/mara.quill"}, [], ["/u/"]),
        ({"x": "mara.quill"}, ["mara"], []),
        ({"mara@example.com": 1}, ["mara@"], [1]),
        ({"course": {"id": 1, "fullname": "Safety", "name": "Fire"}}, [], ["Safety", "Fire"]),
        ({"manager": {"email": "x@y.org", "name": "Bo Li"}}, ["x@y", "Bo Li"], []),
        ({"id": 123, "n": "123", "ok": None, "yes": True, "list": ["Mara", 1.5]}, ["Mara"], [123, "123", None, 1.5]),
    ],
)
def test_names_and_addresses_are_found_wherever_they_stand(
    native: dict[str, Any], hidden: list[str], kept: list[Any]
) -> None:
    made = Pseudonyms(b"key")
    found = made.of(native, ["Mara Quill"])
    text = json.dumps(found)

    assert not [word for word in hidden if word in text]
    assert all(json.dumps(one).strip('"') in text for one in kept)
    assert made.of(found, ["Mara Quill"]) == found
    assert Pseudonyms(b"other").of(native, ["Mara Quill"]) != found or not hidden
