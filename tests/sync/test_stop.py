"""Ctrl-C and SIGTERM at several requests of a sync by the real command: its exit status, and that it goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.store import Store
from rollbook.sandbox import Fault, Sandbox, Tenant

from .conftest import table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDS = {signal.SIGINT: (130, "Interrupted. Run the same command again"), signal.SIGTERM: (143, "the sync was stopped")}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("talentlms", tenant=Tenant(as_of=datetime(2026, 6, 1, tzinfo=UTC), size=12)) as running:
        yield running


def start(folder: Path, sandbox: Sandbox, database: str) -> subprocess.Popen[str]:
    settings = "\n".join(f'{name} = "{value}"' for name, value in sandbox.settings.items())
    (folder / "rollbook.toml").write_text(
        f'[store]\nurl = "sqlite:///{folder / database}"\n[connections.acme]\nconnector = "talentlms"\n{settings}\n',
        encoding="utf-8",
    )
    return subprocess.Popen(
        [sys.executable, "-m", "rollbook.core", "sync", "acme"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, told = process.communicate(timeout=60)
    return process.returncode, told


def rows(file: Path) -> dict[str, dict[str, Any]]:
    with Store(f"sqlite:///{file}") as store:
        return {id: {**one, "mapped_at": None} for id, one in table(store).items()}


@pytest.mark.parametrize("sign", ENDS)
def test_it_ends_with_the_signals_status_and_the_next_one_goes_on(
    tmp_path: Path, sandbox: Sandbox, sign: signal.Signals
) -> None:
    assert ended(start(tmp_path, sandbox, "whole.db"))[0] == 0

    requests = len(sandbox.requests)
    status, text = ENDS[sign]
    running: list[int] = []
    for number in (1, requests // 3, 2 * requests // 3, requests):
        running.clear()
        sandbox.faults.add(Fault(what="pass", nth=number, then=lambda: os.kill(running[0], sign)))
        process = start(tmp_path, sandbox, f"{number}.db")
        running.append(process.pid)
        stopped = ended(process)
        sandbox.faults.clear()
        asked = len(sandbox.requests)
        again = ended(start(tmp_path, sandbox, f"{number}.db"))

        assert stopped[0] == status, stopped
        assert text in stopped[1]
        assert "Traceback" not in stopped[1]
        assert again[0] == 0, again
        assert len(sandbox.requests) - asked <= requests
        assert rows(tmp_path / "whole.db") == rows(tmp_path / f"{number}.db")
