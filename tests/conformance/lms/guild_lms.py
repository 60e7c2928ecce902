"""Guild: a well-behaved LMS with courses, learners page by page, people to join, totals and a token that expires."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import SecretStr  # noqa: TC002 - pydantic reads it at run time
from rollbook.core.connector import Connector, Join, Lookup, Notice, Page, Partition, Settings
from rollbook.core.errors import ContractError, Forbidden, Gone
from rollbook.core.http import Auth, OAuth2, PageNumber, Vault, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.http import Answer
    from rollbook.core.native import JSON, NativeRecord

LIST = PageNumber(size_param="size", size=2, count="total")
"""An empty page ends the list."""


class GuildSettings(Settings):
    """The application that reads the guild."""

    client_id: str = "rollbook"
    """Id of the application."""
    client_secret: SecretStr
    """Its secret."""

    def origin(self) -> str:
        """Give the guild's address."""
        return "https://guild.example.com"

    def auth(self, vault: Vault | None) -> Auth:
        """Get a token for the application."""
        del vault
        return OAuth2("/oauth/token", client_id=self.client_id, client_secret=self.client_secret)


class Guild(Connector[GuildSettings]):
    """Courses, then the learners of each; people are joined."""

    name, title = "guild", "Guild"
    Settings = GuildSettings
    lookups = (Lookup("people", "id", batch=1),)
    joins = (Join("person", "people", "learner.person"),)
    credentials = frozenset({"session_key"})

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """A list that is not there must not read as an empty one."""
        if answer.status == 404 and answer.request.endswith(("/courses", "/people")):
            return Verdict.fail(Forbidden, "the guild does not offer this list (404)")
        return None

    async def check(self) -> Sequence[Notice]:
        """Ask who is asking."""
        (await self.http.get("api/me")).object()
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses."""
        async for answer in self.http.paged("api/courses", None, LIST, items="items"):
            for course in answer.items:
                yield Partition(f"course:{course.get('id')}", {"course": course})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the learners of a course."""
        del since
        course = partition.context["course"] if isinstance(partition.context, dict) else None
        path = f"api/courses/{partition.key.partition(':')[2]}/learners"
        async for answer in self.http.paged(path, None, LIST, items="items", start=cursor):
            records: list[NativeRecord] = [{"learner": row, "course": course} for row in answer.items]
            yield Page(records, answer.next, total=answer.total)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read people: all, or one."""
        del lookup
        if keys is None:
            async for answer in self.http.paged("api/people", None, LIST, items="items"):
                yield answer.items
        for key in keys or ():
            try:
                yield [(await self.http.get(f"api/people/{quote(key, safe='')}")).object()]
            except Gone:
                continue

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one learner of one course."""
        del known
        course, _, person = id.partition(":")
        if not course.isdecimal() or not person.isdecimal():
            raise Gone("an id is the course's and the person's")
        row = (await self.http.get(f"api/courses/{course}/learners/{person}")).object()
        if "person" not in row:
            raise ContractError("a learner without a person")
        return Page([{"learner": row, "course": (await self.http.get(f"api/courses/{course}")).object()}])
