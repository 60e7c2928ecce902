"""Open edX: what a connection needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, SecretStr, model_validator

from ..core.connector import BaseUrl, Settings
from ..core.http import OAuth2

if TYPE_CHECKING:
    from ..core.http import Auth, Vault

__all__ = ["OpenEdXSettings"]


class OpenEdXSettings(Settings):
    """One LMS, and an application of it (LMS Django admin > Django OAuth Toolkit > Applications) owned by staff."""

    base_url: BaseUrl | None = Field(...)
    """Address of the LMS, where learners sign in; not that of Studio."""
    client_id: str
    """Client id of the application: confidential, grant type client credentials, its user with staff status."""
    client_secret: SecretStr
    """Client secret of the application."""
    token_type: Literal["jwt", "bearer"] = "jwt"  # noqa: S105 - a kind, no token
    """Kind of token to ask for; every list takes `jwt`."""
    token_path: str = "oauth2/access_token"  # noqa: S105 - a place, no token
    """Path at base_url at which tokens are given out; edX's own gateway has `oauth2/v1/access_token`."""
    page_size: int = Field(default=100, ge=1, le=100)
    """How many enrollments or grades are asked for at once."""
    fetch_users: bool = True
    """Read the learners' names and e-mail addresses, too."""
    fetch_grades: bool = True
    """Read grades, without which nobody is passed or failed; one request for each hundred learners of a course."""
    fetch_progress: bool = False
    """Read progress from the completion aggregator, where that plugin is installed; as many requests as for grades."""
    fetch_certificates: bool = False
    """Read the certificate of each passed or withdrawn enrollment: its date and link, for a request each."""
    org: str = ""
    """With the strategy `courses`: only the courses of this organisation."""
    enterprise_uuid: str = ""
    """With the strategy `enterprise`: UUID of the customer of edX For Business."""
    enterprise_url: BaseUrl | None = None
    """With the strategy `enterprise`: address of the analytics service or gateway that has the report."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.base_url is None:
            raise ValueError("base_url is missing: the address of your LMS, such as https://learn.example.com")
        if "://" in self.token_path or self.token_path.startswith("//"):
            raise ValueError("token_path is a path at base_url, without a host")
        if self.org and self.strategy != "courses":
            raise ValueError('`org` goes with strategy = "courses"')
        wanted = (bool(self.enterprise_uuid), self.enterprise_url is not None)
        if any(wanted) and self.strategy != "enterprise":
            raise ValueError('`enterprise_uuid` and `enterprise_url` go with strategy = "enterprise"')
        if self.strategy == "enterprise" and not all(wanted):
            raise ValueError('strategy = "enterprise" needs `enterprise_uuid` and `enterprise_url`')
        return self

    def origin(self) -> str:
        """Give the address of the LMS, or of the report."""
        return self.enterprise_url or super().origin()

    def auth(self, vault: Vault | None) -> Auth:
        """Ask the LMS for tokens; a JWT is refused as `Bearer`."""
        del vault
        return OAuth2(
            f"{super().origin()}/{self.token_path.lstrip('/')}",
            client_id=self.client_id,
            client_secret=self.client_secret,
            extra={"token_type": self.token_type},
            scheme="JWT" if self.token_type == "jwt" else "Bearer",  # noqa: S105 - a kind, no token
        )
