"""The smallest connector: one list of enrollments, with the learner and the course in each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, SecretStr
from rollbook.core.connector import BaseUrl, Connector, Page, Partition, Settings
from rollbook.core.http import Bearer, LinkHeader
from rollbook.core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollbook.core.http import Auth, Vault
    from rollbook.core.native import JSON


class MyLmsSettings(Settings):
    """One site, and a token of its API."""

    base_url: BaseUrl | None = Field(...)
    """Address of the site."""
    api_token: SecretStr
    """Token of the API."""

    def auth(self, vault: Vault | None) -> Auth:
        """Send the token with each request."""
        del vault
        return Bearer(self.api_token)


@register
class MyLms(Connector[MyLmsSettings]):
    """All enrollments in one list."""

    name, title = "my_lms", "My LMS"
    Settings = MyLmsSettings

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read the list page by page; each page names the next one in the header `Link`."""
        del partition, since
        async for answer in self.http.paged("api/enrollments", {"per_page": 100}, LinkHeader(), start=cursor):
            yield Page(answer.items, answer.next)
