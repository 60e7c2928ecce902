"""What is sent, and where it never goes."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, SettingsError, VendorError
from rollbook.core.http import ApiKey, Bearer, Http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import Lms, Stream

OK = httpx.Response(200, json={})


@pytest.mark.parametrize("base", ["https://lms.example.com/moodle", "https://lms.example.com/moodle/"])
@pytest.mark.parametrize("path", ["api/courses", "/api/courses"])
def test_paths_are_relative_to_the_base_url(lms: Lms, base: str, path: str) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get(path), base_url=base)

    assert lms.urls == ["https://lms.example.com/moodle/api/courses"]


def test_parameters_are_spelled_as_the_field_does(lms: Lms) -> None:
    params = {
        "page[size]": 100,
        "state[]": ["active", "invited"],
        "q": "a b&c",
        "all": True,
        "not": False,
        "left_out": None,
        "none": [],
        "ratio": 0.5,
    }
    lms.will(OK)
    lms.asked(lambda http: http.get("list?fixed=1", params))

    assert lms.requests[0].url.query == (
        b"fixed=1&page%5Bsize%5D=100&state%5B%5D=active&state%5B%5D=invited&q=a+b%26c&all=true&not=false&ratio=0.5"
    )


def test_pairs_may_name_a_parameter_twice(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("list", [("id", 1), ("id", 2)]))

    assert lms.urls == ["https://lms.example.com/list?id=1&id=2"]


def test_a_parameter_that_cannot_be_spelled_is_a_programming_error(lms: Lms) -> None:
    with pytest.raises(TypeError, match="not dict"):
        lms.asked(lambda http: http.get("list", {"filter": {"a": 1}}))


def test_a_post_sends_a_form_or_json(lms: Lms) -> None:
    async def both(http: Http) -> None:
        await http.post("a", form={"x": "ü", "n": 1})
        await http.post("b", json={"x": [1]})

    lms.will(OK)
    lms.asked(both)

    assert lms.requests[0].content == b"x=%C3%BC&n=1"
    assert lms.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert lms.requests[1].content == b'{"x":[1]}'
    assert lms.requests[1].headers["content-type"] == "application/json"


def test_a_requests_own_headers_win_over_the_connections(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(
        lambda http: http.get("a", headers={"X-API-Version": "2"}), headers={"X-API-Version": "1", "X-Other": "o"}
    )

    assert lms.requests[0].headers["x-api-version"] == "2"
    assert lms.requests[0].headers["x-other"] == "o"
    assert lms.requests[0].headers["accept"] == "application/json"


def test_a_header_that_cannot_be_sent_is_a_settings_error_that_does_not_quote_it(lms: Lms) -> None:
    with pytest.raises(SettingsError) as caught:
        lms.asked(lambda http: http.get("a"), headers={"X-Tenant": "s3cr3t-\u00fc"})

    assert "s3cr3t" not in str(caught.value)
    assert lms.requests == []


def test_a_path_is_named_as_it_is_sent_so_that_it_stays_on_one_line(lms: Lms) -> None:
    lms.will(OK)

    assert lms.asked(lambda http: http.get("a%0Ab")).request == "GET /a%0Ab"


@pytest.mark.parametrize("base", ["", "lms.example.com", "ftp://lms.example.com", "https://", "https:///x"])
def test_a_base_url_that_is_none_is_a_settings_error(base: str) -> None:
    with pytest.raises(SettingsError, match="base_url"):
        Http(base)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.org/x",
        "http://lms.example.com/x",
        "https://lms.example.com:444/x",
        "//evil.example.org/x",
        "https://lms.example.com@evil.example.org/x",
        "https://lms.example.com.evil.example.org/x",
    ],
)
def test_an_address_at_another_host_is_refused_before_any_request(lms: Lms, address: str) -> None:
    with pytest.raises(ContractError, match="is another host"):
        lms.asked(lambda http: http.get(address), auth=Bearer("s3cr3t"))

    assert lms.requests == []


def test_a_path_cannot_lead_to_another_host(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("@evil.example.org/x"))
    lms.asked(lambda http: http.get("https:/evil.example.org/x"))

    assert {request.url.host for request in lms.requests} == {"lms.example.com"}


def test_a_login_and_a_fragment_in_an_address_are_not_sent(lms: Lms) -> None:
    lms.will(OK)
    lms.asked(lambda http: http.get("https://ana:pw@lms.example.com/x#part"))

    assert lms.urls == ["https://lms.example.com/x"]
    assert "authorization" not in lms.requests[0].headers


def test_cookies_are_not_kept(lms: Lms) -> None:
    async def two(http: Http) -> None:
        await http.get("a")
        await http.get("b")

    lms.will(httpx.Response(200, json={}, headers={"Set-Cookie": "session=1; Path=/"}))
    lms.asked(two)

    assert "cookie" not in lms.requests[1].headers


# redirects


def moved(to: str, status: int = 302) -> httpx.Response:
    return httpx.Response(status, headers={"Location": to})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/new?x=1", "https://lms.example.com/new?x=1"])
def test_a_redirect_within_the_host_is_followed_and_signed_in_anew(lms: Lms, status: int, to: str) -> None:
    lms.will(moved(to, status), OK)
    answer = lms.asked(lambda http: http.get("old"), auth=ApiKey("k3y", query="key"))

    assert answer.request == "GET /new"
    assert lms.urls[1] == "https://lms.example.com/new?x=1&key=k3y"


@pytest.mark.parametrize(
    "to", ["https://other.example.org/login?next=s3cr3t", "http://lms.example.com/", "//other.example.org"]
)
def test_a_redirect_to_another_host_says_that_the_base_url_is_wrong(lms: Lms, to: str) -> None:
    lms.will(moved(to))
    with pytest.raises(ContractError, match="the base_url is wrong: it redirects to http") as caught:
        lms.asked(lambda http: http.get("a"), auth=Bearer("s3cr3t"))

    assert len(lms.requests) == 1
    assert "login" not in str(caught.value)


def test_a_post_is_not_redirected(lms: Lms) -> None:
    lms.will(moved("/elsewhere/"))
    with pytest.raises(ContractError, match="it redirects to /elsewhere/"):
        lms.asked(lambda http: http.post("a", form={"x": 1}))

    assert len(lms.requests) == 1


def test_a_redirect_to_what_is_not_there_is_no_item_that_is_gone(lms: Lms) -> None:
    """A login page, say, that a session which ran out is sent to: what was asked for may well be there."""
    lms.will(moved("/login"), httpx.Response(404))
    with pytest.raises(ContractError, match="redirects to a place that is not there"):
        lms.asked(lambda http: http.get("a"))


def test_redirects_in_a_circle_come_to_an_end(lms: Lms) -> None:
    lms.will(moved("/a"))
    with pytest.raises(ContractError, match="redirects more than 5 times"):
        lms.asked(lambda http: http.get("a"))

    assert len(lms.requests) == 6


@pytest.mark.parametrize("to", ["https://[", "mailto:x@example.com"])
def test_a_redirect_to_nowhere_is_a_contract_error(lms: Lms, to: str) -> None:
    lms.will(moved(to))
    with pytest.raises(ContractError):
        lms.asked(lambda http: http.get("a"))


# bodies


def test_a_body_over_the_bound_is_given_up_without_reading_the_rest(lms: Lms, stream: type[Stream]) -> None:
    body = stream(*[b"x" * 1000] * 50)
    lms.will(httpx.Response(200, stream=body))
    with pytest.raises(ContractError, match="larger than"):
        lms.asked(lambda http: http.get("a"), max_bytes=5000)

    assert body.taken == 6
    assert len(lms.requests) == 1


def test_an_announced_size_over_the_bound_is_not_read_at_all(lms: Lms, stream: type[Stream]) -> None:
    body = stream(b"x")
    lms.will(httpx.Response(200, stream=body, headers={"Content-Length": "6000"}))
    with pytest.raises(ContractError, match="larger than"):
        lms.asked(lambda http: http.get("a"), max_bytes=5000)

    assert body.taken == 0


def test_a_small_body_that_expands_over_the_bound_is_given_up(lms: Lms, stream: type[Stream]) -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    lms.will(httpx.Response(200, stream=stream(bomb), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(ContractError, match="larger than"):
        lms.asked(lambda http: http.get("a"), max_bytes=100_000)


def test_compression_inside_compression_is_refused(lms: Lms, stream: type[Stream]) -> None:
    body = stream(gzip.compress(gzip.compress(b"{}")))
    lms.will(httpx.Response(200, stream=body, headers={"Content-Encoding": "gzip, gzip"}))
    with pytest.raises(ContractError, match="compressed more than once"):
        lms.asked(lambda http: http.get("a"))

    assert body.taken == 0


def test_a_body_that_cannot_be_decompressed_is_a_vendor_error(lms: Lms, stream: type[Stream]) -> None:
    lms.will(lambda _: httpx.Response(200, stream=stream(b"{}"), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(VendorError, match="cannot be decompressed"):
        lms.asked(lambda http: http.get("a"), attempts=2)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_body_is_read(lms: Lms, stream: type[Stream], encoding: str) -> None:
    packed = gzip.compress(b'{"n": 1}') if encoding == "gzip" else zlib.compress(b'{"n": 1}')
    lms.will(httpx.Response(200, stream=stream(packed[:7], packed[7:]), headers={"Content-Encoding": encoding}))

    assert lms.asked(lambda http: http.get("a")).json() == {"n": 1}


@pytest.mark.parametrize(
    "page",
    [
        httpx.Response(200, html="<!doctype html><title>Log in, ana@example.com</title>"),
        httpx.Response(200, text="\n <html>", headers={"Content-Type": "application/json"}),
        httpx.Response(200, text="Please log in", headers={"Content-Type": "text/html"}),
    ],
)
def test_a_web_page_where_data_was_asked_for_is_a_contract_error(lms: Lms, page: httpx.Response) -> None:
    lms.will(page)
    with pytest.raises(ContractError, match="a web page instead of data") as caught:
        lms.asked(lambda http: http.get("a"))

    assert "ana@example.com" not in str(caught.value)


def test_json_under_a_careless_content_type_is_still_json(lms: Lms) -> None:
    lms.will(httpx.Response(200, text="[1]", headers={"Content-Type": "text/html; charset=utf-8"}))

    assert lms.asked(lambda http: http.get("a")).json() == [1]


def test_an_answer_that_drips_for_ever_is_given_up(lms: Lms) -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b"x"
                await asyncio.sleep(0)

    lms.will(lambda _: httpx.Response(200, stream=Drip()))
    with pytest.raises(VendorError, match=r"within 0\.02 s"):
        lms.asked(lambda http: http.get("a"), timeout=0.002, attempts=1)


def test_a_real_server_is_asked_over_a_real_socket(lms: Lms) -> None:
    """One walk without a pretend transport: refused first, then answered, then cut off."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if b"GET /cut" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        else:
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\n{"n": 1}')
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def walk() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, lms.http(f"http://127.0.0.1:{port}", transport=None, attempts=2) as http:
            answer = (await http.get("n")).json()
            with pytest.raises(VendorError, match="the connection was cut"):
                await http.get("cut")
        async with lms.http(f"http://127.0.0.1:{port}", transport=None) as http:
            with pytest.raises(VendorError, match=f"cannot reach 127.0.0.1:{port}: connection refused"):
                await http.get("n")
        return answer

    assert asyncio.run(walk()) == {"n": 1}
