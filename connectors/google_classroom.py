"""Google Classroom: the Classroom API v1, read course by course.

There is no list of a domain's enrollments: its courses are listed, then each course gives its pending invitations, its
roster, and, as the only sign of progress, its course work with the students' submissions.
After Google's own description of the API (the discovery document classroom:v1) and its guides
(developers.google.com/workspace/classroom: Usage limits, Access errors, Error structure).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, model_validator

from ..core.connector import Connector, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Act, Cursor, Limit, OAuth2, Verdict
from ..core.registry import register
from ._google import TOKEN, delegated, items_of, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
    from typing import Self

    from ..core.http import Answer, Auth, PageAnswer, Vault
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

API = "https://classroom.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/classroom."

# what is asked for of each resource: an enrollment code, which lets anybody in, and attachments are not
COURSE = (
    "id,name,section,room,subject,ownerId,creationTime,updateTime,courseState,alternateLink,"
    "gradebookSettings(calculationType)"
)
PROFILE = "id,name(givenName,familyName,fullName),emailAddress"
STUDENT = f"courseId,userId,profile({PROFILE})"
INVITATION = "id,userId,courseId,role"
COURSE_WORK = "id,title,state,maxPoints,dueDate,dueTime"
SUBMISSION = "id,courseWorkId,userId,state,late,assignedGrade,submissionHistory(stateHistory)"
SIZE = 500
"""Items of a page that are asked for; the most is documented nowhere, and Google gives fewer as it likes."""
INVITED, STUDENTS = "invitations", "students"
INVITATION_KIND = "invitation"


class GoogleClassroomSettings(Settings):
    """Give `service_account_json` and `subject`, or `client_id`, `client_secret` and `refresh_token`."""

    service_account_json: SecretStr | None = None
    """Content of a service account's key file (Google Cloud console > IAM & Admin > Service Accounts > Keys)."""
    subject: str = ""
    """E-mail address of the administrator in whose name the service account reads; one who sees every course."""
    client_id: str = ""
    """Id of an OAuth client (Google Cloud console > APIs & Services > Credentials), in place of a service account."""
    client_secret: SecretStr | None = None
    """Secret of the OAuth client."""
    refresh_token: SecretStr | None = None
    """Refresh token that the OAuth client was given by an administrator."""
    token_url: str = ""
    """Where tokens are given out, in place of Google's address (a proxy, a test)."""
    course_states: tuple[Literal["ACTIVE", "ARCHIVED", "PROVISIONED", "DECLINED", "SUSPENDED"], ...] = Field(
        default=("ACTIVE", "ARCHIVED"), min_length=1
    )
    """Courses in these states are read."""
    include_submissions: bool = True
    """Also read course work and submissions, the only sign of progress: at least two requests more for a course."""
    include_invitations: bool = True
    """Also read invitations that nobody has accepted yet: at least one request more for a course."""
    include_emails: bool = True
    """Ask for e-mail addresses; off where the scope classroom.profile.emails is not delegated."""
    derive_score: bool = False
    """Work a score out of the graded work, in courses whose grades are total points; Google tells no overall grade."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        grant = [bool(self.client_id), self.client_secret is not None, self.refresh_token is not None]
        if any(grant) if self.service_account_json else not all(grant):
            raise ValueError("give either service_account_json, or all of client_id, client_secret and refresh_token")
        if self.service_account_json and "@" not in self.subject:
            raise ValueError("subject is missing: the e-mail address of the administrator to read in the name of")
        return self

    def origin(self) -> str:
        """Give Google's address."""
        return self.base_url or API

    def scopes(self) -> list[str]:
        """Name what is asked for: one scope that is not delegated, and no token is given at all."""
        wanted = {
            "courses.readonly": True,
            "rosters.readonly": True,
            "profile.emails": self.include_emails,
            "coursework.students.readonly": self.include_submissions,
        }
        return [SCOPE + name for name, is_wanted in wanted.items() if is_wanted]

    def auth(self, vault: Vault | None) -> Auth:
        """Sign in as the service account in the administrator's name, or with the refresh token."""
        if self.service_account_json:
            key = self.service_account_json.get_secret_value()
            return delegated(key, self.subject, self.scopes(), self.token_url)
        return OAuth2(
            self.token_url or TOKEN,
            grant="refresh_token",
            client_id=self.client_id,
            client_secret=self.client_secret or "",
            refresh_token=self.refresh_token or "",
            vault=vault,
        )


@register
class GoogleClassroom(Connector[GoogleClassroomSettings]):
    """Courses of a domain, then the invitations, the roster and the submissions of each."""

    name, title = "google_classroom", "Google Classroom"
    Settings = GoogleClassroomSettings
    lookups = (Lookup("profiles", "id", whole=False, batch=1),)
    joins = (Join("profile", "profiles", "invitation.userId"),)  # a student's own stands in the roster
    credentials = frozenset({"enrollmentCode"})
    hosts = frozenset({"oauth2.googleapis.com"})

    def limits(self) -> Sequence[Limit]:
        """Give the quota of one user, the administrator, which is below that of a project; eight at once are ours."""
        return (Limit(requests=1_200, per=60.0, at_once=8),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a spent quota, a missing scope, a switched-off service and a hidden profile apart."""
        path, query = answer.request.partition(" ")[2], urlsplit(answer.url).query
        match answer.status:
            case 400 if "pageToken=" in query and not path.endswith("/v1/courses"):
                # inferred: nothing says for how long a token is good
                return Verdict.fail(CursorExpired, "Google does not take the page token any more (400)")
            case 401:
                hint = "Check the credentials: was the key deleted, or the access withdrawn?"
                return Verdict(Act.REAUTH, "Google refuses the access token (401)", hint=hint)
            case 403:
                return _refused(answer, path)
            case 404 if path.endswith("/v1/courses"):
                return Verdict.fail(ContractError, "there is no Classroom API here (404)", "Is base_url right?")
            case _:
                return None

    async def check(self) -> Sequence[Notice]:
        """Read a few courses, and one item of each list of the first."""
        some = {**self._courses(), "pageSize": 20, "fields": "courses(id)"}
        try:
            courses = items_of("courses")(await self.http.get("v1/courses", some))
            taught = items_of("courses")(await self.http.get("v1/courses", {**some, "teacherId": "me"}))
        except Forbidden as error:
            return (Notice(f"Courses cannot be listed: {error.message}. {error.hint}", "missing"),)
        if not courses:
            return (Notice("There is no course that this account can see: is it an administrator's?"),)
        notices = [notice async for notice in self._lists(_text(courses[0], "id"))]
        if all(course in taught for course in courses):
            text = "This account teaches every course that was looked at: one who is no administrator sees no others."
            notices.append(Notice(text, "reduced"))
        return notices

    async def _lists(self, course: str) -> AsyncIterator[Notice]:
        path, work = _course(course), "coursework.students.readonly, or set include_submissions = false"
        lists = {"Rosters": (f"{path}/students", "rosters.readonly")}
        if self.settings.include_submissions:
            lists |= {"Course work": (f"{path}/courseWork", work)}
            lists |= {"Submissions": (f"{path}/courseWork/-/studentSubmissions", work)}
        if self.settings.include_invitations:
            scope = "rosters.readonly, or set include_invitations = false"
            lists |= {"Invitations": (f"v1/invitations?courseId={course}", scope)}
        for what, (place, scope) in lists.items():
            try:
                answer = await self.http.get(place, {"pageSize": 1})
            except Forbidden as error:
                yield Notice(f"{what} cannot be read: {error.message}. It takes {SCOPE}{scope}.", "missing")
                continue
            students = items_of(STUDENTS)(answer) if what == "Rosters" and self.settings.include_emails else ()
            if students and "emailAddress" not in _part(students[0], "profile"):
                yield Notice(f"No e-mail addresses: the scope {SCOPE}profile.emails is missing.", "reduced")

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses, newest first."""
        async for answer in self._list("v1/courses", "courses", COURSE, self._courses()):
            for course in answer.items:
                yield Partition(f"course:{_text(course, 'id')}", {"course": course})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's invitations, then its roster with what each student handed in."""
        del since
        course = _part(partition.context, "course")
        path = _course(_text(course, "id"))
        try:
            async for page in self._pages(path, course, cursor):
                yield page
        except Gone as lost:
            await self.http.get(path, {"fields": "id"})  # which is Gone itself if the course is
            raise ContractError("Google has the course, but not what belongs to it (404)", where=lost.where) from lost

    async def _pages(self, path: str, course: NativeRecord, cursor: JSON) -> AsyncIterator[Page]:
        stage, start = self._place(cursor)
        if stage == INVITED:
            async for rows, following in self._invited(path, course, start):
                if rows or following is not None:
                    stage = STUDENTS if following is None else INVITED
                    records: list[NativeRecord] = [{"invitation": row, "course": course} for row in rows]
                    yield Page(records, {"list": stage, "from": following}, INVITATION_KIND)
            start = None
        with self.table() as table:
            counts = await self._read_work(path, table) if self.settings.include_submissions else None
            async for answer in self._list(f"{path}/students", STUDENTS, STUDENT, size=100, start=start):
                work = _work(table, counts, [_text(row, "userId") for row in answer.items])
                records = [_record(row, course, work) for row in answer.items]
                yield Page(records, None if answer.next is None else {"list": STUDENTS, "from": answer.next})

    def _place(self, cursor: JSON) -> tuple[str, JSON]:
        if cursor is None:
            return INVITED if self.settings.include_invitations else STUDENTS, None
        if not isinstance(cursor, dict) or cursor.get("list") not in {INVITED, STUDENTS}:
            raise CursorExpired("the cursor is none of this connector's")
        return str(cursor["list"]), cursor.get("from")

    async def _invited(
        self, path: str, course: NativeRecord, start: JSON
    ) -> AsyncIterator[tuple[Sequence[NativeRecord], JSON]]:
        """Give invitations of those who are not in the roster: a student may be asked to teach."""
        students: set[str] | None = None
        query = {"courseId": course["id"]}
        async for answer in self._list("v1/invitations", INVITED, INVITATION, query, start=start):
            if answer.items and students is None:
                roster = self._list(f"{path}/students", STUDENTS, "userId", size=100)
                students = {_text(row, "userId") async for page in roster for row in page.items}
            yield [row for row in answer.items if _text(row, "userId") not in (students or ())], answer.next

    async def _read_work(self, path: str, table: Table, **student: str) -> Counter[str]:
        """Keep submissions, each beside its course work, by student and number; give how many each student has.

        Work that was deleted keeps its submissions: they stand alone.
        """
        published: dict[str, NativeRecord] = {}
        states: dict[str, object] = {"courseWorkStates": "PUBLISHED"}
        async for answer in self._list(f"{path}/courseWork", "courseWork", COURSE_WORK, states):
            published |= {_text(one, "id"): one for one in answer.items}
        counts = Counter[str]()
        if not published:
            return counts
        place = f"{path}/courseWork/-/studentSubmissions"  # `-`: of all course work
        async for answer in self._list(place, "studentSubmissions", SUBMISSION, student):
            kept: dict[str, NativeRecord] = {}
            for row in answer.items:
                user, work = _text(row, "userId"), published.get(_text(row, "courseWorkId"))
                kept[f"{user}:{counts[user]}"] = {"submission": row, "course_work": work}
                counts[user] += 1
            table.add(kept)
        return counts

    def fewest(self) -> int:
        """Count a page of each list; how many pages they have, and whether there is work, is told nowhere."""
        return 1 + self.settings.include_invitations + self.settings.include_submissions

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read the profiles of who is invited, one by one; those that may not be seen are left out."""
        del lookup
        for key in keys or ():
            try:
                yield [(await self.http.get(f"v1/userProfiles/{quote(key, safe='')}", {"fields": PROFILE})).object()]
            except Gone:
                continue

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read the course, and the student in it or an invitation to it."""
        del known
        course_id, _, user = id.partition(":")
        if not course_id or not user.isdecimal():  # Google would take an address, an alias or `me`, too
            raise Gone("Google Classroom has no such enrollment")
        path = _course(course_id)
        course = (await self.http.get(path, {"fields": COURSE})).object()
        if course.get("id") != course_id:
            raise Gone("Google Classroom has no such enrollment")
        try:
            row = (await self.http.get(f"{path}/students/{user}", {"fields": STUDENT})).object()
        except Gone:
            return await self._invitation(course, user)
        with self.table() as table:
            counts = await self._read_work(path, table, userId=user) if self.settings.include_submissions else None
            return Page([_record(row, course, _work(table, counts, [user]))])

    async def _invitation(self, course: NativeRecord, user: str) -> Page:
        if self.settings.include_invitations:
            query = {"courseId": course["id"], "userId": user}
            listing = self._list("v1/invitations", INVITED, INVITATION, query)
            if found := [row async for answer in listing for row in answer.items]:
                return Page([{"invitation": found[0], "course": course}], kind=INVITATION_KIND)
        raise Gone("Google Classroom has no such enrollment")

    def _courses(self) -> dict[str, object]:
        return {"courseStates": list(self.settings.course_states)}  # without any, declined ones come too

    def _list(
        self,
        path: str,
        name: str,
        fields: str,
        query: Mapping[str, object] | None = None,
        *,
        size: int = SIZE,
        start: JSON = None,
    ) -> AsyncGenerator[PageAnswer]:
        pager = Cursor("pageToken", "nextPageToken", size_param="pageSize", size=size)
        asked = {**(query or {}), "fields": f"nextPageToken,{name}({fields})"}
        return self.http.paged(path, asked, pager, items=items_of(name), start=start)


def _course(id: str) -> str:
    return f"v1/courses/{quote(id, safe='')}"


def _text(row: NativeRecord, name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise ContractError(f"an item of a list has no {name}")
    return value


def _part(value: JSON, name: str) -> NativeRecord:
    part = value.get(name) if isinstance(value, dict) else None
    return part if isinstance(part, dict) else {}


def _record(student: NativeRecord, course: NativeRecord, work: Mapping[str, list[JSON] | None]) -> NativeRecord:
    return {"student": student, "course": course, "work": work.get(_text(student, "userId"))}


def _work(table: Table, counts: Counter[str] | None, users: Iterable[str]) -> dict[str, list[JSON] | None]:
    """Give what was kept of each student's work, in an order that is always the same; None if it was not read."""
    if counts is None:
        return dict.fromkeys(users)
    keys = {user: [f"{user}:{number}" for number in range(counts[user])] for user in users}
    found = table.many(key for mine in keys.values() for key in mine)
    return {user: [*sorted((found[key] for key in mine), key=_order)] for user, mine in keys.items()}


def _order(one: NativeRecord) -> tuple[str, str]:
    row = _part(one, "submission")
    return str(row.get("courseWorkId")), str(row.get("id"))


def _refused(answer: Answer, path: str) -> Verdict:
    found = refusal(answer)
    if found.is_throttling:
        return Verdict.throttled("too many requests (403)")
    for why in (found.code, *sorted(found.reasons)):
        if why in _HINTS:
            return Verdict.fail(Forbidden, f"Google refuses access (403, {why})", _HINTS[why])
    if "/v1/userProfiles/" in path and not found.code:
        return Verdict.fail(Gone, "there is no such profile, or it may not be seen (403)")
    why = f"403, {found.code}" if found.code else "403"
    hint = "Read in the name of an administrator who sees every course, with every scope delegated."
    return Verdict.fail(Forbidden, f"this account may not read this ({why})", hint)


_SCOPES = "The token lacks a scope: delegate it to the service account, or sign in anew with the OAuth client."
_NO_API = "Enable the Google Classroom API in the Cloud project: APIs & Services > Library."
_HINTS = {
    "ClassroomDisabled": "Classroom is off for this account: turn it on in the Admin console, or take another subject.",
    "ClassroomApiDisabled": "Turn on data access for Classroom in the Admin console (Apps > Classroom > Data access).",
    "insufficientPermissions": _SCOPES,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": _SCOPES,
    "accessNotConfigured": _NO_API,
    "SERVICE_DISABLED": _NO_API,
}
