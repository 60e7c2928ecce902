"""A recording answers what it was recorded for, in order, and tells what does not fit."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.errors import ContractError, SettingsError, UnknownName
from rollbook.core.testing import ORIGINS, Exchange, load_har, nearest, replay

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


def entry(
    url: str = USERS, answer: Any = None, *, status: int = 200, use: str = "read", **request: Any
) -> dict[str, Any]:
    return {
        "_use": use,
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
        f"users.har:\nnot recorded: GET {USERS} [page=3]\n"
        f"  nearest recorded: GET {USERS} [page=2]\n"
        f"    query page: '3', recorded '2'"
    )


def test_an_answer_is_given_once(record: Record) -> None:
    with pytest.raises(AssertionError, match="all its answers have been given already"), replay(record(entry())):
        assert [httpx.get(USERS).status_code for _ in range(2)] == [200, 400]


def test_an_exchange_that_was_never_asked_for_fails(record: Record) -> None:
    with pytest.raises(AssertionError, match=rf"recorded, but never asked for: GET {USERS}"), replay(record(entry())):
        pass


def test_exchanges_may_be_left_over_if_it_is_not_strict(record: Record) -> None:
    with replay(record(entry()), strict=False) as recording:
        pass

    assert recording.unused == [f"GET {USERS}"]


def test_a_left_over_exchange_that_no_reading_makes_is_no_error(record: Record) -> None:
    file = record(*(entry(f"{USERS}/{use}", use=use) for use in ("fetch", "check", "since", "resume")))
    with replay(file) as recording:
        pass

    assert recording.unused == []


def test_an_exchange_that_no_reading_makes_may_be_asked_for(record: Record) -> None:
    with replay(record(entry(f"{USERS}/7", 7, use="fetch"))):
        assert httpx.get(f"{USERS}/7").json() == 7


def test_the_reading_comes_first_where_something_else_asks_for_the_same(record: Record) -> None:
    with replay(record(entry(answer="checked", use="check"), entry(answer="read"))):
        assert httpx.get(USERS).json() == "read"


def test_an_error_that_comes_from_a_missing_answer_is_told_as_that(record: Record) -> None:
    with pytest.raises(AssertionError, match=rf"not recorded: GET {USERS}\n"), replay(record(entry("x"))):
        httpx.get(USERS).raise_for_status()


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


def asked(url: str = USERS, *, method: str = "GET", form: dict[str, str] | None = None, body: str = "") -> Exchange:
    return Exchange(method, url, tuple(sorted((form or {}).items())), body, 200, (), b"")


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (asked(method="PUT"), asked(), ["method: PUT, recorded GET"]),
        (asked(), asked("https://other.example.com/api/users"), ["host: lms.example.com, recorded other.example.com"]),
        (asked(), asked("http://lms.example.com/api/users"), ["scheme: https, recorded http"]),
        (asked(f"{USERS}/7/courses"), asked(f"{USERS}/8/courses"), ["path, segment 3: '7', recorded '8'"]),
        (asked(f"{USERS}/7"), asked(), ["path, segment 3: '7', which the recorded one has not"]),
        (asked("https://lms.example.com/users"), asked(), ["path, segment 1: missing, recorded 'api'"]),
        (asked(f"{USERS}/J%C3%B8ran"), asked(f"{USERS}/7"), ["path, segment 3: 'Jøran', recorded '7'"]),
        (
            asked(f"{USERS}?a=1"),
            asked(f"{USERS}?b=2"),
            ["query a: '1', which the recorded one has not", "query b: missing, recorded '2'"],
        ),
        (asked(f"{USERS}?a[]=1&a[]=2"), asked(f"{USERS}?a[]=1"), ["query a[]: '1', '2', recorded '1'"]),
        (asked(f"{USERS}?q="), asked(USERS), ["query q: '', which the recorded one has not"]),
        (asked(form={"id": "1"}), asked(form={"id": "2"}), ["form id: '1', recorded '2'"]),
        (asked(body='{"a":{"b":[1,2]}}'), asked(body='{"a":{"b":[1,3]}}'), ["body, a.b[1]: 2, recorded 3"]),
        (asked(body='{"a":"x"}'), asked(body="{}"), ["body, a: 'x', which the recorded one has not"]),
        (asked(body='{"a":{"b":1}}'), asked(body='{"a":[]}'), ["body, a: an object, recorded a list"]),
        (
            asked(body="<id>7</id>"),
            asked(body="<id>8</id>"),
            ["body: differs from character 5 on, recorded there '8</id>'"],
        ),
        (asked(body='{"a": 1}'), asked(body='{"a":1}'), ["body: differs from character 6 on, recorded there '1}'"]),
        (asked(body="abc"), asked(), ["body: 3 characters, which the recorded one has not"]),
        (asked(), asked(body="abc"), ["body: missing, recorded 'abc'"]),
    ],
)
def test_each_thing_that_differs_from_the_nearest_is_told(one: Exchange, other: Exchange, differs: list[str]) -> None:
    told = nearest(one, [other]).splitlines()

    assert [f"    {line}" for line in differs] == told[2:]


def test_of_many_requests_that_do_not_fit_a_few_are_told(record: Record) -> None:
    with pytest.raises(AssertionError) as caught, replay(record(*(entry(f"{USERS}/{id}") for id in range(20)))):
        assert [httpx.get(USERS, params={"page": page}) for page in (*range(20), *range(20))]
    lines = str(caught.value).splitlines()

    assert sum(line.startswith("not recorded: ") for line in lines) == 5
    assert sum(line.startswith("recorded, but never asked for: ") for line in lines) == 5
    assert lines.count("... and 15 more") == 2


@pytest.mark.parametrize(
    ("one", "recorded"),
    [
        (asked(f"{USERS}?page=3"), [asked("https://lms.example.com/courses?page=3"), asked(f"{USERS}?page=1")]),
        (asked(f"{USERS}/7"), [asked("https://lms.example.com/api/courses/9"), asked(f"{USERS}/8")]),
        (asked(f"{USERS}/7"), [asked(f"{USERS}/7", method="POST"), asked(f"{USERS}/8")]),
        (asked(form={"f": "users", "id": "1"}), [asked(form={"f": "courses", "key": "1"}), asked(form={"f": "users"})]),
        (asked(f"{USERS}?after=abcdefgh"), [asked(f"{USERS}?after=zyxwvuts"), asked(f"{USERS}?after=abcdefgx")]),
        (asked(body='{"query":"users","page":2}'), [asked(body='{"x":1}'), asked(body='{"query":"users","page":1}')]),
    ],
)
def test_the_nearest_is_the_one_that_was_meant(one: Exchange, recorded: list[Exchange]) -> None:
    assert nearest(one, recorded) == nearest(one, recorded[1:])
    assert nearest(one, recorded) != nearest(one, recorded[:1])


def test_a_recording_without_anything_says_so() -> None:
    assert nearest(asked(), []) == f"GET {USERS}\n  nothing else is recorded"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (asked(f"{USERS}?wstoken=s3cret-7"), asked(f"{USERS}?wstoken=made-up-token")),
        (asked(form={"client_secret": "s3cret-7"}), asked(form={"client_secret": "made-up-secret"})),
        (asked(form={"code": "s3cret-7", "x": "1"}), asked(form={"x": "2"})),
        (asked(body='{"auth":{"pin":"s3cret-7","n":7}}'), asked(body='{"auth":{"pin":"made-up","n":8}}')),
        (asked(body='{"login":{"password":"s3cret-7"}}'), asked(body="{}")),
        (asked(body="<password>s3cret-7</password>"), asked(body="<password>made-up</password>")),
        (asked("https://ada:s3cret-7@lms.example.com/api/users"), asked(f"{USERS}/1")),
        (asked(f"{USERS}/s%2F3cret%2B"), asked(f"{USERS}/1")),
        (asked(f"{USERS}?q=xs/3cret%2By"), asked(f"{USERS}/1")),
    ],
)
def test_secrets_are_not_shown(one: Exchange, other: Exchange) -> None:
    told = nearest(one, [other], secrets={"s/3cret+", ""})

    assert "3cret" not in told
    assert "pin: '•••'" in told or "pin" not in one.body


def test_made_up_secrets_are_shown() -> None:
    one, other = asked(f"{USERS}?token=made-up-1"), asked(f"{USERS}?token=made-up-2")

    assert "query token: 'made-up-1', recorded 'made-up-2'" in nearest(one, [other], secrets={"made-up-1"})


def test_where_a_list_goes_on_is_no_secret() -> None:
    assert "next_token: 'abc'" in nearest(asked(f"{USERS}?next_token=abc"), [asked()])


def test_what_is_told_is_short_and_steers_no_terminal() -> None:
    told = nearest(asked(form={"q": "\x1b[2J" + "x" * 500}), [asked(form={"q": "y" * 500})])

    assert all(line.isprintable() for line in told.splitlines())
    assert max(map(len, told.splitlines())) < 200


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


def test_a_misspelt_use_is_refused(record: Record) -> None:
    with pytest.raises(UnknownName, match=r"users.har: unknown _use of an exchange 'fetsch'\nDid you mean 'fetch'\?"):
        load_har(record(entry(use="fetsch")))


@pytest.mark.parametrize("text", ["[]", "{}", '{"log": {"_origin": "synthetic"}}', '{"log": []}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "other.har").write_text(text)

    with pytest.raises(SettingsError, match=r"other\.har"):
        load_har(tmp_path / "other.har")


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.har").write_text("<html>")

    with pytest.raises(ContractError):
        load_har(tmp_path / "other.har")


def test_the_kit_lists_what_it_has() -> None:
    import rollbook.core.testing as kit

    assert {*kit._HOME, "replay"} == {*kit.__all__}  # pyright: ignore[reportPrivateUsage] - what is tested
    assert all(getattr(kit, name) is not None for name in kit.__all__)
    assert callable(kit.replay)
    with pytest.raises(AttributeError, match="has no attribute 'replayy'"):
        _ = kit.replayy  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - what is tested
