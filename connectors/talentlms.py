"""TalentLMS, by its API v1: a user's courses, or a course's users.

From the vendor's "TalentLMS API Documentation" (PDF, versions 6.0 to 6.7). API v2 does not document its progress
records, and is not read.
"""

from __future__ import annotations

from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, model_validator

from ..core.connector import CHEAP, BaseUrl, Connector, Estimate, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Basic, Limit, PageNumber, Quota, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ..core.http import Answer, Auth, Vault
    from ..core.native import JSON, NativeRecord

__all__ = ["TalentLMS", "TalentLMSCourses", "TalentLMSSettings"]

USERS = "api/v1/users/page_size:{size},page_number:{page}"
# the largest size is not documented, so that a short page may not be the last
NUMBERED = PageNumber(size_param="size", size=100)
SIZE = 1_000  # records of one page of ours: TalentLMS gives a user or a course in one answer
# what else an answer holds beside the user or the course themselves
USER_PARTS = frozenset({"courses", "certifications", "badges"})
PERSON_PARTS = USER_PARTS | {"branches", "groups"}  # only one user's own answer has them, the list does not
COURSE_PARTS = frozenset({"users", "units", "rules", "prerequisites", "prerequisite_rule_sets", "description"})
ENABLE = "Is the API enabled (Account & Settings > Integrations > API), and is the portal active?"

_NO_API = Verdict.fail(ContractError, "TalentLMS does not know this request", "Is base_url or domain the portal's?")


class TalentLMSSettings(Settings):
    """One portal, and the API key that an administrator made for it."""

    domain: str = ""
    """`acme` of acme.talentlms.com. Of a portal with a domain of its own, too."""
    api_key: SecretStr
    """The portal's API key (Account & Settings > Integrations > API)."""
    hourly_limit: int = Field(default=2_000, ge=1)
    """Requests an hour that the portal's plan allows."""
    base_url: BaseUrl | None = None
    """Address of the portal, in place of the one that follows from `domain`."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None and not self.domain.strip():
            raise ValueError("set `domain` (such as acme) or `base_url`")
        if self.base_url is None and "." in self._portal():
            raise ValueError("`domain` is the portal's own name: acme of acme.talentlms.com, not a domain mapped to it")
        return self

    def origin(self) -> str:
        """Give the portal's address."""
        return self.base_url or f"https://{self._portal()}.talentlms.com"

    def _portal(self) -> str:
        return self.domain.strip().removeprefix("https://").strip("/").removesuffix(".talentlms.com")

    def auth(self, vault: Vault | None) -> Auth:
        """Send the API key as a user name without a password."""
        del vault
        return Basic(self.api_key)


@register
class TalentLMS(Connector[TalentLMSSettings]):
    """A request for each user: everything that TalentLMS tells."""

    name, title, strategy = "talentlms", "TalentLMS", "users"
    Settings = TalentLMSSettings
    cursor_hours = 1.0
    numbered_partitions = True
    credentials = frozenset({"login_key"})

    def limits(self) -> Sequence[Limit]:
        """Give the short limit that holds for everyone, and the plan's; four at once are our own choice."""
        return (Limit(requests=200, per=5.0, at_once=4), Limit(requests=self.settings.hourly_limit, per=3_600.0))

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Read the error in the body, whatever the status beside it, and a refusal that is a limit."""
        error = _error(answer)
        message = error.get("message", "").lower()
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return Verdict.fail(AuthError, "TalentLMS refuses the API key (401)", f"Copy it again. {ENABLE}")
        if answer.status == HTTPStatus.FORBIDDEN:
            if "rate" in message or "limit" in message:
                return Verdict.throttled("too many requests (403)")
            return Verdict.fail(Forbidden, "TalentLMS refuses access (403)", ENABLE)
        if answer.status == HTTPStatus.NOT_FOUND and "/id:" not in answer.request:
            return _NO_API  # a list that is not there must not read as empty
        return _said(message, error.get("type"), answer.status) if error else None

    @staticmethod
    def quota(answer: Answer) -> Quota | None:
        """Read the answer to the question for the limit; the others have no headers for it."""
        if not answer.request.endswith("/api/v1/ratelimit"):
            return None
        told = answer.object()
        try:  # all of them are texts; `reset` is in seconds since 1970
            limit, left, reset = (int(str(told[name])) for name in ("limit", "remaining", "reset"))
        except (KeyError, ValueError):
            return None
        return Quota(remaining=left, reset=reset, limit=limit, per=3_600.0)

    async def check(self) -> Sequence[Notice]:
        """Ask for the rate limit, which does not count against it."""
        limit = (await self.http.get("api/v1/ratelimit")).object().get("limit")
        if limit is None or str(limit) == str(self.settings.hourly_limit):
            return ()
        return (Notice(f"The portal allows {limit} requests an hour: set hourly_limit to that."),)

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the users, inactive ones too."""
        async for answer in self.http.paged(USERS, None, NUMBERED):
            for user in answer.items:
                yield Partition(f"user:{user['id']}")

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a user's courses."""
        del since
        for page in _split(await self._read(partition.key.partition(":")[2]), cursor):
            yield page

    async def estimate(self) -> Estimate:
        """List the users as far as a few requests go."""
        pages, users, more = await self._count_users()
        pages *= 2 if pages > 2 else 1  # noqa: PLR2004 - the last is empty, and of several the list is read twice
        these = "which goes on, {:,} for these" if more else "{:,} for the"
        basis = f"{pages:,} for the list of users, {these.format(users)} users one by one"
        return Estimate(pages + users, not more, basis)

    async def _count_users(self) -> tuple[int, int, bool]:
        """Give the pages and users of the list, and whether it goes on."""
        pages = users = 0
        async with aclosing(self.http.paged(USERS, None, NUMBERED)) as answers:
            async for answer in answers:
                pages, users = pages + 1, users + len(answer.items)
                if pages == CHEAP:
                    return pages, users, answer.next is not None
        return pages, users, False

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read the user, and pick the course."""
        del known
        user, _, course = id.partition(":")
        return _only(await self._read(user), course)

    async def _read(self, key: str) -> list[NativeRecord]:
        answer = await self.http.get(f"api/v1/users/id:{quote(key, safe='')}")
        user = _without(answer.object(), USER_PARTS)
        earned = answer.items("certifications") if answer.find("certifications") else []
        return [
            {
                "enrollment": row,
                "user": user,
                "certifications": [one for one in earned if str(one.get("course_id")) == str(row["id"])],
            }
            for row in answer.items("courses")
        ]


@register
class TalentLMSCourses(TalentLMS):
    """A request for each course: far fewer, but without the status word and certificates."""

    strategy = "courses"
    numbered_partitions = False  # one answer has all courses
    lookups = (Lookup("users", "id", batch=1),)
    joins = (Join("user", "users", "enrollment.id"),)

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses."""
        for course in (await self.http.get("api/v1/courses")).items():
            yield Partition(f"course:{course['id']}")

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's users."""
        del since
        for page in _split(await self._read(partition.key.partition(":")[2]), cursor, "courses"):
            yield page

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all users, or single ones; a user who was deleted meanwhile is left out."""
        del lookup
        if keys is None:
            async for answer in self.http.paged(USERS, None, NUMBERED):
                yield [_without(user, PERSON_PARTS) for user in answer.items]
        for key in keys or ():
            try:
                answer = await self.http.get(f"api/v1/users/id:{quote(key, safe='')}")
            except Gone:
                continue
            yield [_without(answer.object(), PERSON_PARTS)]

    async def estimate(self) -> Estimate:
        """List the courses, and the users as far as a few requests go."""
        courses = len((await self.http.get("api/v1/courses")).items())
        if not courses:
            return Estimate(1, exact=True, basis="1 for the list of courses, which is empty")
        pages, _, more = await self._count_users()
        users = f"{pages:,} for the list of users{', which goes on' if more else ''}"
        basis = f"1 for the list of courses, {courses:,} for the courses one by one, {users}"
        return Estimate(1 + courses + pages, not more, basis)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read the course, and pick the user: the same record as in the whole."""
        del known
        user, _, course = id.partition(":")
        return _only(await self._read(course), user, "courses")

    async def _read(self, key: str) -> list[NativeRecord]:
        answer = await self.http.get(f"api/v1/courses/id:{quote(key, safe='')}")
        course = _without(answer.object(), COURSE_PARTS)
        return [{"enrollment": row, "course": course} for row in answer.items("users")]


def _said(message: str, kind: str | None, status: int) -> Verdict | None:
    if "action does not exist" in message:
        return _NO_API
    if "does not exist" in message or "not enrolled" in message:
        return Verdict.fail(Gone, "it does not exist")
    if status >= HTTPStatus.BAD_REQUEST:
        return None
    if kind == "api_error":
        return Verdict.retry("TalentLMS failed (api_error)")
    return Verdict.fail(ContractError, "TalentLMS answers with an error")  # its message may name a learner


def _error(answer: Answer) -> dict[str, str]:
    """Give the error in a body: `{"error": {"type", "message"}}`, `{"error": "..."}`, or flat in a refusal."""
    try:
        body = answer.json()
    except ContractError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str) and error:
        return {"message": error}
    if error is None and answer.status >= HTTPStatus.BAD_REQUEST:
        error = body
    return {key: str(value) for key, value in error.items()} if isinstance(error, dict) else {}


def _without(record: NativeRecord, parts: frozenset[str]) -> NativeRecord:
    return {key: value for key, value in record.items() if key not in parts}


def _split(records: list[NativeRecord], cursor: JSON, kind: str = "") -> list[Page]:
    """Cut an answer into pages; a cursor is the number of records before it."""
    start = 0 if cursor is None else cursor
    if isinstance(start, bool) or not isinstance(start, int):
        raise CursorExpired("the cursor is none of this connector's")
    starts = range(start, len(records), SIZE) or (start,)
    return [
        Page(records[place : place + SIZE], place + SIZE if place + SIZE < len(records) else None, kind)
        for place in starts
    ]


def _only(records: list[NativeRecord], id: str, kind: str = "") -> Page:
    for record in records:
        if isinstance(row := record["enrollment"], dict) and str(row.get("id")) == id:
            return Page([record], kind=kind)
    raise Gone("TalentLMS has no such enrollment")
