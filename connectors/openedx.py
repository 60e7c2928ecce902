"""Open edX: the Enrollment API, completed by courses, accounts, grades, and, if wanted, progress and certificates.

From the platform's own source (github.com/openedx/openedx-platform, formerly edx-platform), that of the completion
aggregator (github.com/open-craft/openedx-completion-aggregator), and, for the report of edX For Business,
github.com/openedx/edx-enterprise-data.
"""

from __future__ import annotations

import re
from contextlib import suppress
from math import ceil
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from ..core.connector import BaseUrl, Connector, Estimate, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Act, Limit, NextLink, OAuth2, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, Auth, PageAnswer, Vault
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["OpenEdX", "OpenEdXCourses", "OpenEdXEnterprise", "OpenEdXSettings"]

ENROLLMENTS = "api/enrollment/v1/enrollments"
COURSES = "api/courses/v1/courses/"
# behind a proxy a link may name a host that the LMS only believes to have: its path and query are all that is followed
NEXT = NextLink("next", "pagination.next", any_host=True, count="count")
ACCOUNTS = "api/user/v1/accounts"
AGGREGATOR = "completion-aggregator/v1/course/"
GROUP = 5  # answers of enrollments that make a page of ours: their learners are asked for together
NAMES = 50  # accounts in one request, for the length of its address
ROWS = 1_000  # the most rows of a page of the enterprise report
COURSE_KEYS = (
    *("id", "name", "number", "org", "start", "end", "enrollment_start", "enrollment_end", "pacing", "effort"),
    *("start_type", "hidden", "invitation_only", "mobile_available"),
)
"""What a record keeps of its course ..."""
USER_KEYS = ("id", "username", "name", "email", "is_active", "date_joined", "last_login", "country")
"""... and of its learner."""
STAFF = (
    "The application (LMS Django admin > Django OAuth Toolkit > Applications) has to be owned by a user with staff "
    "status; a restricted one needs the scopes, too."
)
_WAIT = re.compile(r"available in (\d+) second")
_NO_PLUGIN = Verdict.fail(
    ContractError,
    "the LMS has no completion aggregator (404)",
    "It is a plugin: set fetch_progress = false for a site without it.",
)
_NO_API = Verdict.fail(ContractError, "the LMS has nothing at this address (404)", "Is base_url that of the LMS?")


class OpenEdXSettings(Settings):
    """One LMS, and an application of it (LMS Django admin > Django OAuth Toolkit > Applications) owned by staff."""

    base_url: BaseUrl | None = Field(...)
    """Address of the LMS, where learners sign in; not that of Studio."""
    client_id: str
    """Client id of the application: confidential, grant type client credentials, its user with staff status."""
    client_secret: SecretStr
    """Client secret of the application."""
    token_type: Literal["jwt", "bearer"] = "jwt"  # noqa: S105 - a kind, no token
    """Kind of token to ask for; every list takes `jwt`."""
    token_path: str = "oauth2/access_token"  # noqa: S105 - a place, no token
    """Path at base_url at which tokens are given out; edX's own gateway has `oauth2/v1/access_token`."""
    page_size: int = Field(default=100, ge=1, le=100)
    """How many enrollments, courses or grades are asked for at once."""
    fetch_users: bool = True
    """Read the learners' names and e-mail addresses, too."""
    fetch_grades: bool = True
    """Read grades, without which nobody is passed or failed; one request for each hundred learners of a course."""
    fetch_progress: bool = False
    """Read progress from the completion aggregator, where that plugin is installed; as many requests as for grades."""
    fetch_certificates: bool = False
    """Read the certificate of each passed or withdrawn enrollment: its date and link, for a request each."""
    org: str = ""
    """With the strategy `courses`: only the courses of this organisation."""
    enterprise_uuid: str = ""
    """With the strategy `enterprise`: UUID of the customer of edX For Business."""
    enterprise_url: BaseUrl | None = None
    """With the strategy `enterprise`: address of the analytics service or gateway that has the report."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None:
            raise ValueError("base_url is missing: the address of your LMS, such as https://learn.example.com")
        if "://" in self.token_path or self.token_path.startswith("//"):
            raise ValueError("token_path is a path at base_url, without a host")
        if self.org and self.strategy != OpenEdXCourses.strategy:
            raise ValueError('`org` goes with strategy = "courses"')
        wanted = (bool(self.enterprise_uuid), self.enterprise_url is not None)
        if any(wanted) and self.strategy != OpenEdXEnterprise.strategy:
            raise ValueError('`enterprise_uuid` and `enterprise_url` go with strategy = "enterprise"')
        if self.strategy == OpenEdXEnterprise.strategy and not all(wanted):
            raise ValueError('strategy = "enterprise" needs `enterprise_uuid` and `enterprise_url`')
        return self

    def origin(self) -> str:
        """Give the address of the LMS, or of the report."""
        return self.enterprise_url or super().origin()

    def auth(self, vault: Vault | None) -> Auth:
        """Ask the LMS for tokens; a JWT is refused as `Bearer`."""
        del vault
        return OAuth2(
            f"{super().origin()}/{self.token_path.lstrip('/')}",
            client_id=self.client_id,
            client_secret=self.client_secret,
            extra={"token_type": self.token_type},
            scheme="JWT" if self.token_type == "jwt" else "Bearer",  # noqa: S105 - a kind, no token
        )


@register
class OpenEdX(Connector[OpenEdXSettings]):
    """The list of all enrollments, completed with the grades of each course that comes up."""

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
        Join(
            "certificate",
            "certificates",
            "when(truth(grade.passed) || truth(enrollment.is_active) == `false`,"
            " ids(enrollment.course_id, enrollment.user))",
        ),
    )
    cursor_hours = 1.0
    numbered_records = True  # by cursor up to the releases of 2025, by number after them

    def limits(self) -> Sequence[Limit]:
        """Stay below the 120 a minute that the Enrollment API gives to staff; two at once are our own choice."""
        return (Limit(requests=100, per=60.0, at_once=2),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a refused token, missing staff status, a login page and a missing list from a thing that is gone."""
        match answer.status:
            case 200 if answer.is_html and "/login" in answer.request:
                return Verdict.fail(AuthError, "the LMS asks for a login in place of an answer", STAFF)
            case 401:
                return Verdict(Act.REAUTH, "the LMS refuses the token (401)", hint=STAFF)
            case 403:
                return Verdict.fail(Forbidden, "the application's user may not read this (403)", STAFF)
            case 400 | 404:
                return _missing(answer)
            case 429 if (wait := _WAIT.search(answer.text())) and "retry-after" not in answer.headers:
                return Verdict.throttled("too many requests (429)", float(wait[1]))
            case _:
                return None

    async def check(self) -> Sequence[Notice]:
        """Read one enrollment, and of its learner and course what is to be read of all."""
        try:
            rows = (await self.http.get(ENROLLMENTS, {"page_size": 1})).items("results")
        except Forbidden:
            return (Notice(f"The list of enrollments may not be read. {STAFF}", "missing"),)
        if not rows:
            return (Notice("The LMS has no enrollments."),)
        return await self._check_joined(rows[0])

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read enrollments, and the grades and progress of their courses into a table as these come up."""
        del since
        course = partition.key.partition(":")[2]
        query = {"course_id": course or None, "page_size": self.settings.page_size}
        with self.table() as results:
            known: set[str] = set()
            records: list[NativeRecord] = []
            count = 0
            async for answer in self.http.paged(ENROLLMENTS, query, NEXT, items="results", start=cursor):
                records += await self._completed(answer.items, results, known)
                count += 1
                if count % GROUP == 0 or answer.next is None:
                    yield Page(records, answer.next, total=answer.total)
                    records = []

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all courses or one, accounts by user name, or a certificate by `course:user`."""
        if keys is None:
            async for answer in self._list(COURSES):
                yield [_cut(one, COURSE_KEYS) for one in answer.items]
        elif lookup == "users" and self.settings.fetch_users:
            with suppress(Gone):  # none of them has an account any more
                answer = await self.http.get(ACCOUNTS, {"username": ",".join(keys)})
                yield [_cut(one, USER_KEYS) for one in answer.items()]
        for key in keys or ():
            with suppress(Gone):
                if lookup == "courses":
                    yield [_cut((await self.http.get(f"{COURSES}{_quoted(key)}/")).object(), COURSE_KEYS)]
                elif lookup == "certificates" and self.settings.fetch_certificates:
                    yield [{"key": key, **(await self._certificate(key))}]

    async def estimate(self) -> Estimate:
        """Count the courses, and the enrollments where the release tells how many there are."""
        size = self.settings.page_size
        first = await self.http.get(ENROLLMENTS, {"page_size": size})
        courses = (await self.http.get(COURSES, {"page_size": 1})).find("pagination.count")
        told = first.find("count")
        pages = max(1, ceil(told / size)) if isinstance(told, int) else 1 + bool(first.find("next"))
        of_courses = courses if isinstance(courses, int) else 0
        results = of_courses * (self.settings.fetch_grades + self.settings.fetch_progress)
        lists = max(1, ceil(of_courses / size))
        basis = (
            f"at least {pages:,} for the list of enrollments, {lists:,} for the list of courses, "
            f"{results:,} for grades and progress of {of_courses:,} courses"
        )
        return Estimate(pages + lists + results, exact=False, basis=basis)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Ask the list for one learner in one course, and trust no filter."""
        del known
        course, _, user = id.rpartition(":")
        if not course or not user:
            raise Gone("an enrollment's id is the course's and the user name, such as course-v1:edX+DemoX+2026:ada")
        query = {"course_id": course, "username": user, "page_size": self.settings.page_size}
        async for answer in self.http.paged(ENROLLMENTS, query, NEXT, items="results"):
            for row in answer.items:
                if row.get("course_id") == course and row.get("user") == user:
                    with self.table() as results:
                        return Page(await self._completed([row], results, set(), user))
        raise Gone("the LMS has no such enrollment")

    async def _completed(
        self, rows: Sequence[NativeRecord], results: Table, known: set[str], user: str = ""
    ) -> list[NativeRecord]:
        """Make records of enrollments; of courses that are not known yet, results are read (of one user, or of all)."""
        active = [str(row.get("course_id")) for row in rows if row.get("is_active") is not False]
        for course in dict.fromkeys(active):  # nobody else has results in the lists
            if course not in known:
                known.add(course)
                await self._read_results(course, results, user)
        return _joined(rows, results)

    async def _read_results(self, course: str, results: Table, user: str) -> None:
        """Keep the grades and the progress of a course."""
        only: dict[str, object] = {"username": user} if user else {"page_size": self.settings.page_size}
        if self.settings.fetch_grades:
            await self._keep("grade", course, f"api/grades/v1/courses/{_quoted(course)}/", only, results)
        if self.settings.fetch_progress:
            # of one learner the name is only told when it is asked for
            query = {**only, "requested_fields": "username"}
            await self._keep("completion", course, f"{AGGREGATOR}{_quoted(course)}/", query, results)

    async def _keep(self, kind: str, course: str, path: str, query: dict[str, object], results: Table) -> None:
        with suppress(Gone):  # the course or the learner is gone by now
            async for answer in self.http.paged(path, query, NEXT, items=_results):
                results.add({f"{kind}:{course}:{row.get('username')}": row for row in answer.items})

    def _list(self, path: str, **query: object) -> AsyncGenerator[PageAnswer]:
        return self.http.paged(path, {"page_size": self.settings.page_size, **query}, NEXT, items="results")

    async def _certificate(self, key: str) -> NativeRecord:
        course, _, user = key.rpartition(":")
        path = f"api/certificates/v0/certificates/{_quoted(user)}/courses/{_quoted(course)}/"
        return (await self.http.get(path)).object()

    async def _check_joined(self, row: NativeRecord) -> list[Notice]:
        """Read what completes an enrollment, and tell what of it may not be read."""
        course, user = str(row.get("course_id")), str(row.get("user"))
        notices: list[Notice] = []
        try:
            accounts = [one async for some in self.load("users", [user]) for one in some]
            if any("email" not in one for one in accounts):
                notices.append(Notice(f"E-mail addresses may not be read. {STAFF}", "reduced"))
        except Forbidden:
            text = f"Accounts may not be read. {STAFF} Or set fetch_users = false to go without names."
            notices.append(Notice(text, "missing"))
        try:
            with self.table() as results:
                await self._read_results(course, results, user)
        except Forbidden:
            text = f"Grades or progress may not be read. {STAFF} Or set fetch_grades and fetch_progress to false."
            notices.append(Notice(text, "missing"))
        return notices


@register
class OpenEdXCourses(OpenEdX):
    """The enrollments of each course by themselves: for the courses of one organisation, and for very large sites."""

    strategy = "courses"
    numbered_partitions = 100

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses."""
        async for answer in self._list(COURSES, org=self.settings.org or None):
            for course in answer.items:
                yield Partition(f"course:{course['id']}")

    async def estimate(self) -> Estimate:
        """List the courses as far as a few requests go."""
        return await super(OpenEdX, self).estimate()

    def fewest(self) -> int:
        """Count a page of enrollments, of grades and of progress."""
        return 1 + self.settings.fetch_grades + self.settings.fetch_progress


@register
class OpenEdXEnterprise(OpenEdX):
    """The learner progress report of edX For Business: one list that has everything, for its customers only."""

    strategy = "enterprise"
    lookups, joins = (), ()

    async def check(self) -> Sequence[Notice]:
        """Read one row."""
        try:
            rows = (await self.http.get(self._report(), {"page_size": 1})).items("results")
        except Forbidden:
            text = "The report may not be read: the application's user needs access to this enterprise customer's data."
            return (Notice(text, "missing"),)
        return () if rows else (Notice("The report is empty.", "info"),)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the report."""
        del partition, since
        async for answer in self.http.paged(self._report(), {"page_size": ROWS}, NEXT, items="results", start=cursor):
            yield Page([{"enrollment": row} for row in answer.items], answer.next, self.strategy, answer.total)

    async def estimate(self) -> Estimate:
        """Ask for the number of rows."""
        told = (await self.http.get(self._report(), {"page_size": 1})).find("count")
        pages = max(1, ceil(told / ROWS)) if isinstance(told, int) else 1
        return Estimate(pages, exact=isinstance(told, int), basis=f"{pages:,} for the report")

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one row: the report has no filter for it that an e-mail address or a title would not break."""
        del known
        async for page in self.pages(Partition("all"), None, None):
            for record in page.records:
                row = record["enrollment"]
                if isinstance(row, dict) and f"{row.get('courserun_key')}:{row.get('user_username')}" == id:
                    return Page([record], kind=self.strategy)
        raise Gone("the report has no such enrollment")

    def _report(self) -> str:
        return f"enterprise/api/v1/enterprise/{_quoted(self.settings.enterprise_uuid)}/enrollments/"


def _missing(answer: Answer) -> Verdict | None:
    """Read a 404: a list is not empty because of it, and of a thing it counts only in the API's own words."""
    path, query = answer.request, answer.url.partition("?")[2]
    if answer.status == 400:  # noqa: PLR2004 - HTTP's own number
        one = path.endswith(ENROLLMENTS) and "username=" in query
        return Verdict.fail(Gone, "the LMS takes this for no course and learner (400)") if one else None
    if path.endswith(("/enrollments", "/enrollments/")) and re.search(r"(^|&)(cursor|page)=", query):
        return Verdict.fail(CursorExpired, "the LMS no longer knows this page of the list (404)")
    if path.endswith(("/enrollments", "/enrollments/", COURSES)):
        return _NO_API
    if not answer.body.strip() and path.endswith(ACCOUNTS):
        return None  # none of the learners exists
    own = not answer.is_html and any(answer.find(word) for word in ("error_code", "developer_message", "detail"))
    if own:
        return None
    return _NO_PLUGIN if AGGREGATOR in path else _NO_API


def _results(answer: Answer) -> Sequence[NativeRecord]:
    """Give the rows of a list; of one learner, grades are a list without an envelope."""
    return answer.items("" if isinstance(answer.json(), list) else "results")


def _joined(rows: Sequence[NativeRecord], results: Table) -> list[NativeRecord]:
    keys = [f"{row.get('course_id')}:{row.get('user')}" for row in rows]
    found = results.many(f"{kind}:{key}" for key in keys for kind in ("grade", "completion"))
    return [
        {"enrollment": row, "grade": found.get(f"grade:{key}"), "completion": found.get(f"completion:{key}")}
        for row, key in zip(rows, keys, strict=True)
    ]


def _cut(record: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: record[key] for key in keys if key in record}


def _quoted(part: str) -> str:
    return quote(part, safe="")
