"""Hostile: an LMS that does everything an LMS should not do, and nothing that one has not been seen doing."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import SecretStr  # noqa: TC002 - pydantic reads it at run time
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.errors import Forbidden, Gone
from rollbook.core.http import Auth, Bearer, NextLink, Vault, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.http import Answer
    from rollbook.core.native import JSON, NativeRecord

LIST = NextLink("links.next", any_host=True)
"""It stands behind a proxy, and links to the name that only its own network knows."""


class HostileSettings(Settings):
    """The token."""

    token: SecretStr
    """Access token."""

    def origin(self) -> str:
        """Give the address."""
        return "https://hostile.example.com"

    def auth(self, vault: Vault | None) -> Auth:
        """Send the token."""
        del vault
        return Bearer(self.token)


class Hostile(Connector[HostileSettings]):
    """Every enrollment in one list, whose pages shift while they are read; people are in another."""

    name, title = "hostile", "Hostile LMS"
    Settings = HostileSettings
    lookups = (Lookup("people", "id"),)
    joins = (Join("person", "people", "user"),)
    credentials = frozenset({"autologin"})

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """A list that is not there must not read as an empty one."""
        if answer.status == 404 and answer.request.endswith(("/enrollments", "/people")):
            return Verdict.fail(Forbidden, "there is no such list (404)")
        return None

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the list."""
        del partition, since
        async for answer in self.http.paged("enrollments", None, LIST, items="data", start=cursor):
            yield Page(answer.items, answer.next)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read people; those without an id are nobody."""
        del lookup, keys
        async for answer in self.http.paged("people", None, LIST, items="data"):
            yield [person for person in answer.items if person.get("id")]

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Ask for one."""
        del known
        found = (await self.http.get(f"enrollments/{quote(id, safe='')}")).object("data")
        if str(found.get("id")).strip() != id:
            raise Gone("another one came")
        return Page([found])
