"""Looking into an answer: what is there is found, what is not is said without quoting it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from rollbook.core.errors import ContractError
from rollbook.core.http import Answer
from rollbook.core.http.answer import dig


def answer(body: bytes | str, **headers: str) -> Answer:
    content = body.encode() if isinstance(body, str) else body
    return Answer(200, httpx.Headers(headers), content, "GET /list", "https://lms.example.com/list?key=s3cr3t")


def test_json_is_parsed_once_and_loses_no_digit() -> None:
    one = answer('{"n": 12345678901234567890123456789012345678901234567890}')

    assert one.json() == {"n": 12345678901234567890123456789012345678901234567890}
    assert one.json() is one.json()


def test_a_body_that_is_no_json_says_where_and_nothing_of_itself() -> None:
    with pytest.raises(ContractError) as caught:
        answer("ana@example.com").json()

    assert str(caught.value).startswith("GET /list: the body is not JSON")
    assert "ana@" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", {"a": {"b": [1], "c.d": 2, "e": {"f.g": 3}}, "h.i": 4}),
        ("a.b", [1]),
        ("a.c.d", 2),
        ("a.e.f.g", 3),
        ("h.i", 4),
        ("a.x", None),
        ("a.b.c", None),
        ("x.y.z", None),
    ],
)
def test_dotted_paths_find_members_even_with_dots_in_their_names(path: str, found: Any) -> None:
    value: Any = {"a": {"b": [1], "c.d": 2, "e": {"f.g": 3}}, "h.i": 4}

    assert dig(value, path) == found


def test_headers_are_found_without_regard_to_case_and_without_reading_the_body() -> None:
    assert answer("no json", **{"X-Total-Count": "7"}).find("header:x-total-count") == "7"
    assert answer("no json").find("header:x-total-count") is None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"data": null}', "expected a list at data, found nothing"),
        ("{}", "expected a list at data, found nothing"),
        ('{"data": "x"}', "expected a list at data, found a text"),
        ('{"data": 1.5}', "expected a list at data, found a number"),
        ('{"data": true}', "expected a list at data, found true or false"),
        ('{"data": [{}, {}, [7]]}', "expected objects at data, found a list as number 3"),
    ],
)
def test_what_is_no_list_of_objects_is_a_contract_error(body: str, said: str) -> None:
    with pytest.raises(ContractError) as caught:
        answer(body).items("data")

    assert str(caught.value) == f"GET /list: {said}"


def test_what_is_no_object_is_a_contract_error() -> None:
    assert answer('{"data": {"n": 1}}').object("data") == {"n": 1}
    with pytest.raises(ContractError, match="expected an object, found a list"):
        answer("[]").object()


@pytest.mark.parametrize(
    ("body", "kind", "is_html"),
    [
        ("<html>", "", True),
        ("\ufeff\n<!DOCTYPE html>", "application/json", True),
        ("Welcome", "text/html", True),
        ("<a/>", "application/xml", False),
        ("<html/>", "application/xhtml+xml", True),
        ('{"a": 1}', "text/html", False),
        ("", "text/html", False),
        ("[]", "application/json", False),
    ],
)
def test_a_web_page_is_told_from_data(body: str, kind: str, is_html: bool) -> None:  # noqa: FBT001 - an expected value
    assert answer(body, **{"content-type": kind}).is_html is is_html


def test_its_repr_shows_neither_body_nor_query() -> None:
    assert repr(answer('{"email": "ana@example.com"}')) == "<Answer 200 to GET /list>"
