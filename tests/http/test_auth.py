"""How requests are signed in, and that nothing secret shows."""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from pydantic import SecretStr
from rollbook.core.errors import AuthError, ContractError, SettingsError, VendorError
from rollbook.core.http import ApiKey, Auth, Basic, Bearer, FormToken, Http, OAuth2, Vault

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Clock, Lms

OK = httpx.Response(200, json={})


def token(value: str = "t1", **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "token_type": "Bearer", "expires_in": 3600, **more})


def form(request: httpx.Request) -> dict[str, str]:
    return dict(httpx.QueryParams(request.content.decode()))


async def get(http: Http) -> Any:
    return await http.get("courses")


def client_credentials(**more: Any) -> OAuth2:
    return OAuth2("oauth2/token", client_id="app", client_secret="app-s3cr3t", **more)


def test_basic_sends_user_and_password(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(get, auth=Basic(SecretStr("key-ü"), ""))

    expected = base64.b64encode("key-ü:".encode()).decode()

    assert lms.requests[0].headers["authorization"] == f"Basic {expected}"


def test_bearer_sends_its_token_and_trims_what_was_pasted_along(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(get, auth=Bearer(SecretStr(" s3cr3t\n")))

    assert lms.requests[0].headers["authorization"] == "Bearer s3cr3t"


def test_a_token_that_cannot_be_sent_is_a_settings_error_that_does_not_quote_it() -> None:
    with pytest.raises(SettingsError) as caught:
        Bearer("s3cr3t\u2013token")

    assert "s3cr3t" not in str(caught.value)


def test_an_api_key_goes_into_a_header_or_into_the_query(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(get, auth=ApiKey("k3y", header="X-API-Key"))
    lms.asked(lambda http: http.get("courses", {"a": 1}), auth=ApiKey("k3y", query="apikey"))

    assert lms.requests[0].headers["x-api-key"] == "k3y"
    assert lms.urls[1] == "https://lms.example.com/courses?a=1&apikey=k3y"


def test_a_key_in_the_query_leaves_a_links_own_query_as_it_is_spelled(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("list?x[]=1&page=a%3Ab%2B&key=old&x[]=2"), auth=ApiKey("k&y", query="key"))

    assert lms.requests[0].url.query == b"x[]=1&page=a%3Ab%2B&x[]=2&key=k%26y"


def test_a_form_token_is_added_to_the_form_of_every_attempt_once(lms: Lms) -> None:
    lms.will(httpx.Response(500), OK)
    lms.asked(
        lambda http: http.post("server.php", form={"wsfunction": "x", "ids[0]": 7}), auth=FormToken("wstoken", "t&k=n")
    )

    for request in lms.requests:
        assert form(request) == {"wsfunction": "x", "ids[0]": "7", "wstoken": "t&k=n"}
        assert request.headers["content-length"] == str(len(request.content))
        assert "t&k=n" not in str(request.url)


def test_a_form_token_never_goes_into_the_address(lms: Lms) -> None:
    lms.will(OK)
    with pytest.raises(TypeError):
        lms.asked(get, auth=FormToken("wstoken", "t"))

    assert lms.requests == []


@pytest.mark.parametrize(
    "auth",
    [
        Basic("us3r", "s3cr3t"),
        Bearer("s3cr3t"),
        ApiKey("s3cr3t", header="X"),
        FormToken("wstoken", "s3cr3t"),
        client_credentials(),
    ],
)
def test_nothing_secret_shows_in_a_repr(auth: Auth) -> None:
    assert "s3cr3t" not in repr(auth)
    assert "us3r" not in repr(auth)


# OAuth 2.0


def test_a_token_is_fetched_when_it_is_needed_and_used_until_it_is_about_to_expire(lms: Lms, clock: Clock) -> None:
    async def three(http: Http) -> None:
        await http.get("first")
        clock.now += 3600 - 61
        await http.get("second")
        clock.now += 2
        await http.get("third")

    lms.will(token("t1"), OK, OK, token("t2"), OK)
    lms.asked(three, auth=client_credentials(scope="api"))

    assert form(lms.requests[0]) == {
        "grant_type": "client_credentials",
        "scope": "api",
        "client_id": "app",
        "client_secret": "app-s3cr3t",
    }
    assert [request.headers.get("authorization") for request in lms.requests] == [
        None,
        "Bearer t1",
        "Bearer t1",
        None,
        "Bearer t2",
    ]


def test_concurrent_requests_wait_for_one_token(lms: Lms) -> None:
    async def many(http: Http) -> None:
        await asyncio.gather(*(http.get(f"users/{number}") for number in range(8)))

    lms.will(token(), OK)
    lms.asked(many, auth=client_credentials())

    assert [request.url.path for request in lms.requests].count("/oauth2/token") == 1


def test_a_refused_token_is_renewed_once_for_all_that_were_refused(lms: Lms) -> None:
    given = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal given
        if request.url.path == "/oauth2/token":
            given += 1
            return token(f"t{given}")
        return httpx.Response(401 if request.headers["authorization"] == "Bearer t1" else 200, json={})

    async def many(http: Http) -> list[int]:
        answers = await asyncio.gather(*(http.get(f"users/{number}") for number in range(5)))
        return [one.status for one in answers]

    lms.will(answer)

    assert lms.asked(many, auth=client_credentials()) == [200] * 5
    assert given == 2


def test_a_token_that_is_refused_again_is_an_auth_error(lms: Lms) -> None:
    lms.will(token("t1"), httpx.Response(401), token("t2"), httpx.Response(401))
    with pytest.raises(AuthError) as caught:
        lms.asked(get, auth=client_credentials())

    assert len(lms.requests) == 4
    assert caught.value.hint == "Check the credentials in the settings of this connection."


def test_a_token_without_an_expiry_is_used_until_it_is_refused(lms: Lms, clock: Clock) -> None:
    async def two(http: Http) -> None:
        await http.get("first")
        clock.now += 10_000_000
        await http.get("second")

    lms.will(httpx.Response(200, json={"access_token": "t1"}), OK, OK)
    lms.asked(two, auth=client_credentials())

    assert len(lms.requests) == 3


def test_a_short_lived_token_is_not_fetched_for_every_request(lms: Lms) -> None:
    async def two(http: Http) -> None:
        await http.get("first")
        await http.get("second")

    lms.will(token("t1", expires_in="30"), OK)
    lms.asked(two, auth=client_credentials())

    assert len(lms.requests) == 3


def test_the_password_grant_and_basic_credentials_send_what_the_standard_says(lms: Lms) -> None:
    auth = OAuth2(
        "https://auth.example.org/token",
        grant="password",
        client_id="a:b",
        client_secret=SecretStr("s c"),
        username="ana",
        password=SecretStr("pw"),
        credentials="basic",
        extra={"token_type": "jwt"},
        scheme="JWT",
    )
    lms.will(token(), OK)
    lms.asked(get, auth=auth)

    assert lms.urls[0] == "https://auth.example.org/token"
    assert lms.requests[0].headers["authorization"] == "Basic " + base64.b64encode(b"a%3Ab:s%20c").decode()
    assert form(lms.requests[0]) == {
        "grant_type": "password",
        "username": "ana",
        "password": "pw",
        "token_type": "jwt",
    }
    assert lms.requests[1].headers["authorization"] == "JWT t1"


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), "(401, invalid_client)", "client_id and client_secret"),
        (
            httpx.Response(400, json={"error": "invalid_scope", "error_description": "ana@example.com may not"}),
            "(400, invalid_scope)",
            "scope",
        ),
        (httpx.Response(400, json={"error": "ana@example.com"}), "(400)", "Check client_id and client_secret."),
        (httpx.Response(403, text="<html>"), "(403)", "Check client_id and client_secret."),
    ],
)
def test_a_refused_application_says_which_setting_to_look_at(
    lms: Lms, answer: httpx.Response, said: str, hint: str
) -> None:
    lms.will(answer)
    with pytest.raises(AuthError) as caught:
        lms.asked(get, auth=client_credentials())

    assert said in caught.value.message
    assert hint in caught.value.hint
    assert "ana@example.com" not in str(caught.value)
    assert caught.value.where == "POST /oauth2/token"


def test_a_token_server_that_fails_is_asked_again(lms: Lms) -> None:
    lms.will(httpx.Response(503), httpx.ReadTimeout("x"), token(), OK)

    assert lms.asked(get, auth=client_credentials()).status == 200


def test_and_in_the_end_is_a_vendor_error_after_no_more_than_its_own_attempts(lms: Lms) -> None:
    lms.will(httpx.Response(503))
    with pytest.raises(VendorError):
        lms.asked(get, auth=client_credentials(), attempts=3)

    assert len(lms.requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"token": "t"}),
        httpx.Response(200, json={"access_token": ""}),
        httpx.Response(200, json={"access_token": 7}),
        httpx.Response(200, json={"access_token": "t", "expires_in": "soon"}),
        httpx.Response(200, json={"access_token": "t", "expires_in": True}),
        httpx.Response(200, json=["t"]),
        httpx.Response(200, text="<html>Log in</html>"),
        httpx.Response(302, headers={"Location": "/login"}),
        httpx.Response(404),
    ],
)
def test_an_answer_that_holds_no_token_is_not_taken_for_one(lms: Lms, answer: httpx.Response) -> None:
    lms.will(answer)
    with pytest.raises(ContractError) as caught:
        lms.asked(get, auth=client_credentials())

    assert caught.value.where == "POST /oauth2/token"


def test_a_token_server_that_sends_elsewhere_is_named_and_the_secret_does_not_follow(lms: Lms) -> None:
    elsewhere = "https://issuer.example.org/oauth/token?from=here"
    lms.will(httpx.Response(307, headers={"Location": elsewhere}))
    with pytest.raises(ContractError, match=r"redirects to https://issuer\.example\.org/oauth/token \(307\)") as caught:
        lms.asked(get, auth=client_credentials())

    assert "into the settings" in caught.value.hint
    assert [request.url.host for request in lms.requests] == ["lms.example.com"]


def rotating() -> Any:
    """Give a server whose refresh tokens are good for one use."""
    good = ["r0"]

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth2/token":
            return OK
        if form(request)["refresh_token"] != good[-1]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        good.append(f"r{len(good)}")
        return token(f"t{len(good)}", refresh_token=good[-1])

    return answer


def refresh(vault: Vault | None = None, start: str = "r0") -> OAuth2:
    return OAuth2(
        "oauth2/token", grant="refresh_token", client_id="app", client_secret="s", refresh_token=start, vault=vault
    )


def test_an_exchanged_refresh_token_is_used_the_next_time(lms: Lms, clock: Clock) -> None:
    async def two(http: Http) -> None:
        await http.get("first")
        clock.now += 4000
        await http.get("second")

    lms.will(rotating())
    lms.asked(two, auth=refresh())

    assert [form(request)["refresh_token"] for request in lms.requests if request.method == "POST"] == ["r0", "r1"]


def test_the_vault_carries_it_from_one_run_to_the_next(lms: Lms, tmp_path: Path) -> None:
    lms.will(rotating())
    for _ in range(3):
        lms.asked(get, auth=refresh(Vault(tmp_path / "vault.json")))

    used = [form(request)["refresh_token"] for request in lms.requests if request.method == "POST"]

    assert used == ["r0", "r1", "r2"]


def test_a_refresh_token_pasted_anew_is_used_instead_of_the_old_ones_successor(lms: Lms, tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault.json")
    lms.will(rotating())
    lms.asked(get, auth=refresh(vault))
    lms.script = [token("t", refresh_token="n1"), OK]
    lms.asked(get, auth=refresh(vault, start="n0"))

    assert form(lms.requests[-2])["refresh_token"] == "n0"


def test_two_runs_at_once_do_not_use_a_refresh_token_twice(lms: Lms, tmp_path: Path) -> None:
    async def both() -> None:
        vault = Vault(tmp_path / "vault.json")
        async with lms.http(auth=refresh(vault)) as one, lms.http(auth=refresh(vault)) as other:
            await asyncio.gather(one.get("a"), other.get("b"))

    lms.will(rotating())
    asyncio.run(both())

    used = [form(request)["refresh_token"] for request in lms.requests if request.method == "POST"]

    assert used == ["r0", "r1"]


def test_a_used_up_refresh_token_says_so(lms: Lms) -> None:
    lms.will(rotating())
    with pytest.raises(AuthError, match="make a new refresh_token"):
        lms.asked(get, auth=refresh(start="old"))
