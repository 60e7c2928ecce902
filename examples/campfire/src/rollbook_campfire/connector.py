"""Campfire, by its API v1: trails, the hikes on each, and the campers who hike.

Campfire is an invented LMS. Its API is REST: JSON, a bearer token, lists that end with a token for their next page.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from pydantic import SecretStr, model_validator
from rollbook.core.connector import Connector, Join, Lookup, Notice, Page, Partition, Settings
from rollbook.core.errors import ContractError
from rollbook.core.http import Bearer, Cursor, Limit, Verdict
from rollbook.core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import Self

    from rollbook.core.http import Answer, Auth, Vault
    from rollbook.core.native import JSON, NativeRecord

__all__ = ["Campfire", "CampfireSettings"]

# where 404 means a wrong address, not an item that is gone
LISTS = ("/v1/trails", "/v1/campers")
PAGES = Cursor("after", "next", size_param="limit", size=100, count="total")


class CampfireSettings(Settings):
    """One camp, and the token that its warden made."""

    camp: str = ""
    """`pinewood` of pinewood.campfire.example."""
    api_token: SecretStr
    """Token of the API (Camp > Keys > New key), of a warden or a ranger."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None and not self.camp.isalnum():
            raise ValueError("set `camp`, the first word of the camp's address")
        return self

    def origin(self) -> str:
        """Give the camp's address."""
        return self.base_url or f"https://{self.camp}.campfire.example"

    def auth(self, vault: Vault | None) -> Auth:
        """Send the token with each request."""
        del vault
        return Bearer(self.api_token)


@register
class Campfire(Connector[CampfireSettings]):
    """Trails of a camp, then the hikes on each."""

    name, title = "campfire", "Campfire"
    Settings = CampfireSettings
    lookups = (Lookup("campers", "id", batch=50),)
    joins = (Join("camper", "campers", "hike.camper_id"),)

    def limits(self) -> Sequence[Limit]:
        """Give the limit of every camp; two at once are our own choice."""
        return (Limit(requests=600, per=60.0, at_once=2),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Tell a camp that is closed for the night, and a list that is not there from an item that is gone."""
        if answer.status == HTTPStatus.CONFLICT:
            return Verdict.retry("the camp is closed for the night (409)")
        if answer.status == HTTPStatus.NOT_FOUND and answer.request.endswith(LISTS):
            return Verdict.fail(ContractError, "there is no such camp (404)", "Check the setting `camp`.")
        return None

    async def check(self) -> Sequence[Notice]:
        """Ask who the token belongs to: a ranger sees only trails of their own."""
        role = (await self.http.get("v1/me")).object().get("role")
        if role == "ranger":
            return (Notice("The token is a ranger's: only trails of their own are read. Use a warden's.", "reduced"),)
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the trails, closed ones too."""
        async for answer in self.http.paged("v1/trails", None, PAGES, items="trails"):
            for trail in answer.items:
                yield Partition(f"trail:{trail['id']}", trail)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a trail's hikes page by page."""
        del since
        path = f"v1/trails/{quote(partition.key.partition(':')[2], safe='')}/hikes"
        async for answer in self.http.paged(path, None, PAGES, items="hikes", start=cursor):
            records = [_record(hike, partition.context) for hike in answer.items]
            yield Page(records, answer.next, total=answer.total)

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read all campers, or up to fifty by their ids; one who is no longer there is left out."""
        del lookup
        chosen = None if keys is None else {"ids": ",".join(keys)}
        async for answer in self.http.paged("v1/campers", chosen, PAGES, items="campers"):
            yield answer.items

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Read one hike and its trail: the same record as in the whole."""
        del known
        hike = (await self.http.get(f"v1/hikes/{quote(id, safe='')}")).object()
        trail = (await self.http.get(f"v1/trails/{quote(str(hike['trail_id']), safe='')}")).object()
        return Page([_record(hike, trail)])


def _record(hike: NativeRecord, trail: JSON) -> NativeRecord:
    return {"hike": hike, "trail": trail}
