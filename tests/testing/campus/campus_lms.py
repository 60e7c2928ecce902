"""Campus: an invented LMS with all that makes a recording risky, and a report behind a signed link."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from pydantic import SecretStr  # noqa: TC002 - pydantic reads the annotation
from rollbook.core.connector import Connector, Page, Partition, Settings
from rollbook.core.http import ApiKey, Auth, LinkHeader, Vault
from rollbook.core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollbook.core.native import JSON, NativeRecord


class CampusSettings(Settings):
    """The campus and its key."""

    api_key: SecretStr
    """The key."""
    portal: str = ""
    """The campus's own name."""

    def auth(self, vault: Vault | None) -> Auth:
        """Send the key in the query."""
        del vault
        return ApiKey(self.api_key, query="api_key")


@register
class Campus(Connector[CampusSettings]):
    """Members page by page, and their grades from a file at another host."""

    name, title = "campus", "Campus"
    Settings = CampusSettings

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the grades, then the members."""
        del partition, since
        link = str((await self.http.get("api/report")).object()["link"])
        async with self.http.download(link, other_host=True) as file:
            rows = list(csv.DictReader(file.read().decode().splitlines()))
        grades: dict[str, JSON] = {row["member_id"]: dict(row) for row in rows}
        async for answer in self.http.paged("api/members", {"per_page": 3}, LinkHeader(), start=cursor):
            records: list[NativeRecord] = [
                {"member": row, "report": grades.get(str(row["id"]))} for row in answer.items
            ]
            yield Page(records, answer.next)
