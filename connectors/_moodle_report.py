"""Moodle 4.1 and later, read through one custom report with the source "Course participants".

A report gives every enrolment of the site, also those that are not active, with dates and states; but as text for
people, and without the numbers of courses and users: these are looked up by short name and user name.
After Moodle's source (reportbuilder, course/classes/reportbuilder) and answers of real sites (4.3 and 5.1).
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from html import unescape
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING

from ..core.connector import Estimate, Notice, Page
from ..core.errors import ContractError, Forbidden, Gone
from ..core.http import PageNumber
from ..core.mapping.dates import local_datetime
from ..core.mapping.values import Unfit
from ..core.native import dump
from ._moodle import COURSE, COURSES, FRONT_PAGE, REPORT_COLUMNS, SERVER, SHARE, MoodleSite, cut, form, missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence

    from ..core.connector import Partition
    from ..core.http import Answer, PageAnswer
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

REPORT = "core_reportbuilder_retrieve_report"
SET_FILTERS = "core_reportbuilder_set_filters"
USERS = "core_user_get_users_by_field"
SOURCE = "core_course\\reportbuilder\\datasource\\participants"
USER = ["id", "username", "fullname", "email", "idnumber", "department", "suspended"]
BATCH = 500  # PHP takes 1,000 fields of a form unless told otherwise, and drops the rest silently
WHEN = "dddd, D MMMM YYYY, h:mm A"  # as the mapping has it: how Moodle writes dates in English
NEVER = datetime.min.replace(tzinfo=UTC)
SEE_USERS = "Give the token's user moodle/user:viewdetails and moodle/user:viewalldetails in the system."
SEE_COURSES = "Give the token's user moodle/course:view and moodle/course:viewhiddencourses in the system."


class MoodleReport(MoodleSite):
    """A custom report of all participants: dates and states of enrolments, very few requests, no scores in percent."""

    strategy = "report"
    part = "ids(enrolment.username, enrolment.method, enrolment.role, enrolment.created, enrolment.started)"

    async def check(self) -> Sequence[Notice]:
        """Look at the service, the token's user, and the report; then look up one of its rows."""
        info, known = await self.describe()
        wanted = {REPORT: "", COURSES: "", USERS: ""}
        wanted |= {SET_FILTERS: "clear_filters"} if self.settings.clear_filters else {}
        if lacking := [missing(name, setting) for name, setting in wanted.items() if name not in known]:
            return lacking
        notices = [*_features(info), *await self._viewer(info)]
        try:
            answer = await self._first(10)
        except Forbidden as error:
            return [*notices, Notice(f"Report {self.settings.report_id}: {error.message}. {SHARE}", "missing")]
        self._compare(answer.find("data.headers"))
        rows = self._named(answer.items("data.rows"))
        return [*notices, *self._details(answer.object("details")), *await self._looked_up(rows)]

    def _details(self, details: NativeRecord) -> Iterator[Notice]:
        if details.get("source") != SOURCE:
            yield Notice(f"The source of report {self.settings.report_id} is not Course participants.", "missing")
        if details.get("conditiondata") not in (None, "", "[]", "{}"):
            yield Notice("The report has conditions: whom they leave out counts as removed.")
        if unread := [name for name in REPORT_COLUMNS if name not in self.settings.report_columns]:
            yield Notice(f"The report is read without {', '.join(unread)}.", "reduced")

    async def _viewer(self, info: NativeRecord) -> list[Notice]:
        """Compare the time zone that the report is written in with ours."""
        found = (await self.call(USERS, field="id", **{"values[0]": info.get("userid")})).items()
        zone, ours = found[0].get("timezone") if found else None, self.settings.timezone
        if zone == ours:
            return []
        if zone in (None, "", "99"):  # 99 is the site's, which is told nowhere
            text = "The token's user has no time zone of its own: set one in its profile, and the same as timezone"
            return [Notice(f"{text} (now {ours}).")]
        text = f"The token's user has the time zone {zone}, and the setting timezone is {ours}: make them equal."
        return [Notice(text, "missing")]

    async def _looked_up(self, rows: Sequence[NativeRecord]) -> list[Notice]:
        """Look up the course and the learner of the first row."""
        if not rows:
            return []
        shortname, username = _pair(rows[0])
        courses = (await self.call(COURSES, field="shortname", value=shortname)).items("courses")
        users = await self._people([username])
        notices = [] if courses else [f"A course of the report is not visible. {SEE_COURSES}"]
        notices += [] if users else [f"A learner of the report is not visible. {SEE_USERS}"]
        return [Notice(text, "missing") for text in notices]

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the report, and look up whose rows these are."""
        del partition, since
        with self.table() as courses, self.table() as users:
            every = (await self._sure(COURSES)).items("courses")
            courses.add({_key(one.get("shortname")): cut(one, COURSE) for one in every if one.get("id") != FRONT_PAGE})
            async with aclosing(self._rows(cursor)) as answers:
                async for answer in answers:
                    rows = self._named(answer.items)
                    yield Page(await self._records(rows, courses, users), answer.next, "report")

    async def _rows(self, cursor: JSON) -> AsyncGenerator[PageAnswer]:
        if self.settings.clear_filters:  # kept on the server for the token's user, whoever set them
            answer = await self._sure(SET_FILTERS, reportid=self.settings.report_id, parameters="[]", values="{}")
            if answer.json() is False:
                raise ContractError("the report's filters could not be cleared", where=answer.request)
        asked = form(REPORT, reportid=self.settings.report_id)
        # past the end the total is 0 in 5.1, and a site may give fewer rows than asked for: an empty page is the end
        pager = PageNumber("page", "perpage", self.settings.page_size, first=0)
        paged = self.http.paged(SERVER, None, pager, items="data.rows", method="POST", form=asked, start=cursor)
        try:
            async for answer in paged:
                self._compare(answer.answer.find("data.headers"))
                yield answer
        except Gone as error:
            raise _lost(error) from None

    async def _sure(self, function: str, **params: JSON) -> Answer:
        """Call a function whose answer cannot be gone: there is one report, and one list of courses and of users."""
        try:
            return await self.call(function, **params)
        except Gone as error:
            raise _lost(error) from None

    def _named(self, rows: Sequence[NativeRecord]) -> list[NativeRecord]:
        """Name the cells of rows; methods without learners, and deleted learners, have rows without a user."""
        names = self.settings.report_columns
        named: list[NativeRecord] = []
        for row in rows:
            cells = row.get("columns")
            if not isinstance(cells, list) or len(cells) != len(names):
                count = len(cells) if isinstance(cells, list) else "no"
                raise ContractError(
                    f"a row of the report has {count} cells, and report_columns {len(names)}",
                    hint="Let report_columns name each column of the report, from left to right.",
                )
            named.append({name: cell for name, cell in zip(names, cells, strict=True) if name})
        return [row for row in named if _key(row["username"])]

    def _compare(self, headers: JSON) -> None:
        """Find columns that stand elsewhere than the settings say, as far as Moodle's own headings tell."""
        given, names = headers if isinstance(headers, list) else [], self.settings.report_columns
        for place, (heading, name) in enumerate(zip(given, names, strict=False), start=1):
            meant = [one for one, usual in REPORT_COLUMNS.items() if usual == heading]
            if name and meant and name not in meant:
                raise ContractError(
                    f"column {place} of the report is headed {heading!r}, and report_columns says {name}",
                    hint="Put report_columns, or the report's columns, in order.",
                )

    async def _records(self, rows: list[NativeRecord], courses: Table, users: Table) -> list[NativeRecord]:
        pairs = [_pair(row) for row in rows]
        if rows and not len(courses):
            raise Forbidden("none of the report's courses is visible to the token's user", hint=SEE_COURSES)
        course_of = courses.many(shortname for shortname, _ in pairs)
        user_of = await self._users({username for _, username in pairs}, users)
        return [
            {"course": course_of.get(shortname) or {}, "user": user_of.get(username) or {}, "enrolment": row}
            for row, (shortname, username) in zip(rows, pairs, strict=True)
        ]

    async def _users(self, names: set[str], users: Table) -> dict[str, NativeRecord]:
        known, nobody = users.many(names), not len(users)
        unknown = iter(sorted(names - known.keys()))
        while batch := list(islice(unknown, BATCH)):
            nobodies: dict[str, NativeRecord] = {name: {} for name in batch}  # not asked for again on the next page
            found = nobodies | await self._people(batch)
            users.add(found)
            known |= found
        if names and nobody and not any(known.values()):
            raise Forbidden("none of the report's learners is visible to the token's user", hint=SEE_USERS)
        return known

    async def _people(self, names: Sequence[str]) -> dict[str, NativeRecord]:
        values = {f"values[{place}]": name for place, name in enumerate(names)}
        found = (await self._sure(USERS, field="username", **values)).items()
        return {_key(one.get("username")): cut(one, USER) for one in found}

    async def _first(self, size: int) -> Answer:
        return await self._sure(REPORT, reportid=self.settings.report_id, page=0, perpage=size)

    async def estimate(self) -> Estimate:
        """Ask the report how many rows it has."""
        total = (await self._first(1)).find("data.totalrowcount")
        rows = total if isinstance(total, int) else 0
        pages = ceil(rows / self.settings.page_size) + 1  # the last one is empty
        others = 1 + bool(rows) + self.settings.clear_filters
        basis = f"{pages:,} for a report of {rows:,} rows, at least {others} for filters, courses and users"
        return Estimate(pages + others, exact=False, basis=basis)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one learner's rows in the whole report; it cannot be asked for one alone."""
        del known
        course_id, _, user_id = id.partition(":")
        if not course_id.isdecimal() or not user_id.isdecimal():
            raise Gone("an enrollment's id is the course's and the user's number, such as 2:11")
        courses = (await self.call(COURSES, field="id", value=course_id)).items("courses")
        users = (await self.call(USERS, field="id", **{"values[0]": user_id})).items()
        found: list[NativeRecord] = []
        if courses and users:
            course, user = cut(courses[0], COURSE), cut(users[0], USER)
            pair = _key(course.get("shortname")), _key(user.get("username"))
            async with aclosing(self._rows(None)) as answers:
                async for answer in answers:
                    rows = [row for row in self._named(answer.items) if _pair(row) == pair]
                    found.extend({"course": course, "user": user, "enrolment": row} for row in rows)
        if not found:
            raise Gone("the report has no such participant")
        return Page(found, kind="report")

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        """Put a learner's enrolments in a course together (methods, roles): an active one first, then the newest."""
        enrolments = sorted((part["enrolment"] for part in parts), key=_rank, reverse=True)
        return {"course": parts[-1]["course"], "user": parts[-1]["user"], "enrolments": enrolments}


def _key(value: JSON) -> str:
    """Make a key of a name: some versions of Moodle write it as HTML in one place, and as it is in another."""
    return unescape(value).strip() if isinstance(value, str) else ""


def _lost(error: Gone) -> ContractError:
    return ContractError(
        error.message, where=error.where, hint="Is report_id the number of a report, and base_url right?"
    )


def _pair(row: NativeRecord) -> tuple[str, str]:
    return _key(row["course_shortname"]), _key(row["username"])


def _rank(enrolment: JSON) -> tuple[bool, datetime, str]:
    row = enrolment if isinstance(enrolment, dict) else {}
    try:
        created = local_datetime(row.get("created"), WHEN) or NEVER
    except Unfit:
        created = NEVER
    return row.get("status") == "Active", created, dump(row)


def _features(info: NativeRecord) -> Iterator[Notice]:
    """Tell what stands in the way of any report: a language that is not read, reports that are switched off."""
    if (language := info.get("lang")) != "en":
        text = f"The token's user reads Moodle in the language {language}: set English (en) in its profile."
        yield Notice(text, "missing")
    features = info.get("advancedfeatures")
    for one in features if isinstance(features, list) else []:
        if isinstance(one, dict) and one.get("name") == "enablecustomreports" and not one.get("value"):
            text = "Custom reports are switched off: enable them under Site administration > Advanced features."
            yield Notice(text, "missing")
