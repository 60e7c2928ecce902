"""Tokens that are given out for a while: OAuth 2.0 and its like."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import httpx

from ..errors import AuthError, ContractError
from ..native import digest
from .address import origin
from .auth import Auth, basic, plain, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..native import JSON
    from .answer import Answer
    from .auth import Secret, Sender
    from .vault import Vault

__all__ = ["OAuth2", "Token", "TokenAuth"]


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token that was given out."""

    value: str
    expires: float | None = None
    """When, in seconds since 1970; None if the LMS does not say."""


class TokenAuth(Auth, ABC):
    """A token that is fetched when it is first needed, before it expires, and once when it is refused.

    Subclasses say how to `fetch` it: concurrent requests wait for one fetch.
    """

    margin = 60.0
    """Seconds before its end at which a token is renewed; at most a tenth of its life."""

    def __init__(self, *, scheme: str = "Bearer") -> None:
        self._scheme = scheme
        self._token: Token | None = None
        self._renew_at: float | None = None
        self._lock = asyncio.Lock()

    @abstractmethod
    async def fetch(self, sender: Sender) -> Token:
        """Get a token.

        Raises:
            AuthError: The LMS refuses the credentials.
        """

    async def ready(self, sender: Sender) -> None:
        """Fetch a token if there is none or it is about to expire."""
        if not self._is_good(sender.now()):
            async with self._lock:
                if not self._is_good(sender.now()):
                    await self._take(sender)

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Set the `Authorization` header."""
        request.headers["Authorization"] = self._credentials()
        return request

    async def renew(self, refused: httpx.Request, sender: Sender) -> bool:
        """Fetch a token, unless another request has done so meanwhile."""
        async with self._lock:
            if refused.headers.get("Authorization") == self._credentials():
                await self._take(sender)
        return True

    def secrets(self) -> set[str]:
        """Give the token."""
        return {self._token.value} if self._token else set()

    def _is_good(self, now: float) -> bool:
        return self._token is not None and (self._renew_at is None or now < self._renew_at)

    def _credentials(self) -> str:
        return f"{self._scheme} {self._token.value}" if self._token else ""

    async def _take(self, sender: Sender) -> None:
        token = await self.fetch(sender)
        printable(token.value, "token")
        now = sender.now()
        self._token = token
        life = None if token.expires is None else token.expires - now
        self._renew_at = None if life is None else now + life - min(self.margin, life / 10)


class OAuth2(TokenAuth):
    """OAuth 2.0 (RFC 6749) without a browser.

    Args:
        token_url: Where tokens are given out: a path at the LMS, or a whole address.
        grant: How the token is asked for.
        client_id: The application's id.
        client_secret: The application's secret.
        scope: Asked for, if not empty.
        username: For the password grant.
        password: For the password grant.
        refresh_token: For the grant of that name: the one from the settings.
        extra: Further fields that the LMS wants.
        credentials: Where the client's id and secret go: into the form, or a Basic header.
        vault: Keeps a refresh token that the LMS exchanges at each use.
        scheme: Stands before the token in the header.
    """

    def __init__(
        self,
        token_url: str,
        *,
        client_id: str,
        client_secret: Secret = "",
        grant: Literal["client_credentials", "password", "refresh_token"] = "client_credentials",
        scope: str = "",
        username: str = "",
        password: Secret = "",
        refresh_token: Secret = "",
        extra: Mapping[str, str] | None = None,
        credentials: Literal["form", "basic"] = "form",
        vault: Vault | None = None,
        scheme: str = "Bearer",
    ) -> None:
        super().__init__(scheme=scheme)
        self._url = token_url
        self._client = (client_id, plain(client_secret))
        self._grant = grant
        self._fields = {"scope": scope, **(extra or {})}
        self._user = (username, plain(password))
        self._refresh = plain(refresh_token)
        self._credentials_in = credentials
        self._vault = vault

    def secrets(self) -> set[str]:
        """Give every secret it holds."""
        return {*super().secrets(), self._client[1], self._user[1], self._refresh}

    async def fetch(self, sender: Sender) -> Token:
        """Ask for a token; a new refresh token is saved before it is used."""
        if self._vault is None or self._grant != "refresh_token":
            token, refresh = await self._exchange(sender, self._refresh)
            self._refresh = refresh or self._refresh
            return token
        # a token pasted anew into the settings has a place of its own: what was kept for the old one is not used
        key = digest("\0".join((self._url, self._client[0], self._refresh)))
        async with self._vault.held() as kept:  # one process at a time: a refresh token may be good only once
            token, refresh = await self._exchange(sender, kept.get(key) or self._refresh)
            if refresh:
                kept.put(key, refresh)
        return token

    async def _exchange(self, sender: Sender, refresh: str) -> tuple[Token, str]:
        asked = sender.now()
        answer = await sender.plain(self._request(sender.url(self._url), refresh))
        if answer.status != 200:  # noqa: PLR2004 - RFC 6749, section 5.1
            raise self._refusal(answer)
        body = answer.object()
        value, life, fresh = body.get("access_token"), body.get("expires_in"), body.get("refresh_token")
        if not isinstance(value, str) or not value:
            raise ContractError("the answer holds no access_token", where=answer.request)
        expires = None if life is None else asked + _seconds(life, answer.request)
        return Token(value, expires), fresh if isinstance(fresh, str) else ""

    def _request(self, url: httpx.URL, refresh: str) -> httpx.Request:
        fields: dict[str, str] = {"grant_type": self._grant, **self._fields}
        if self._grant == "password":
            fields |= {"username": self._user[0], "password": self._user[1]}
        if self._grant == "refresh_token":
            fields["refresh_token"] = refresh
        headers = {"Accept": "application/json"}
        if self._credentials_in == "basic":
            user, secret = (quote(part, safe="") for part in self._client)  # RFC 6749, section 2.3.1
            headers["Authorization"] = basic(user, secret)
        else:
            fields |= {"client_id": self._client[0], "client_secret": self._client[1]}
        return httpx.Request("POST", url, headers=headers, data={name: text for name, text in fields.items() if text})

    def _refusal(self, answer: Answer) -> AuthError | ContractError:
        """Make the error for a refused token request. The code is shown; the description may hold anything."""
        code = _error_code(answer)
        shown = f"{answer.status}, {code}" if code else f"{answer.status}"
        hint = _HINTS.get(code) or f"Check {_SETTINGS[self._grant]}."
        if answer.status in {400, 401, 403}:
            return AuthError(f"the LMS gives no token for these credentials ({shown})", where=answer.request, hint=hint)
        if target := answer.headers.get("location", ""):  # not followed: it may be another host, and gets the secret
            hint = "Put the address that it redirects to into the settings, if that is where tokens are given out."
            return ContractError(f"it redirects to {_place(target, answer)} ({shown})", where=answer.request, hint=hint)
        hint = "Is base_url right?"
        return ContractError(f"no token is given out at this address ({shown})", where=answer.request, hint=hint)


_SETTINGS = {
    "client_credentials": "client_id and client_secret",
    "password": "client_id, client_secret, username and password",
    "refresh_token": "client_id, client_secret and refresh_token",
}
_HINTS = {
    "invalid_client": "Check client_id and client_secret.",
    "invalid_grant": "Check username and password, or make a new refresh_token: it may have been used up or withdrawn.",
    "invalid_scope": "The application is not allowed this scope: check it where the application is registered.",
    "unauthorized_client": "The application may not ask for a token in this way: check its grant types.",
    "unsupported_grant_type": "The LMS does not give tokens in this way: check the application's grant types.",
}


def _error_code(answer: Answer) -> str:
    try:
        code = answer.find("error")
    except ContractError:  # no JSON, so no code
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else ""


def _place(target: str, answer: Answer) -> str:
    """Name where a redirect leads to, without its query."""
    try:
        url = httpx.URL(answer.url).join(target)
    except httpx.InvalidURL:
        return "what is no address"
    return f"{origin(url)}{url.path}"


def _seconds(life: JSON, where: str) -> float:
    try:
        seconds = float(life) if isinstance(life, (int, float, str)) and not isinstance(life, bool) else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ContractError("expires_in of the answer is not a number of seconds", where=where)
    return seconds
