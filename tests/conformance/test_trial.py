"""A trial reads a case without waiting, without the network, and without anybody else noticing."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from guild_lms import Guild
from rollbook.core.http import no_waits
from rollbook.core.http.limits import limiter
from rollbook.core.http.pace import pace
from rollbook.core.registry import registry
from rollbook.core.testing import load_case
from rollbook.core.testing.conformance import faults
from rollbook.core.testing.conformance.lms import Scripted
from rollbook.core.testing.conformance.trial import Trial

FILE = Path(__file__).parent / "fixtures" / "guild" / "tenant.har.json"


@pytest.fixture
def trial() -> Trial:
    return Trial(load_case(FILE), {"": Guild})


def test_each_list_says_in_the_log_why_it_ended(trial: Trial) -> None:
    ends = [line for line in trial.whole.log if "the list ends" in line]

    assert "rollbook.http: GET /api/courses: the list ends after 3 pages: empty page" in ends
    assert len(ends) == len(trial.whole.lists) == 5


def test_a_class_need_not_be_registered_and_is_not_afterwards(trial: Trial) -> None:
    assert trial.whole.found
    assert "guild" not in registry.classes


def test_what_is_logged_stays_in_the_trial(trial: Trial, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    level = logging.getLogger().level

    assert trial.whole.log
    assert not [record for record in caplog.records if record.name == "rollbook.http"]
    assert level == logging.getLogger().level


def test_a_fault_is_waited_out_at_once(trial: Trial) -> None:
    reading = trial.read(Scripted(faults.ONCE_500, bool), Scripted(faults.THROTTLED, bool))

    assert (reading.found, reading.retries) == (trial.whole.found, 2)


def test_times_that_run_apart_share_no_quota() -> None:
    """A limiter that knows the virtual time of one test would make another one wait for ever."""
    with no_waits():
        one, same = pace().world, pace().world
    with no_waits():
        other = pace().world

    assert one == same != other
    assert pace().world == ""
    assert limiter(f"{one}key") is not limiter(f"{other}key")


def test_a_sync_that_is_cut_is_taken_up(trial: Trial) -> None:
    found = trial.sync(cut_after=[2, 1, 3])

    assert found.found == trial.synced.found == trial.whole.found
    assert found.report.resumed
