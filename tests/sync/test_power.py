"""The database fails in the middle of a sync: power, room, locks, a server that goes away. Then it goes on."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.errors import StoreError
from rollbook.core.store import Store
from rollbook.core.sync import Sync
from rollbook.sandbox import Sandbox, Tenant
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import make_url

from .conftest import NOW, Campus, CampusConnector, WindowsConnector, open_campus, row, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from rollbook.core.sync import Report

KINDS = pytest.mark.parametrize("kind", [CampusConnector, WindowsConnector])


def tenant() -> Campus:
    rows = [row(no % 17, who=no % 3 + 1, window=f"w{no // 17}", seconds=no) for no in range(60)]
    return Campus({"a": rows[:20], "b": rows[20:40], "c": rows[40:]}, {"1": "Ada", "2": "Ben"}, size=4)


def sync(store: Store, kind: type[CampusConnector], observe: Callable[[Report], None] | None = None) -> Report:
    return asyncio.run(Sync(open_campus(tenant(), kind), store, clock=lambda: NOW).run(observe=observe))


def expected(tmp_path: Path, kind: type[CampusConnector]) -> dict[str, dict[str, Any]]:
    with Store(f"sqlite:///{tmp_path / 'whole.db'}") as store:
        sync(store, kind)
        return table(store)


class At:
    """Does something once, at a moment of a sync."""

    def __init__(self, moment: int, work: Callable[[], None]) -> None:
        self.moments, self._moment, self._work = 0, moment, work

    def __call__(self, report: Report) -> None:
        self.moments += 1
        if self.moments == self._moment:
            self._work()


# -- power ------------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("moment", [2, 9, 17])
def test_a_lost_end_of_the_write_ahead_log_is_read_again(
    tmp_path: Path, kind: type[CampusConnector], moment: int
) -> None:
    """After a power cut the last transactions may be missing, or torn: what is left is an earlier moment."""
    whole = expected(tmp_path, kind)
    cut = tmp_path / "cut"
    cut.mkdir()

    def snap() -> None:
        for name in ("book.db", "book.db-wal"):
            shutil.copy(tmp_path / name, cut / name)

    with Store(f"sqlite:///{tmp_path / 'book.db'}") as store:
        sync(store, kind, At(moment, snap))
    log = (cut / "book.db-wal").read_bytes()
    database = (cut / "book.db").read_bytes()
    rng = random.Random(moment)
    for number in range(8):
        place = rng.randrange(len(log))
        (cut / "book.db").write_bytes(database)
        (cut / "book.db-wal").write_bytes(log[:place] + (rng.randbytes(len(log) - place) if number % 2 else b""))
        (cut / "book.db-shm").unlink(missing_ok=True)
        with Store(f"sqlite:///{cut / 'book.db'}") as store:
            report = sync(store, kind)
            found = table(store)
        with closing(sqlite3.connect(cut / "book.db")) as plain:
            [[verdict]] = plain.execute("PRAGMA integrity_check").fetchall()

        assert (report.outcome, verdict) == ("complete", "ok")
        assert whole == found


# -- locks ------------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("moment", [1, 8, 16])
def test_a_file_that_somebody_else_keeps_locked_ends_the_sync_which_goes_on_later(
    tmp_path: Path, kind: type[CampusConnector], moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollbook.core.store.database._PRAGMAS", ("PRAGMA journal_mode=WAL", "PRAGMA busy_timeout=20"))
    whole = expected(tmp_path, kind)
    file = tmp_path / "book.db"
    with Store(f"sqlite:///{file}") as store:
        with (
            closing(sqlite3.connect(file, isolation_level=None)) as other,
            pytest.raises(StoreError, match="locked") as error,
        ):
            sync(store, kind, At(moment, lambda: other.execute("BEGIN IMMEDIATE").close()))
        report = sync(store, kind)

        assert "Another program is writing to it" in str(error.value)
        assert report.resumed
        assert whole == table(store)


# -- room -------------------------------------------------------------------------------------------------------------


def config(folder: Path, sandbox: Sandbox, database: Path) -> None:
    settings = "\n".join(f'{name} = "{value}"' for name, value in sandbox.settings.items())
    (folder / "rollbook.toml").write_text(
        f'[store]\nurl = "sqlite:///{database}"\n[connections.acme]\nconnector = "talentlms"\n{settings}\n',
        encoding="utf-8",
    )


def command(folder: Path, room: int | None = None) -> subprocess.CompletedProcess[str]:
    bound = "" if room is None else f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, resource.RLIM_INFINITY)); "
    code = f"import resource, runpy; {bound}runpy.run_module('rollbook.core', run_name='__main__', alter_sys=True)"
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code, "sync", "acme"],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def statuses(database: Path) -> dict[str, tuple[str, str]]:
    with Store(f"sqlite:///{database}") as store:
        return {id: (one["status"], one["remote_data"]) for id, one in table(store).items()}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("talentlms", tenant=Tenant(as_of=datetime(2026, 6, 1, tzinfo=UTC), size=20)) as running:
        yield running


@pytest.mark.parametrize("room", [120_000, 600_000])
def test_a_file_that_may_not_grow_ends_the_sync_which_goes_on_once_there_is_room(
    tmp_path: Path, sandbox: Sandbox, room: int
) -> None:
    config(tmp_path, sandbox, tmp_path / "whole.db")

    assert command(tmp_path).returncode == 0

    config(tmp_path, sandbox, tmp_path / "book.db")
    full = command(tmp_path, room)
    again = command(tmp_path)

    assert full.returncode == 1, full.stderr
    assert "rollbook: " in full.stderr
    assert "make room" in full.stderr.lower()
    assert "Traceback" not in full.stderr
    assert again.returncode == 0, again.stderr
    assert statuses(tmp_path / "whole.db") == statuses(tmp_path / "book.db")


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("pages", [40, 130])
def test_a_disk_that_is_full_ends_the_sync_which_goes_on_once_there_is_room(
    tmp_path: Path, sandbox: Sandbox, pages: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount") or "mount"
    size = f"size={pages * 4}k"
    if subprocess.run([mount, "-t", "tmpfs", "-o", size, "tmpfs", disk], check=False, capture_output=True).returncode:  # noqa: S603 - our own
        pytest.skip("no disk can be mounted here")
    try:
        config(tmp_path, sandbox, tmp_path / "whole.db")
        assert command(tmp_path).returncode == 0
        config(tmp_path, sandbox, disk / "book.db")
        full = command(tmp_path)
        subprocess.run([mount, "-o", "remount,size=50m", disk], check=True)  # noqa: S603 - our own
        again = command(tmp_path)

        assert full.returncode == 1, full.stderr
        assert "Make room on the disk and run the same command again" in full.stderr
        assert again.returncode == 0, again.stderr
        assert statuses(tmp_path / "whole.db") == statuses(disk / "book.db")
    finally:
        subprocess.run([shutil.which("umount") or "umount", disk], check=True)  # noqa: S603 - our own


# -- a server that goes away ------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("moment", [1, 8, 16])
def test_sessions_that_the_server_ends_end_the_sync_which_goes_on_later(
    tmp_path: Path, kind: type[CampusConnector], moment: int, postgres: Callable[[], str]
) -> None:
    whole = expected(tmp_path, kind)
    address = postgres()
    sessions: set[int] = set()
    with Store(address) as store:

        def note(session: Any, *_: object) -> None:
            sessions.add(session.info.backend_pid)

        def end_all() -> None:
            admin = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
            with admin.begin() as db:
                for pid in sessions:
                    db.execute(text("select pg_terminate_backend(:pid)"), {"pid": pid})
            admin.dispose()

        event.listen(store._engine, "checkout", note)  # pyright: ignore[reportPrivateUsage] - whose sessions they are
        with pytest.raises(StoreError) as error:
            sync(store, kind, At(moment, end_all))
        report = sync(store, kind)

        assert "Run the same command again" in str(error.value)
        assert report.resumed
        assert whole == table(store)
