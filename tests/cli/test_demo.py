"""`rollbook demo` works with nothing but the package, and leaves a database to look into."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from rollbook.core.schema import Status

if TYPE_CHECKING:
    from .conftest import Desk


def test_the_demo_leaves_rows_of_both_vendors_and_says_what_to_try(empty: Desk) -> None:
    result = empty.run("demo")

    assert result.exit_code == 0
    for said in ("talentlms: complete", "canvas: complete"):
        assert said in result.stderr
    for said in ("learner", "rollbook-demo.db", "SELECT", "rollbook connectors", "rollbook init"):
        assert said in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    with closing(sqlite3.connect("rollbook-demo.db")) as db:
        rows = db.execute("SELECT connection, status, count(*) FROM enrollments GROUP BY 1, 2").fetchall()

    assert {connection for connection, _, _ in rows} == {"talentlms", "canvas"}
    assert len({status for _, status, _ in rows}) >= 7
    for _, status, _ in rows:
        assert status in result.stdout


def test_the_demo_can_be_run_again(empty: Desk) -> None:
    empty.run("demo", "--store", "again.db")

    assert empty.run("demo", "--store", "again.db").exit_code == 0


def test_the_query_that_the_demo_suggests_runs(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import subprocess

    monkeypatch.setenv("PATH", "")
    suggested = empty.run("demo").stdout.partition("Try next:\n\n")[2].partition("  rollbook connectors")[0]
    command = suggested.replace("python3", sys.executable, 1)
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)  # noqa: S602

    assert any(status in done.stdout for status in Status)


@pytest.mark.parametrize("command", [["demo"], ["sandbox", "canvas"]])
def test_without_the_extra_it_is_told_how_to_get_it(
    empty: Desk, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith(("rollbook.sandbox", "starlette", "uvicorn"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = empty.run(*command)

    assert result.exit_code == 2
    assert "pip install 'rollbook[sandbox]'" in result.stderr
    assert result.stderr.count("\n") == 2


def test_an_unknown_vendor_of_the_sandbox_suggests_the_nearest(empty: Desk) -> None:
    result = empty.run("sandbox", "canvass")

    assert result.exit_code == 2
    assert "Did you mean 'canvas'?" in result.stderr


def test_the_sandbox_says_how_to_connect_to_it(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def serve(vendor: str, *, port: int, announce: object) -> None:
        assert callable(announce)
        announce(f"http://127.0.0.1:{port}/api/v1/courses", {"base_url": f"http://127.0.0.1:{port}", "token": "t"})

    monkeypatch.setattr("rollbook.sandbox.serve", serve)
    said = empty.run("sandbox", "canvas", "--port", "8123").stderr

    assert '[connections.canvas]\nconnector = "canvas"\nbase_url = "http://127.0.0.1:8123"\ntoken = "t"\n' in said
