"""Attempts, pauses, and what is said when they did not help."""

from __future__ import annotations

import socket
import ssl
from email.utils import formatdate
from typing import TYPE_CHECKING

import httpx
import pytest
from rollbook.core.errors import (
    AuthError,
    ContractError,
    Forbidden,
    Gone,
    RateLimited,
    RollbookError,
    SettingsError,
    VendorError,
)
from rollbook.core.http import Answer, Http, Verdict
from rollbook.core.http.retry import retry_after

if TYPE_CHECKING:
    from .conftest import Clock, Lms, Stream

OK = httpx.Response(200, json={"ok": True})


async def get(http: Http) -> Answer:
    return await http.get("courses", {"q": "secret-looking"})


def test_a_failing_server_is_asked_again_after_growing_pauses(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(500), httpx.Response(502), httpx.Response(503), OK)

    assert lms.asked(get).json() == {"ok": True}
    assert len(clock.slept) == 3
    assert all(top / 2 <= wait <= top for wait, top in zip(clock.slept, (1, 2, 4), strict=True))


def test_pauses_grow_to_a_minute_and_no_further(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(500))
    with pytest.raises(VendorError):
        lms.asked(get, attempts=12)

    assert len(lms.requests) == 12
    assert 30 <= max(clock.slept) <= 60


def test_a_pause_is_never_longer_than_max_wait(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(500))
    with pytest.raises(VendorError):
        lms.asked(get, max_wait=2.0)

    assert max(clock.slept) <= 2.0


def test_a_server_that_goes_on_failing_is_a_vendor_error_with_the_request_and_without_its_query(lms: Lms) -> None:
    lms.will(httpx.Response(503, text="learner@example.com"))
    with pytest.raises(VendorError) as caught:
        lms.asked(get, attempts=3)

    assert str(caught.value) == "GET /courses: the LMS failed (503)\nIt was asked 3 times: try again later."


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_what_may_pass_is_tried_again(lms: Lms, status: int) -> None:
    lms.will(httpx.Response(status), OK)

    assert lms.asked(get).status == 200


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, ContractError), (401, AuthError), (403, Forbidden), (404, Gone), (410, Gone), (422, ContractError)],
)
def test_what_will_not_pass_is_raised_at_once(lms: Lms, status: int, error: type[RollbookError]) -> None:
    lms.will(httpx.Response(status, json={"message": "for ana@example.com"}))
    with pytest.raises(error) as caught:
        lms.asked(get)

    assert type(caught.value) is error
    assert caught.value.where == "GET /courses"
    assert str(status) in caught.value.message
    assert "ana@example.com" not in str(caught.value)
    assert len(lms.requests) == 1


def test_retry_after_in_seconds_wins_over_growing_pauses(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(429, headers={"Retry-After": "17"}), OK)
    lms.asked(get)

    assert clock.slept == [17.0]


def test_retry_after_as_a_date_is_understood(lms: Lms, clock: Clock) -> None:
    date = formatdate(clock.now + 42, usegmt=True)
    lms.will(httpx.Response(503, headers={"Retry-After": date}), OK)
    lms.asked(get)

    assert clock.slept == [42.0]


@pytest.mark.parametrize("text", ["soon", "-5", "0", "nan", "inf", "", "Wed, 21 Oct 1998 07:28:00 GMT", "9" * 400])
def test_an_absurd_retry_after_is_passed_over(text: str) -> None:
    assert retry_after({"retry-after": text}, now=1_700_000_000.0) is None


def test_a_retry_after_beyond_a_day_is_taken_as_a_day() -> None:
    assert retry_after({"retry-after": "99999999"}, now=0.0) == 86_400


def test_a_wait_that_is_too_long_stops_at_once_and_says_when_to_come_back(lms: Lms, clock: Clock) -> None:
    lms.will(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as caught:
        lms.asked(get, max_wait=120.0)

    assert caught.value.retry_after == 3600
    assert "3600 s" in caught.value.hint
    assert clock.slept == []


def test_throttling_without_an_end_is_rate_limited(lms: Lms) -> None:
    lms.will(httpx.Response(429))
    with pytest.raises(RateLimited):
        lms.asked(get, attempts=4)

    assert len(lms.requests) == 4


def test_the_connectors_verdict_comes_first(lms: Lms, clock: Clock) -> None:
    def verdict(answer: Answer) -> Verdict | None:
        if answer.status == 403 and "Rate Limit Exceeded" in answer.text():
            return Verdict.throttled("throttled (403)", after=3.0)
        return None

    lms.will(httpx.Response(403, text="403 Forbidden (Rate Limit Exceeded)"), OK)

    assert lms.asked(get, verdict=verdict).status == 200
    assert clock.slept == [3.0]


def test_a_verdict_can_raise_what_it_wants_from_a_200(lms: Lms) -> None:
    def verdict(answer: Answer) -> Verdict | None:
        return Verdict.fail(Gone, "no such course (invalidrecord)") if answer.find("errorcode") else None

    lms.will(httpx.Response(200, json={"errorcode": "invalidrecord"}))
    with pytest.raises(Gone, match="no such course"):
        lms.asked(get, verdict=verdict)


def test_a_verdict_that_cannot_read_the_body_leaves_it_to_the_usual_reading(lms: Lms) -> None:
    def verdict(answer: Answer) -> Verdict | None:
        return Verdict.accept() if answer.object() else None

    lms.will(httpx.Response(502, text="<html>Bad gateway</html>"), OK)

    assert lms.asked(get, verdict=verdict).status == 200


def test_a_post_that_must_not_be_done_twice_is_not_repeated(lms: Lms) -> None:
    lms.will(httpx.Response(500))
    with pytest.raises(VendorError):
        lms.asked(lambda http: http.post("jobs", json={"report": 7}, retry=False))

    assert len(lms.requests) == 1


@pytest.mark.parametrize("first", [httpx.Response(429), httpx.ConnectError("refused")])
def test_but_it_is_repeated_when_the_lms_surely_did_not_take_it(lms: Lms, first: httpx.Response | Exception) -> None:
    lms.will(first, OK)

    assert lms.asked(lambda http: http.post("jobs", json={"report": 7}, retry=False)).status == 200


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (caused(httpx.ConnectError("x"), socket.gaierror(-2, "?")), "cannot reach lms.example.com: name not known"),
        (caused(httpx.ConnectError("x"), ConnectionRefusedError()), "cannot reach lms.example.com: connection refused"),
        (
            caused(httpx.ConnectError("x"), ExceptionGroup("all", [OSError("a"), ConnectionRefusedError()])),
            "cannot reach lms.example.com: connection refused",
        ),
        (caused(httpx.ConnectError("x"), ssl.SSLError()), "cannot reach lms.example.com: the TLS handshake failed"),
        (httpx.ConnectTimeout("x"), "cannot reach lms.example.com: it does not take the connection in time"),
        (httpx.ReadTimeout("x"), "no whole answer from lms.example.com within 60 s"),
        (httpx.ReadError("x"), "no whole answer from lms.example.com: the connection was cut"),
        (httpx.RemoteProtocolError("x"), "no whole answer from lms.example.com: the connection was cut"),
    ],
)
def test_a_network_failure_is_said_in_plain_words(lms: Lms, error: Exception, said: str) -> None:
    lms.will(error)
    with pytest.raises(VendorError) as caught:
        lms.asked(get)

    assert caught.value.message == said
    assert caught.value.where == "GET /courses"


def test_an_untrusted_certificate_is_told_at_once(lms: Lms) -> None:
    lms.will(caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError()))
    with pytest.raises(VendorError, match=r"the certificate of lms\.example\.com is not trusted"):
        lms.asked(get)

    assert len(lms.requests) == 1


def test_a_host_that_never_answered_is_given_up_soon(lms: Lms) -> None:
    lms.will(httpx.ConnectError("x"))
    with pytest.raises(VendorError) as caught:
        lms.asked(get)

    assert len(lms.requests) == 2
    assert caught.value.hint == "Is base_url right? Is there a network?"


def test_a_host_that_answered_before_gets_every_attempt(lms: Lms) -> None:
    async def twice(http: Http) -> None:
        await http.get("first")
        await http.get("second")

    lms.will(OK, httpx.ConnectError("x"))
    with pytest.raises(VendorError):
        lms.asked(twice, attempts=5)

    assert len(lms.requests) == 1 + 5


def test_a_body_that_is_cut_off_is_fetched_again(lms: Lms, stream: type[Stream]) -> None:
    cut = httpx.Response(200, stream=stream(b'{"ok": tr', error=httpx.ReadError("x")))
    lms.will(cut, OK)

    assert lms.asked(get).json() == {"ok": True}


def test_a_token_that_no_header_can_carry_is_not_quoted(lms: Lms) -> None:
    lms.will(httpx.LocalProtocolError("Illegal header value b'Bearer s3cr3t\\n'"))
    with pytest.raises(SettingsError) as caught:
        lms.asked(get)

    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_statistics_count_every_request_and_every_pause(lms: Lms) -> None:
    async def stats(http: Http) -> tuple[int, int, float, int]:
        await http.get("courses")
        return http.stats.requests, http.stats.retries, http.stats.waited, http.stats.bytes

    lms.will(httpx.Response(429, headers={"Retry-After": "4"}), httpx.Response(200, json=[1]))

    assert lms.asked(stats) == (2, 1, 4.0, len("[1]"))


def test_json_that_stops_halfway_is_asked_for_once_more(lms: Lms) -> None:
    cut = httpx.Response(200, headers={"Content-Type": "application/json"}, content=b'{"ok": tr')
    lms.will(cut, OK)

    assert lms.asked(get).json() == {"ok": True}
    assert len(lms.requests) == 2


def test_and_told_if_it_stops_again(lms: Lms) -> None:
    lms.will(httpx.Response(200, headers={"Content-Type": "application/json"}, content=b'{"ok": tr'))

    with pytest.raises(ContractError, match="the body is not JSON"):
        lms.asked(get).json()
    assert len(lms.requests) == 2


def test_but_not_where_it_must_not_be_done_twice(lms: Lms) -> None:
    lms.will(httpx.Response(200, headers={"Content-Type": "application/json"}, content=b'{"ok": tr'))
    with pytest.raises(ContractError, match="the body is not JSON"):
        lms.asked(lambda http: http.post("jobs", json={"report": 7}, retry=False))

    assert len(lms.requests) == 1


@pytest.mark.parametrize("kind", ["text/csv", "text/plain", ""])
def test_what_promises_no_json_is_taken_as_it_is(lms: Lms, kind: str) -> None:
    lms.will(httpx.Response(200, headers={"Content-Type": kind} if kind else {}, content=b"id,name"))

    assert lms.asked(get).body == b"id,name"
    assert len(lms.requests) == 1


def test_no_content_needs_no_json(lms: Lms) -> None:
    lms.will(httpx.Response(204, headers={"Content-Type": "application/json"}))

    assert lms.asked(get).status == 204
    assert len(lms.requests) == 1
