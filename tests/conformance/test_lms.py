"""A recorded LMS answers as often as it is asked, says what was not recorded, and fails on command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rollbook.core.testing import Exchange, Fault, RecordedLms, Scripted
from rollbook.core.testing.conformance import faults as all_faults
from rollbook.core.testing.conformance.lms import Endless
from rollbook.core.testing.conformance.shapes import item_words, lists_by_name, paging, representatives, shape

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = "https://lms.example.com/api"


def exchange(url: str, content: bytes = b"[]", method: str = "GET", **form: str) -> Exchange:
    return Exchange(method, f"{HERE}/{url}", tuple(sorted(form.items())), "", 200, (), content)


def ask(lms: RecordedLms, *urls: str, **more: Any) -> list[httpx.Response]:
    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=lms) as client:
            return [await client.request("GET", f"{HERE}/{url}", **more) for url in urls]

    return asyncio.run(run())


def bodies(answers: Sequence[httpx.Response]) -> list[bytes]:
    return [answer.content for answer in answers]


def test_a_recorded_answer_is_given_as_often_as_it_is_asked_for() -> None:
    lms = RecordedLms((exchange("users", b"[1]"),))

    assert bodies(ask(lms, "users", "users")) == [b"[1]", b"[1]"]


def test_several_answers_to_one_request_come_in_order_and_the_last_one_stays() -> None:
    lms = RecordedLms((exchange("job", b'"wait"'), exchange("users"), exchange("job", b'"done"')))

    assert bodies(ask(lms, "job", "job", "job")) == [b'"wait"', b'"done"', b'"done"']


def test_what_was_not_recorded_is_noted_with_the_nearest() -> None:
    lms = RecordedLms((exchange("users?page=2"),))
    [answer] = ask(lms, "users?page=3")

    assert answer.status_code == 400
    assert len(lms.unexpected) == 1
    assert "nearest recorded: GET https://lms.example.com/api/users [page=2]" in lms.unexpected[0]
    assert [f"{HERE}/users?page=3"] == [one.url for one in lms.asked]


def test_what_is_left_of_a_recording_is_known() -> None:
    lms = RecordedLms((exchange("users"), exchange("courses"), exchange("users")))
    ask(lms, "users")

    assert [f"{HERE}/courses", f"{HERE}/users"] == [one.url for one in lms.unused]


def test_more_requests_than_the_budget_end_everything() -> None:
    with pytest.raises(Endless):
        ask(RecordedLms((exchange("users"),), budget=2), "users", "users", "users")


@pytest.mark.parametrize(("times", "expected"), [(0, [500, 500, 500]), (1, [500, 200, 200]), (2, [500, 500, 200])])
def test_a_fault_happens_as_often_as_it_says(times: int, expected: list[int]) -> None:
    fault = Fault("failing", lambda _request, _recorded: httpx.Response(500), times)
    lms = RecordedLms((exchange("users"),), (Scripted(fault, lambda asked: asked.url.endswith("users")),))

    assert expected == [answer.status_code for answer in ask(lms, "users", "users", "users")]


def test_a_fault_befalls_no_other_request() -> None:
    scripted = Scripted(all_faults.FOR_EVER, lambda asked: asked.url.endswith("users"))
    lms = RecordedLms((exchange("users"), exchange("courses")), (scripted,))

    assert [answer.status_code for answer in ask(lms, "users", "courses")] == [500, 200]


def test_a_fault_takes_no_recorded_answer_away() -> None:
    scripted = Scripted(all_faults.ONCE_500, lambda _: True)
    lms = RecordedLms((exchange("job", b"1"), exchange("job", b"2")), (scripted,))

    _, *answers = ask(lms, "job", "job", "job")

    assert bodies(answers) == [b"1", b"2"]


@pytest.mark.parametrize(
    ("fault", "status", "start"),
    [
        (all_faults.REFUSED, 401, b'{"message"'),
        (all_faults.THROTTLED, 429, b'{"message"'),
        (all_faults.HTML, 200, b"<!doctype html>"),
        (all_faults.MALFORMED, 200, b"{'items'"),
        (all_faults.TRUNCATED, 200, b'[{"a"'),
        (all_faults.EMPTY_BODY, 200, b""),
    ],
)
def test_each_fault_is_what_it_is_called(fault: Fault, status: int, start: bytes) -> None:
    lms = RecordedLms((exchange("users", b'[{"a": 1}, {}]'),), (Scripted(fault, lambda _: True),))
    [answer] = ask(lms, "users")

    assert status == answer.status_code
    assert answer.content.startswith(start)
    assert answer.content != b'[{"a": 1}, {}]'


@pytest.mark.parametrize("fault", [all_faults.MALFORMED, all_faults.TRUNCATED, all_faults.HTML, all_faults.EMPTY_BODY])
@pytest.mark.parametrize("body", [b"[]", b"{}", b'[{"a": 1}]', b'"text"', b"7"])
def test_a_broken_body_is_never_json(fault: Fault, body: bytes) -> None:
    [answer] = ask(RecordedLms((exchange("users", body),), (Scripted(fault, lambda _: True),)), "users")
    with pytest.raises(ValueError, match=r"Expecting|Extra data"):
        answer.json()


@pytest.mark.parametrize(
    ("fault", "error"), [(all_faults.TIME_OUT, httpx.ReadTimeout), (all_faults.CUT, httpx.ReadError)]
)
def test_the_network_fails_on_command(fault: Fault, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(RecordedLms((exchange("users", b"[1, 2, 3]"),), (Scripted(fault, lambda _: True),)), "users")


def test_requests_that_differ_by_ids_only_are_of_one_kind() -> None:
    one, other = exchange("v1/courses/7/users?page=1"), exchange("v1/courses/12/users?page=9")
    third = exchange("v1/courses/12/groups?page=1")

    assert shape(one) == shape(other) != shape(third)
    assert "/api/v1/courses/#/users?page" in shape(one)


def test_functions_of_one_address_are_of_different_kinds() -> None:
    courses = exchange("server.php", method="POST", wsfunction="get_courses", wstoken="made-up-1")
    users = exchange("server.php", method="POST", wsfunction="get_users", wstoken="made-up-1")

    assert shape(courses) != shape(users)


def test_the_first_and_the_last_of_each_kind_stand_for_it() -> None:
    recorded = [exchange(f"users/{number}") for number in (1, 2, 3)] + [exchange("courses")]

    assert [recorded[0], recorded[2], recorded[3]] == representatives(recorded)


def test_an_item_is_known_by_its_ids_and_not_by_its_page() -> None:
    posted = exchange("server.php", method="POST", courseid="12", userid="u8", limitfrom="500")

    assert {"7"} == item_words(exchange("courses/7?page=3&size=100"))
    assert {"45"} == item_words(exchange("users/id:45"))
    assert {"12", "u8"} == item_words(posted)


@pytest.mark.parametrize(
    ("first", "second", "third", "other"),
    [
        ("users?page=1&size=2", "users?page=2&size=2", "users?page=3&size=2", "courses?page=2&size=2"),
        ("users", "users?cursor=a7", "users?cursor=b8", "users?role=x"),
        ("users/size:2,page:1", "users/size:2,page:2", "users/size:2,page:3", "courses/size:2,page:2"),
    ],
)
def test_further_pages_of_a_list_are_known_recorded_or_not(first: str, second: str, third: str, other: str) -> None:
    pages = paging([exchange(first), exchange(second)])

    assert [pages.is_further(exchange(url)) for url in (first, second, third, other)] == [False, True, True, False]


def test_lists_are_found_by_their_parameters_names() -> None:
    recorded = [exchange("users?page=1"), exchange("users?page=2"), exchange("items?user=1"), exchange("items?user=2")]

    assert [(recorded[0], (recorded[1],))] == [(one.first, one.further) for one in lists_by_name(recorded)]
