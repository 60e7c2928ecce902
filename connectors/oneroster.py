"""OneRoster 1.1 and 1.2 (1EdTech): the standard by which student information systems give out their rosters.

A system's whole roster is a few flat lists: enrollments (a person, a class, a role), people, classes, courses, academic
sessions; where there is a gradebook, line items and results.
From the OneRoster 1.1 final specification and the 1.2 rostering and gradebook services with their REST bindings
(imsglobal.org/oneroster-v11-final-specification, imsglobal.org/spec/oneroster/v1p2), and answers of a real server.
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..core.connector import Connector, Estimate, Join, Lookup, Notice, Page, Partition
from ..core.errors import ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Limit, Offset
from ..core.registry import register
from ._oneroster_answers import LEAST, NoListError, RefusedError, SlowError, UnfilteredError, judged, rows
from ._oneroster_gradebook import Gradebook
from ._oneroster_settings import USUAL, OneRosterSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, Http, PageAnswer, Verdict
    from ..core.native import JSON, NativeRecord

__all__ = ["OneRoster", "OneRosterSchools", "OneRosterSettings"]

OVERLAP = timedelta(hours=24)  # longer than a server's copies lag behind, and than a clock in another zone is off
SINGULAR = {"users": "user", "classes": "class", "courses": "course", "academicSessions": "academicSession"}
# of a person: no telephone, guardian or anything else that an enrollment does not need; most are minors
USER = [
    *("sourcedId", "status", "dateLastModified", "enabledUser", "username", "userIds", "identifier"),
    *("givenName", "middleName", "familyName", "preferredFirstName", "preferredMiddleName", "preferredLastName"),
    *("userMasterIdentifier", "email", "role", "roles", "grades", "metadata"),
]
REMEDIES = {
    "courses": "Have the key allowed to read them, or set fetch_courses = false.",
    "lineItems": "Is there a gradebook service? Else set include_results = false.",
    "results": "Is there a gradebook service? Else set include_results = false.",
}


@register
class OneRoster(Connector[OneRosterSettings]):
    """The flat lists of the whole roster, which can be asked for what changed."""

    name, title, strategy, incremental = "oneroster", "OneRoster", "flat", True
    Settings = OneRosterSettings
    lookups = (
        *(Lookup(one, "sourcedId", batch=1, whole_from=USUAL) for one in ("users", "classes", "courses")),
        Lookup("academicSessions", "sourcedId", batch=1, whole_from=USUAL),
        Lookup("work", "pair", batch=1, whole_from=2),
    )
    joins = (
        Join("user", "users", "enrollment.user.sourcedId"),
        Join("class", "classes", "enrollment.class.sourcedId"),
        Join("course", "courses", "class.course.sourcedId"),
        Join("terms", "academicSessions", "class.terms[].sourcedId"),
        # ids may hold any sign but a line's end
        Join("work", "work", 'join(`"\\n"`, [text(enrollment.class.sourcedId), text(enrollment.user.sourcedId)])'),
    )
    numbered_records = True
    cursor_hours = 1.0
    credentials = frozenset({"password"})

    def __init__(self, settings: OneRosterSettings, http: Http) -> None:
        super().__init__(settings, http)
        self._size, self._sorts = settings.page_size, settings.sort

    def limits(self) -> Sequence[Limit]:
        """Be modest: the standard names no limit, and a server's own headers are heeded."""
        return (Limit(at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Read the standard's error codes, which may come with 200, and what a status means for a list."""
        return judged(answer)

    async def check(self) -> Sequence[Notice]:
        """Read one row of each list."""
        notices: list[Notice] = []
        for resource in ("enrollments", *self._joined()):
            try:
                first = await self._first(await self._entry() if resource == "enrollments" else resource)
            except (Forbidden, NoListError) as error:
                remedy = REMEDIES.get(resource, error.hint)
                notices.append(Notice(f"No {resource}: {error.message}. {remedy}", "missing"))
                continue
            if resource == "enrollments" and not first:
                text = "The list of enrollments is empty: the key may be for no organization. Ask who gave it out."
                notices.append(Notice(text, "reduced"))
        return notices

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the enrollments, or those that changed."""
        place = cursor if isinstance(cursor, dict) else {}
        if cursor is not None and "at" not in place:
            raise CursorExpired("the cursor is none of this connector's")
        # results change without their enrollments: with them everything is read each time
        asks_for_changes, begun = self.settings.use_filter and not self.settings.include_results, place.get("begun")
        async with aclosing(self._list(_path(partition), place.get("at"), since)) as answers:
            async for answer in answers:
                # the server's clock, never the rows' own times: these may lag behind, or be in another zone
                begun = begun or (_clock(answer) if asks_for_changes else None)
                following: JSON = None if answer.next is None else {"at": answer.next, "begun": begun}
                records: list[NativeRecord] = [{"enrollment": row} for row in answer.items]
                yield Page(records, following, total=answer.total, watermark=None if following else begun)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read a list, or single objects without those that are gone."""
        if lookup == "work":
            found = self._work_of(keys)
        else:
            found = self._everything(lookup) if keys is None else self._singles(lookup, keys)
        if self._reads(lookup):
            async with aclosing(found) as batches:
                async for records in batches:
                    yield records

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one enrollment."""
        del known
        return Page([{"enrollment": await self._single("enrollments", id)}])

    async def _entry(self) -> str:
        """Name the first list of enrollments, for a check."""
        return "enrollments"

    async def estimate(self) -> Estimate:
        """Read the first page of each list; how many there are is told by some servers only."""
        lists = [_path(one) async for one in self.partitions()]
        schools, lists = len(lists) // USUAL + 1 if self.numbered_partitions else 0, [*lists, *self._joined()]
        asked = [await self._count(path) for path in lists[:10]]
        exact = len(asked) == len(lists) and all(told for _, told in asked) and not schools
        basis = ", ".join(f"{count:,} for {path}" for path, (count, _) in zip(lists, asked, strict=False))
        return Estimate(schools + sum(count for count, _ in asked) + len(lists[10:]), exact, basis)

    async def _count(self, path: str) -> tuple[int, bool]:
        async with aclosing(self._list(path)) as answers:
            answer = await anext(answers)
        if answer.next is None:
            return 1, True
        return (ceil(answer.total / len(answer.items)), True) if answer.total else (2, False)

    def _reads(self, lookup: str) -> bool:
        wanted = {"courses": self.settings.fetch_courses, "work": self.settings.include_results}
        return wanted.get(lookup, True)

    def _joined(self) -> list[str]:
        """Name the lists beside the enrollments."""
        lists = [one.name for one in self.lookups if self._reads(one.name)]
        return [*lists[:-1], "lineItems", "results"] if lists[-1] == "work" else lists

    # lists and single objects

    async def _list(
        self, path: str, start: JSON = None, since: JSON = None, size: int = 0
    ) -> AsyncGenerator[PageAnswer]:
        """Read a list to its end; where the server refuses the request, ask for less."""
        place = start
        while True:
            query, size = self._query(since), size or self._size
            # the offset goes on by the rows that came: a server may give fewer than it was asked for, without a word
            pager = Offset(size=size, count="header:X-Total-Count", next_link=True)
            try:
                async with aclosing(self.http.paged(self._url(path), query, pager, items=rows, start=place)) as answers:
                    async for answer in answers:
                        place = answer.next
                        yield answer
            except (RefusedError, SlowError) as error:
                if query == self._query(since) and size == self._size and not self._concede(error, query):
                    raise
                size = 0
            else:
                return

    def _concede(self, error: RefusedError | SlowError, query: dict[str, object]) -> bool:
        """Give up what a server may not take, one thing at a time; False if there is nothing left."""
        if isinstance(error, SlowError):
            self._size = max(LEAST, self._size // 2)
        elif isinstance(error, UnfilteredError):  # a filter that was left out would hide what the LMS no longer has
            return False
        elif "sort" in query:
            self._sorts = False
        elif self._size > USUAL:
            self._size = USUAL
        else:
            return False
        return True

    def _query(self, since: JSON) -> dict[str, object]:
        order = {"sort": "sourcedId", "orderBy": "asc"} if self._sorts else {}
        if not isinstance(since, str):
            return {**order}
        changed = datetime.fromisoformat(since) - OVERLAP
        return {**order, "filter": f"dateLastModified>='{changed.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}'"}

    async def _everything(self, resource: str) -> AsyncGenerator[Sequence[NativeRecord]]:
        answers = self._list(resource)
        try:
            first = await anext(answers)
        except (Forbidden, NoListError):
            if resource != "users" or self.settings.include_staff:
                raise
            answers = self._list("students")  # where the list of everybody is not open
            first = await anext(answers)
        async with aclosing(answers):
            yield [_cut(row, resource) for row in first.items if _id(row)]
            async for answer in answers:
                yield [_cut(row, resource) for row in answer.items if _id(row)]

    async def _singles(self, resource: str, keys: Sequence[str]) -> AsyncGenerator[Sequence[NativeRecord]]:
        for key in keys:
            with suppress(Gone):
                yield [_cut(await self._single(resource, key), resource)]

    async def _single(self, resource: str, key: str) -> NativeRecord:
        answer = await self.http.get(self._url(f"{resource}/{quote(key, safe='')}"))
        body = answer.object()
        found = body.get(SINGULAR.get(resource, "enrollment"), body)
        if not isinstance(found, dict) or _id(found) != key:
            raise ContractError(f"expected one of {resource}, with the id that was asked for", where=answer.request)
        return found

    async def _first(self, resource: str) -> Sequence[NativeRecord]:
        try:
            return rows(await self.http.get(self._url(resource), {"limit": 1}))
        except (Forbidden, NoListError):
            if resource != "users" or self.settings.include_staff:
                raise
            return rows(await self.http.get(self._url("students"), {"limit": 1}))

    def _url(self, path: str) -> str:
        is_gradebook = path.rpartition("/")[2] in {"lineItems", "results"}
        service = self.settings.service("gradebook" if is_gradebook else "rostering")
        return f"{service}/{path}{'/' if self.settings.trailing_slash else ''}"

    # the gradebook

    async def _work_of(self, pairs: Sequence[str] | None) -> AsyncGenerator[Sequence[NativeRecord]]:
        """Read the results of single learners in single classes, or all."""
        for pair in pairs or ():
            class_, student = (quote(id, safe="") for id in pair.split("\n"))
            try:
                async for records in self._work(f"classes/{class_}/", f"students/{student}/"):
                    yield records
            except (Forbidden, NoListError):  # not every server has these lists; the whole gradebook holds the same
                pairs = None
        if pairs is None:
            async for records in self._work():
                yield records

    async def _work(self, class_: str = "", student: str = "") -> AsyncGenerator[Sequence[NativeRecord]]:
        with self.table() as columns, self.table() as work:
            gradebook = Gradebook(columns, work, self.settings.final_line_item)
            async with aclosing(self._list(f"{class_}lineItems")) as answers:
                async for answer in answers:
                    gradebook.add_columns(answer.items)
            async with aclosing(self._list(f"{class_}{student}results")) as answers:
                async for answer in answers:
                    yield gradebook.collected(answer.items)


@register
class OneRosterSchools(OneRoster):
    """The enrollments school by school: a large district in parts, or only some of its schools."""

    strategy = "school"
    numbered_partitions = USUAL

    async def partitions(self) -> AsyncIterator[Partition]:
        """Name the schools of the settings, or list all."""
        for id in self.settings.school_ids:
            yield Partition(f"school:{id}")
        if not self.settings.school_ids:
            async with aclosing(self._list("schools", size=USUAL)) as answers:
                async for answer in answers:
                    for id in filter(None, map(_id, answer.items)):
                        yield Partition(f"school:{id}")

    async def _entry(self) -> str:
        ids = self.settings.school_ids or [id for school in await self._first("schools") if (id := _id(school))]
        return _path(Partition(f"school:{ids[0]}")) if ids else "schools"


def _path(partition: Partition) -> str:
    _, _, school = partition.key.partition(":")
    return f"schools/{quote(school, safe='')}/enrollments" if school else "enrollments"


def _id(row: NativeRecord) -> str:
    return str(row.get("sourcedId") or "").strip()


def _cut(row: NativeRecord, resource: str) -> NativeRecord:
    return {key: row[key] for key in USER if key in row} if resource == "users" else row


def _clock(answer: PageAnswer) -> str | None:
    """Give the server's own time, if it tells."""
    try:
        return parsedate_to_datetime(str(answer.answer.find("header:Date"))).astimezone(UTC).isoformat()
    except ValueError:
        return None
