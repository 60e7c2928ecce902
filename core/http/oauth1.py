"""Requests that are signed one by one: OAuth 1.0a (RFC 5849). The package `oauthlib` does the signing."""

from __future__ import annotations

import importlib
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, quote

from ..errors import ContractError, SettingsError
from .auth import Auth, plain, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from .auth import Secret, Sender

__all__ = ["Method", "OAuth1"]

Method = Literal["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"]
Pairs = list[tuple[str, str]]

STALE = 60
"""Seconds after which a refused request is signed once more: it may have waited for its turn until it was too old."""


class OAuth1(Auth):
    """OAuth 1.0a: each attempt and each redirect is signed afresh, with a nonce and a time of its own.

    The query, and a form, take part in the signature. They are spelled as the standard spells them (a space is `%20`,
    never `+`), so that a server which signs what it was sent and one which decodes it first agree.

    Args:
        key: The consumer's key.
        secret: The consumer's secret.
        method: How it signs. RFC 5849 knows `HMAC-SHA1` and `PLAINTEXT`; the others are widely used.
        token: For a server where a user has let the consumer in. Empty: it is sent empty, which some servers without
            users want; None: it is not sent.
        token_secret: The token's secret.
        realm: Sent before everything else, if not empty.

    Raises:
        SettingsError: The package `oauthlib` is not there, or the key is no key.
    """

    def __init__(
        self,
        key: Secret,
        secret: Secret,
        *,
        method: Method = "HMAC-SHA1",
        token: Secret | None = None,
        token_secret: Secret = "",
        realm: str = "",
    ) -> None:
        self._library = _library()
        self._key = printable(key, "consumer key")
        self._method: Method = method
        self._token = None if token is None else plain(token).strip()
        self._secrets = (plain(secret).strip(), plain(token_secret).strip())
        # of the client only what signs: its `sign` writes addresses with their queries into the log
        self._client = self._library.Client(self._key, self._secrets[0], resource_owner_secret=self._secrets[1])
        self._realm = realm
        self._now: Callable[[], float] = time.time
        self._last = 0

    async def ready(self, sender: Sender) -> None:
        """Take over the clock."""
        self._now = sender.now

    def sign(self, request: httpx.Request) -> httpx.Request:
        """Set the `Authorization` header, with a new nonce.

        Raises:
            ContractError: The address or the form holds what cannot be signed.
        """
        query = _pairs(request.url.query)
        if query:
            request.url = request.url.copy_with(query=_spelled(query))
        protocol = self._protocol()
        signed = (*protocol, ("oauth_signature", self._signature(request, [*query, *_form(request), *protocol])))
        fields = [f'realm="{self._realm}"'] if self._realm else []
        fields += [f'{name}="{quote(value, safe="~")}"' for name, value in signed]
        request.headers["Authorization"] = "OAuth " + ", ".join(fields)
        return request

    async def renew(self, refused: httpx.Request, sender: Sender) -> bool:
        """Sign again what had been signed long before it was refused: servers refuse old times."""
        found = re.search(r'oauth_timestamp="(\d+)"', refused.headers.get("Authorization", ""))
        return found is not None and sender.now() - int(found[1]) > STALE

    def secrets(self) -> set[str]:
        """Give the secrets."""
        return {secret for secret in (*self._secrets, self._token) if secret}

    def _protocol(self) -> Pairs:
        """Give what stands in the header, but for the signature."""
        self._last = max(self._last, int(self._now()))  # servers refuse a time before one that they have seen
        token = [] if self._token is None else [("oauth_token", self._token)]
        return [
            ("oauth_consumer_key", self._key),
            *token,
            ("oauth_nonce", secrets.token_hex(16)),
            ("oauth_timestamp", str(self._last)),
            ("oauth_signature_method", self._method),
            ("oauth_version", "1.0"),
        ]

    def _signature(self, request: httpx.Request, params: Pairs) -> str:
        signature = self._library.signature
        try:
            place = signature.base_string_uri(str(request.url.copy_with(query=None)))
        except ValueError:  # its text quotes the address
            raise ContractError("the request has an address that cannot be signed") from None
        base = signature.signature_base_string(request.method, place, signature.normalize_parameters(params))
        return str(self._client.SIGNATURE_METHODS[self._method](base, self._client))


_FORM = "application/x-www-form-urlencoded"


def _library() -> Any:
    try:
        return importlib.import_module("oauthlib.oauth1.rfc5849")
    except ImportError:
        raise SettingsError(
            "OAuth 1.0a needs the package 'oauthlib', which is not installed", hint="pip install 'rollbook[oauth1]'"
        ) from None


def _form(request: httpx.Request) -> Pairs:
    """Give a form's fields; a body of another kind is not signed."""
    return _pairs(request.content) if request.headers.get("content-type", "").startswith(_FORM) else []


def _pairs(encoded: bytes) -> Pairs:
    try:
        return parse_qsl(encoded.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:  # its text quotes them
        raise ContractError("the request's parameters are no UTF-8: they cannot be signed") from None


def _spelled(params: Pairs) -> bytes:
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in params).encode("ascii")
