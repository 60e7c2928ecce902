"""OneRoster's settings: where a roster is, and how one signs in there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, Self

import httpx
from pydantic import Field, SecretStr, model_validator

from ..core.connector import BaseUrl, Settings
from ..core.http import OAuth1, OAuth2

if TYPE_CHECKING:
    from ..core.http import Auth, Vault

__all__ = ["USUAL", "OneRosterSettings"]

SCOPE = "https://purl.imsglobal.org/spec/or/{}/scope/{}"
USUAL = 100
"""The standard's own page size."""


class OneRosterSettings(Settings):
    """Where the roster is, and the key and secret that its owner gave out for it."""

    base_url: BaseUrl | None = Field(...)
    """Address of the API, up to `/ims/oneroster` or without it, such as https://sis.example.com/ims/oneroster."""
    rostering_url: BaseUrl | None = None
    """Whole address of the rostering service, where it is not base_url with /ims/oneroster and the version after it."""
    gradebook_url: BaseUrl | None = None
    """Whole address of the gradebook service, likewise. It has to be at the same host."""
    version: Literal["1.1", "1.2"] = "1.2"
    """Which OneRoster the system speaks."""
    sign_in: Literal["oauth2", "oauth1"] = "oauth2"
    """How: OAuth 2 client credentials, or OAuth 1.0a (1.1 only; it needs `pip install 'rollbook[oauth1]'`)."""
    client_id: str
    """The client id, or consumer key, from the system's screen for OneRoster applications."""
    client_secret: SecretStr
    """The client or consumer secret beside it."""
    token_url: BaseUrl | None = None
    """Whole address where OAuth 2 tokens are given out; often at another host than the API."""
    scope: str | None = None
    """Scopes to ask for, with spaces between them, in place of the standard's; empty for none."""
    client_auth: Literal["basic", "form"] = "basic"
    """Where the token's server wants client id and secret: in a Basic header, as the standard says, or in the form."""
    signature_method: Literal["HMAC-SHA256", "HMAC-SHA1"] = "HMAC-SHA256"
    """How OAuth 1.0a signs."""
    page_size: int = Field(default=USUAL, ge=1, le=1000)
    """Rows asked for at once. Many servers give more than 100, some cut it down silently, which does no harm."""
    sort: bool = True
    """Ask for the rows in the order of their ids. Without it a server may give rows twice and others never."""
    use_filter: bool = True
    """Ask for what changed since the last reading. Off for a server whose filter cannot be relied on."""
    trailing_slash: bool = False
    """End paths with a slash, for a server that redirects all others."""
    learner_roles: tuple[str, ...] = ("student",)
    """Roles in a class that make a learner, in lower case."""
    preferred_names: bool = False
    """Call people by their preferred names, where they have some (1.2)."""
    fetch_courses: bool = True
    """Also read the courses that the classes belong to."""
    include_results: bool = False
    """Also read the gradebook: for in_progress, and for scores. It may be large."""
    final_line_item: str = ""
    """Title or id of the line item that holds the final grade, with include_results; none: no scores."""
    school_ids: tuple[str, ...] = ()
    """Only these schools' enrollments, with strategy = "school"."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.sign_in == "oauth2" and self.token_url is None:
            raise ValueError("set `token_url`: where OAuth 2 tokens are given out is told nowhere else")
        here = httpx.URL(self.base_url or "")
        for name in ("rostering_url", "gradebook_url"):
            url = httpx.URL(getattr(self, name) or here)
            if (url.scheme, url.netloc) != (here.scheme, here.netloc):
                raise ValueError(f"`{name}` is at another host than `base_url`, where nothing would be signed in")
        if self.final_line_item and not self.include_results:
            raise ValueError("`final_line_item` needs include_results = true")
        if self.school_ids and self.strategy != "school":
            raise ValueError('`school_ids` needs strategy = "school"')
        return self

    def auth(self, vault: Vault | None) -> Auth:
        """Get tokens, or sign each request."""
        del vault
        if self.sign_in == "oauth1":
            return OAuth1(self.client_id, self.client_secret, method=self.signature_method)
        return OAuth2(
            self.token_url or "",
            client_id=self.client_id,
            client_secret=self.client_secret,
            scope=self.scopes() if self.scope is None else self.scope,
            credentials=self.client_auth,
        )

    def scopes(self) -> str:
        """Give the least that the reading needs: never demographics, never writing."""
        version = "v1p2" if self.version == "1.2" else "v1p1"
        # of 1.1's scopes only roster.readonly was seen in use; nested lists need it in 1.2, too
        wide = version == "v1p1" or self.strategy == "school"
        names = ["roster.readonly" if wide else "roster-core.readonly"]
        names += ["gradebook.readonly" if wide else "gradebook-core.readonly"] if self.include_results else []
        return " ".join(SCOPE.format(version, name) for name in names)

    def service(self, name: Literal["rostering", "gradebook"]) -> str:
        """Give a service's whole address."""
        given = self.rostering_url if name == "rostering" else self.gradebook_url
        root = re.sub(r"/ims/oneroster(/v1p1|/(rostering|gradebook)/v1p2)?$", "", self.origin())
        return given or f"{root}/ims/oneroster/{'v1p1' if self.version == '1.1' else f'{name}/v1p2'}"
