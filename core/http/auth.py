"""How requests are signed in."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote_plus

import httpx
from pydantic import SecretStr

from ..errors import SettingsError
from .address import with_param

if TYPE_CHECKING:
    from .answer import Answer

__all__ = ["ApiKey", "Auth", "Basic", "Bearer", "FormToken", "Secret", "Sender"]

Secret = SecretStr | str


class Sender(Protocol):
    """What an `Auth` can do to get a token: send a request that is not signed in."""

    def url(self, path: str) -> httpx.URL:
        """Resolve a path against the LMS's address; a whole address is taken as it is."""
        ...

    def now(self) -> float:
        """Give the time, in seconds since 1970."""
        ...

    async def plain(self, request: httpx.Request) -> Answer:
        """Send it, again where the network or the LMS fails; any other answer is the caller's to read."""
        ...


class Auth:
    """Signs requests in. Subclass it for another scheme."""

    async def ready(self, sender: Sender) -> None:
        """Get what signing needs, such as a token, if it is not there or about to expire."""

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Sign a request in; called again for each attempt."""
        return request

    async def renew(self, refused: httpx.Request, sender: Sender) -> bool:
        """Get a new token after the LMS refused this request; False if there is nothing to renew."""
        del refused, sender
        return False

    def secrets(self) -> set[str]:
        """Give the secrets it holds, so that they can be kept out of what is printed."""
        return set()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class _Header(Auth):
    def __init__(self, name: str, value: str, secret: Secret) -> None:
        self._name = name
        self._value = value
        self._secret = plain(secret)

    def sign(self, request: httpx.Request) -> httpx.Request:
        request.headers[self._name] = self._value
        return request

    def secrets(self) -> set[str]:
        return {self._secret, self._value}


class Basic(_Header):
    """User name and password in each request (RFC 7617)."""

    def __init__(self, user: Secret, password: Secret = "") -> None:
        self._user = plain(user)
        super().__init__("Authorization", basic(self._user, plain(password)), password)

    def secrets(self) -> set[str]:
        """Give the user name too: some LMSs take the API key as one."""
        return {*super().secrets(), self._user}


class Bearer(_Header):
    """A token that does not change: `Authorization: Bearer <token>`."""

    def __init__(self, token: Secret, *, scheme: str = "Bearer") -> None:
        super().__init__("Authorization", f"{scheme} {printable(token, 'token')}".strip(), token)


class ApiKey(Auth):
    """A key in a header or in the query."""

    def __init__(self, value: Secret, *, header: str = "", query: str = "") -> None:
        if bool(header) == bool(query):
            raise TypeError("ApiKey needs either header or query")
        self._header = header
        self._query = query
        self._value = printable(value, "API key") if header else plain(value)

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Set the header or the parameter."""
        if self._header:
            request.headers[self._header] = self._value
            return request
        request.url = with_param(request.url, self._query, self._value)
        return request

    def secrets(self) -> set[str]:
        """Give the key."""
        return {self._value}


class FormToken(Auth):
    """A token in the form of each POST request."""

    def __init__(self, field: str, token: Secret) -> None:
        self._field = field
        self._token = plain(token)

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Add the token to the form."""
        kind = request.headers.get("content-type", "application/x-www-form-urlencoded")
        if request.method != "POST" or not kind.startswith("application/x-www-form-urlencoded"):
            raise TypeError("FormToken signs in POST requests with a form only")
        pair = f"{quote_plus(self._field)}={quote_plus(self._token)}".encode()
        content = request.content + b"&" + pair if request.content else pair
        headers = request.headers.copy()
        headers.pop("content-length", None)
        headers["content-type"] = kind
        return httpx.Request("POST", request.url, headers=headers, content=content, extensions=request.extensions)

    def secrets(self) -> set[str]:
        """Give the token."""
        return {self._token}


def plain(secret: Secret) -> str:
    """Give a secret's text."""
    return secret.get_secret_value() if isinstance(secret, SecretStr) else secret


def printable(secret: Secret, what: str) -> str:
    """Give the text of a secret that goes into a header.

    Raises:
        SettingsError: No header can carry it.
    """
    value = plain(secret).strip()
    if not value or not (value.isascii() and value.isprintable()):
        raise SettingsError(f"the {what} is empty or holds characters that no {what} has", hint="Was it copied whole?")
    return value


def basic(user: str, password: str) -> str:
    """Spell a user's name and password as the header wants them."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
