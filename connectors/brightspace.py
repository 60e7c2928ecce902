"""D2L Brightspace: its REST API ("Valence") course by course; the Data Hub is in a module of its own.

An org unit of the type Course Offering is a course, and its class list tells who is in it. From
docs.valence.desire2learn.com (enrollments, grades, org structure, courses, roles).
"""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import TYPE_CHECKING

from ..core.connector import Join, Lookup, Notice, Page, Partition
from ..core.errors import ContractError, Forbidden, Gone
from ..core.http import Cursor
from ..core.registry import register
from ..core.table import as_key
from ._brightspace import LINKS, VERSIONS, BrightspaceSettings, BrightspaceSite, keep_latest, missing
from ._brightspace_datahub import BrightspaceDataHub

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["Brightspace", "BrightspaceDataHub", "BrightspaceSettings"]

BOOKMARKS = Cursor("bookmark", "PagingInfo.Bookmark", more="PagingInfo.HasMoreItems")  # the last page has one, too
UNIT = ("Identifier", "Name", "Code", "Type")
OFFERING = ("Identifier", "Code", "IsActive", "StartDate", "EndDate", "CourseTemplate", "Semester", "Department")
ROLE = ("Identifier", "DisplayName", "Code")
# not the comments: the private ones are the teacher's own
GRADE = (
    *("DisplayedGrade", "GradeObjectIdentifier", "GradeObjectName", "GradeObjectType", "GradeObjectTypeName"),
    *("PointsNumerator", "PointsDenominator", "WeightedNumerator", "WeightedDenominator", "LastModified"),
)


@register
class Brightspace(BrightspaceSite):
    """The class list of each course, with completions and final grades."""

    strategy = "courses"
    lookups = (Lookup("roles", "Identifier"),)
    joins = (Join("role", "roles", "enrollment.RoleId"),)

    async def check(self) -> Sequence[Notice]:
        """Ask for the versions, the first courses, and one of everything else."""
        if unsupported := await self.versions("lp", "le"):
            return unsupported
        try:
            units = (await self.http.get(self.lp("orgstructure/"), self._type())).items("Items")
        except Forbidden as error:
            return [missing(error)]
        courses = [unit for unit in units if self._is_course(unit)]
        if not courses:
            text = "No course is seen. Where there are some, the application's user may not see them in the org tree."
            return [Notice(text, "reduced")]
        notices: list[Notice] = []
        try:
            notices += await self._look_at_people(courses)
            for path, query in self._besides(_id(courses[0], "Identifier")):
                await self.http.get(path, query)
        except Forbidden as error:
            notices.append(missing(error))
        return notices

    async def _look_at_people(self, courses: Sequence[NativeRecord]) -> list[Notice]:
        """Look into the first courses until somebody is in one: a missing permission shows as an empty list."""
        for course in courses[:5]:
            rows = _people(await self.http.get(self._le(_id(course, "Identifier"), "classlist/paged/")))
            if rows:
                return _reduced(rows)
        text = (
            "Nobody is seen in the first courses. If somebody is there: the user needs View User Enrollments and Search"
            " for the learners' role, and that role must be shown in class lists."
        )
        return [Notice(text, "reduced")]

    def _besides(self, course: str) -> list[tuple[str, dict[str, object]]]:
        """List the first requests for what settings can do without."""
        reads: list[tuple[bool, str, dict[str, object]]] = [
            (self.settings.fetch_roles, self.lp("roles/"), {}),
            (self.settings.fetch_courses, self.lp(f"courses/{course}"), {}),
            (self.settings.fetch_completions, self._le(course, "grades/courseCompletion/"), {}),
            (self.settings.fetch_grades, self._le(course, "grades/final/values/"), {"pageSize": 200}),
        ]
        return [(path, query) for wanted, path, query in reads if wanted]

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the org units that are courses: not templates, semesters, groups or sections."""
        async for answer in self.http.paged(self.lp("orgstructure/"), self._type(), BOOKMARKS, items="Items"):
            for unit in answer.items:
                if self._is_course(unit):
                    yield Partition(f"course:{_id(unit, 'Identifier')}", {"course": _cut(unit, UNIT)})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's completions and grades into tables, then its class list page by page."""
        del since
        if not isinstance(partition.context, dict) or not isinstance(course := partition.context["course"], dict):
            raise ContractError(f"the partition {partition.key} does not hold its course")
        async with aclosing(self._course(course, cursor)) as pages:
            async for page in pages:
                yield page

    def fewest(self) -> int:
        """Count a page of each list of a course; how many there are is told nowhere."""
        return 1 + len(self._besides("")) - self.settings.fetch_roles

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read the names of all roles."""
        del lookup, keys
        if self.settings.fetch_roles:
            yield [_cut(role, ROLE) for role in (await self.http.get(self.lp("roles/"))).items()]

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Search a course's class list for one learner, and trust no filter."""
        del known
        course, _, user = id.partition(":")
        if not re.fullmatch(r"\d+:\d+", id, re.ASCII):
            raise Gone("an enrollment's id is the course's and the learner's, such as 8069:3163")
        unit = (await self.http.get(self.lp(f"orgstructure/{course}"))).object()
        if self._is_course(unit):
            async with aclosing(self._course(_cut(unit, UNIT), None, user)) as pages:
                async for page in pages:
                    for record in page.records:
                        if isinstance(row := record["enrollment"], dict) and as_key(row.get("Identifier")) == user:
                            return Page([record])
        raise Gone("Brightspace has no such learner in the course's class list")

    async def _course(self, course: NativeRecord, start: JSON, user: str | None = None) -> AsyncGenerator[Page]:
        """Give pages of a course's class list, or of the part of it that a search for a learner finds."""
        id = _id(course, "Identifier")
        offering = await self._offering(id) if self.settings.fetch_courses else None
        with self.table() as completions, self.table() as grades:
            try:
                await self._read_completions(id, completions, user)
                await self._read_grades(id, grades)
                path, query = self._le(id, "classlist/paged/"), {"searchTerm": user}
                async for answer in self.http.paged(path, query, LINKS, items=_people, start=start):
                    users = [as_key(row.get("Identifier")) or "" for row in answer.items]
                    done, scored = completions.many(users), grades.many(users)
                    records: list[NativeRecord] = [
                        {
                            "enrollment": row,
                            "course": course,
                            "offering": offering,
                            "completion": done.get(key),
                            "grade": scored.get(key),
                        }
                        for row, key in zip(answer.items, users, strict=True)
                    ]
                    yield Page(records, answer.next)
            except Gone as gone:
                await self._offering(id)  # gone itself, or else only that version of the API is
                raise ContractError(
                    "Brightspace has the course, but not this of it (404)", where=gone.where, hint=VERSIONS
                ) from gone

    async def _offering(self, course: str) -> NativeRecord:
        answer = await self.http.get(self.lp(f"courses/{course}"))
        if as_key(answer.find("Identifier")) != course:
            raise ContractError("the answer is not about the course that was asked for", where=answer.request)
        return _cut(answer.object(), OFFERING)

    async def _read_completions(self, course: str, table: Table, user: str | None) -> None:
        """Keep the latest completion of each learner: somebody may have completed a course again."""
        if not self.settings.fetch_completions:
            return
        path, query = self._le(course, "grades/courseCompletion/"), {"userId": user}
        async for answer in self.http.paged(path, query, BOOKMARKS, items="Items"):
            keep_latest(table, ((as_key(row.get("UserId")), row) for row in answer.items), _completed)

    async def _read_grades(self, course: str, table: Table) -> None:
        if not self.settings.fetch_grades:
            return
        path, query = self._le(course, "grades/final/values/"), {"pageSize": 200}
        async for answer in self.http.paged(path, query, LINKS, items="Objects"):
            pairs = [(row.get("User"), row.get("GradeValue")) for row in answer.items]
            table.add(
                {
                    as_key(user.get("Identifier")) or "": _cut(grade, GRADE)
                    for user, grade in pairs
                    if isinstance(user, dict) and isinstance(grade, dict)
                }
            )

    def _le(self, course: str, path: str) -> str:
        return f"d2l/api/le/{self.settings.le_version}/{course}/{path}"

    def _type(self) -> dict[str, object]:
        return {"orgUnitType": self.settings.course_type_id}

    def _is_course(self, unit: NativeRecord) -> bool:
        kind = unit.get("Type")
        return not isinstance(kind, dict) or as_key(kind.get("Id")) == str(self.settings.course_type_id)


register(BrightspaceDataHub)


def _completed(row: NativeRecord) -> str:
    return str(row.get("CompletedDate") or "")


def _people(answer: Answer) -> Sequence[NativeRecord]:
    if answer.find("PagingInfo.HasMoreItems"):  # as lists of the other style go on
        raise ContractError("the class list goes on in a way that is not known", where=answer.request)
    return answer.items("Items" if "Items" in answer.object() else "Objects")


def _id(record: NativeRecord, name: str) -> str:
    id = as_key(record.get(name))
    if id is None:
        raise ContractError(f"an org unit has no {name}")
    return id


def _cut(record: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: record[key] for key in keys if key in record}


def _reduced(rows: Sequence[NativeRecord]) -> list[Notice]:
    """Tell what privacy settings blank out for the user."""
    signs = {"RoleId": "role", "Email": "e-mail address"}
    hidden = [what for name, what in signs.items() if all(row.get(name) is None for row in rows)]
    text = "Nobody's {} is shown: the user's role may not see it (or search for that role)."
    return [Notice(text.format(what), "reduced") for what in hidden]
