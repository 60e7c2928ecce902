"""`rollbook plan` tells what a full sync costs, before it is begun."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from rollbook.sandbox import Sandbox, Tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Desk


@pytest.fixture
def portal(empty: Desk) -> Iterator[Desk]:
    """Give a desk with a pretend portal of 25 people."""
    with Sandbox("talentlms", tenant=Tenant(size=25)) as sandbox:
        settings = [f"{name} = {json.dumps(value)}" for name, value in sandbox.settings.items()]
        empty.config("\n".join(["[connections.acme]", 'connector = "talentlms"', *settings, "hourly_limit = 10"]))
        (empty.folder / "rollbook.toml").chmod(0o600)
        yield empty


def told(desk: Desk) -> str:
    """Give what it prints, each fact on a line, without its measured times."""
    result = desk.run("plan", "acme")
    assert (result.exit_code, result.stderr) == (0, "")
    assert max(map(len, result.stdout.splitlines())) <= 80
    return re.sub(r"\n +(?=[^ ])(?<=\n {11})", " ", result.stdout)


def test_it_tells_requests_time_and_what_the_quota_does(portal: Desk) -> None:
    assert told(portal) == (
        "acme: a full sync takes 27 requests to TalentLMS\n"
        "  counted  2 for the list of users, 25 for the users one by one\n"
        "  time     at least 2 h 0 min, at 10 requests an hour\n"
        "  quota    10 requests an hour: the sync stops twice when that is spent, since it waits for no more than "
        "2 min 0 s. Start it again 1 h 0 min after it began, and it goes on; or let it wait by itself: "
        "max_wait = 3600\n"
        "  asked    2 requests to find this out\n"
    )


def test_after_a_sync_it_tells_what_that_took(portal: Desk) -> None:
    config = portal.folder / "rollbook.toml"
    config.write_text(config.read_text().replace("hourly_limit = 10", "hourly_limit = 1000"))
    portal.run("sync", "acme")
    text = told(portal)

    assert re.search(r"\n  last time  27 requests in [0-9.]+ s, on 20.+ UTC\n", text)
    assert "quota" not in text


def test_a_lower_bound_says_so(desk: Desk) -> None:
    desk.lms(desk.record("1"), more={"course:7": []})
    text = told(desk)

    assert text.startswith("acme: a full sync takes at least 2 requests to Paper LMS\n")
    assert "  counted  at least 2 for the partitions one by one\n" in text


def test_a_refused_credential_is_told_with_the_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_TOKEN", "wrong")
    result = desk.run("plan", "acme")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: connection 'acme': the LMS refuses the token\nMake a new one.\n"
