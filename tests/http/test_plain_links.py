"""A plain link is taken as it is written, and gives just what parsing it would."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rollbook.core.errors import ContractError
from rollbook.core.http import Answer
from rollbook.core.http.pagination import _place_of, _resolved  # pyright: ignore[reportPrivateUsage] - the law is theirs

HOSTS = ("http://127.0.0.1:8080", "https://lms.example.com", "http://[::1]:99")
SIGNS = "ab/?.%2F5[]&=+:@ #~'\\\"éA1;,!$()*_-{}`<>|^\n"


def answer(host: str) -> Answer:
    return Answer(200, httpx.Headers(), b"", "GET /here", f"{host}/here?page=1")


@given(st.sampled_from(HOSTS), st.text(SIGNS, max_size=12))
@example(HOSTS[0], "a/../b")
@example(HOSTS[0], "a?")
@example(HOSTS[0], "a;")
@example(HOSTS[0], "%zz")
def test_a_plain_link_gives_what_parsing_it_gives(host: str, rest: str) -> None:
    place = _place_of(f"{host}/{rest}", answer(host))

    assert place in ("", place and _resolved(f"{host}/{rest}", answer(host), any_host=False))


def test_the_link_of_a_usual_page_is_plain() -> None:
    link = "/api/v1/courses/7/enrollments?type%5B%5D=StudentEnrollment&page=2&per_page=100"

    assert link == _place_of(f"{HOSTS[1]}{link}", answer(HOSTS[1]))


@pytest.mark.parametrize(
    "other", ["https://lms.example.com.evil.example", "https://evil.example", "http://lms.example.com"]
)
def test_a_link_to_another_host_is_none(other: str) -> None:
    assert _place_of(f"{other}/api?page=2", answer(HOSTS[1])) == ""

    with pytest.raises(ContractError, match="another host"):
        _resolved(f"{other}/api?page=2", answer(HOSTS[1]), any_host=False)
