"""A small connector: an LMS whose courses are shelves, and whose enrollments are loans."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import SecretStr  # noqa: TC002 - pydantic reads the annotation
from rollbook.core.connector import Connector, Notice, Page, Partition, Settings
from rollbook.core.errors import Gone
from rollbook.core.http import Bearer, PageNumber, Verdict
from rollbook.core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from rollbook.core.http import Answer, Auth, Vault
    from rollbook.core.native import JSON, NativeRecord


class ShelfSettings(Settings):
    token: SecretStr
    """Key of its API; it goes into the header, and into the query of the list of shelves."""

    def origin(self) -> str:
        return self.base_url or "https://shelf.example.com"

    def auth(self, vault: Vault | None) -> Auth:
        return Bearer(self.token)


@register
class Shelf(Connector[ShelfSettings]):
    """Shelf by shelf, two loans a page."""

    name, title, Settings = "shelf", "Shelf LMS", ShelfSettings

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        if answer.status == HTTPStatus.NOT_FOUND:
            return Verdict.fail(Gone, "it is not there (404)")
        return None

    async def check(self) -> Sequence[Notice]:
        await self.http.get("me")
        return ()

    async def partitions(self) -> AsyncIterator[Partition]:
        token = self.settings.token.get_secret_value()
        async for answer in self.http.paged("shelves", {"token": token}, PageNumber(pages="pages"), items="shelves"):
            for shelf in answer.items:
                yield Partition(f"shelf:{shelf['id']}", shelf)

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        path = f"shelves/{partition.key.partition(':')[2]}/loans"
        lists = PageNumber(size_param="size", size=2, pages="pages", count="total")
        async for answer in self.http.paged(path, None, lists, items="loans", start=cursor):
            yield Page([_record(loan, partition.context) for loan in answer.items], answer.next, total=answer.total)

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        loan = (await self.http.get(f"loans/{id}")).object()
        return Page([_record(loan, (await self.http.get(f"shelves/{loan['shelf']}")).object())])


def _record(loan: JSON, shelf: JSON) -> NativeRecord:
    return {"loan": loan, "shelf": shelf}
