"""Faults strike where and when the script says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from rollbook.sandbox import Fault, Faults, Quota, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollbook.sandbox.faults import What

    from .conftest import Client


def strikes(faults: Faults, *paths: str) -> list[str | None]:
    return [fault.what if (fault := faults.strike(path)) else None for path in paths]


def test_a_fault_strikes_the_first_matching_request_once() -> None:
    faults = Faults([Fault(what="error", path="/b")])

    assert strikes(faults, "/a", "/b", "/b") == [None, "error", None]


def test_a_fault_can_wait_for_the_nth_match_and_last() -> None:
    faults = Faults([Fault(what="error", path="/b", nth=2, times=2)])

    assert strikes(faults, "/b", "/a", "/b", "/b", "/b") == [None, None, "error", "error", None]


def test_a_fault_can_last_for_ever_until_it_is_cleared() -> None:
    faults = Faults()
    faults.add(Fault(what="cut", times=None))

    assert strikes(faults, *["/"] * 50) == ["cut"] * 50
    faults.clear()
    assert strikes(faults, "/") == [None]


def test_the_first_fault_that_strikes_decides_and_the_others_count_on() -> None:
    faults = Faults([Fault(what="error"), Fault(what="throttle", nth=2)])

    assert strikes(faults, "/", "/", "/") == ["error", "throttle", None]


def test_throttling_comes_with_and_without_retry_after(client: Callable[..., Client]) -> None:
    script = [Fault(what="throttle", retry_after="7"), Fault(what="throttle", nth=2, status=403)]
    talentlms = client("talentlms", faults=script)

    answers = [talentlms.get("/api/v1/courses") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [429, 403, 200]
    assert [answer.headers.get("Retry-After") for answer in answers] == ["7", None, None]


@pytest.mark.parametrize(("vendor", "key"), [("talentlms", "error"), ("canvas", "errors")])
def test_an_error_comes_in_the_shape_of_the_vendor(client: Callable[..., Client], vendor: str, key: str) -> None:
    lms = client(vendor, faults=[Fault(what="error")])

    answer = lms.get("/api/v1/courses")

    assert answer.status_code == 500
    assert key in answer.json()


def test_what_stands_before_canvas_answers_in_html(client: Callable[..., Client]) -> None:
    canvas = client("canvas", faults=[Fault(what="error", status=503)])

    answer = canvas.get("/api/v1/accounts/self/courses")

    assert answer.status_code == 503
    assert answer.headers["Content-Type"].startswith("text/html")


def test_malformed_json_looks_good_but_stops_halfway(client: Callable[..., Client]) -> None:
    answer = client("talentlms", faults=[Fault(what="malformed")]).get("/api/v1/users")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_a_slow_answer_is_the_right_one(client: Callable[..., Client]) -> None:
    talentlms = client("talentlms", faults=[Fault(what="slow", seconds=0.001)])

    assert talentlms.json("/api/v1/courses") == talentlms.json("/api/v1/courses")


def test_a_cut_connection_breaks_in_the_middle_of_the_body(client: Callable[..., Client]) -> None:
    talentlms = client("talentlms", faults=[Fault(what="cut")])

    with pytest.raises((ConnectionResetError, httpx.TransportError)):
        talentlms.get("/api/v1/courses")


def test_a_quota_is_full_again_when_its_window_has_passed() -> None:
    now = 100.0
    quota = Quota(2, 5, clock=lambda: now)

    assert [quota.take() for _ in range(3)] == [True, True, False]
    assert (quota.remaining, quota.resets_at) == (0, 105.0)
    now = 105.0
    assert (quota.remaining, quota.take(), quota.remaining) == (2, True, 1)


def test_several_windows_hold_at_once() -> None:
    now = 100.0
    quota = Quota(3, 60, clock=lambda: now, beside=[(2, 5)])

    assert [quota.take() for _ in range(3)] == [True, True, False]
    now = 105.0
    assert [quota.take() for _ in range(2)] == [True, False]
    now = 110.0
    assert (quota.take(), quota.refused) == (False, 3)
    assert [window.past for window in quota.windows] == [[], [2, 1]]


def test_a_client_that_asks_for_more_is_banned_for_good(client: Callable[..., Client]) -> None:
    now = 100.0
    quota = Quota(1, 60, clock=lambda: now, bans=True)
    talentlms = client("talentlms", quota=quota)

    answers = [talentlms.get("/api/v1/courses").status_code for _ in range(2)]
    now = 1_000.0

    assert [*answers, talentlms.get("/api/v1/courses").status_code] == [200, 429, 429]
    assert (quota.banned, quota.refused) == (True, 2)


@pytest.mark.parametrize(
    ("what", "said"),
    [("cut", httpx.RemoteProtocolError), ("unfinished", httpx.RemoteProtocolError), ("reset", httpx.ReadError)],
)
def test_a_connection_breaks_in_the_way_that_was_asked_for(what: What, said: type[Exception]) -> None:
    with Sandbox("talentlms", faults=[Fault(what=what)]) as sandbox, pytest.raises(said) as caught:
        httpx.get(f"{sandbox.base_url}/api/v1/courses", trust_env=False)

    assert ("reset by peer" in str(caught.value)) == (what == "reset")
