"""The example module works for who puts it beside a rollbook.toml: from the config to stored enrollments."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .conftest import Place

EXAMPLE = Path(__file__).parent.parent.parent / "examples" / "module"
PAGES = [
    [
        {
            "user": {"id": 1, "name": "Ada Fenn", "email": "ada.fenn@example.com"},
            "course": {"id": 7, "title": "Fire Safety"},
            "state": "done",
            "progress": 100,
            "enrolled_at": "2026-01-10T08:00:00Z",
            "completed_at": "2026-02-01T10:00:00Z",
        }
    ],
    [{"user": {"id": 2, "name": "Bo Larch"}, "course": {"id": 7, "title": "Fire Safety"}, "state": "open"}],
]


class Site(BaseHTTPRequestHandler):
    """An LMS with one list, in two pages."""

    def do_GET(self) -> None:
        if self.headers["Authorization"] != "Bearer made-up-token":
            self.send_error(401)
            return
        number = int(self.path.partition("&page=")[2] or 1)
        body = json.dumps(PAGES[number - 1]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if number < len(PAGES):
            self.send_header("Link", f'</api/enrollments?per_page=100&page={number + 1}>; rel="next"')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def served() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def school(tmp_path: Path, place: type[Place], monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Copy the example, and let its LMS be on this machine."""
    monkeypatch.setenv("SCHOOL_TOKEN", "made-up-token")
    for name in ("rollbook.toml", "my_lms.py", "my_lms.toml"):
        shutil.copy(EXAMPLE / name, tmp_path)
    with served() as address:
        config = tmp_path / "rollbook.toml"
        config.write_text(config.read_text(encoding="utf-8").replace("https://lms.example.com", address))
        yield place(tmp_path)


def test_it_is_found_read_and_stored(school: Place) -> None:
    listed = school.run("rollbook.core", "connectors")
    synced = school.run("rollbook.core", "sync", "school")
    exported = school.run("rollbook.core", "export", "school", "--format", "jsonl")
    found = {row["id"]: row for row in map(json.loads, exported.stdout.splitlines())}

    assert (listed.returncode, listed.stderr) == (0, "")
    assert "My LMS" in listed.stdout
    assert synced.returncode == 0, synced.stderr
    assert {id: row["status"] for id, row in found.items()} == {"1:7": "completed", "2:7": "in_progress"}
    assert found["1:7"]["user"]["name"] == "Ada Fenn"


def test_from_another_folder_its_config_is_named(school: Place, place: type[Place], tmp_path: Path) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    done = place(elsewhere).run("rollbook.core", "--config", str(school.folder / "rollbook.toml"), "check", "school")

    assert done.returncode == 0, done.stderr


def test_a_broken_module_beside_it_is_reported_and_breaks_nothing_else(school: Place) -> None:
    (school.folder / "torn.py").write_text("import sys\nsys.exit(3)\n")
    config = school.folder / "rollbook.toml"
    config.write_text(config.read_text(encoding="utf-8").replace('["my_lms"]', '["torn", "my_lms"]'))
    listed = school.run("rollbook.core", "connectors")

    assert listed.returncode == 0
    assert listed.stderr == (
        "rollbook: warning: 'torn' cannot be loaded: torn: SystemExit: 3 (torn.py:2)\n"
        "Mend it, or take it out of [plugins] modules in rollbook.toml.\n"
    )
    assert school.run("rollbook.core", "sync", "school").returncode == 0
