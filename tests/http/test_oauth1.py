"""OAuth 1.0a: what is signed, how, and that it is signed anew each time."""

from __future__ import annotations

import base64
import hmac
import logging
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import httpx
import pytest
from pydantic import SecretStr
from rollbook.core.errors import AuthError, ContractError, SettingsError
from rollbook.core.http import Http, OAuth1

if TYPE_CHECKING:
    from .conftest import Clock, Lms

OK = httpx.Response(200, json={})


async def get(http: Http) -> Any:
    return await http.get("courses")


def sent(request: httpx.Request) -> dict[str, str]:
    """Read the header as a server does."""
    scheme, _, rest = request.headers["authorization"].partition(" ")
    assert scheme == "OAuth"
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}


def hmac_of(digest: str, base: str, key: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), digest)).decode()


def base_string(method: str, place: str, params: list[tuple[str, str]], header: dict[str, str]) -> str:
    """Spell the text that is signed as RFC 5849 (3.4.1) tells, without the library that the code asks."""
    protocol = [(name, value) for name, value in header.items() if name not in {"oauth_signature", "realm"}]
    spelled = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in [*params, *protocol])
    joined = "&".join(f"{name}={value}" for name, value in spelled)
    return "&".join((method, quote(place, safe="~"), quote(joined, safe="~")))


def test_it_signs_the_standards_own_example(lms: Lms, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """OAuth Core 1.0, appendix A.5."""

    def nonce(_size: int) -> str:
        return "kllo9940pd9333jh"

    monkeypatch.setattr("secrets.token_hex", nonce)
    clock.now = 1191242096.0
    auth = OAuth1("dpf43f3p2l4k3l03", "kd94hf93k423kf44", token="nnch734d00sl2jdk", token_secret="pfkkdhi9sl3r4s00")
    lms.will(OK)
    lms.asked(
        lambda http: http.get("photos", {"file": "vacation.jpg", "size": "original"}),
        base_url="http://photos.example.net",
        auth=auth,
    )

    assert sent(lms.requests[0])["oauth_signature"] == "tR3+Ty81lMeYAr/Fid0kMTYa/WM="


@pytest.mark.parametrize(
    ("method", "digest"), [("HMAC-SHA1", "sha1"), ("HMAC-SHA256", "sha256"), ("HMAC-SHA512", "sha512")]
)
def test_the_query_takes_part_in_the_signature_with_every_method(lms: Lms, method: Any, digest: str) -> None:
    lms.will(OK)
    lms.asked(
        lambda http: http.get("ims/a%2Fb", {"filter": "dateLastModified>='2026-01-01T00:00:00.000Z'", "limit": 5}),
        auth=OAuth1("k", "s&c r/t", method=method),
    )

    header = sent(lms.requests[0])
    params = [("filter", "dateLastModified>='2026-01-01T00:00:00.000Z'"), ("limit", "5")]
    base = base_string("GET", "https://lms.example.com/ims/a%2Fb", params, header)

    assert header["oauth_signature_method"] == method
    assert header["oauth_signature"] == hmac_of(digest, base, "s%26c%20r%2Ft&")


def test_a_space_is_sent_as_20_and_never_as_plus(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("users", {"filter": "name='a b+c~d'"}), auth=OAuth1("k", "s"))

    assert lms.requests[0].url.query == b"filter=name%3D%27a%20b%2Bc~d%27"


def test_repeated_empty_and_bracketed_parameters_of_a_link_are_signed(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("list?x[]=2&x[]=1&flag&e="), auth=OAuth1("k", "s"))

    header = sent(lms.requests[0])
    base = base_string(
        "GET", "https://lms.example.com/list", [("x[]", "2"), ("x[]", "1"), ("flag", ""), ("e", "")], header
    )

    assert lms.requests[0].url.query == b"x%5B%5D=2&x%5B%5D=1&flag=&e="
    assert header["oauth_signature"] == hmac_of("sha1", base, "s&")


def test_a_form_is_signed_and_a_json_body_is_not(lms: Lms) -> None:
    async def both(http: Http) -> None:
        await http.post("form", form={"a": "1 2"})
        await http.post("json", json={"a": "1 2"})

    lms.will(OK)
    lms.asked(both, auth=OAuth1("k", "s"))

    for request, params in zip(lms.requests, ([("a", "1 2")], []), strict=True):
        header = sent(request)
        base = base_string("POST", f"https://lms.example.com{request.url.path}", list(params), header)
        assert header["oauth_signature"] == hmac_of("sha1", base, "s&")


def test_a_port_that_is_not_the_usual_one_is_signed(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(get, base_url="https://LMS.example.com:8443/v1", auth=OAuth1("k", "s"))

    header = sent(lms.requests[0])
    base = base_string("GET", "https://lms.example.com:8443/v1/courses", [], header)

    assert header["oauth_signature"] == hmac_of("sha1", base, "s&")


def test_plaintext_sends_the_secret_with_realm_first_and_the_empty_token(lms: Lms, clock: Clock) -> None:
    lms.will(OK)
    lms.asked(get, auth=OAuth1("k", "s/c", method="PLAINTEXT", token="", realm="Some API"))

    header = lms.requests[0].headers["authorization"]

    assert re.fullmatch(
        r'OAuth realm="Some API", oauth_consumer_key="k", oauth_token="", oauth_nonce="[0-9a-f]{32}", '
        rf'oauth_timestamp="{int(clock.now)}", oauth_signature_method="PLAINTEXT", oauth_version="1.0", '
        r'oauth_signature="s%252Fc%26"',
        header,
    )


def test_without_a_token_none_is_sent(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(get, auth=OAuth1("k", "s"))

    assert "oauth_token" not in sent(lms.requests[0])


def test_each_attempt_and_each_redirect_is_signed_afresh(lms: Lms, clock: Clock) -> None:
    moved = httpx.Response(301, headers={"Location": "/courses/?page=2"})
    lms.will(httpx.Response(503, headers={"Retry-After": "5"}), httpx.Response(500), moved, OK)
    lms.asked(get, auth=OAuth1("k", "s", method="HMAC-SHA256"))

    headers = [sent(request) for request in lms.requests]
    base = base_string("GET", "https://lms.example.com/courses/", [("page", "2")], headers[3])

    assert len({header["oauth_nonce"] for header in headers}) == 4
    assert headers[3]["oauth_signature"] == hmac_of("sha256", base, "s&")
    assert int(headers[1]["oauth_timestamp"]) == int(headers[0]["oauth_timestamp"]) + 5


def test_another_host_gets_no_signature(lms: Lms) -> None:
    moved = httpx.Response(302, headers={"Location": "https://files.example.org/x"})
    lms.will(moved, httpx.Response(200, content=b"x"))

    async def download(http: Http) -> None:
        async with http.download("export", other_host=True):
            pass

    lms.asked(download, auth=OAuth1("k", "s"))

    assert "authorization" in lms.requests[0].headers
    assert "authorization" not in lms.requests[1].headers


def test_times_do_not_run_backwards(lms: Lms, clock: Clock) -> None:
    async def two(http: Http) -> None:
        await http.get("first")
        clock.now -= 100
        await http.get("second")

    lms.will(OK)
    lms.asked(two, auth=OAuth1("k", "s"))
    first, second = (int(sent(request)["oauth_timestamp"]) for request in lms.requests)

    assert second == first


def test_a_refused_signature_is_an_auth_error_at_once(lms: Lms) -> None:
    lms.will(httpx.Response(401))
    with pytest.raises(AuthError):
        lms.asked(get, auth=OAuth1("k", "s"))

    assert len(lms.requests) == 1


def test_one_that_had_waited_for_its_turn_until_it_was_too_old_is_signed_once_more(lms: Lms, clock: Clock) -> None:
    def late(request: httpx.Request) -> httpx.Response:
        clock.now += 61
        return httpx.Response(401)

    lms.will(late, OK)

    assert lms.asked(get, auth=OAuth1("k", "s")).status == 200
    assert len({sent(request)["oauth_nonce"] for request in lms.requests}) == 2


def test_nothing_secret_shows(lms: Lms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    auth = OAuth1(SecretStr("k3y"), SecretStr("s3cr3t"), token="t0k3n", token_secret="t0p")
    lms.will(OK)
    lms.asked(lambda http: http.get("users", {"filter": "email='ana@example.com'"}), auth=auth)

    assert auth.secrets() == {"s3cr3t", "t0k3n", "t0p"}
    assert "s3cr3t" not in repr(auth)
    assert "ana" not in caplog.text
    assert sent(lms.requests[0])["oauth_signature"] not in caplog.text


def test_parameters_that_are_no_text_are_a_clear_error_that_does_not_quote_them(lms: Lms) -> None:
    lms.will(OK)
    with pytest.raises(ContractError, match="cannot be signed") as caught:
        lms.asked(lambda http: http.get("list?x=%FFana"), auth=OAuth1("k", "s"))

    assert "ana" not in str(caught.value)
    assert lms.requests == []


def test_a_key_that_cannot_be_sent_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="consumer key"):
        OAuth1(" ", "s")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oauthlib.oauth1.rfc5849", None)
    with pytest.raises(SettingsError, match="oauthlib") as caught:
        OAuth1("k", "s")

    assert caught.value.hint == "pip install 'rollbook[oauth1]'"


def test_the_package_is_not_imported_before_somebody_signs_with_it() -> None:
    code = "import sys, rollbook.core.http; sys.exit('oauthlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603 - our own text
