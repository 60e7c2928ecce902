"""PowerSchool Schoology Learning, by its REST API v1.

There is no list of all enrollments: courses come first, then the sections of each, in which people are enrolled, then
the enrollments, completion and final grades of each section. From the vendor's documentation (developers.schoology.com),
which shows requests for many things at once in XML only; their JSON is what its users send and get.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ..core.connector import Connector, Estimate, Join, Lookup, Notice, Page, Partition
from ..core.errors import AuthError, ContractError, Forbidden, Gone
from ..core.http import Limit
from ..core.registry import register
from ._schoology_answers import MANY, PAGES, first_page, judged, multiget, rows
from ._schoology_settings import SchoologySettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, Http, PageAnswer, Verdict
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["Schoology", "SchoologyGet", "SchoologySettings"]

STATES = "1,2,3,4,5"  # without them only active ones may come: the documentation says both
FRESH = 300.0  # seconds for which an answer that was asked for ahead is waited with
SECTION = (
    *("id", "course_id", "course_title", "course_code", "school_id", "building_id", "section_title", "section_code"),
    *("section_school_code", "synced", "active", "grading_periods"),
)
"""What a record keeps of its section: no access code, with which anybody could enroll."""
USER = (
    *("uid", "id", "school_id", "building_id", "additional_buildings", "school_uid", "synced", "username"),
    *("name_title", "name_first", "name_first_preferred", "name_middle", "name_last", "name_display"),
    *("primary_email", "role_id", "tz_name", "name", "inactive_timestamp", "modified_by_uid"),
)
"""What it keeps of a person: no parents, gender, birthday or telephone; most are minors."""
LISTS = {"users": "users", "inactive": "users/inactive", "gradingperiods": "gradingperiods"}
OFF = "Let the key's user have the permission, or set {} = false."


@register
class Schoology(Connector[SchoologySettings]):
    """Up to 50 lists in one request: of the sections of courses, and of the enrollments of sections."""

    name, title, strategy = "schoology", "Schoology", "multiget"
    Settings = SchoologySettings
    lookups = (Lookup("users", "uid", batch=MANY), Lookup("inactive", "uid"), Lookup("gradingperiods", "id"))
    joins = (
        Join("user", "users", "enrollment.uid"),
        Join("inactive", "inactive", "enrollment.uid"),
        Join("periods", "gradingperiods", "section.grading_periods"),
    )
    numbered_partitions = True
    numbered_records = True
    cursor_hours = 1.0
    credentials = frozenset({"access_code", "password"})

    def __init__(self, settings: SchoologySettings, http: Http) -> None:
        super().__init__(settings, http)
        self._asking, self._listed = asyncio.Lock(), 0
        self._ahead: dict[str, tuple[float, Answer | None]] = {}

    def limits(self) -> Sequence[Limit]:
        """Keep to the rate of the settings, since none is documented; four at once are our own choice."""
        return (Limit(requests=self.settings.five_second_limit, per=5.0, at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a refused key, a replay, a missing permission and a wrong address apart."""
        return judged(answer)

    async def check(self) -> Sequence[Notice]:
        """Read who the key belongs to, then one row of each list."""
        await self.http.get("v1/users/me")  # with any good key
        notices: list[Notice] = []
        courses = await self._try("v1/courses", notices, "The key has to be a system administrator's.")
        for lookup, setting in (("users", "fetch_users"), ("inactive", "fetch_inactive_users")):
            if getattr(self.settings, setting):
                await self._try(f"v1/{LISTS[lookup]}", notices, OFF.format(setting))
        if self.settings.fetch_grading_periods:
            await self._try("v1/gradingperiods", notices, OFF.format("fetch_grading_periods"))
        if courses:
            await self._check_course(courses, notices)
        return notices

    async def _check_course(self, courses: Sequence[NativeRecord], notices: list[Notice]) -> None:
        buildings = {str(course.get("building_id") or "") for course in courses}
        if len(courses) > 1 and len(buildings) == 1 and not self.settings.building_id:
            text = (
                "All courses seen are in one building. A key that belongs to a building is given no other's, silently."
            )
            notices.append(Notice(text))
        sections = await self._try(f"v1/courses/{_quoted(courses[0].get('id'))}/sections", notices, "")
        if not sections:
            return
        path = _path(sections[0].get("id"))
        await self._try(f"{path}/enrollments", notices, "")
        if self.settings.include_completion:
            await self._try(f"{path}/completion", notices, OFF.format("include_completion"))
        if self.settings.include_results:
            await self._try(f"{path}/grades", notices, OFF.format("include_results"))

    async def _try(self, path: str, notices: list[Notice], remedy: str) -> Sequence[NativeRecord]:
        try:
            answer = await self.http.get(path, self._query(path))
        except (Forbidden, AuthError) as error:  # the key itself is good: it may read its own user
            notices.append(Notice(f"No {path.rpartition('/')[2]}: {error.message}. {remedy or error.hint}", "missing"))
            return ()
        return _grades(answer) if path.endswith("/grades") else rows(answer)

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the sections of all courses."""
        self._listed = 0
        batch: list[NativeRecord] = []
        async with aclosing(self._sections()) as sections:
            async for section in sections:
                batch.append(section)
                self._listed += 1
                if len(batch) == MANY:
                    for partition in self._batch(batch):
                        yield partition
                    batch = []
        for partition in self._batch(batch):
            yield partition

    def _batch(self, sections: Sequence[NativeRecord]) -> list[Partition]:
        ids: list[JSON] = [_key(section, "id") for section in sections]
        return [
            Partition(f"section:{id}", {"section": _cut(section, SECTION), "batch": ids})
            for id, section in zip(ids, sections, strict=True)
        ]

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the enrollments of a section, with its completion and final grades in tables."""
        del since
        section = _section(partition)
        known = False
        with self.table() as completion, self.table() as grades:
            async with aclosing(self._enrollments(partition, cursor)) as answers:
                async for answer in answers:
                    if not known:  # the section is there
                        await self._read_results(_path(section["id"]), completion, grades)
                        known = True
                    yield Page(_records(answer.items, section, completion, grades), answer.next, total=answer.total)

    async def estimate(self) -> Estimate:
        """Add the requests for enrollments, each for many sections, to those that each section takes."""
        least = await super().estimate()
        asked = ceil(self._listed / MANY)
        return Estimate(least.requests + asked, exact=False, basis=f"{least.basis}, {asked:,} for enrollments")

    def fewest(self) -> int:
        """Count a page of completion and of grades."""
        return self.settings.include_completion + self.settings.include_results

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read a list, or single people without those that are gone."""
        wanted = {
            "users": self.settings.fetch_users,
            "inactive": self.settings.fetch_inactive_users,
            "gradingperiods": self.settings.fetch_grading_periods,
        }
        if wanted[lookup]:
            found = self._everything(lookup) if keys is None else self._people(keys)
            async with aclosing(found) as batches:
                async for records in batches:
                    yield records

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one enrollment: alone it comes without its link, so it is looked up among those of its person."""
        del known
        section_id, _, enrollment = id.partition(":")
        if not section_id or not enrollment:
            raise Gone("Schoology has no such enrollment")
        path = _path(section_id)
        bare = (await self.http.get(f"{path}/enrollments/{_quoted(enrollment)}")).object()
        query = {**self._query(f"{path}/enrollments"), "uid": bare.get("uid")}
        found = [row async for page in self.http.paged(f"{path}/enrollments", query, PAGES, items=rows) for row in page.items]
        row = next((row for row in found if str(row.get("id")) == enrollment), None)
        if row is None:
            raise Gone("Schoology has no such enrollment")
        section = _cut((await self.http.get(path)).object(), SECTION)
        with self.table() as completion, self.table() as grades:
            await self._read_results(path, completion, grades, enrollment)
            return Page(_records([row], section, completion, grades))

    # courses and sections

    async def _sections(self) -> AsyncGenerator[NativeRecord]:
        """Read the sections of every course. One that may not be read is told once all others were listed."""
        refused: Forbidden | None = None
        async with aclosing(self._list("v1/courses")) as answers:
            async for answer in answers:
                paths = [f"v1/courses/{_quoted(_key(course, 'id'))}/sections" for course in answer.items]
                for start in range(0, len(paths), MANY):
                    some = paths[start : start + MANY]
                    for path, ahead in zip(some, await self._together(some), strict=True):
                        try:
                            async with aclosing(self._sections_of(path, ahead)) as sections:
                                async for section in sections:
                                    yield section
                        except Gone:
                            await self._see_gone(path.removesuffix("/sections"))
                        except Forbidden as error:
                            refused = refused or error
        if refused:
            raise refused

    async def _see_gone(self, course: str) -> None:
        """Make sure that a course without a list of sections was deleted meanwhile."""
        with suppress(Gone):
            answer = await self.http.get(course)
            raise ContractError("Schoology has the course, but not its sections (404)", where=answer.request)

    async def _sections_of(self, path: str, ahead: Answer | None) -> AsyncGenerator[NativeRecord]:
        if ahead is not None and not (page := first_page(ahead)).next:
            for section in page.items:
                yield section
            return
        async with aclosing(self._list(path)) as answers:  # also where there are several pages, so that this is seen
            async for answer in answers:
                for section in answer.items:
                    yield section

    async def _together(self, paths: Sequence[str]) -> list[Answer | None]:
        """Ask for many lists at once; None for each that is to be asked for alone."""
        return await multiget(self.http, [self._with_query(path) for path in paths])

    # a section

    async def _enrollments(self, partition: Partition, cursor: JSON) -> AsyncGenerator[PageAnswer]:
        path = f"{_path(_section(partition)['id'])}/enrollments"
        ahead = await self._first(partition) if cursor is None else None
        if ahead is not None:
            page = first_page(ahead)
            yield page
            if page.next is None:
                return
            cursor = page.next
        async with aclosing(self._list(path, cursor)) as answers:
            async for answer in answers:
                yield answer

    async def _first(self, partition: Partition) -> Answer | None:
        """Give the first enrollments of a section, which were asked for together with those of others, or are now."""
        id, batch = _key(_section(partition), "id"), _others(partition)
        async with self._asking:
            asked, found = self._ahead.pop(id, (None, None))
            if id in batch and (asked is None or time.monotonic() - asked > FRESH):
                self._ahead = {one: (time.monotonic(), None) for one in batch if one != id}
                # if this fails, so does this section; the others are asked for alone
                answers = await self._together([f"{_path(one)}/enrollments" for one in batch])
                now = time.monotonic()
                self._ahead = dict(zip(batch, ((now, answer) for answer in answers), strict=True))
                _, found = self._ahead.pop(id)
        return found

    async def _read_results(self, path: str, completion: Table, grades: Table, enrollment: str = "") -> None:
        """Keep the completion of a section by person, and its final grades by enrollment."""
        what, setting = "completion", "include_completion"
        try:
            if self.settings.include_completion:
                async with aclosing(self._list(f"{path}/completion")) as answers:
                    async for answer in answers:
                        completion.add({_key(row, "uid"): row for row in answer.items})
            what, setting = "grades", "include_results"
            if self.settings.include_results:
                await self._read_grades(f"{path}/grades", grades, enrollment)
        except Gone as error:  # the section itself is there: this must not read as none
            hint = f"{setting} = false reads without."
            raise ContractError(f"Schoology has the section, but not its {what} (404)", hint=hint) from error

    async def _read_grades(self, path: str, grades: Table, enrollment: str) -> None:
        query = self._query(path) | ({"enrollment_id": enrollment} if enrollment else {})
        # pages are cut by the grades of single assignments, which are not kept
        async with aclosing(self.http.paged(path, query, PAGES, items=_grades)) as answers:
            async for answer in answers:
                final = answer.answer.items("final_grade") if answer.answer.find("final_grade") else []
                grades.add({_key(row, "enrollment_id"): row for row in final})

    # lists

    def _list(self, path: str, start: JSON = None) -> AsyncGenerator[PageAnswer]:
        return self.http.paged(path, self._query(path), PAGES, items=rows, start=start)

    def _query(self, path: str) -> dict[str, object]:
        own: dict[str, object] = {}
        if path == "v1/courses" and self.settings.building_id:
            own = {"building_id": self.settings.building_id}
        elif path.endswith("/sections") and self.settings.include_past_sections:
            own = {"include_past": 1}
        elif path.endswith("/enrollments"):
            own = {"enrollment_status": STATES}
        return {**own, "start": 0, "limit": self.settings.page_size}

    def _with_query(self, path: str) -> str:
        return f"{path}?{urlencode(self._query(path), safe=',')}"

    async def _everything(self, lookup: str) -> AsyncGenerator[Sequence[NativeRecord]]:
        async with aclosing(self._list(f"v1/{LISTS[lookup]}")) as answers:
            async for answer in answers:
                yield [row if lookup == "gradingperiods" else _cut(row, USER) for row in answer.items]

    async def _people(self, keys: Sequence[str]) -> AsyncGenerator[Sequence[NativeRecord]]:
        paths = [f"v1/users/{_quoted(key)}" for key in keys]
        for path, ahead in zip(paths, await self._singly(paths), strict=True):
            with suppress(Gone):
                yield [_cut((ahead or await self.http.get(path)).object(), USER)]

    async def _singly(self, paths: Sequence[str]) -> list[Answer | None]:
        return await multiget(self.http, paths)


@register
class SchoologyGet(Schoology):
    """Each list by a request of its own: nothing but what is documented in full."""

    strategy = "get"
    lookups = (Lookup("users", "uid", batch=1), *Schoology.lookups[1:])

    async def estimate(self) -> Estimate:
        """Count as every connector does."""
        return await Connector.estimate(self)

    def fewest(self) -> int:
        """Count a page of enrollments, too."""
        return 1 + super().fewest()

    def _batch(self, sections: Sequence[NativeRecord]) -> list[Partition]:
        return [
            Partition(f"section:{_key(section, 'id')}", {"section": _cut(section, SECTION)}) for section in sections
        ]

    async def _together(self, paths: Sequence[str]) -> list[Answer | None]:
        return [None for _ in paths]

    async def _singly(self, paths: Sequence[str]) -> list[Answer | None]:
        return [None for _ in paths]

    async def _first(self, partition: Partition) -> Answer | None:
        del partition


def _records(
    found: Sequence[NativeRecord], section: NativeRecord, completion: Table, grades: Table
) -> list[NativeRecord]:
    done = completion.many(row.get("uid") for row in found)
    graded = grades.many(row.get("id") for row in found)
    return [
        {
            "enrollment": row,
            "section": section,
            "completion": done.get(str(row.get("uid"))),
            "grade": graded.get(str(row.get("id"))),
        }
        for row in found
    ]


def _grades(answer: Answer) -> Sequence[NativeRecord]:
    """Give the grades of single assignments: pages are told apart by them. An empty list may come in their place."""
    place = answer.object().get("grades")
    if isinstance(place, dict) and place.get("grade"):
        return answer.items("grades.grade")
    return () if place == [] or isinstance(place, dict) else answer.items("grades.grade")


def _section(partition: Partition) -> NativeRecord:
    context = partition.context
    if not isinstance(context, dict) or not isinstance(section := context.get("section"), dict):
        raise ContractError(f"the partition {partition.key} does not hold its section")
    return section


def _others(partition: Partition) -> list[str]:
    context = partition.context
    batch = context.get("batch") if isinstance(context, dict) else None
    return [str(id) for id in batch] if isinstance(batch, list) else []


def _key(row: NativeRecord, name: str) -> str:
    if not isinstance(value := row.get(name), (str, int)):
        raise ContractError(f"expected {name} in each row")
    return str(value)


def _path(section: JSON) -> str:
    return f"v1/sections/{_quoted(section)}"


def _quoted(id: JSON) -> str:
    return quote(str(id), safe="")


def _cut(row: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: row[key] for key in keys if key in row}
