"""A script written by hand for one job: a Canvas account's enrollments into SQLite, upserted.

    python bench/script.py https://school.instructure.com enrollments.db

What it needs: httpx, orjson, pydantic; nothing of rollbook. It makes the requests that rollbook makes, eight at once,
and keeps the same fields in the same words, and each native record as JSON. The token is in TOKEN.
"""

# what it imports is only in its own environment
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import httpx
import orjson
from by_hand import canvas
from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

AT_ONCE = 8
TRIES = 5
COURSES = {
    "include[]": ["term", "concluded"],
    "with_enrollments": "true",
    "state[]": ["created", "claimed", "available", "completed"],
    "enrollment_type[]": "student",
    "per_page": 100,
}
ENROLLMENTS = {
    "type[]": "StudentEnrollment",
    "state[]": ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"],
    "include[]": "email",
    "per_page": 100,
}
COURSE_KEYS = (
    *("id", "name", "original_name", "course_code", "workflow_state", "account_id", "enrollment_term_id"),
    *("start_at", "end_at", "created_at", "sis_course_id", "time_zone", "restrict_enrollments_to_course_dates"),
    *("concluded", "term"),
)
Status = Literal[
    "assigned", "enrolled", "in_progress", "completed", "passed", "failed", "withdrawn", "expired", "overdue", "unknown"
]


class Email(BaseModel):
    email: str
    type: str | None = None
    is_primary: bool | None = None


class User(BaseModel):
    id: str | None = None
    name: str | None = None
    emails: list[Email] = []


class Course(BaseModel):
    id: str | None = None
    title: str | None = None


class Person(BaseModel):
    id: str | None = None
    name: str | None = None


class Url(BaseModel):
    url: str
    type: str | None = None


class Enrollment(BaseModel):
    """The 22 fields."""

    id: Annotated[str, Field(min_length=1)]
    user: User
    course: Course
    status: Status
    assigned_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = None
    enrolled_at: AwareDatetime | None = None
    started_at: AwareDatetime | None = None
    last_activity_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    progress_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    time_spent_seconds: int | None = None
    score: float | None = None
    is_mandatory: bool | None = None
    assigned_by: Person | None = None
    attempt_number: int | None = None
    attempts_count: int | None = None
    urls: list[Url] = []
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime | None = None
    custom_fields: dict[str, Any] = {}
    remote_data: dict[str, Any] = {}


PAGE = TypeAdapter(list[Enrollment])
SAME = (
    *("status", "progress_percent", "time_spent_seconds", "score", "is_mandatory", "attempt_number", "attempts_count"),
)
DATES = (
    *("assigned_at", "due_at", "enrolled_at", "started_at", "last_activity_at", "completed_at"),
    *("created_at", "updated_at"),
)
COLUMNS = (
    *("id", "user_id", "user_name", "user_email", "user_emails", "course_id", "course_title"),
    *("assigned_by_id", "assigned_by_name", "urls", "custom_fields", "remote_data", *SAME, *DATES),
)
CREATE = f"CREATE TABLE IF NOT EXISTS enrollments ({', '.join(COLUMNS)}, PRIMARY KEY (id))"
UPSERT = (
    f"INSERT INTO enrollments ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608 - our own names
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
)


def row(one: Enrollment) -> tuple[Any, ...]:
    by, emails = one.assigned_by, one.user.emails
    return (
        one.id,
        one.user.id,
        one.user.name,
        emails[0].email if emails else None,
        written([{"email": it.email, "type": it.type, "is_primary": it.is_primary} for it in emails]),
        one.course.id,
        one.course.title,
        by.id if by else None,
        by.name if by else None,
        written([{"url": it.url, "type": it.type} for it in one.urls]),
        written(one.custom_fields),
        written(one.remote_data),
        *[getattr(one, name) for name in SAME],
        *[moment.isoformat() if (moment := getattr(one, name)) else None for name in DATES],
    )


def written(value: Any) -> str:
    return orjson.dumps(value).decode()


class Canvas:
    """The few requests."""

    def __init__(self, base_url: str, token: str) -> None:
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
            limits=httpx.Limits(max_connections=AT_ONCE),
        )

    async def pages(self, path: str, query: dict[str, Any]) -> AsyncIterator[list[dict[str, Any]]]:
        """Follow the links from page to page."""
        answer = await self.get(f"/api/v1/{path}", query)
        while True:
            yield orjson.loads(answer.content)
            if not (following := answer.links.get("next")):
                return
            answer = await self.get(following["url"])

    async def get(self, url: str, query: dict[str, Any] | None = None) -> httpx.Response:
        for tried in range(TRIES):
            async with self._at_once:
                try:
                    answer = await self.client.get(url, params=query)
                except httpx.TransportError:
                    if tried == TRIES - 1:
                        raise
                else:
                    throttled = answer.status_code == 403 and "rate limit" in answer.text.lower()  # noqa: PLR2004
                    if not (throttled or answer.status_code == 429 or answer.status_code >= 500):  # noqa: PLR2004
                        return answer.raise_for_status()
            await asyncio.sleep(2**tried)
        raise RuntimeError(f"{url} failed {TRIES} times")


async def read_course(canvas_api: Canvas, db: sqlite3.Connection, course: dict[str, Any]) -> int:
    path, base_url = f"courses/{course['id']}", str(canvas_api.client.base_url).rstrip("/")
    kept = {key: course[key] for key in COURSE_KEYS if key in course}
    progress: dict[int, dict[str, Any]] = {}
    async for page in canvas_api.pages(f"{path}/bulk_user_progress", {"per_page": 100}):
        progress |= {one["id"]: one["progress"] for one in page if "error" not in one["progress"]}
    count, as_of = 0, datetime.now(UTC)
    async for page in canvas_api.pages(f"{path}/enrollments", ENROLLMENTS):
        records = ({"enrollment": one, "course": kept, "progress": progress.get(one["user_id"])} for one in page)
        mapped = [found for record in records if (found := canvas(record, as_of=as_of, base_url=base_url))]
        with db:
            db.executemany(UPSERT, [row(one) for one in PAGE.validate_python(mapped)])
        count += len(mapped)
    return count


async def main(base_url: str, file: str) -> None:
    api = Canvas(base_url, os.environ["TOKEN"])
    db = sqlite3.connect(file)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute(CREATE)
    async with api.client, asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(read_course(api, db, course))
            async for page in api.pages("accounts/self/courses", COURSES)
            for course in page
        ]
    db.close()
    print(sum(task.result() for task in tasks), "enrollments")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
