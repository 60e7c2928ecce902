"""Connectors that each break one promise."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from guild_lms import LIST, Guild, GuildSettings
from hostile_lms import Hostile
from rollbook.core.connector import Join, Lookup, Notice, Page, Partition
from rollbook.core.errors import AuthError, ContractError, Forbidden, Gone, RollbookError, Unsupported, VendorError
from rollbook.core.http import NextLink, Verdict
from windows_lms import Windows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.http import Answer
    from rollbook.core.native import JSON, NativeRecord

log = logging.getLogger("guild")
counter = itertools.count()
courses: dict[str, Any] = {}


class _OnePartition(Guild):
    """Reads its pages by hand."""

    async def rows(self, partition: Partition, page: int) -> list[NativeRecord]:
        path = f"api/courses/{partition.key.partition(':')[2]}/learners"
        found = (await self.http.get(path, {"size": 2, "page": page})).items("items")
        return [{"learner": row, "course": partition.context["course"]} for row in found]  # type: ignore[index, call-overload]


class FirstPageOnly(_OnePartition):
    """Reads no second page."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        yield Page(await self.rows(partition, 1))


class LeavesLists(Guild):
    """Leaves a list once it has seen as many as the LMS says there are."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        seen = 0
        async for page in super().pages(partition, cursor, since):
            seen += len(page.records)
            done = seen >= (page.total or 0)
            yield replace(page, cursor=None) if done else page
            if done:
                return


class Endless(_OnePartition):
    """Asks for pages as long as there are any."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        page = cursor if isinstance(cursor, int) else 1
        while rows := await self.rows(partition, page):
            page += 1
            yield Page(rows, page)
        yield Page([])


class QuietlyStops(_OnePartition):
    """Ends without a word at a page that repeats."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        page, before = cursor if isinstance(cursor, int) else 1, None
        while (rows := await self.rows(partition, page)) and rows != before:
            page, before = page + 1, rows
            yield Page(rows, page)
        yield Page([])


class FailsOnNothing(Guild):
    """Takes an empty list for a failure."""

    async def partitions(self) -> AsyncIterator[Partition]:
        none = True
        async for partition in super().partitions():
            none = False
            yield partition
        if none:
            raise ContractError("the guild has no course")


class LosesOne(Guild):
    """Loses a record of each page."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield replace(page, records=page.records[:1])


class NoTotals(Guild):
    """Does not pass the total on."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield replace(page, total=None)


class OtherFetch(Guild):
    """Leaves the course out of a single record."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        page = await super().fetch(id, known)
        return replace(page, records=[{**page.records[0], "course": {"id": int(id.partition(":")[0])}}])


class FetchFails(Guild):
    """Fails for what is there."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        raise Gone("not found")


class SometimesUnsupported(Guild):
    """Cannot read single enrollments of one course."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        if id.startswith("12:"):
            raise Unsupported("not this one")
        return await super().fetch(id, known)


class OddIdFetch(Guild):
    """Expects every id to be of its own form."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        course, person = id.split(":")
        return await super().fetch(f"{int(course)}:{int(person)}", known)


class AnyFetch(Guild):
    """Gives the first enrollment, whatever is asked for."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        page = await super().fetch("11:501", known)
        wanted = id.partition(":")[2] or id
        return replace(
            page, records=[{**page.records[0], "course": {"id": id.partition(":")[0]}, "learner": {"person": wanted}}]
        )


class CountedIds(Guild):
    """Makes ids of a counter."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            rows: list[Any] = list(page.records)
            for row in rows:
                row["learner"] = {**row["learner"], "person": f"{next(counter)}"}
            yield page


class ByName(Guild):
    """Another strategy, with other ids."""

    strategy = "by_name"

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            rows: list[Any] = list(page.records)
            yield replace(
                page, records=[{**row, "course": {**row["course"], "id": row["course"]["title"]}} for row in rows]
            )


class FoldsByOrder(Windows):
    """Takes whatever came last for the latest."""

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        return {**parts[-1], "weeks": next(counter)}


class Remembers(Guild):
    """Reads a course that it remembers from the listing."""

    async def partitions(self) -> AsyncIterator[Partition]:
        async for partition in super().partitions():
            courses[partition.key] = partition.context
            yield Partition(partition.key)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        known = courses.get(partition.key)
        if known is None:
            raise ContractError("which course?")
        async for page in super().pages(replace(partition, context=known), cursor, since):
            yield page


class TupleContext(Guild):
    """Gives a context that is no JSON."""

    async def partitions(self) -> AsyncIterator[Partition]:
        async for partition in super().partitions():
            yield replace(partition, context={"course": partition.context["course"], "odd": (1, 2)})  # type: ignore[index, call-overload, dict-item]


class _Renamed(Guild):
    names: ClassVar[str]

    async def partitions(self) -> AsyncIterator[Partition]:
        number = 0
        async for partition in super().partitions():
            number += 1
            yield replace(partition, key=self.names.format(number, next(counter)), context=partition.context)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        course: Any = partition.context
        async for page in super().pages(replace(partition, key=f"course:{course['course']['id']}"), cursor, since):
            yield page


class PageKeys(_Renamed):
    """Calls partitions by pages."""

    names = "page-{}"


class CountedKeys(_Renamed):
    """Counts partitions."""

    names = "{}"


class SameKeys(_Renamed):
    """Calls all partitions the same."""

    names = "course"


class ChangingKeys(_Renamed):
    """Calls partitions anew each time."""

    names = "course:{1}"


class SkippingCursor(Guild):
    """Gives cursors that lead one page too far."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield replace(
                page, cursor=page.cursor + 1 if isinstance(page.cursor, int) and page.cursor < 3 else page.cursor
            )


class SwallowsAuth(Guild):
    """Takes a refusal for the end of the list."""

    async def partitions(self) -> AsyncIterator[Partition]:
        try:
            async for partition in super().partitions():
                yield partition
        except AuthError:
            return


class NeverRenews(Guild):
    """Takes the end of a token for a refusal."""

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        if answer.status == 401:
            return Verdict.fail(AuthError, "refused", "Check the secret.")
        return Guild.verdict(answer)


class SwallowsForbidden(Guild):
    """Takes what may not be read for nothing."""

    async def partitions(self) -> AsyncIterator[Partition]:
        try:
            async for partition in super().partitions():
                yield partition
        except Forbidden:
            return


class SwallowsGone(Guild):
    """Takes a list that is not there for an empty one."""

    async def partitions(self) -> AsyncIterator[Partition]:
        try:
            async for partition in super().partitions():
                yield partition
        except RollbookError as error:
            if "404" not in error.message:
                raise


class SwallowsFailures(Guild):
    """Takes a failing server for the end of the list."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        try:
            async for page in super().pages(partition, cursor, since):
                yield page
        except VendorError:
            yield Page([])


class FailsTheRest(_OnePartition):
    """Reads all courses for the first one that is wanted."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        if not hasattr(self, "_all"):
            found = {one.key: await self.rows(one, 1) async for one in super().partitions()}
            self._all = found
        yield Page(self._all[partition.key])


class GivesUp(Guild):
    """Asks for nothing twice."""

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        if answer.status in {429, 500}:
            return Verdict.fail(VendorError, "the guild failed")
        return Guild.verdict(answer)


class AsksOnce(Windows):
    """Asks for reports as if that did something."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        form: dict[str, Any] = {"week": partition.context, "after": cursor}
        answer = await self.http.post("report", form=form, retry=False)
        rows: list[NativeRecord] = [{**row, "week": partition.context} for row in answer.items("rows")]
        following = answer.find("next") or None
        yield Page(rows, following)
        if following:
            async for page in self.pages(partition, following, since):
                yield page


class SwallowsOddities(Guild):
    """Takes what it cannot read for the end of the list."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        try:
            async for page in super().pages(partition, cursor, since):
                yield page
        except ContractError:
            yield Page([])


class ExpectsKeys(_OnePartition):
    """Expects every answer to be what it was yesterday."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        course: Any = partition.context
        path = f"api/courses/{partition.key.partition(':')[2]}/learners"
        async for answer in self.http.paged(path, None, LIST, items=_rows, start=cursor):
            yield Page(
                [{"learner": row, "course": course["course"]} for row in answer.items], answer.next, total=answer.total
            )


def _rows(answer: Answer) -> Sequence[NativeRecord]:
    body: Any = answer.json()
    return body["items"]


class ChangesLater(Guild):
    """Changes records after it gave them."""

    credentials = frozenset()  # else core makes copies

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            records = list(page.records)
            yield replace(page, records=records)
            for record in records:
                learner: Any = record["learner"]
                learner["later"] = True


class Floats(Hostile):
    """Reads numbers as floats."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield replace(page, records=[_floated(row) for row in page.records])


def _floated(row: NativeRecord) -> NativeRecord:
    return {name: float(value) if name == "big" and isinstance(value, int) else value for name, value in row.items()}


class Undeclared(Guild):
    """Does not name the key that signs a person in."""

    credentials = frozenset()


class LogsSecrets(Guild):
    """Logs what it signs in with."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        log.debug("reading with %s", self.settings.client_secret.get_secret_value())
        async for page in super().pages(partition, cursor, since):
            yield page


class TellsSecrets(Guild):
    """Raises with what it signs in with, when the guild fails."""

    async def partitions(self) -> AsyncIterator[Partition]:
        try:
            async for partition in super().partitions():
                yield partition
        except VendorError as error:
            error.add_note(f"asked with {self.settings.client_secret.get_secret_value()}")
            raise


class NamesLearners(Guild):
    """Logs who it read."""

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        async for people in super().load(lookup, keys):
            log.info("read %s", [person["email"] for person in people])
            yield people


class CheckSwallows(Guild):
    """Makes a notice of a refusal."""

    async def check(self) -> Sequence[Notice]:
        try:
            return await super().check()
        except AuthError as error:
            return (Notice(error.message, "missing"),)


class CheckFails(Guild):
    """Cannot be checked."""

    async def check(self) -> Sequence[Notice]:
        raise Forbidden("not for you")


class StrangeKind(Guild):
    """Gives pages of a kind that the mapping does not have."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        async for page in super().pages(partition, cursor, since):
            yield replace(page, kind="history")


class Untitled(Guild):
    """Has no title."""

    title = " "


class Nameless(Guild):
    """Has a name that is none."""

    name = "Guild!"


class Undescribed(Guild):
    __doc__ = ""


class _Bare(GuildSettings):
    """One setting more."""

    floor: int = 1


class BareSetting(Guild):
    """Has a setting that is not described."""

    Settings = _Bare


class NoLookup(Guild):
    """Joins what is not declared."""

    lookups = ()


class IdleLookup(Guild):
    """Declares what is not joined."""

    lookups = (*Guild.lookups, Lookup("rooms", "id"))


class BadJoin(Guild):
    """Joins by an expression that is none."""

    joins = (Join("person", "people", "learner..person"),)


class BadPick(Guild):
    """Picks by an expression that is none."""

    joins = (Join("person", "people", "learner.person", "found..name"),)


class DeadLookup(Guild):
    """Has a lookup that can be read in no way."""

    lookups = (Lookup("people", "id", whole=False),)


class Odd(Guild):
    """Has a mapping in which much is wrong."""

    name = "odd"


class Trusting(Hostile):
    """Follows a link to wherever it leads."""

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        links = NextLink("links.next")
        async for answer in self.http.paged("enrollments", None, links, items="data", start=cursor):
            yield Page(answer.items, answer.next)
