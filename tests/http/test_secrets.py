"""No secret in any log, error or statistic."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
import pytest
from rollbook.core.errors import RollbookError, VendorError
from rollbook.core.http import Answer, ApiKey, Bearer, FormToken, Http, OAuth2, Verdict

if TYPE_CHECKING:
    from .conftest import Lms

SECRET = "s3cr3t/+&"


async def get(http: Http) -> Answer:
    return await http.get("courses", {"email": "ana@example.com"})


def test_a_request_is_logged_with_method_path_and_status_only(lms: Lms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    lms.will(httpx.Response(200, json={"name": "Ana"}))
    lms.asked(get, auth=ApiKey(SECRET, query="key"))

    messages = [record.getMessage() for record in caplog.records if record.name == "rollbook.http"]

    assert len(messages) == 1
    assert messages[0].startswith("GET /courses -> 200 in ")
    assert "s3cr3t" not in caplog.text
    assert "ana@example.com" not in caplog.text


def test_a_repetition_is_logged(lms: Lms, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "rollbook.http")
    lms.will(httpx.Response(429, headers={"Retry-After": "4"}), httpx.Response(200, json={}))
    lms.asked(get)

    assert "GET /courses: attempt 2 follows in 4.0 s" in caplog.text


def test_the_libraries_below_do_not_log_our_requests_but_everybody_elses(
    lms: Lms, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lms.will(httpx.Response(200, json={}))
    lms.asked(get)
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as other:
        other.get("https://other.example.org/theirs")

    assert "theirs" in caplog.text
    assert "email" not in caplog.text


def test_a_secret_that_gets_into_a_verdicts_reason_is_taken_out(lms: Lms) -> None:
    def verdict(answer: Answer) -> Verdict:
        return Verdict.fail(VendorError, f"no access with {SECRET}", f"key={httpx.QueryParams({'k': SECRET})}")

    lms.will(httpx.Response(200, json={}))
    with pytest.raises(VendorError) as caught:
        lms.asked(get, verdict=verdict, secrets=[SECRET, ""])

    assert caught.value.message == "no access with ***"
    assert caught.value.args == ("no access with ***",)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    "auth",
    [Bearer(SECRET), ApiKey(SECRET, header="X"), OAuth2("token", client_id="a", client_secret=SECRET)],
    ids=["bearer", "key", "oauth"],
)
def test_what_the_sign_in_holds_is_taken_out_too(lms: Lms, auth: Bearer) -> None:
    def verdict(answer: Answer) -> Verdict:
        return Verdict.retry(f"no access with {SECRET}")

    lms.will(httpx.Response(200, json={"access_token": "t0k3n"}))
    with pytest.raises(VendorError) as caught:
        lms.asked(get, auth=auth, verdict=verdict, attempts=1)

    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 429, 500])
def test_no_error_shows_the_body_the_query_or_the_token(lms: Lms, status: int) -> None:
    text = f"ana@example.com {SECRET}"
    lms.will(httpx.Response(status, text=text, headers={"Location": f"https://o.example.org/?{SECRET}"}))
    with pytest.raises(RollbookError) as caught:
        lms.asked(
            lambda http: http.post("server.php", params={"q": "ana@example.com"}, form={"a": 1}),
            auth=FormToken("wstoken", SECRET),
        )

    assert "s3cr3t" not in str(caught.value)
    assert "ana@example.com" not in str(caught.value)
