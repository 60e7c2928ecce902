"""Tokens for a signed statement (RFC 7523): what is signed, when it is signed anew, and what goes wrong."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from rollbook.core.errors import AuthError, ContractError, SettingsError
from rollbook.core.http import Http, JwtBearer, stand_in_keys

if TYPE_CHECKING:
    from .conftest import Clock, Lms

OK = httpx.Response(200, json={})
AT = "https://lms.example.com/oauth2/token"


@cache
def keys() -> tuple[str, Any]:
    """Make a key, as PEM, and what its signatures are verified with."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), private.public_key()


def bearer(url: str = "oauth2/token", **more: Any) -> JwtBearer:
    return JwtBearer(url, issuer="reader@project.example.com", private_key=keys()[0], **more)


def token(value: str = "t1") -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "token_type": "Bearer", "expires_in": 3599})


def refused(code: str) -> httpx.Response:
    return httpx.Response(400, json={"error": code, "error_description": "Ada Quill may not"})


async def get(http: Http) -> Any:
    return await http.get("courses")


def form(request: httpx.Request) -> dict[str, str]:
    return dict(httpx.QueryParams(request.content.decode()))


def stated(request: httpx.Request, at: float, audience: str = AT) -> dict[str, Any]:
    """Verify the signature, and give what is stated."""
    options: Any = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(form(request)["assertion"], keys()[1], ["RS256"], audience=audience, options=options)
    assert (claims["iat"], claims["exp"]) == (int(at), int(at) + 3600)
    return claims


def test_a_signed_statement_is_exchanged_for_a_token(lms: Lms, clock: Clock) -> None:
    lms.will(token(), OK)
    lms.asked(get, auth=bearer(subject="admin@example.com", scope="courses rosters", key_id="k1"))
    asked, signed_in = lms.requests
    claims = stated(asked, clock.now)

    assert str(asked.url) == AT
    assert form(asked).keys() == {"grant_type", "assertion"}
    assert form(asked)["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert jwt.get_unverified_header(form(asked)["assertion"]) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    assert {name: claims[name] for name in ("iss", "sub", "scope", "aud")} == {
        "iss": "reader@project.example.com",
        "sub": "admin@example.com",
        "scope": "courses rosters",
        "aud": AT,
    }
    assert "authorization" not in asked.headers
    assert signed_in.headers["authorization"] == "Bearer t1"


def test_what_is_not_given_is_not_stated_and_more_can_be(lms: Lms, clock: Clock) -> None:
    lms.will(token(), OK)
    lms.asked(get, auth=bearer(audience="https://login.example.com", claims={"tenant": "acme"}))
    claims = stated(lms.requests[0], clock.now, "https://login.example.com")

    assert claims.keys() == {"iss", "aud", "iat", "exp", "tenant"}
    assert claims["tenant"] == "acme"
    assert "kid" not in jwt.get_unverified_header(form(lms.requests[0])["assertion"])


def test_a_token_may_be_given_out_by_another_host(lms: Lms) -> None:
    lms.will(token(), OK)
    lms.asked(get, auth=bearer("https://login.example.com/token"))

    assert lms.urls == ["https://login.example.com/token", "https://lms.example.com/courses"]


def test_a_new_statement_is_signed_when_the_token_is_about_to_expire(lms: Lms, clock: Clock) -> None:
    async def two(http: Http) -> None:
        await http.get("first")
        clock.now += 3599 - 59
        await http.get("second")

    begun = clock.now
    lms.will(token("t1"), OK, token("t2"), OK)
    lms.asked(two, auth=bearer())

    stated(lms.requests[0], begun)
    stated(lms.requests[2], begun + 3540)
    assert lms.requests[3].headers["authorization"] == "Bearer t2"


def test_a_refused_token_is_renewed_by_another_statement(lms: Lms) -> None:
    lms.will(token("t1"), httpx.Response(401), token("t2"), OK)
    lms.asked(get, auth=bearer())

    assert lms.requests[3].headers["authorization"] == "Bearer t2"


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("unauthorized_client", "may not ask for this subject or scope"),
        ("invalid_grant", "clock"),
        ("invalid_client", "whom the private key was made for"),
        ("something_else", "Check the private key"),
    ],
)
def test_a_refusal_is_told_by_its_code_and_never_by_its_description(lms: Lms, code: str, hint: str) -> None:
    lms.will(refused(code))
    with pytest.raises(AuthError, match=code) as caught:
        lms.asked(get, auth=bearer())

    assert hint in caught.value.hint
    assert "Quill" not in str(caught.value)


def test_a_connector_may_know_better_what_to_do_about_a_refusal(lms: Lms) -> None:
    lms.will(refused("invalid_grant"))
    with pytest.raises(AuthError, match="Ask the janitor"):
        lms.asked(get, auth=bearer(hints={"invalid_grant": "Ask the janitor."}))


def test_an_address_that_gives_out_no_tokens_is_told(lms: Lms) -> None:
    lms.will(httpx.Response(404, text="not here"))
    with pytest.raises(ContractError, match="no token is given out"):
        lms.asked(get, auth=bearer())


def test_an_answer_without_a_token_is_told(lms: Lms) -> None:
    lms.will(httpx.Response(200, json={"id_token": "x"}))
    with pytest.raises(ContractError, match="no access_token"):
        lms.asked(get, auth=bearer())


@pytest.mark.parametrize(
    "key",
    ["", "s3cr3t", "-----BEGIN PRIVATE KEY-----\ns3cr3t\n-----END PRIVATE KEY-----\n"],
    ids=["none", "word", "cut"],
)
def test_a_key_that_is_none_is_told_without_it(key: str) -> None:
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        JwtBearer("token", issuer="me", private_key=key)

    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_command_is_named_where_the_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    with pytest.raises(SettingsError) as caught:
        bearer()

    assert caught.value.hint == "pip install 'rollbook[jwt]'"


def test_the_command_is_named_where_only_half_of_it_is_installed() -> None:
    """PyJWT without cryptography does not know RS256; neither does it know this."""
    with pytest.raises(SettingsError) as caught:
        bearer(algorithm="RS0")

    assert caught.value.hint == "pip install 'rollbook[jwt]'"


def test_neither_the_key_nor_the_token_shows() -> None:
    auth = bearer()

    assert keys()[0] in auth.secrets()
    assert repr(auth) == "JwtBearer(...)"


def test_a_recording_is_replayed_without_a_key_or_what_signs_with_it(lms: Lms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)
    lms.will(token(), OK)
    with stand_in_keys():
        lms.asked(get, auth=JwtBearer("oauth2/token", issuer="me", private_key="made-up-private-key"))

    assert form(lms.requests[0])["assertion"] == "made-up-assertion"


def test_a_key_is_a_key_also_where_stand_ins_are_taken(lms: Lms, clock: Clock) -> None:
    lms.will(token(), OK)
    with stand_in_keys():
        lms.asked(get, auth=bearer())

    assert stated(lms.requests[0], clock.now)


def test_a_stand_in_is_no_key_anywhere_else() -> None:
    with stand_in_keys():
        JwtBearer("token", issuer="me", private_key="made-up-private-key")
    with pytest.raises(SettingsError, match="cannot be read"):
        JwtBearer("token", issuer="me", private_key="made-up-private-key")
