"""A recording answers what it was recorded for, in order, and tells what does not fit."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, SettingsError
from rollbook.core.testing import ORIGINS, load_har, replay

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Record = Callable[..., Path]

USERS = "https://lms.example.com/api/users"


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Write a recording."""

    def record(*entries: dict[str, Any], origin: str | None = "synthetic") -> Path:
        file = tmp_path / "users.har"
        file.write_text(json.dumps({"log": {"version": "1.2", "_origin": origin, "entries": entries}}))
        return file

    return record


def entry(url: str = USERS, answer: Any = None, *, status: int = 200, **request: Any) -> dict[str, Any]:
    return {
        "request": {"method": "GET", "url": url, **request},
        "response": {
            "status": status,
            "headers": [{"name": "Content-Type", "value": "application/json"}],
            "content": {"_json": answer},
        },
    }


def test_answers_come_in_the_order_they_were_recorded_in(record: Record) -> None:
    file = record(entry(answer=1), entry(USERS + "/7", answer={"id": 7}), entry(answer=2, status=500))
    with replay(file) as recording:
        first, one, second = httpx.get(USERS), httpx.get(USERS + "/7"), httpx.get(USERS)

    assert [first.json(), one.json(), second.json()] == [1, {"id": 7}, 2]
    assert second.status_code == 500
    assert recording.made == [f"GET {USERS}", f"GET {USERS}/7", f"GET {USERS}"]


async def _ask() -> int:
    async with httpx.AsyncClient() as client:
        return (await client.get(USERS)).json()


def test_an_async_client_is_answered_too(record: Record) -> None:
    with replay(record(entry(answer=1))):
        assert asyncio.run(_ask()) == 1


def test_the_order_of_a_query_does_not_matter(record: Record) -> None:
    with replay(record(entry(f"{USERS}?page=2&size=50&q=", answer=2))):
        assert httpx.get(USERS, params={"q": "", "size": "50", "page": "2"}).json() == 2


def test_a_request_that_was_not_recorded_fails_with_the_nearest(record: Record) -> None:
    file = record(entry(f"{USERS}?page=2"), entry("https://lms.example.com/courses"))
    with pytest.raises(AssertionError) as caught, replay(file, strict=False):
        assert httpx.get(USERS, params={"page": 3}).status_code == 400

    assert str(caught.value) == (
        f"users.har:\nnot recorded: GET {USERS} [page=3]\n  nearest recorded: GET {USERS} [page=2]"
    )


def test_an_answer_is_given_once(record: Record) -> None:
    with pytest.raises(AssertionError, match="nearest recorded: none is left"), replay(record(entry())):
        assert [httpx.get(USERS).status_code for _ in range(2)] == [200, 400]


def test_an_exchange_that_was_never_asked_for_fails(record: Record) -> None:
    with pytest.raises(AssertionError, match=rf"recorded, but never asked for: GET {USERS}"), replay(record(entry())):
        pass


def test_exchanges_may_be_left_over_if_it_is_not_strict(record: Record) -> None:
    with replay(record(entry()), strict=False) as recording:
        pass

    assert recording.unused == [f"GET {USERS}"]


def test_an_error_inside_comes_out_as_it_is(record: Record) -> None:
    with pytest.raises(ZeroDivisionError), replay(record(entry())):
        _ = 1 / 0


@pytest.mark.parametrize(
    "posted",
    [
        {"mimeType": "application/x-www-form-urlencoded", "text": "grant=code&id=a+b"},
        {
            "mimeType": "application/x-www-form-urlencoded; charset=utf-8",
            "params": [{"name": "id", "value": "a b"}, {"name": "grant", "value": "code"}],
        },
    ],
)
def test_forms_are_compared_by_their_fields(record: Record, posted: dict[str, Any]) -> None:
    file = record(entry(method="POST", postData=posted, answer="token"))
    with replay(file):
        assert httpx.post(USERS, data={"id": "a b", "grant": "code"}).json() == "token"


def test_another_form_is_not_taken_for_it(record: Record) -> None:
    posted = {"mimeType": "application/x-www-form-urlencoded", "text": "id=1"}
    file = record(entry(method="POST", postData=posted))
    with pytest.raises(AssertionError, match=r"\[id=2\]\n  nearest recorded: POST .* \[id=1\]"), replay(file):
        httpx.post(USERS, data={"id": "2"})


def test_other_bodies_are_compared_as_text(record: Record) -> None:
    posted = {"mimeType": "application/json", "text": '{"id":1}'}
    with replay(record(entry(method="post", postData=posted, answer=1))):
        assert httpx.post(USERS, content='{"id":1}', headers={"content-type": "application/json"}).json() == 1


def test_a_body_is_given_decompressed(record: Record) -> None:
    packed = entry()
    packed["response"]["headers"] += [{"name": "Content-Encoding", "value": "gzip"}, {"name": "X-Left", "value": "9"}]
    packed["response"]["content"] = {"text": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}
    with replay(record(packed)):
        answer = httpx.get(USERS)

    assert answer.content == b"\x00\xff"
    assert answer.headers["x-left"] == "9"


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_recording_says_where_it_came_from(record: Record, origin: str) -> None:
    assert load_har(record(entry(), origin=origin)).origin == origin


@pytest.mark.parametrize("origin", [None, "", "guessed"])
def test_a_recording_without_an_origin_is_refused(record: Record, origin: str | None) -> None:
    with pytest.raises(SettingsError, match=r"users.har: the recording does not say where it came from\nSet log"):
        load_har(record(entry(), origin=origin))


@pytest.mark.parametrize("text", ["[]", "{}", '{"log": {"_origin": "synthetic"}}', '{"log": []}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.har").write_text(text)

    with pytest.raises(SettingsError, match=r"other\.har"):
        load_har(tmp_path / "other.har")


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.har").write_text("<html>")

    with pytest.raises(ContractError):
        load_har(tmp_path / "other.har")
