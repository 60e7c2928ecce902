"""Tokens for a statement that is signed with a private key: the JWT bearer grant (RFC 7523)."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx

from ..errors import SettingsError
from .auth import plain
from .oauth2 import Token, TokenAuth, read_token, refusal

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from .auth import Secret, Sender

__all__ = ["JwtBearer", "stand_in_keys"]

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE = 3600
"""Seconds that a statement is good for."""
STAND_IN = "made-up-assertion"
"""What a recording has in the place of a signed statement."""
_opened: list[None] = []


@contextmanager
def stand_in_keys() -> Generator[None]:
    """Take a text that is no key for one, inside, and give a stand-in for what it would sign: nobody takes that.

    For tests: recordings hold no key.
    """
    _opened.append(None)
    try:
        yield
    finally:
        _opened.pop()


class JwtBearer(TokenAuth):
    """A token in exchange for a statement of who asks, signed anew each time: there is no refresh token.

    Needs the extra `rollbook[jwt]`.

    Args:
        token_url: Where tokens are given out: a path at the LMS, or a whole address.
        issuer: Who signs: the application or the service account.
        private_key: Its private key, as PEM.
        subject: For whom it asks, if not for itself.
        scope: Asked for, if not empty.
        audience: Whom the statement is for; by default the address that tokens are given out at.
        key_id: Names the key, where the issuer has several.
        algorithm: How it is signed.
        claims: Further members of the statement.
        hints: What to do about a refusal, by its error code; the others have a usual hint.
        scheme: Stands before the token in the header.

    Raises:
        SettingsError: What signs is not installed, or the key is none.
    """

    def __init__(
        self,
        token_url: str,
        *,
        issuer: str,
        private_key: Secret,
        subject: str = "",
        scope: str = "",
        audience: str = "",
        key_id: str = "",
        algorithm: str = "RS256",
        claims: Mapping[str, Any] | None = None,
        hints: Mapping[str, str] | None = None,
        scheme: str = "Bearer",
    ) -> None:
        super().__init__(scheme=scheme)
        self._url = token_url
        self._audience = audience
        self._claims = {"iss": issuer, "sub": subject, "scope": scope, **(claims or {})}
        self._header = {"kid": key_id} if key_id else None
        self._algorithm = algorithm
        self._pem = plain(private_key)
        self._hints = _HINTS | dict(hints or {})
        self._key = _read_key(self._pem, algorithm)

    def secrets(self) -> set[str]:
        """Give the token and the key."""
        return {*super().secrets(), self._pem}

    async def fetch(self, sender: Sender) -> Token:
        """Sign a statement and exchange it."""
        url, now = sender.url(self._url), sender.now()
        form = {"grant_type": GRANT, "assertion": self._signed(str(url), int(now))}
        answer = await sender.plain(httpx.Request("POST", url, headers={"Accept": "application/json"}, data=form))
        if answer.status != 200:  # noqa: PLR2004 - RFC 6749, section 5.1
            raise refusal(answer, self._hints, "Check the private key, and whom it was made for.")
        return read_token(answer, now)

    def _signed(self, url: str, now: int) -> str:
        if self._key is None:
            return STAND_IN
        claims = {"aud": self._audience or url, "iat": now, "exp": now + LIFE, **self._claims}
        stated = {name: value for name, value in claims.items() if value != ""}
        return str(_library().encode(stated, self._key, algorithm=self._algorithm, headers=self._header))


_HINTS = {
    "invalid_client": "The issuer is not known there: check whom the private key was made for.",
    "invalid_grant": "Check the private key (was it withdrawn?), the subject, and this machine's clock.",
    "invalid_scope": "The application is not allowed this scope: check it where the application is registered.",
    "unauthorized_client": "The application may not ask for this subject or scope: check where it is registered.",
    "unsupported_grant_type": "Tokens are not given out for signed statements there: is it the right address?",
}


def _read_key(pem: str, algorithm: str) -> Any:
    """Read a key, which takes longer than signing does; None for what stands in for one."""
    if _opened and "PRIVATE KEY" not in pem:
        return None
    try:
        return _library().get_algorithm_by_name(algorithm).prepare_key(pem)
    except SettingsError:
        raise
    except NotImplementedError:  # the library is there, and what it does this kind of signature with is not
        raise _missing() from None
    except Exception:  # noqa: BLE001 - several libraries' errors, which may quote the key
        hint = "It begins with -----BEGIN PRIVATE KEY-----. Was it copied whole, with its line breaks?"
        raise SettingsError("the private key cannot be read", hint=hint) from None


def _library() -> Any:
    try:
        return import_module("jwt")
    except ImportError:
        raise _missing() from None


def _missing() -> SettingsError:
    return SettingsError("what signs with a private key is not installed", hint="pip install 'rollbook[jwt]'")
