"""Open edX: the Enrollment API, completed by courses, accounts, grades, and, if wanted, progress and certificates.

From the platform's own source (github.com/openedx/openedx-platform, formerly edx-platform), that of the completion
aggregator (github.com/open-craft/openedx-completion-aggregator), and, for the report of edX For Business,
github.com/openedx/edx-enterprise-data.
"""

from __future__ import annotations

from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from ..core.connector import Connector, Estimate, Join, Lookup, Notice, Page, Partition
from ..core.errors import Forbidden, Gone
from ..core.http import Limit
from ..core.registry import register
from ._openedx_answers import ACCOUNTS, COURSES, ENROLLMENTS, NEXT, REPORTS, STAFF, judged, quoted
from ._openedx_results import COMPLETION, GRADE, Results
from ._openedx_settings import OpenEdXSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, PageAnswer, Verdict
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["OpenEdX", "OpenEdXBreakdown", "OpenEdXCourses", "OpenEdXEnterprise", "OpenEdXSettings"]

BREAKDOWN = "api/grades/v1/section_grades_breakdown/"
GROUP = 5  # answers of enrollments that make a page of ours: their learners are asked for together
MOST = 100  # the most courses of a page
NAMES = 50  # accounts in one request, for the length of its address
ROWS = 1_000  # the most rows of a page of the enterprise report
COURSE_KEYS = (
    *("id", "name", "number", "org", "start", "end", "enrollment_start", "enrollment_end", "pacing", "effort"),
    *("start_type", "hidden", "invitation_only", "mobile_available"),
)
"""What a record keeps of its course ..."""
USER_KEYS = ("id", "username", "name", "email", "is_active", "date_joined", "last_login", "country")
"""... and of its learner."""
GRADE_KEYS = ("course_id", "username", "passed", "current_grade")
ACTIVE = "truth(enrollment.is_active) != `false`"
PASSED_OR_GONE = "truth(grade.passed) || truth(enrollment.is_active) == `false`"


@register
class OpenEdX(Connector[OpenEdXSettings]):
    """The list of all enrollments, and the grades of each course that comes up in it."""

    name, title, strategy = "openedx", "Open edX", "platform"
    Settings = OpenEdXSettings
    lookups = (
        Lookup("courses", "id", batch=1),
        Lookup("users", "username", whole=False, batch=NAMES),
        Lookup("certificates", "key", whole=False, batch=1),
    )
    joins = (
        Join("course", "courses", "enrollment.course_id"),
        Join("user", "users", "enrollment.user"),
        Join("certificate", "certificates", f"when({PASSED_OR_GONE}, ids(enrollment.course_id, enrollment.user))"),
    )
    cursor_hours = 1.0
    numbered_records = True  # by cursor up to the releases of 2025, by number after them
    kind: ClassVar[str] = ""
    by_course: ClassVar[frozenset[str]] = frozenset({GRADE, COMPLETION})
    """What is read course by course, if it is wanted."""

    def limits(self) -> Sequence[Limit]:
        """Stay below the 120 a minute that the Enrollment API gives to staff; two at once are our own choice."""
        return (Limit(requests=100, per=60.0, at_once=2),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a refused token, missing staff status, a login page and a missing list from a thing that is gone."""
        return judged(answer)

    async def check(self) -> Sequence[Notice]:
        """Read one enrollment, and of its learner and course what is to be read of all."""
        try:
            rows = (await self.http.get(ENROLLMENTS, {"page_size": 1})).items("results")
        except Forbidden:
            return (Notice(f"The list of enrollments may not be read. {STAFF}", "missing"),)
        if not rows:
            return (Notice("The LMS has no enrollments."),)
        course, user = str(rows[0].get("course_id")), str(rows[0].get("user"))
        notices: list[Notice] = []
        try:
            accounts = [one async for some in self.load("users", [user]) for one in some]
            if any("email" not in one for one in accounts):
                notices.append(Notice(f"E-mail addresses may not be read. {STAFF}", "reduced"))
        except Forbidden:
            text = f"Accounts may not be read. {STAFF} Or set fetch_users = false to go without names."
            notices.append(Notice(text, "missing"))
        try:
            await self._try_results(course, user)
        except Forbidden:
            text = f"Grades or progress may not be read. {STAFF} Or set fetch_grades and fetch_progress to false."
            notices.append(Notice(text, "missing"))
        return notices

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read enrollments, and the grades and progress of their courses into a table as these come up."""
        del since
        only = {"course_id": partition.key.partition(":")[2] or None}
        with self.table() as table:
            results, count = self._results(table), 0
            records: list[NativeRecord] = []
            async for answer in self._list(ENROLLMENTS, cursor, **only):
                records += await results.beside(answer.items)
                count += 1
                if count % GROUP == 0 or answer.next is None:
                    yield Page(records, answer.next, self.kind, answer.total)
                    records = []

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all courses or one, accounts by user name, or a certificate by `course:user`."""
        if keys is None:
            async for answer in self.http.paged(COURSES, {"page_size": MOST}, NEXT, items="results"):
                yield [_cut(one, COURSE_KEYS) for one in answer.items]
        elif lookup == "users" and self.settings.fetch_users:
            with suppress(Gone):  # none of them has an account any more
                answer = await self.http.get(ACCOUNTS, {"username": ",".join(keys)})
                yield [_cut(one, USER_KEYS) for one in answer.items()]
        for key in keys or ():
            with suppress(Gone):
                if lookup == "courses":
                    yield [_cut((await self.http.get(f"{COURSES}{quoted(key)}/")).object(), COURSE_KEYS)]
                elif lookup == "certificates" and self.settings.fetch_certificates:
                    course, _, user = key.rpartition(":")
                    path = f"api/certificates/v0/certificates/{quoted(user)}/courses/{quoted(course)}/"
                    yield [{"key": key, **(await self.http.get(path)).object()}]

    async def estimate(self) -> Estimate:
        """Count the courses, and the enrollments where the release tells how many there are."""
        size = self.settings.page_size
        first = await self.http.get(ENROLLMENTS, {"page_size": size})
        pages = _pages(first.find("count"), size) or 1 + bool(first.find("next"))
        count = (await self.http.get(COURSES, {"page_size": 1})).find("pagination.count")
        lists, results = _pages(count, MOST) or 1, (count if isinstance(count, int) else 1) * len(self._kinds())
        basis = f"at least {pages:,} for enrollments, {lists:,} for courses, {results:,} for grades and progress"
        return Estimate(pages + lists + results, exact=False, basis=basis)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Ask the list for one learner in one course, and trust no filter."""
        del known
        course, _, user = id.rpartition(":")
        if not course or not user:
            raise Gone("an enrollment's id is the course's and the user name, such as course-v1:edX+DemoX+2026:ada")
        async for answer in self._list(ENROLLMENTS, course_id=course, username=user):
            for row in answer.items:
                if row.get("course_id") == course and row.get("user") == user:
                    with self.table() as table:
                        return Page(await self._results(table, user).beside([row]), kind=self.kind)
        raise Gone("the LMS has no such enrollment")

    async def _try_results(self, course: str, user: str) -> None:
        with self.table() as table:
            await self._results(table, user).read(course)

    def _results(self, table: Table, user: str = "") -> Results:
        return Results(self.http, table, self._kinds(), self.settings.page_size, user)

    def _kinds(self) -> frozenset[str]:
        wanted = {GRADE: self.settings.fetch_grades, COMPLETION: self.settings.fetch_progress}
        return frozenset(kind for kind in self.by_course if wanted[kind])

    def _list(self, path: str, start: JSON = None, **query: object) -> AsyncGenerator[PageAnswer]:
        params = {**query, "page_size": self.settings.page_size}
        return self.http.paged(path, params, NEXT, items="results", start=start)


@register
class OpenEdXBreakdown(OpenEdX):
    """Grades of all courses in one list, for many small courses: no scores and no letters."""

    strategy = kind = "breakdown"
    lookups = (*OpenEdX.lookups, Lookup("grades", "ids(course_id, username)", batch=1))
    joins = (Join("grade", "grades", f"when({ACTIVE}, ids(enrollment.course_id, enrollment.user))"), *OpenEdX.joins)
    by_course = frozenset({COMPLETION})

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all grades or one, or what is the same in each strategy."""
        if lookup != "grades":
            async for records in super().load(lookup, keys):
                yield records
        elif self.settings.fetch_grades:
            for key in keys or (":",):
                course, _, user = key.rpartition(":")
                async for answer in self._list(BREAKDOWN, course_id=course or None, username=user or None):
                    yield [_cut(one, GRADE_KEYS) for one in answer.items]

    async def estimate(self) -> Estimate:
        """Count grades as enrollments: they are listed likewise."""
        found = await super().estimate()
        first = await self.http.get(ENROLLMENTS, {"page_size": 1})
        pages = (_pages(first.find("count"), self.settings.page_size) or 1) * self.settings.fetch_grades
        return Estimate(found.requests + pages, exact=False, basis=f"{found.basis}, {pages:,} for the list of grades")

    async def _try_results(self, course: str, user: str) -> None:
        await super()._try_results(course, user)
        async for _ in self.load("grades", [f"{course}:{user}"]):
            pass


@register
class OpenEdXCourses(OpenEdX):
    """The enrollments of each course by themselves: for the courses of one organisation, and for very large sites."""

    strategy = "courses"
    numbered_partitions = True

    async def check(self) -> Sequence[Notice]:
        """Also look for a course of the organisation."""
        async for _ in self.partitions():
            return await super().check()
        org = self.settings.org
        return (
            Notice(f"There is no course of {org!r}: check `org`." if org else "The LMS has no courses.", "missing"),
        )

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses."""
        query = {"org": self.settings.org or None, "page_size": MOST}
        async for answer in self.http.paged(COURSES, query, NEXT, items="results"):
            for course in answer.items:
                yield Partition(f"course:{course['id']}")

    async def estimate(self) -> Estimate:
        """List the courses as far as a few requests go."""
        return await super(OpenEdX, self).estimate()

    def fewest(self) -> int:
        """Count a page of enrollments, of grades and of progress."""
        return 1 + len(self._kinds())


@register
class OpenEdXEnterprise(OpenEdX):
    """The learner progress report of edX For Business: one list that has everything, for its customers only."""

    strategy = kind = "enterprise"
    lookups, joins = (), ()

    async def check(self) -> Sequence[Notice]:
        """Read one row."""
        try:
            rows = (await self.http.get(self._report(), {"page_size": 1})).items("results")
        except Forbidden:
            return (Notice(f"The report may not be read. {REPORTS}", "missing"),)
        return () if rows else (Notice("The report is empty."),)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the report."""
        del partition, since
        query = {"page_size": ROWS}
        async for answer in self.http.paged(self._report(), query, NEXT, items="results", start=cursor):
            yield Page([{"enrollment": row} for row in answer.items], answer.next, self.kind, answer.total)

    async def estimate(self) -> Estimate:
        """Ask for the number of rows."""
        pages = _pages((await self.http.get(self._report(), {"page_size": 1})).find("count"), ROWS)
        return Estimate(pages or 1, exact=pages > 0, basis=f"{pages or 1:,} for the report")

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one row: the report has no filter for it that a new e-mail address or title would not break."""
        del known
        course, _, user = id.rpartition(":")
        async for answer in self.http.paged(self._report(), {"page_size": ROWS}, NEXT, items="results"):
            for row in answer.items:
                if row.get("courserun_key") == course and row.get("user_username") == user:
                    return Page([{"enrollment": row}], kind=self.kind)
        raise Gone("the report has no such enrollment")

    def _report(self) -> str:
        return f"enterprise/api/v1/enterprise/{quoted(self.settings.enterprise_uuid)}/enrollments/"


def _pages(count: JSON, size: int) -> int:
    """Give the pages of a list; 0 if the LMS does not tell how long it is."""
    return max(1, ceil(count / size)) if isinstance(count, int) else 0


def _cut(record: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: record[key] for key in keys if key in record}
