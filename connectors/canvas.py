"""Canvas LMS (Instructure): REST API v1, read course by course.

There is no list of a whole account's enrollments: courses come from "List active courses in an account", then each
course gives "List enrollments" and "Get bulk user progress". From developerdocs.instructure.com/services/canvas and the
controllers of github.com/instructure/canvas-lms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import SecretStr, field_validator, model_validator

from ..core.connector import Connector, Notice, Page, Partition, Settings
from ..core.errors import ContractError, Forbidden, Gone
from ..core.http import Act, Bearer, Limit, LinkHeader, OAuth2, Quota, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import Self

    from ..core.http import Answer, Auth, Vault
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

COURSE: dict[str, object] = {"include[]": ["term", "concluded"]}
# unpublished courses are `created` or `claimed` to the filter
COURSES = {**COURSE, "with_enrollments": True, "state[]": ["created", "claimed", "available", "completed"]}
STUDENTS = ["StudentEnrollment"]
EVERYBODY = [
    *STUDENTS,
    "TeacherEnrollment",
    "TaEnrollment",
    "DesignerEnrollment",
    "ObserverEnrollment",
    "StudentViewEnrollment",
]
# without state[] the answer depends on who asks
STATES = ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"]
CURRENT = {"active", "invited", "creation_pending"}
"""Bulk progress has the learners with one of these states ..."""
PAST = {"completed", "inactive"}
"""... and leaves these out."""
COURSE_KEYS = (
    *("id", "name", "original_name", "course_code", "workflow_state", "account_id", "enrollment_term_id"),
    *("start_at", "end_at", "created_at", "sis_course_id", "time_zone", "restrict_enrollments_to_course_dates"),
    *("concluded", "term"),
)
"""What a record keeps of its course."""
NO_PROGRESS = "A Canvas too old for bulk_user_progress can be read with module_progress = false."


class CanvasSettings(Settings):
    """Give `access_token`, or `client_id`, `client_secret` and `refresh_token` of a developer key."""

    access_token: SecretStr | None = None
    """Access token of an account admin: Account > Settings > New Access Token."""
    client_id: str = ""
    """Id of the developer key, in place of an access token."""
    client_secret: SecretStr | None = None
    """Key (secret) of the developer key."""
    refresh_token: SecretStr | None = None
    """Refresh token that the developer key was given for an admin."""
    account_id: str = "self"
    """Account whose courses are read, sub-accounts included; `self` is the root account."""
    module_progress: bool = True
    """Read module progress: a request more for each hundred learners of a course, and the only sign of completion."""
    past_progress: bool = False
    """Also ask for the module progress of each concluded or inactive learner, which takes a request for each."""

    @field_validator("base_url")
    @classmethod
    def _without_api(cls, value: str | None) -> str | None:
        return value.removesuffix("/api/v1") if value else value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None:
            raise ValueError("base_url is missing: the address of your Canvas, such as https://school.instructure.com")
        grant = [bool(self.client_id), self.client_secret is not None, self.refresh_token is not None]
        if any(grant) if self.access_token else not all(grant):
            raise ValueError("give either access_token, or all of client_id, client_secret and refresh_token")
        return self

    def auth(self, vault: Vault | None) -> Auth:
        """Sign in with the token, or get one for an hour with the refresh token, which stays the same."""
        if self.access_token:
            return Bearer(self.access_token)
        return OAuth2(
            "login/oauth2/token",
            grant="refresh_token",
            client_id=self.client_id,
            client_secret=self.client_secret or "",
            refresh_token=self.refresh_token or "",
            vault=vault,
        )


@register
class Canvas(Connector[CanvasSettings]):
    """Courses of an account, then the enrollments and module progress of each."""

    name, title = "canvas", "Canvas LMS"
    Settings = CanvasSettings
    numbered_partitions = True

    def limits(self) -> Sequence[Limit]:
        """Keep below a dozen parallel requests, which Canvas may throttle (doc/api/throttling.md)."""
        return (Limit(at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell throttling, a refused token, a missing permission and "no progress" apart."""
        match answer.status:
            case 403 if "rate limit exceeded" in answer.text().lower():
                return Verdict.throttled("too many requests (403, Rate Limit Exceeded)")
            case 401 if "www-authenticate" in answer.headers or answer.find("status") == "unauthenticated":
                hint = "Check access_token (has it expired?), or the developer key and its refresh_token."
                return Verdict(Act.REAUTH, "Canvas refuses the access token (401)", hint=hint)
            case 401:
                hint = "Give the token's user this permission, or read with the token of an account admin."
                return Verdict.fail(Forbidden, "the token is good, but its user may not read this (401)", hint)
            case 400 if answer.request.endswith("progress") and isinstance(answer.find("error.message"), str):
                return Verdict.accept()  # "not module based" is no data, not an error
            case _:
                return None

    @staticmethod
    def quota(answer: Answer) -> Quota | None:
        """Take X-Rate-Limit-Remaining for what it is: the level of a bucket of costs, not a number of requests."""
        del answer
        return Quota()

    async def check(self) -> Sequence[Notice]:
        """Read the first course, one enrollment and one learner's progress."""
        one = {"per_page": 1}
        try:
            courses = (await self.http.get(self._account("courses"), {**self._courses(), **one})).items()
        except Forbidden:
            return (Notice("The token's user may not list the account's courses: read_course_list.", "missing"),)
        except Gone:
            return (Notice(f"There is no account {self.settings.account_id!r}: check account_id.", "missing"),)
        if not courses:
            return (Notice("The account has no course with enrollments that this token can see."),)
        path = _course(courses[0]["id"])
        try:
            rows = (await self.http.get(f"{path}/enrollments", {**self._enrollments(), **one})).items()
        except Forbidden:
            return (Notice("The token's user may not read a course's enrollments: read_roster.", "missing"),)
        notices = _reduced(rows)
        if self.settings.module_progress:
            try:
                await self.http.get(f"{path}/bulk_user_progress", one)
            except Forbidden:
                text = "The token's user may not read module progress: view_all_grades, or set module_progress = false."
                notices.append(Notice(text, "missing"))
        return notices

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the account's courses, in the order of their ids."""
        query = {**self._courses(), "per_page": 100}
        courses = self.http.paged(self._account("courses"), query, LinkHeader())
        async for answer in courses:
            for course in answer.items:
                yield Partition(f"course:{course['id']}", {"course": _cut(course)})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's module progress into a table, then its enrollments page by page."""
        del since
        if not isinstance(partition.context, dict) or not isinstance(course := partition.context["course"], dict):
            raise ContractError(f"the partition {partition.key} does not hold its course")
        path = _course(course["id"])
        query = {**self._enrollments(), "per_page": 100}
        with self.table() as progress:
            lost = await self._read_progress(path, progress) if self.settings.module_progress else None
            async for answer in self.http.paged(f"{path}/enrollments", query, LinkHeader(), start=cursor):
                if lost:  # the course itself is there: its progress must not read as none
                    raise ContractError(
                        "Canvas has the course, but not its module progress (404)", hint=NO_PROGRESS
                    ) from lost
                found = progress.many(row["user_id"] for row in answer.items)
                records: list[NativeRecord] = []
                for row in answer.items:
                    done = found.get(str(row["user_id"])) or await self._past_progress(path, row)
                    records.append({"enrollment": row, "course": course, "progress": done})
                yield Page(records, answer.next)

    def fewest(self) -> int:
        """Count a page of enrollments and one of progress; how many pages a course has is told nowhere."""
        return 1 + self.settings.module_progress

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one enrollment: alone it comes without its user, so it is looked up among those of the course."""
        del known
        bare = (await self.http.get(self._account(f"enrollments/{quote(id, safe='')}"))).object()
        path, query = _course(bare["course_id"]), {**self._enrollments(), "user_id": bare["user_id"], "per_page": 100}
        listing = self.http.paged(f"{path}/enrollments", query, LinkHeader())
        rows = [row async for answer in listing for row in answer.items]
        if row := next((row for row in rows if str(row["id"]) == id), None):
            course = (await self.http.get(path, COURSE)).object()
            # bulk progress has a learner who has any current enrollment in the course
            in_bulk = any(one.get("enrollment_state") in CURRENT and one.get("type") in STUDENTS for one in rows)
            has_progress = self.settings.module_progress and in_bulk
            progress = await (self._progress(path, row) if has_progress else self._past_progress(path, row))
            return Page([{"enrollment": row, "course": _cut(course), "progress": progress}])
        raise Gone("Canvas has no such enrollment of a learner")

    async def _read_progress(self, path: str, table: Table) -> Gone | None:
        """Keep the module progress of a course's current learners by user id; give the error if there is none."""
        listing = self.http.paged(f"{path}/bulk_user_progress", {"per_page": 100}, LinkHeader(), items=_progress_rows)
        try:
            async for answer in listing:
                rows = ((str(row["id"]), _readable(row.get("progress"))) for row in answer.items)
                table.add({user: progress for user, progress in rows if progress})
        except Gone as error:
            return error  # whether the course is gone is told by its enrollments, which are asked for next
        return None

    async def _past_progress(self, path: str, row: NativeRecord) -> NativeRecord | None:
        wanted = self.settings.module_progress and self.settings.past_progress
        return await self._progress(path, row) if wanted and row.get("enrollment_state") in PAST else None

    async def _progress(self, path: str, row: NativeRecord) -> NativeRecord | None:
        try:
            return _readable((await self.http.get(f"{path}/users/{_quoted(row['user_id'])}/progress")).json())
        except Gone:
            return None

    def _account(self, resource: str) -> str:
        return f"api/v1/accounts/{quote(self.settings.account_id, safe='')}/{resource}"

    def _courses(self) -> dict[str, object]:
        return {**COURSES, "enrollment_type[]": [] if self.settings.include_staff else ["student"]}

    def _enrollments(self) -> dict[str, object]:
        types = EVERYBODY if self.settings.include_staff else STUDENTS
        # include[]=email is not documented, but honoured; older servers ignore it
        return {"type[]": types, "state[]": STATES, "include[]": ["email"]}


def _course(id: JSON) -> str:
    return f"api/v1/courses/{_quoted(id)}"


def _quoted(id: JSON) -> str:
    return quote(str(id), safe="")


def _cut(course: NativeRecord) -> NativeRecord:
    return {key: course[key] for key in COURSE_KEYS if key in course}


def _progress_rows(answer: Answer) -> Sequence[NativeRecord]:
    return answer.items() if answer.status == 200 else ()  # noqa: PLR2004 - else 400, accepted by `verdict`


def _readable(progress: JSON) -> NativeRecord | None:
    """Give a progress object, unless it only says why there is none."""
    return progress if isinstance(progress, dict) and "error" not in progress else None


def _reduced(rows: Sequence[NativeRecord]) -> list[Notice]:
    """Tell which permissions are missing: Canvas leaves keys out for them."""
    signs = {
        "last_activity_at": ("activity and time spent", "read_reports"),
        "grades.current_score": ("scores", "view_all_grades"),
        "user.email": ("e-mail addresses", "read_email_addresses"),
    }
    notices: list[Notice] = []
    for row in rows:
        for place, (what, permission) in signs.items():
            outer, _, inner = place.partition(".")
            holder = row.get(outer) if inner else row
            if isinstance(holder, dict) and (inner or outer) not in holder:
                notices.append(Notice(f"No {what}: the token's user lacks {permission}.", "reduced"))
    return notices
