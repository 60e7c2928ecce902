"""Windows: an LMS that tells activity week by week, so that an enrollment is folded of what each week says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr  # noqa: TC002 - pydantic reads it at run time
from rollbook.core.connector import Connector, Join, Lookup, Page, Partition, Settings
from rollbook.core.errors import Gone
from rollbook.core.http import ApiKey, Auth, Cursor, Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.native import JSON, NativeRecord

LIST = Cursor("after", "next")


class WindowsSettings(Settings):
    """The key of the reports."""

    api_key: SecretStr
    """Key of the reports."""

    def origin(self) -> str:
        """Give the address of the reports."""
        return "https://windows.example.com"

    def auth(self, vault: Vault | None) -> Auth:
        """Send the key with each form."""
        del vault
        return ApiKey(self.api_key, query="key")


class Windows(Connector[WindowsSettings]):
    """A report a week, asked for with POST; what the weeks say of an enrollment is folded into one record."""

    name, title = "windows", "Windows"
    Settings = WindowsSettings
    part = "week"
    lookups = (Lookup("courses", "code"),)
    joins = (Join("course", "courses", "course_code"),)

    async def check(self) -> Sequence[Any]:
        """Ask for the list of weeks."""
        (await self.http.get("weeks")).items("weeks")
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the weeks."""
        for week in (await self.http.get("weeks")).items("weeks"):
            yield Partition(f"week:{week.get('begins')}", week.get("begins"))

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a week's report."""
        del since
        form = {"week": partition.context}
        pages = self.http.paged("report", None, LIST, items="rows", method="POST", form=form, start=cursor)
        async for answer in pages:
            yield Page([{**row, "week": partition.context} for row in answer.items], answer.next)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read the courses."""
        del lookup, keys
        yield (await self.http.get("courses")).items("courses")

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read what each week says of one enrollment."""
        del known
        if not id.isdecimal():
            raise Gone("an id is a number")
        rows = (await self.http.post("history", form={"enrollment": id})).items("rows")
        if not rows:
            raise Gone("there is no such enrollment")
        return Page(rows)

    @staticmethod
    def fold(parts: Sequence[NativeRecord]) -> NativeRecord:
        """Add the weeks' minutes up; the rest is what the last week says."""
        minutes = [part["minutes"] for part in parts]
        return {**parts[-1], "minutes": sum(one for one in minutes if isinstance(one, int)), "weeks": len(parts)}
