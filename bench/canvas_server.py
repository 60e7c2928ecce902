"""A server on loopback that gives Canvas-shaped pages fast: prebuilt bytes, with a course's number put in.

    python bench/canvas_server.py ENROLLMENTS

Prints its address and serves until it is ended. The shapes are those of Canvas's documentation for courses, enrollments
and bulk progress; its people are made up.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

PAGE = 100
IN_A_COURSE = 1_000
STATES = ("active", "active", "active", "active", "active", "completed", "active", "inactive", "active", "invited")
COURSE = b"77777"
"""Stands for a course's number in the prebuilt bytes."""
_ASKED = re.compile(rb"GET /api/v1/(?:accounts/self/(courses)|courses/1(\d{5})/(\w+))\?(\S*) ")
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
        "time_zone": "Europe/Athens",
        "term": {"id": 1, "name": "Default Term", "start_at": None, "end_at": None},
    }


class Pages:
    """All pages of a tenant.

    Args:
        rows: How many enrollments; a thousand a course.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._courses = -(-rows // IN_A_COURSE)
        full = range(0, IN_A_COURSE, PAGE)
        self._made = {
            b"enrollments": [self._page([enrollment(first + one) for one in range(PAGE)]) for first in full],
            b"bulk_user_progress": [self._page([progress(first + one) for one in range(PAGE)]) for first in full],
        }

    @staticmethod
    def _page(items: list[dict[str, Any]]) -> bytes:
        return json.dumps(items).encode()

    def answer(self, head: bytes, host: bytes) -> bytes:
        """Give the whole answer to a request."""
        found = _ASKED.match(head)
        if not found:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
        asked = _PAGE.search(found[4])
        page = int(asked[1]) if asked else 1
        if found[1]:
            body, more, path = *self._course_page(page), b"accounts/self/courses"
        else:
            body, more = self._of_course(int(found[2]), found[3], page)
            path = b"courses/1%s/%s" % (found[2], found[3])
        query = _PAGE.sub(b"", found[4]).strip(b"&")
        link = b'Link: <%s/api/v1/%s?%s&page=%d>; rel="next"\r\n' % (host, path, query, page + 1) if more else b""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n" % (len(body), link)
        return head + body

    def _course_page(self, page: int) -> tuple[bytes, bool]:
        first = (page - 1) * PAGE
        last = min(first + PAGE, self._courses)
        return self._page([course(number) for number in range(first, last)]), last < self._courses

    def _of_course(self, number: int, what: bytes, page: int) -> tuple[bytes, bool]:
        there = min(IN_A_COURSE, self._rows - number * IN_A_COURSE)
        body = self._made[what][page - 1].replace(COURSE, b"%05d" % number)
        return body, page * PAGE < there


async def serve(rows: int) -> None:
    """Serve until the process is ended."""
    pages = Pages(rows)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(pages.answer(head, host))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host = b"http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    print(host.decode(), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
