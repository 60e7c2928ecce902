"""A server on loopback that gives Canvas-shaped pages fast: prebuilt bytes, with a course's number put in.

    python bench/canvas_server.py ENROLLMENTS [--latency SECONDS]

Prints its address and serves until it is ended. The shapes are those of Canvas's documentation for courses, enrollments
and bulk progress; its people are made up. Each answer is kept once it was made. Every answer waits for the latency, as
all others that are asked for meanwhile do: the server itself allows any number at once. `GET /counted` gives how many
requests there were since it was last asked, and the most that were under way at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from functools import lru_cache
from typing import Any

PAGE = 100
IN_A_COURSE = 1_000
STATES = ("active", "active", "active", "active", "active", "completed", "active", "inactive", "active", "invited")
COURSE = b"77777"
"""Stands for a course's number in the prebuilt bytes."""
_ASKED = re.compile(rb"GET /api/v1/(?:accounts/self/(courses)|courses/1(\d{5})/(\w+))\?(\S*) ")
KEPT = 1_000
"""Answers that are kept: all of a tenant of 20,000, at 120 kB each."""
_PAGE = re.compile(rb"(?:^|&)page=(\d+)")


def enrollment(place: int) -> dict[str, Any]:
    """Give the enrollment at a place of a course, with the course's number to be put in."""
    course, user, state = 177_777, 2_000_000 + place, STATES[place % len(STATES)]
    score = None if place % 3 else 50.0 + place % 50
    return {
        "id": int(f"177777{place:04d}"),
        "user_id": user,
        "course_id": course,
        "type": "StudentEnrollment",
        "created_at": "2026-02-12T19:04:26Z",
        "updated_at": f"2026-02-{1 + place % 28:02d}T19:04:26Z",
        "associated_user_id": None,
        "start_at": None,
        "end_at": "2036-12-25T09:17:16Z",
        "course_section_id": course,
        "root_account_id": 1,
        "limit_privileges_to_course_section": False,
        "enrollment_state": state,
        "role": "StudentEnrollment",
        "role_id": 3,
        "last_activity_at": "2026-03-01T00:22:16Z" if place % 4 else None,
        "last_attended_at": None,
        "total_activity_time": 60 * (place % 500),
        "sis_account_id": "A1",
        "sis_course_id": "SIS-77777",
        "sis_section_id": "SIS-77777-1",
        "sis_user_id": f"u-{user}",
        "sis_import_id": None,
        "course_integration_id": None,
        "section_integration_id": None,
        "html_url": f"https://canvas.example.edu/courses/{course}/users/{user}",
        "grades": {
            "html_url": f"https://canvas.example.edu/courses/{course}/grades/{user}",
            "current_score": score,
            "current_grade": None,
            "final_score": score,
            "final_grade": None,
        },
        "user": {
            "id": user,
            "name": f"Learner Number {place}",
            "created_at": "2025-10-15T04:17:16+00:00",
            "sortable_name": f"{place}, Learner Number",
            "short_name": "Learner",
            "sis_user_id": f"u-{user}",
            "integration_id": None,
            "sis_import_id": None,
            "login_id": f"learner{place}",
            "email": f"learner{place}@example.com",
        },
    }


def progress(place: int) -> dict[str, Any]:
    """Give the module progress of the learner at a place of a course."""
    done = place % 6
    return {
        "id": 2_000_000 + place,
        "display_name": f"Learner Number {place}",
        "progress": {
            "requirement_count": 5,
            "requirement_completed_count": done,
            "next_requirement_url": None,
            "completed_at": "2026-03-05T12:00:00Z" if done == 5 else None,  # noqa: PLR2004 - all five of them
        },
    }


def course(number: int) -> dict[str, Any]:
    """Give a course."""
    return {
        "id": 100_000 + number,
        "name": f"Course {number}",
        "course_code": f"C-{number}",
        "workflow_state": "available",
        "account_id": 1,
        "enrollment_term_id": 1,
        "created_at": "2025-07-13T09:17:16Z",
        "start_at": None,
        "end_at": None,
        "sis_course_id": f"SIS-{number}",
        "restrict_enrollments_to_course_dates": False,
        "concluded": False,
        "time_zone": "Europe/Athens",
        "term": {"id": 1, "name": "Default Term", "start_at": None, "end_at": None},
    }


class Pages:
    """All pages of a tenant.

    Args:
        rows: How many enrollments, in hundreds; a thousand a course.
        host: The server's address, for links.
    """

    def __init__(self, rows: int, host: bytes) -> None:
        self._rows = rows
        self._host = host
        self._courses = -(-rows // IN_A_COURSE)
        full = range(0, IN_A_COURSE, PAGE)
        self._made = {
            b"enrollments": [_json([enrollment(first + one) for one in range(PAGE)]) for first in full],
            b"bulk_user_progress": [_json([progress(first + one) for one in range(PAGE)]) for first in full],
        }
        self.answer = lru_cache(KEPT)(self._answer)
        """Give the whole answer to the first line of a request."""

    def _answer(self, line: bytes) -> bytes:
        found = _ASKED.match(line)
        if not found or (found[3] and found[3] not in self._made):
            return whole(b"{}", status=b"404 Not Found")
        asked = _PAGE.search(found[4])
        page = int(asked[1]) if asked else 1
        if found[1]:
            body, more, path = *self._course_page(page), b"accounts/self/courses"
        else:
            body, more = self._of_course(int(found[2]), found[3], page)
            path = b"courses/1%s/%s" % (found[2], found[3])
        query = _PAGE.sub(b"", found[4]).strip(b"&")
        link = b'Link: <%s/api/v1/%s?%s&page=%d>; rel="next"\r\n' % (self._host, path, query, page + 1)
        return whole(body, link if more else b"")

    def _course_page(self, page: int) -> tuple[bytes, bool]:
        first = (page - 1) * PAGE
        last = min(first + PAGE, self._courses)
        return _json([course(number) for number in range(first, last)]), last < self._courses

    def _of_course(self, number: int, what: bytes, page: int) -> tuple[bytes, bool]:
        there = min(IN_A_COURSE, self._rows - number * IN_A_COURSE)
        body = self._made[what][page - 1].replace(COURSE, b"%05d" % number)
        return body, page * PAGE < there


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def whole(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    """Put an answer together."""
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
    return head % (status, len(body), headers) + body


class Server:
    """What all connections share.

    Args:
        rows: How many enrollments the tenant has.
        latency: Seconds that each answer takes.
    """

    def __init__(self, rows: int, latency: float) -> None:
        self.rows = rows
        self.latency = latency
        self.pages: Pages
        self.requests = self.now = self.most = 0

    async def serve(self) -> None:
        """Print the address, and serve until the process is ended."""
        server = await asyncio.get_running_loop().create_server(lambda: Talk(self), "127.0.0.1", 0)
        host = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self.pages = Pages(self.rows, host.encode())
        print(host, flush=True)
        await server.serve_forever()

    def counted(self) -> bytes:
        """Tell what was counted, and begin anew."""
        found = _json({"requests": self.requests, "at_once": self.most})
        self.requests = self.most = 0
        return whole(found)


class Talk(asyncio.Protocol):
    """One connection: its requests have no bodies, and come one after the other."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._asked = b""
        self._wire: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is there in whole."""
        *asked, self._asked = (self._asked + data).split(b"\r\n\r\n")
        server = self._server
        for head in asked:
            line = head.partition(b"\r\n")[0]
            if line.startswith(b"GET /counted "):
                self._wire.write(server.counted())
                continue
            server.requests += 1
            server.now += 1
            server.most = max(server.most, server.now)
            if server.latency:
                asyncio.get_running_loop().call_later(server.latency, self._give, line)
            else:
                self._give(line)

    def _give(self, line: bytes) -> None:
        self._server.now -= 1
        if not self._wire.is_closing():
            self._wire.write(self._server.pages.answer(line))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("enrollments", type=int)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each answer takes")
    given = parser.parse_args()
    asyncio.run(Server(given.enrollments, given.latency).serve())
