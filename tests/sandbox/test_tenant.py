"""The synthetic tenant is a function of seed, size and `as_of`, and can be changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from rollbook.sandbox import Tenant
from rollbook.sandbox.stories import STORIES

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def days(moment: datetime | None) -> int | None:
    return (moment - NOW).days if moment else None


def test_same_arguments_make_the_same_tenant() -> None:
    one, other = Tenant(seed=3, as_of=NOW), Tenant(seed=3, as_of=NOW)

    assert list(one.enrollments()) == list(other.enrollments())
    assert [one.person(each) for each in one.person_ids] == [other.person(each) for each in other.person_ids]


def test_another_seed_makes_other_enrollments() -> None:
    assert list(Tenant(seed=1, as_of=NOW).enrollments()) != list(Tenant(seed=2, as_of=NOW).enrollments())


def test_times_move_with_as_of_so_that_every_state_always_shows() -> None:
    later = timedelta(days=1000)
    then, now = Tenant(as_of=NOW), Tenant(as_of=NOW + later)

    moved = [(one.enrolled_at + later, one.state, one.percent) for one in then.enrollments()]

    assert [(one.enrolled_at, one.state, one.percent) for one in now.enrollments()] == moved


def test_nothing_happens_in_the_future_but_the_ends_of_access_and_certificates(tenant: Tenant) -> None:
    happened = [
        moment
        for one in tenant.enrollments()
        for moment in (one.enrolled_at, one.changed_at, one.last_activity_at, one.completed_at)
        if moment
    ]

    assert max(happened) <= NOW


@pytest.mark.parametrize("seed", range(1, 30))
def test_the_smallest_tenant_has_every_state_whatever_the_seed(seed: int) -> None:
    found = list(Tenant(seed=seed, as_of=NOW).enrollments())

    assert {one.state for one in found} == {
        "invited", "pending", "active", "suspended", "rejected", "concluded", "removed",
    }  # fmt: skip
    assert {one.role for one in found} == {
        "learner", "instructor", "assistant", "designer", "observer", "preview",
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(len(STORIES)))
def test_the_smallest_tenant_tells_every_story_whatever_the_seed(seed: int) -> None:
    tenant = Tenant(seed=seed + 1, as_of=NOW)

    told = {
        (one.state, one.percent, one.seconds // 60, one.failed, days(one.access_ends_at), days(one.certificate_ends_at))
        for one in tenant.enrollments()
        if one.role == "learner" and (person := tenant.person(one.person)) and person.account != "vanishing"
    }

    assert told >= {
        (one.state, one.percent, one.minutes, one.failed, one.access_days, one.certificate_days or None)
        for one in STORIES
    }


@pytest.mark.parametrize("size", [0, 1, 25, 300])
def test_walking_by_course_finds_what_walking_by_person_finds(size: int) -> None:
    tenant = Tenant(size=size, as_of=NOW)
    tenant.enrol(101, 12) if size else None

    by_course = [one for course in tenant.courses() for one in tenant.of_course(course.id)]

    everything = list(tenant.enrollments())
    assert sorted(by_course, key=lambda one: one.id) == everything
    preview = 101 + size
    people = [*tenant.person_ids, preview]
    assert sorted((one for each in people for one in tenant.of_person(each)), key=lambda one: one.id) == everything


def test_a_course_can_be_read_on_from_any_enrollment() -> None:
    tenant = Tenant(size=300, as_of=NOW)
    whole = list(tenant.of_course(13))

    for place, one in enumerate(whole):
        assert list(tenant.of_course(13, after=one.id)) == whole[place + 1 :]


def test_a_huge_tenant_costs_no_more_than_what_is_asked_for() -> None:
    tenant = Tenant(size=10**9, as_of=NOW)

    person = tenant.person(101 + 10**9 - 1)

    assert person is not None
    assert len(list(tenant.of_person(person.id))) > 0
    assert next(tenant.of_course(11)).course == 11


def test_some_learner_is_in_two_sections_of_one_course(tenant: Tenant) -> None:
    pairs = [(one.person, one.course) for one in tenant.enrollments()]

    assert len(pairs) > len(set(pairs))


def test_people_are_made_up_and_have_names_of_many_scripts(tenant: Tenant) -> None:
    people = [person for each in tenant.person_ids if (person := tenant.person(each))]

    assert all(person.email is None or person.email.endswith("@example.com") for person in people)
    assert any(person.email is None for person in people)
    assert len({person.login for person in people}) == len(people)
    for letter in "aŁДλلמ美伟지पசสნԱአ":
        assert any(letter in person.name for person in people), letter


def test_a_learner_is_enrolled_learns_completes_and_is_removed(tenant: Tenant) -> None:
    one = tenant.enrol(101, 12)
    tenant.progress(one.id, 50, seconds=60)
    tenant.complete(one.id, score=91.0)

    done = tenant.enrollment(one.id)

    assert done is not None
    assert (done.percent, done.seconds, done.score, done.completed_at) == (100, 660, 91.0, NOW)
    assert tenant.remove(one.id).state == "removed"
    assert tenant.of_pair(101, 12)[-1].id == one.id


def test_what_is_not_there_cannot_be_changed(tenant: Tenant) -> None:
    changes: list[Callable[[], object]] = [
        lambda: tenant.enrol(5, 11),
        lambda: tenant.enrol(101, 5),
        lambda: tenant.progress(5, 10),
        lambda: tenant.delete_person(5),
        lambda: tenant.delete_course(5),
    ]

    for change in changes:
        with pytest.raises(LookupError, match="5"):
            change()
