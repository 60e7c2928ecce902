"""Docebo Learn, by its REST API: the tenant's enrollments in one list, and its users in another.

From the vendor's "API general information", "APIs authentication" and "Docebo Connect: enrollments"
(developer.docebo.com), "Enrollment statuses" (help.docebo.com), and the Swagger of 2017.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import SecretStr, model_validator

from ..core.connector import BaseUrl, Connector, Estimate, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import CursorExpired, Forbidden, Gone
from ..core.http import Limit, OAuth2, PageNumber, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ..core.http import Answer, Auth, PageAnswer, Vault
    from ..core.native import JSON, NativeRecord

SIZE = 200  # the most that Docebo gives
LIST = PageNumber(size_param="page_size", size=SIZE, more="data.has_more_data", count="data.total_count")
SEARCH = PageNumber(  # the server keeps the search under its cursor, so that pages do not shift
    size_param="page_size",
    size=SIZE,
    more="data.has_more_data",
    count="data.total_count",
    carry={"cursor": "data.cursor"},
)
OVERLAP = timedelta(minutes=15)
TIME = "%Y-%m-%d %H:%M:%S"
USERS = "/manage/v1/user"
GRANT = "Use an OAuth app or a user that is Superadmin"


class DoceboSettings(Settings):
    """Where the tenant is, and the OAuth app (Admin menu, API and SSO, API credentials) it is read with."""

    domain: str = ""
    """`acme` of acme.docebosaas.com, or the platform's own host such as learn.example.com."""
    client_id: str
    """The OAuth app's client id."""
    client_secret: SecretStr
    """The OAuth app's client secret."""
    username: str = ""
    """A Superadmin's login, where the app is to use the password grant."""
    password: SecretStr = SecretStr("")
    """The password of that login."""
    fetch_users: bool = True
    """Read the users' names and e-mail addresses, too; it takes a Superadmin."""
    base_url: BaseUrl | None = None
    """Address of the LMS, in place of the one that follows from `domain`."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None and not self.domain.strip():
            raise ValueError("set `domain` (such as acme or learn.example.com) or `base_url`")
        if bool(self.username) != bool(self.password.get_secret_value()):
            raise ValueError("`username` and `password` go together: set both, or none")
        return self

    def origin(self) -> str:
        """Give the platform's address."""
        if self.base_url is not None:
            return self.base_url
        domain = self.domain.strip().strip("/")
        return f"https://{domain}" if "." in domain else f"https://{domain}.docebosaas.com"

    def auth(self, vault: Vault | None) -> Auth | None:
        """Sign in as the app, or as its user where there is one."""
        del vault
        return OAuth2(
            "/oauth2/token",
            grant="password" if self.username else "client_credentials",
            client_id=self.client_id,
            client_secret=self.client_secret.get_secret_value(),
            scope="api",
            username=self.username,
            password=self.password.get_secret_value(),
        )


@register
class Docebo(Connector[DoceboSettings]):
    """The list of all enrollments, which can be asked for what changed."""

    name, title, strategy, incremental = "docebo", "Docebo", "learn", True
    Settings = DoceboSettings
    lookups = (Lookup("users", "user_id"),)
    joins = (
        Join("user", "users", "enrollment.user_id"),
        Join("enroller", "users", "enrollment.subscribed_by"),
    )
    path: ClassVar[str] = "/learn/v1/enrollments"
    params: ClassVar[tuple[tuple[str, str], ...]] = ()
    kind: ClassVar[str] = ""

    def limits(self) -> Sequence[Limit]:
        """Give what a plan of the vendor's names; contracts differ, and a 429 tells when less was agreed on."""
        return (Limit(requests=100, per=60.0, at_once=2),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Read Docebo's own signs of a missing permission and of a search that was dropped."""
        if answer.status in {400, 404, 410, 422} and "cursor=" in answer.url.partition("?")[2]:
            return Verdict.fail(CursorExpired, "the search is no longer kept by the LMS")
        if answer.status in {404, 410}:  # only lists are asked for: a list that is not there must not read as empty
            hint = 'Is base_url right? Else the service is not active: try strategy = "course".'
            return Verdict.fail(Forbidden, f"this platform does not offer the list ({answer.status})", hint)
        if answer.status == 403:  # noqa: PLR2004 - HTTP's own number
            return Verdict.fail(Forbidden, "the user level behind the token is too low (403)", f"{GRANT}.")
        if answer.status == 200 and answer.is_html:  # noqa: PLR2004
            # inferred: a redirect to the platform's page is how a role that is not allowed shows
            hint = f"{GRANT}, and check base_url."
            return Verdict.fail(Forbidden, "the LMS answers with a web page: the role is not allowed", hint)
        return None

    async def check(self) -> Sequence[Notice]:
        """Read one enrollment and one user."""
        one = {"page": 1, "page_size": 1}
        (await self.http.get(self.path, one)).items("data.items")
        if not self.settings.fetch_users:
            return (Notice("fetch_users is off: names are null, e-mails only where the login is one.", "reduced"),)
        try:
            (await self.http.get(USERS, one)).items("data.items")
        except Forbidden:
            text = f"The list of users may not be read. {GRANT}, or set fetch_users = false to go without names."
            return (Notice(text, "missing"),)
        return ()

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the list, from a time on if there is one."""
        del partition
        place = cursor if isinstance(cursor, dict) else {}
        start, newest = place.get("began"), place.get("newest") or since
        params = [*self.params, *_changed(since)]
        async for answer in self.http.paged(self.path, params, SEARCH, items="data.items", start=place.get("at")):
            start = start or _clock(answer)
            newest = max([str(newest or ""), *(_updated(row) for row in answer.items)])
            records = [self._record(row) for row in answer.items]
            following: JSON = answer.next and {"at": answer.next, "began": start, "newest": newest}
            yield Page(records, following, self.kind, answer.total, None if following else self._mark(start, newest))

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all users, or nobody where that is switched off."""
        del lookup, keys
        if self.settings.fetch_users:
            async for answer in self.http.paged(USERS, None, LIST, items="data.items"):
                yield answer.items

    async def estimate(self) -> Estimate:
        """Read the first page of each list: it tells how many there are."""
        pages, exact, some = await self._pages(self.path, self.params)
        basis = f"{pages:,} for the list of enrollments"
        if some and self.settings.fetch_users:
            more, told, _ = await self._pages(USERS)
            pages, exact, basis = pages + more, exact and told, f"{basis}, {more:,} for the list of users"
        return Estimate(pages, exact, basis)

    async def _pages(self, path: str, params: Sequence[tuple[str, str]] = ()) -> tuple[int, bool, bool]:
        """Count a list's pages; tell if that is all of them (older platforms tell no total), and if there are rows."""
        async with aclosing(self.http.paged(path, [*params], SEARCH, items="data.items")) as answers:
            answer = await anext(answers)
        if answer.next is None:
            return 1, True, bool(answer.items)
        told = answer.answer.find("data.total_page_count")  # of pages as large as the one asked for
        pages = ceil(answer.total / SIZE) if answer.total is not None else told
        return (pages, True, True) if isinstance(pages, int) and pages > 1 else (2, False, True)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Ask for one learner in one course or plan, and trust no filter."""
        del known
        *kind, item, user = id.split(":") if ":" in id else ("", "")
        if kind not in ([], ["learning_plan"]) or not item or not user:
            raise Gone("an enrollment's id is the course's and the learner's, such as 412:13021")
        params = [*self.params, *self._filters(item, user, plan=bool(kind))]
        async for answer in self.http.paged(self.path, params, SEARCH, items="data.items"):
            for row in answer.items:
                if self._is(row, item, user, plan=bool(kind)):
                    return Page([self._record(row)], kind=self.kind)
        raise Gone("there is no such enrollment")

    def _record(self, row: NativeRecord) -> NativeRecord:
        return {"enrollment": row}

    def _filters(self, item: str, user: str, *, plan: bool) -> list[tuple[str, str]]:
        return [("id_learning_plan[]" if plan else "id_course[]", item), ("id_user[]", user)]

    def _is(self, row: NativeRecord, item: str, user: str, *, plan: bool) -> bool:
        of_plan = str(row.get("type")).strip().lower() == "learning_plan"
        return of_plan == plan and str(row.get("id")) == item and str(row.get("user_id")) == user

    def _mark(self, began: JSON, newest: str) -> str | None:
        # what changes while the list is read must be in the next read: never later than this read's beginning
        return min((text for text in (began, newest) if isinstance(text, str) and text), default=None)


@register
class DoceboCourse(Docebo):
    """The list of course enrollments, for platforms that do not open the other one: no progress, no changes only."""

    strategy, incremental = "course", False
    joins = (
        Join("user", "users", "enrollment.user_id"),
        Join("enroller", "users", "enrollment.enrollment_created_by"),
    )
    path = "/course/v1/courses/enrollments"
    params = (("extra_fields[]", "enrollment_time_spent"), ("get_cursor", "1"))
    kind = "course"

    def _filters(self, item: str, user: str, *, plan: bool) -> list[tuple[str, str]]:
        if plan:
            raise Gone("this strategy reads no learning plans")
        return [("course_id[]", item), ("user_id[]", user)]

    def _is(self, row: NativeRecord, item: str, user: str, *, plan: bool) -> bool:
        return not plan and str(row.get("course_id")) == item and str(row.get("user_id")) == user

    def _mark(self, began: JSON, newest: str) -> str | None:
        del began, newest


def _changed(since: JSON) -> list[tuple[str, str]]:
    if not isinstance(since, str):
        return []
    return [("updated_from", (datetime.strptime(since, TIME).replace(tzinfo=UTC) - OVERLAP).strftime(TIME))]


def _clock(answer: PageAnswer) -> str | None:
    """Give the vendor's own time, if it tells."""
    try:
        return parsedate_to_datetime(str(answer.answer.find("header:Date"))).astimezone(UTC).strftime(TIME)
    except ValueError:
        return None


def _updated(row: NativeRecord) -> str:
    """Give a row's last change if it is a date-time: others cannot be asked for again."""
    value = row.get("date_last_updated")
    try:
        return datetime.strptime(str(value), TIME).replace(tzinfo=UTC).strftime(TIME)
    except ValueError:
        return ""
