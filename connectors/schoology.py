"""PowerSchool Schoology Learning, by its REST API v1.

There is no list of all enrollments: courses come first, then the sections of each, in which people are enrolled, then
the enrollments, completion and final grades of each section. From the vendor's documentation at
developers.schoology.com. It shows requests for many things at once in XML only; their JSON is what others send and get.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from math import ceil
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from ..core.connector import Connector, Estimate, Join, Lookup, Notice, Page, Partition
from ..core.errors import ContractError, Forbidden, Gone, RollbookError
from ..core.http import Limit
from ..core.registry import register
from ._schoology_answers import first_page, judged
from ._schoology_check import Check
from ._schoology_lists import MANY, Lists, course_path, key_of, section_path
from ._schoology_results import Results
from ._schoology_settings import SchoologySettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, Http, PageAnswer, Verdict
    from ..core.native import JSON, NativeRecord

__all__ = ["Schoology", "SchoologyGet", "SchoologySettings"]

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


@register
class Schoology(Connector[SchoologySettings]):
    """Up to 50 lists in one request: the sections of courses, and the enrollments of sections."""

    name, title, strategy = "schoology", "Schoology", "multiget"
    Settings = SchoologySettings
    together: ClassVar[bool] = True
    """Whether up to 50 things are asked for in one request."""
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
        self._lists = Lists(http, settings, together=self.together)
        self._listed = 0

    def limits(self) -> Sequence[Limit]:
        """Keep to the rate of the settings, since none is documented; four at once are our own choice."""
        return (Limit(requests=self.settings.five_second_limit, per=5.0, at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a refused key, a replay, a missing permission and a wrong address apart."""
        return judged(answer)

    async def check(self) -> Sequence[Notice]:
        """Read who the key belongs to, then a row of each list."""
        check = Check(self.http, self._lists, self.settings)
        await check.run()
        return check.notices

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the sections of all courses; each knows which others are asked for together with it."""
        self._listed = 0
        batch: list[NativeRecord] = []
        failed: RollbookError | None = None
        try:
            async with aclosing(self._sections()) as sections:
                async for section in sections:
                    batch.append(section)
                    self._listed += 1
                    if len(batch) == (MANY if self.together else 1):
                        for partition in self._partitions(batch):
                            yield partition
                        batch = []
        except RollbookError as error:
            failed = error
        for partition in self._partitions(batch):  # those that are known are read all the same
            yield partition
        if failed:
            raise failed

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the enrollments of a section, with its completion and final grades in tables."""
        del since
        section, batch = _context(partition)
        with self.table() as completion, self.table() as grades:
            results: Results | None = None
            async with aclosing(self._enrollments(key_of(section, "id"), batch, cursor)) as answers:
                async for answer in answers:
                    if results is None:  # the section is there
                        results = Results(self._lists, self.settings, completion, grades)
                        await results.read(key_of(section, "id"))
                    yield Page(results.added(answer.items, section), answer.next, total=answer.total)

    async def estimate(self) -> Estimate:
        """Add the requests for enrollments to those for each section's results."""
        least = await super().estimate()
        asked = ceil(self._listed / MANY) if self.together else self._listed
        return Estimate(least.requests + asked, exact=False, basis=f"{least.basis}, {asked:,} for enrollments")

    def fewest(self) -> int:
        """Count a page of completion and one of grades."""
        return self.settings.include_completion + self.settings.include_results

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read a list, or single people without those that are gone."""
        path, wanted = {
            "users": ("v1/users", self.settings.fetch_users),
            "inactive": ("v1/users/inactive", self.settings.fetch_inactive_users),
            "gradingperiods": ("v1/gradingperiods", self.settings.fetch_grading_periods),
        }[lookup]
        if wanted and keys is not None:
            async with aclosing(self._people(keys)) as people:
                async for person in people:
                    yield [person]
        elif wanted:
            async with aclosing(self._lists.read(path)) as answers:
                async for answer in answers:
                    yield [row if lookup == "gradingperiods" else _cut(row, USER) for row in answer.items]

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one enrollment: alone it comes without its link, so it is looked up among those of its person."""
        del known
        section_id, _, enrollment = id.partition(":")
        if not section_id or not enrollment:
            raise Gone("Schoology has no such enrollment")
        path = f"{section_path(section_id)}/enrollments"
        bare = (await self.http.get(f"{path}/{quote(enrollment, safe='')}")).object()
        answers = self._lists.read(path, uid=bare.get("uid"))
        found = [row async for answer in answers for row in answer.items if str(row.get("id")) == enrollment]
        if not found:
            raise Gone("Schoology has no such enrollment")
        section = _cut((await self.http.get(section_path(section_id))).object(), SECTION)
        with self.table() as completion, self.table() as grades:
            results = Results(self._lists, self.settings, completion, grades)
            await results.read(section_id, enrollment)
            return Page(results.added(found[:1], section))

    def _partitions(self, sections: Sequence[NativeRecord]) -> list[Partition]:
        ids = [key_of(section, "id") for section in sections]
        return [
            Partition(f"section:{id}", {"section": _cut(section, SECTION), "batch": [*ids] if self.together else []})
            for id, section in zip(ids, sections, strict=True)
        ]

    async def _sections(self) -> AsyncGenerator[NativeRecord]:
        """Read the sections of every course. One that may not be read is told once all others were listed."""
        refused: Forbidden | None = None
        async with aclosing(self._lists.read("v1/courses")) as answers:
            async for answer in answers:
                courses = [course_path(key_of(course, "id")) for course in answer.items]
                for start in range(0, len(courses), MANY):
                    some = courses[start : start + MANY]
                    ahead = await self._lists.at_once([f"{course}/sections" for course in some])
                    for course, first in zip(some, ahead, strict=True):
                        try:
                            async with aclosing(self._sections_of(course, first)) as sections:
                                async for section in sections:
                                    yield section
                        except Forbidden as error:
                            refused = refused or error
        if refused:
            raise refused

    async def _sections_of(self, course: str, ahead: Answer | None) -> AsyncGenerator[NativeRecord]:
        if ahead is not None and not (page := first_page(ahead)).next:
            for section in page.items:
                yield section
            return
        try:  # also where there are several pages: these are watched
            async with aclosing(self._lists.read(f"{course}/sections")) as answers:
                async for answer in answers:
                    for section in answer.items:
                        yield section
        except Gone:
            with suppress(Gone):  # the course was deleted meanwhile
                answer = await self.http.get(course)
                text = "Schoology has the course, but not its sections (404)"
                raise ContractError(text, where=answer.request) from None

    async def _enrollments(self, section: str, batch: Sequence[str], cursor: JSON) -> AsyncGenerator[PageAnswer]:
        ahead = await self._lists.enrollments(section, batch) if cursor is None else None
        if ahead is not None:
            page = first_page(ahead)
            yield page
            if page.next is None:
                return
            cursor = page.next
        async with aclosing(self._lists.read(f"{section_path(section)}/enrollments", cursor)) as answers:
            async for answer in answers:
                yield answer

    async def _people(self, keys: Sequence[str]) -> AsyncGenerator[NativeRecord]:
        paths = [f"v1/users/{quote(key, safe='')}" for key in keys]
        for path, ahead in zip(paths, await self._lists.single(paths), strict=True):
            with suppress(Gone):
                yield _cut((ahead or await self.http.get(path)).object(), USER)


@register
class SchoologyGet(Schoology):
    """Each list by a request of its own: nothing but what is documented in full."""

    strategy, together = "get", False
    lookups = (Lookup("users", "uid", batch=1), *Schoology.lookups[1:])


def _context(partition: Partition) -> tuple[NativeRecord, list[str]]:
    """Give a partition's section, and the ids of those that are asked for together with it."""
    match partition.context:
        case {"section": dict(section), "batch": list(batch)}:
            return section, [str(id) for id in batch]
        case _:
            raise ContractError(f"the partition {partition.key} does not hold its section")


def _cut(row: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: row[key] for key in keys if key in row}
