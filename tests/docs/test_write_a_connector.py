"""The tutorial is followed as it stands, against a Lighthouse on this machine."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

SITE = "https://acme.lighthouse.example"
KEY = "secret-key-of-acme"
BOOKINGS = 230
PAGE = 200
PEOPLE = {
    number: {
        "number": number,
        "name": {"given_name": given, "family_name": "Originalsson"},
        "mail": f"{given}.originalsson@lighthouse.test".lower(),
        "unit": "Harbour",
    }
    for number, given in enumerate(
        ("Agnes", "Bertil", "Cecilia", "David", "Elsa", "Folke", "Greta", "Hjalmar"), start=71
    )
}
STATES = ("booked", "attending", "done", "missed", "cancelled", "on hold")


def _booking(number: int) -> dict[str, Any]:
    state = STATES[number % len(STATES)]
    is_done = state == "done"
    return {
        "number": f"B-{number}",
        "learner": 71 + number % len(PEOPLE),
        "role": "instructor" if number % 50 == 0 else "participant",
        "course": {"code": f"C-{number % 7}", "title": f"Course {number % 7}"},
        "state": state,
        "booked_on": "2026-01-05T08:00:00Z",
        "origin": "rule" if number % 2 else "self",
        "deadline": "2026-06-30" if number % 3 else None,
        "done_on": "2026-02-01T08:00:00Z" if is_done else None,
        "result": {"points": 15, "of": 20} if is_done else None,
        "minutes": number % 90,
    }


TABLES: dict[str, dict[str, dict[str, Any]]] = {
    "bookings": {f"B-{number}": _booking(number) for number in range(5001, 5001 + BOOKINGS)},
    "learners": {str(number): person for number, person in PEOPLE.items()},
}


class Lighthouse(BaseHTTPRequestHandler):
    """What the tutorial's documentation says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, body = self._answer()
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _answer(self) -> tuple[int, Any]:
        address = urlsplit(self.path)
        if self.headers["X-Lighthouse-Key"] != KEY:
            return 401, {"error": "no such key"}
        _, version, table, *rest = address.path.split("/")
        if version != "v2" or table not in TABLES:
            return 404, {"error": "not found"}
        if rest:
            item = TABLES[table].get(rest[0])
            return (200, item) if item else (404, {"error": "not found"})
        query = {name: int(values[0]) for name, values in parse_qs(address.query).items()}
        size, page = min(query.get("per_page", 20), PAGE), query.get("page", 1)
        items = list(TABLES[table].values())
        is_last = page * size >= len(items)
        following = None if is_last else f"/v2/{table}?per_page={size}&page={page + 1}"
        return 200, {"total": len(items), "next": following, "items": items[(page - 1) * size : page * size]}

    def log_message(self, format: str, *args: object) -> None:  # silent
        del format, args


@contextmanager
def served() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lighthouse)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_tutorial_can_be_followed_from_an_empty_folder(walk: Callable[..., Any]) -> None:
    with served() as address:

        def amend(path: str, text: str) -> str:
            return text.replace(SITE, address) if path == "rollbook.toml" else text

        done = walk("write-a-connector.md", amend)
    folder = done.folder
    recording = (folder / "fixtures" / "acme.har.json").read_text(encoding="utf-8")
    with sqlite3.connect(folder / "rollbook.db") as db:
        found = dict(db.execute("SELECT status, count(*) FROM enrollments GROUP BY status").fetchall())
    db.close()

    assert {"new", "test", "explain", "check", "plan", "record", "sync", "drift", "remap"} <= {
        line.split()[1] for line in done.made if line.startswith("rollbook ")
    }
    assert not re.findall(r"Originalsson|lighthouse\.test|Agnes|Bertil|Cecilia|" + KEY, recording)
    assert sum(found.values()) == BOOKINGS - len(
        [one for one in TABLES["bookings"].values() if one["role"] == "instructor"]
    )
    assert "unknown" not in found
