"""A made-up tenant of each built-in vendor, ready to be read, and the fewest requests that its API allows for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

import httpx
import pretend
from rollbook.core.connection import open_connection
from rollbook.core.sync import Sync
from rollbook.sandbox import Quota, Tenant, app

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.core.connection import Connection
    from rollbook.core.store import Store
    from rollbook.core.sync import Report

ORIGIN = "https://lms.example.com"
PLENTY = Quota(10**9, 10.0)
DOCEBO = {"base_url": ORIGIN, "client_id": "made-up", "client_secret": "made-up"}


@dataclass(frozen=True)
class Case:
    """A tenant, and how it is read."""

    name: str
    settings: dict[str, Any]
    transport: httpx.AsyncBaseTransport
    asked: Callable[[], int]
    """Gives the requests that were made so far."""
    least: int
    why: str
    """What the fewest are made of."""
    pretend: Any = field(default=None)

    def connection(self) -> Connection:
        """Open it."""
        connector = self.name.partition(" ")[0]
        return open_connection("bench", connector, self.settings, transport=self.transport)


async def sync(case: Case, store: Store) -> Report:
    """Read a tenant into a store."""
    async with case.connection() as connection:
        report = await Sync(connection, store).run()
    assert report.outcome == "complete", report
    assert not report.counts.retries, report
    return report


async def cases(size: int) -> list[Case]:
    """Give a tenant of each vendor with as many people; two where there are two strategies."""
    return [
        await _canvas(size),
        await _talentlms(size, "users"),
        await _talentlms(size, "courses"),
        _docebo(size, "learn"),
        _docebo(size, "course"),
        _moodle(max(1, size // 100), 100),
    ]


def _pages(rows: int, size: int) -> int:
    return max(1, ceil(rows / size))


async def _canvas(size: int) -> Case:
    lms = app("canvas", tenant=Tenant(size=size), quota=PLENTY)
    transport, settings = httpx.ASGITransport(lms), lms.vendor.settings(ORIGIN)
    courses, query = f"{ORIGIN}/api/v1/accounts/self/courses", {"with_enrollments": "true"}
    kinds = {"enrollment_type[]": "student", "state[]": ["created", "claimed", "available", "completed"]}
    states = ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"]
    wanted = {"type[]": "StudentEnrollment", "state[]": states}
    headers = {"Authorization": f"Bearer {settings['access_token']}"}
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        found = await _listed(client, courses, query | kinds)
        lists = pages = 0
        for course in found:
            path = f"{ORIGIN}/api/v1/courses/{course['id']}"
            for name, params in (("enrollments", wanted), ("bulk_user_progress", {})):
                lists, pages = lists + 1, pages + _pages(len(await _listed(client, f"{path}/{name}", params)), 100)
    least = _pages(len(found), 100) + pages
    why = f"courses and, of {len(found)} courses, enrollments and progress: {lists + 1} lists in pages of 100"
    return Case("canvas", settings, transport, lambda: len(lms.requests), least, why)


async def _listed(client: httpx.AsyncClient, url: str, params: dict[str, Any]) -> list[Any]:
    """Read a list to its end, whatever the pages."""
    found: list[Any] = []
    answer = await client.get(url, params={**params, "per_page": 100})
    while answer.is_success:
        found += answer.json()
        if "next" not in answer.links:
            break
        answer = await client.get(answer.links["next"]["url"])
    return found


async def _talentlms(size: int, strategy: str) -> Case:
    lms = app("talentlms", tenant=Tenant(size=size), quota=PLENTY)
    transport, settings = httpx.ASGITransport(lms), lms.vendor.settings(ORIGIN)
    async with httpx.AsyncClient(transport=transport, auth=(settings["api_key"], "")) as client:
        users, courses = [len((await client.get(f"{ORIGIN}/api/v1/{what}")).json()) for what in ("users", "courses")]
    by = {
        "users": (1 + users, f"the list of users in one answer, {users} users"),
        "courses": (2 + courses, f"the lists of courses and of users in one answer each, {courses} courses"),
    }
    settings = settings | {"strategy": strategy}
    return Case(f"talentlms {strategy}", settings, transport, lambda: len(lms.requests), *by[strategy])


def _docebo(size: int, strategy: str) -> Case:
    lms = pretend.Docebo(size, 4)
    enrollments, users = _pages(len(lms.rows), 200), _pages(len(lms.users), 200)
    why = f"a token, {enrollments} pages of enrollments and {users} of users, 200 each"
    settings = DOCEBO | {"strategy": strategy}
    return Case(f"docebo {strategy}", settings, lms, lambda: lms.requests, 1 + enrollments + users, why, lms)


def _moodle(courses: int, learners: int) -> Case:
    lms = pretend.Moodle(courses, learners)
    everybody = [2 * 10_000 + course * 10_000 + user for course in range(courses) for user in range(learners)]
    active = [user for user in everybody if lms.active(user)]
    done = [user for user in active if lms.completed(user)]
    lists = sum(2 * _pages(learners, 500) for _ in range(courses))
    why = f"courses, {lists} pages of participants, {courses} of grades, {len(active)} learners, {len(done)} done"
    settings = {"base_url": ORIGIN, "token": "made-up"}
    least = 1 + lists + courses + len(active) + len(done)
    return Case("moodle", settings, lms, lambda: lms.requests, least, why, lms)
