"""Schoology's settings: the key and secret of a school, and what is read with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr, field_validator

from ..core.connector import BaseUrl, Settings
from ..core.http import OAuth1

if TYPE_CHECKING:
    from ..core.http import Auth, Vault

__all__ = ["SchoologySettings"]


class SchoologySettings(Settings):
    """The API key and secret that an administrator of the school or district was given."""

    client_id: str
    """The consumer key: System Settings > Integration > API, as a system administrator."""
    client_secret: SecretStr
    """The consumer secret beside it."""
    base_url: BaseUrl | None = None
    """Address of the API, in place of https://api.schoology.com, which is the same for every school."""
    signature_method: Literal["HMAC-SHA1", "PLAINTEXT"] = "HMAC-SHA1"
    """How requests are signed. Schoology recommends HMAC-SHA1; PLAINTEXT sends the secret itself, by https."""
    building_id: str = ""
    """Only the courses of this building; for a key that may read all of them."""
    include_past_sections: bool = True
    """Also read the sections of grading periods that have ended."""
    fetch_users: bool = True
    """Read the list of people: e-mail addresses and logins stand nowhere else."""
    fetch_inactive_users: bool = True
    """Read the list of deactivated people: who they are is told nowhere else."""
    fetch_grading_periods: bool = True
    """Read the grading periods: when sections begin and end. Only administrators may."""
    include_completion: bool = True
    """Read the completion of each section: a request more for it, and the only sign of completion."""
    include_results: bool = True
    """Read the final grades of each section: a request more for it, for scores and for in_progress."""
    page_size: int = Field(default=200, ge=1, le=200)
    """Rows asked for at once. Schoology's own maximum is not documented; what it gives less does no harm."""
    web_url: BaseUrl | None = None
    """Address at which people open Schoology, such as https://school.schoology.com: for links to courses."""
    five_second_limit: int = Field(default=12, ge=1)
    """Requests in five seconds. Schoology documents no limit; others who read it found 15."""

    @field_validator("base_url")
    @classmethod
    def _without_version(cls, value: str | None) -> str | None:
        return value.removesuffix("/v1") if value else value

    def origin(self) -> str:
        """Give the API's address, without the version."""
        return self.base_url or "https://api.schoology.com"

    def auth(self, vault: Vault | None) -> Auth:
        """Sign each request; the token of a user is empty, and has to be there all the same."""
        del vault
        return OAuth1(self.client_id, self.client_secret, method=self.signature_method, token="", realm="Schoology API")
