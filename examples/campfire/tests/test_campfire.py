"""Campfire: what its recordings give, and what every connector promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from rollbook.core import connect
from rollbook.core.errors import ContractError
from rollbook.core.testing import conformance_tests

from rollbook_campfire import CampfireSettings

if TYPE_CHECKING:
    from rollbook.core.testing import Replayed

TestCampfire = conformance_tests("campfire", fixtures="fixtures")


def test_a_camp_is_read_as_expected(replayed: Replayed) -> None:
    """Three trails in two pages, every state, a guide, a camper who is gone."""
    replayed.check("fixtures/tenant")


def test_a_camper_who_is_gone_has_no_name(replayed: Replayed) -> None:
    with replayed("fixtures/tenant") as lms:
        users = {one.id: one.user for one in lms.enrollments()}

    assert (users["h-210"].id, users["h-210"].name) == ("c-99", None)


def test_an_invitation_tells_who_invited(replayed: Replayed) -> None:
    with replayed("fixtures/tenant") as lms:
        hikes = {one.id: one for one in lms.enrollments()}

    assert hikes["h-101"].assigned_at == hikes["h-101"].enrolled_at
    assert hikes["h-102"].assigned_at is None


def test_a_rangers_token_is_told() -> None:
    ranger = httpx.MockTransport(lambda _request: httpx.Response(200, json={"role": "ranger"}))

    with connect("campfire", camp="pinewood", api_token="made-up-token", transport=ranger) as lms:
        assert [notice.level for notice in lms.check()] == ["reduced"]


@pytest.mark.usefixtures("no_waits")
def test_a_camp_that_is_closed_for_the_night_is_asked_again() -> None:
    answers = iter([httpx.Response(409), httpx.Response(200, json={"role": "warden"})])
    camp = httpx.MockTransport(lambda _request: next(answers))

    with connect("campfire", camp="pinewood", api_token="made-up-token", transport=camp) as lms:
        assert list(lms.check()) == []


def test_a_camp_that_is_not_there_is_told() -> None:
    nothing = httpx.MockTransport(lambda _request: httpx.Response(404, json={}))

    with (
        connect("campfire", camp="pinewod", api_token="made-up-token", transport=nothing) as lms,
        pytest.raises(ContractError, match=r"there is no such camp \(404\)\nCheck the setting `camp`"),
    ):
        list(lms.enrollments())


@pytest.mark.parametrize("camp", ["", "https://pinewood.campfire.example"])
def test_a_camp_is_one_word(camp: str) -> None:
    with pytest.raises(ValueError, match="set `camp`"):
        CampfireSettings.model_validate({"camp": camp, "api_token": "made-up-token"})
