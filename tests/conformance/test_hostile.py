"""What the hostile LMS does is really done to us, and nothing of it is lost, guessed or followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from broken_lms import Trusting
from hostile_lms import Hostile
from rollbook.core.errors import ContractError
from rollbook.core.native import parse
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance.trial import Trial

FILE = Path(__file__).parent / "fixtures" / "hostile" / "tenant.har.json"
BIG = 98765432109876543210987654321098765432109876543210


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial(load_case(FILE), {"": Hostile})


def test_every_row_becomes_an_enrollment_or_is_told(trial: Trial) -> None:
    """Five pages: shifted, shuffled, one of them empty, with three rows that come twice and two that are nobody's."""
    findings = trial.whole.findings

    assert (len(trial.whole.found), len(findings.rejected), findings.duplicates) == (8, 2, 3)


def test_an_integer_of_fifty_digits_stays_exact(trial: Trial) -> None:
    one: Any = parse(trial.whole.found[str(BIG)])

    assert one["user"]["id"] == one["course"]["id"] == str(BIG)
    assert BIG == one["remote_data"]["id"] == one["remote_data"]["extra"]["deep"]["a"][0]["b"][0]


def test_characters_of_every_plane_come_through(trial: Trial) -> None:
    one: Any = parse(trial.whole.found[str(BIG)])

    assert set(range(17)) == {ord(sign) >> 16 for sign in one["course"]["title"]}


def test_nothing_is_made_of_zero_dates_and_numbers_that_are_none(trial: Trial) -> None:
    one: Any = parse(trial.whole.found["17"])

    assert tuple(one[name] for name in ("enrolled_at", "completed_at", "due_at", "progress_percent", "score")) == (
        None,
        None,
        None,
        None,
        None,
    )
    assert one["course"]["title"] == "Safety &amp; Health"


def test_words_and_values_that_nobody_told_us_of_are_counted(trial: Trial) -> None:
    assert dict(trial.whole.findings.drift) == {("status", "nobody told us"): 1}
    assert {
        "enrolled_at",
        "progress_percent",
        "score",
        "user.id",
        "course.id",
    } <= trial.whole.findings.flaw_counts.keys()


def test_a_next_link_to_another_host_is_not_followed() -> None:
    """A paginator that does not know of the proxy stops there and says so; nobody else is asked anything."""
    reading = Trial(load_case(FILE), {"": Trusting}).read()
    [error] = reading.errors

    assert isinstance(error, ContractError)
    assert "leads to another host, http://lms-7.internal.example.net:8080: not followed" in str(error)
    assert {"https://hostile.example.com"} == {
        one.url.partition("/e")[0].partition("/p")[0] for one in reading.lms.asked
    }


def test_the_expected_file_holds_what_an_editor_can_show() -> None:
    """Half a pair of surrogates stands as its escape."""
    text = FILE.with_name("tenant.expected.json").read_text(encoding="utf-8")

    assert "\\ud83d" in text
    assert len(json.loads(text)["enrollments"]) == 8
