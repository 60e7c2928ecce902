"""Blackboard Learn (Anthology), by its public REST API: a course's memberships, or a user's.

There is no list of a whole site's memberships. From the vendor's specification "Learn APIs" (3900.123.0) and
docs.anthology.com: authentication, best practices, rate limits, gradebook.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator

from ..core.connector import BaseUrl, Connector, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import ContractError, Forbidden, Gone
from ..core.http import Act, Limit, NextLink, OAuth2, Quota, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from ..core.http import Answer, Auth, Vault
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["Blackboard", "BlackboardSettings", "BlackboardUsers"]

ROOT = "/learn/api/public"
COURSES, USERS, TERMS = f"{ROOT}/v3/courses", f"{ROOT}/v1/users", f"{ROOT}/v1/terms"
PAGES = NextLink("paging.nextPage")
SIZE = 100  # the most courses, users or grades of a page; of memberships it is 200
IN_ORDER: dict[str, object] = {"sort": "created"}  # what is new comes last, and shifts nothing
DAY = 86_400.0
STAFF = frozenset({"Instructor", "BbFacilitator", "TeachingAssistant", "CourseBuilder", "Grader"})
COURSE_KEYS = (
    *("id", "uuid", "externalId", "dataSourceId", "courseId", "name", "created", "modified", "organization"),
    *("ultraStatus", "closedComplete", "termId", "availability", "hasChildren", "parentId", "externalAccessUrl"),
)
"""What is asked for, and kept, of a course."""
USER_KEYS = (
    *("id", "uuid", "externalId", "dataSourceId", "userName", "studentId", "created", "modified", "lastLogin"),
    *("institutionRoleIds", "systemRoleIds", "availability", "name", "contact", "job"),
)
"""What is kept of a user: no birth date, no gender, no addresses ..."""
CONTACT_KEYS = ("email", "institutionEmail")
"""... and no telephone."""
ONE_COURSE = {"fields": ",".join(COURSE_KEYS)}
ID = re.compile(r"(_\d+_\d+):(_\d+_\d+)")
"""An enrollment's id: the course's and the user's primary ids."""

_APPLICATION = (
    "Is the application installed and available (Administrator Panel > Integrations > REST API Integrations)?"
)
_ENTITLEMENTS = (
    ("/gradebook/", "course.gradebook.MODIFY, or set fetch_grades = false"),
    (TERMS, "term.VIEW, or set fetch_terms = false"),
    ("/users", "system.courseuserlist.VIEW or system.user.course.enrollment.VIEW, and system.user.VIEW"),
    (COURSES, "system.course.VIEW"),
)
"""What the integration's user needs, by a piece of the path."""
NO_DETAILS = (
    "Less is known as expired, and cross-listed learners may come twice: the integration's user lacks "
    "system.course.properties.MODIFY or course.configure-properties.EXECUTE."
)
NO_PEOPLE = "No names or e-mail addresses: the integration's user lacks system.user.VIEW, or people hide them."
SIGNS = {"course": ("closedComplete", NO_DETAILS), "user": ("contact", NO_PEOPLE)}
"""What may be expanded in a membership: which member is left out without an entitlement, and what to say then."""


class BlackboardSettings(Settings):
    """One Learn site, and the application that its administrator installed."""

    base_url: BaseUrl | None = Field(...)
    """Address of the site, such as https://school.blackboard.com."""
    client_id: str
    """The application's key, as the developer portal gave it out. Not the Application ID."""
    client_secret: SecretStr
    """The application's secret."""
    daily_limit: int = Field(default=10_000, ge=1)
    """Requests in 24 hours that the application's developer group may make."""
    page_size: int = Field(default=200, ge=1, le=200)
    """How many memberships are asked for at once."""
    learner_roles: tuple[str, ...] = ("Student",)
    """Course roles of learners; name roles of your own here. An unknown role is read too, and counted as drift."""
    fetch_grades: bool = True
    """Also read each course's final grades: a request more for each hundred learners, and the only score."""
    fetch_terms: bool = True
    """Also read the terms: courses may take their dates from them."""
    include_organizations: bool = False
    """Also read organizations, which are kept like courses."""
    term_id: str = ""
    """Read only the courses of this term: `_7_1`, or `externalId:spring.2026`."""
    data_source_id: str = ""
    """Read only the courses of this data source: `_2_1`, or `externalId:sis`."""

    @field_validator("base_url")
    @classmethod
    def _without_api(cls, value: str | None) -> str | None:
        return value.removesuffix(ROOT) if value else value

    def auth(self, vault: Vault | None) -> Auth:
        """Get a token for the application; the same one is given again until it expires."""
        del vault
        token = f"{ROOT}/v1/oauth2/token"
        return OAuth2(token, client_id=self.client_id, client_secret=self.client_secret, credentials="basic")


@register
class Blackboard(Connector[BlackboardSettings]):
    """Course by course: memberships with their users, and the final grades."""

    name, title, strategy = "blackboard", "Blackboard Learn", "courses"
    Settings = BlackboardSettings
    cursor_hours = 1.0
    numbered_partitions = True
    numbered_records = True
    credentials = frozenset({"accessCode"})
    lookups = (Lookup("terms", "id", batch=1),)
    joins = (Join("term", "terms", "course.termId"),)
    listed: ClassVar[str] = "course"
    """What a partition is ..."""
    expanded: ClassVar[str] = "user"
    """... and what its memberships come with."""
    kind: ClassVar[str] = ""

    def limits(self) -> Sequence[Limit]:
        """Give the quota of 24 hours; four at once are our own choice."""
        return (Limit(requests=self.settings.daily_limit, per=DAY, at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a refused token, a missing entitlement, a missing API and a spent quota apart."""
        match answer.status:
            case HTTPStatus.UNAUTHORIZED:
                hint = f"Check client_id and client_secret. {_APPLICATION}"
                return Verdict(Act.REAUTH, "Blackboard refuses the token (401)", hint=hint)
            case HTTPStatus.FORBIDDEN:
                needed = next((what for piece, what in _ENTITLEMENTS if piece in answer.request), "more entitlements")
                hint = f"Give the integration's user {needed}. {_APPLICATION}"
                return Verdict.fail(Forbidden, "the integration's user may not read this (403)", hint)
            case HTTPStatus.NOT_FOUND if answer.request.endswith((COURSES, USERS, TERMS)):
                # a list that is not there must not read as empty
                hint = f"Is base_url the site's? {_APPLICATION}"
                return Verdict.fail(ContractError, "this site does not offer the list to the application (404)", hint)
            case HTTPStatus.TOO_MANY_REQUESTS:
                spent = answer.headers.get("x-rate-limit-remaining") == "0"
                return Verdict.throttled(f"{'the quota of 24 hours is spent' if spent else 'too many requests'} (429)")
            case _:
                return None

    @staticmethod
    def quota(answer: Answer) -> Quota | None:
        """Read the quota; `Retry-After` in any answer tells when it is full again, and asks for no pause."""
        headers = ("x-rate-limit-limit", "x-rate-limit-remaining", "retry-after", "x-rate-limit-reset")
        limit, left, after, reset = (_whole(answer, header) for header in headers)
        return Quota(remaining=left, reset=reset if after is None else after, limit=limit or 0, per=DAY)

    async def check(self) -> Sequence[Notice]:
        """Read one item of each list that a reading needs."""
        one = {"limit": 1}
        path, params = self._listing()
        try:
            answer = await self.http.get(path, {**params, **one})
        except Forbidden as error:
            return (Notice(f"{error.message}. {error.hint}", "missing"),)
        rows = answer.items("results")
        if not rows:
            return (Notice(f"There is no {self.listed} that the integration's user can see."),)
        notices = [*self._allowed(answer), *_reduced(rows, self.listed)]
        for path, params in self._lists(rows[0]["id"]):
            try:
                rows = (await self.http.get(path, {**params, **one})).items("results")
            except Forbidden as error:
                notices.append(Notice(f"{error.message}. {error.hint}", "missing"))
            except Gone:  # a course without a final grade
                continue
            else:
                notices += _reduced([row.get(self.expanded) for row in rows if "courseRoleId" in row], self.expanded)
        return notices

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses. The learners of a cross-listed child are listed with its parent, and only there read."""
        children: list[NativeRecord] = []
        path, params = self._listing()
        with self.table() as listed:
            async for answer in self.http.paged(path, params, PAGES, items="results"):
                listed.add({str(course["id"]): {} for course in answer.items})
                children += [course for course in answer.items if course.get("parentId")]
                for course in answer.items:
                    if not course.get("parentId"):
                        yield _partition(course)
            parents = listed.many(course["parentId"] for course in children)
        for course in children:
            if str(course["parentId"]) not in parents:  # of another term, or not to be seen
                yield _partition(course)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's memberships; its final grades only once there is a learner who may have one."""
        del since
        course = _context(partition, "course")
        path, params = self._members(course["id"])
        unread = self.settings.fetch_grades
        with self.table() as grades:
            async for answer in self.http.paged(path, params, PAGES, items="results", start=cursor):
                graded = [row.get("userId") for row in answer.items if _is_graded(row)]
                if unread and graded:
                    await self._read_grades(course["id"], grades)
                    unread = False
                found = grades.many(graded)
                rows = [(row, found.get(str(row.get("userId")))) for row in answer.items]
                yield Page([_record(row, row.get("user"), course, grade) for row, grade in rows], answer.next)

    async def _read_grades(self, course: JSON, table: Table) -> None:
        """Keep a course's final grades by user id; a course may have none, and tells it by 404."""
        path, params = _grades(course)
        try:
            async for answer in self.http.paged(path, params, PAGES, items="results"):
                table.add({str(row["userId"]): row for row in answer.items if row.get("userId")})
        except Gone:
            return

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all terms, or single ones; none where that is switched off."""
        del lookup
        if not self.settings.fetch_terms:
            return
        if keys is None:
            async for answer in self.http.paged(TERMS, None, PAGES, items="results"):
                yield answer.items
        for key in keys or ():
            if term := await self._found(f"{TERMS}/{_quoted(key)}"):
                yield [term]

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one membership with its user, its course, and the final grade."""
        del known
        if not (found := ID.fullmatch(id)):  # no other form of id gets into a path: `userName:ada` would be one, too
            raise Gone("an enrollment's id is the course's and the user's, such as _31_1:_201_1")
        course_id, user_id = found.groups()
        row = (await self.http.get(f"{_course(course_id)}/users/{user_id}", {"expand": "user"})).object()
        course = (await self.http.get(f"{COURSES}/{course_id}", ONE_COURSE)).object()
        has_grade = self.settings.fetch_grades and not self.kind and _is_graded(row)
        grade = await self._found(f"{_grades(course_id)[0]}/{user_id}") if has_grade else None
        return Page([_record(row, row.get("user"), course, grade)], kind=self.kind)

    async def _found(self, path: str) -> NativeRecord | None:
        try:
            return (await self.http.get(path)).object()
        except Gone:
            return None

    def _listing(self) -> tuple[str, dict[str, object]]:
        filters = {
            "organization": None if self.settings.include_organizations else False,
            "termId": self.settings.term_id or None,
            "dataSourceId": self.settings.data_source_id or None,
        }
        return COURSES, {**IN_ORDER, **filters, **ONE_COURSE, "limit": SIZE}

    def _members(self, id: JSON) -> tuple[str, dict[str, object]]:
        # without `role`: who is no learner is told apart, and counted, by the mapping
        return f"{_course(id)}/users", {**IN_ORDER, "expand": self.expanded, "limit": self.settings.page_size}

    def _lists(self, id: JSON) -> Iterator[tuple[str, dict[str, object]]]:
        """Give the lists, beside the first one, that a reading needs."""
        yield self._members(id)
        if self.settings.fetch_grades and not self.kind:
            yield _grades(id)
        if self.settings.fetch_terms:
            yield TERMS, {}

    def _allowed(self, answer: Answer) -> Iterator[Notice]:
        limit = _whole(answer, "x-rate-limit-limit")
        if limit not in (None, self.settings.daily_limit):
            yield Notice(f"The application may make {limit} requests in 24 hours: set daily_limit to that.")


@register
class BlackboardUsers(Blackboard):
    """User by user, for sites with more courses than users: no final grades."""

    strategy, kind = "users", "users"
    listed, expanded = "user", "course"

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the users."""
        path, params = self._listing()
        async for answer in self.http.paged(path, params, PAGES, items="results"):
            for user in answer.items:
                yield Partition(f"user:{user['id']}", {"user": _cut(user, USER_KEYS)})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a user's memberships, with their courses."""
        del since
        user = _context(partition, "user")
        path, params = self._members(user["id"])
        async for answer in self.http.paged(path, params, PAGES, items="results", start=cursor):
            yield Page([_record(row, user, row.get("course")) for row in answer.items], answer.next, self.kind)

    def _listing(self) -> tuple[str, dict[str, object]]:
        return USERS, {**IN_ORDER, "limit": SIZE}

    def _members(self, id: JSON) -> tuple[str, dict[str, object]]:
        return f"{USERS}/{_quoted(id)}/courses", super()._members(id)[1]


def _course(id: JSON) -> str:
    return f"{ROOT}/v1/courses/{_quoted(id)}"


def _grades(course: JSON) -> tuple[str, dict[str, object]]:
    return f"{ROOT}/v2/courses/{_quoted(course)}/gradebook/columns/finalGrade/users", {"limit": SIZE}


def _quoted(id: JSON) -> str:
    return quote(str(id), safe="")


def _partition(course: NativeRecord) -> Partition:
    return Partition(f"course:{course['id']}", {"course": _cut(course, COURSE_KEYS)})


def _context(partition: Partition, key: str) -> NativeRecord:
    if isinstance(partition.context, dict) and isinstance(found := partition.context.get(key), dict):
        return found
    raise ContractError(f"the partition {partition.key} does not hold its {key}")


def _record(row: NativeRecord, user: JSON, course: JSON, grade: NativeRecord | None = None) -> NativeRecord:
    """Put what was expanded beside the membership."""
    membership = {key: value for key, value in row.items() if key not in SIGNS}
    return {
        "membership": membership,
        "user": _cut(user, USER_KEYS),
        "course": _cut(course, COURSE_KEYS),
        "grade": grade,
    }


def _cut(value: JSON, keys: Sequence[str]) -> NativeRecord | None:
    """Keep some members of an object; of a user who may not be seen there is nothing."""
    if not isinstance(value, dict):
        return None
    return {key: _cut(value[key], CONTACT_KEYS) if key == "contact" else value[key] for key in keys if key in value}


def _is_graded(row: NativeRecord) -> bool:
    """Tell whether a membership can have a grade: staff has none, and Blackboard gives none of disabled ones."""
    availability = row.get("availability")
    disabled = isinstance(availability, dict) and availability.get("available") == "Disabled"
    return row.get("courseRoleId") not in STAFF and not disabled


def _whole(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isdecimal() else None


def _reduced(items: Sequence[JSON], kind: str) -> list[Notice]:
    """Tell what is missing for want of an entitlement: Blackboard leaves members out without a word."""
    sign, text = SIGNS[kind]
    return [Notice(text, "reduced") for item in items if not isinstance(item, dict) or sign not in item]
