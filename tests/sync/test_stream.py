"""What reading without a store promises, driven through connectors in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.api import AsyncLms, Lms, connect
from rollbook.core.connector import Partition
from rollbook.core.errors import AuthError, Forbidden, Gone, RollbookError, Unsupported, VendorError

from .conftest import NOW, Campus, CampusConnector, WindowsConnector, open_campus, row

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rollbook.core.connection import Connection
    from rollbook.core.connector import Page
    from rollbook.core.native import JSON, NativeRecord
    from rollbook.core.schema import CourseEnrollment

EVERYONE = {"1": "enrolled", "2": "in_progress", "3": "completed", "4": "overdue", "6": "enrolled"}


def lms_of(campus: Campus, kind: type[CampusConnector] = CampusConnector) -> AsyncLms:
    return AsyncLms(open_campus(campus, kind), lambda: NOW)


def read(lms: AsyncLms) -> tuple[list[CourseEnrollment], RollbookError | None]:
    """Give all enrollments that come, and the error that came after them."""
    given: list[CourseEnrollment] = []

    async def run() -> RollbookError | None:
        try:
            async for one in lms.enrollments():
                given.append(one)  # noqa: PERF401 - what came before an error is looked at
        except RollbookError as error:
            return error
        finally:
            await lms.aclose()
        return None

    return given, asyncio.run(run())


def statuses(given: list[CourseEnrollment]) -> dict[str, str]:
    return {one.id: one.status.value for one in given}


@pytest.fixture
def connected(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> connect:
    """Give `connect(...)` to the campus."""

    def opened(*_: object, **__: object) -> Connection:
        return open_campus(campus)

    monkeypatch.setattr("rollbook.core.api.open_connection", opened)
    return connect("campus", clock=lambda: NOW)


def test_every_enrollment_is_given_with_its_joins(campus: Campus) -> None:
    given, error = read(lms_of(campus))

    assert error is None
    assert statuses(given) == EVERYONE
    assert {one.id: one.user.name for one in given if one.user.id != "9"}["4"] == "Ada Example"


def test_live_credentials_are_not_given(campus: Campus) -> None:
    campus.courses["course:a"][0]["login_key"] = "secret"
    given, _ = read(lms_of(campus))

    assert not any("secret" in one.model_dump_json() for one in given)


def test_what_is_no_enrollment_is_found_in_the_findings(campus: Campus) -> None:
    campus.courses["course:a"] += [row(None, 1), row(7, 1, "asleep"), row(8, 1, due="soon")]
    lms = lms_of(campus)
    given, error = read(lms)

    assert error is None
    assert statuses(given) == {**EVERYONE, "7": "unknown", "8": "enrolled"}
    assert lms.findings.skipped == {"teacher": 1}
    [rejected] = lms.findings.rejected
    assert (rejected.id, rejected.native["who"]) == (None, 1)
    assert rejected.reason
    [(id, flaw)] = lms.findings.flaws
    assert (id, flaw.field) == ("8", "due_at")
    assert lms.findings.flaw_counts == {"due_at": 1}
    assert [word for _, word in lms.findings.drift] == ["asleep"]


def test_an_id_is_given_once(campus: Campus) -> None:
    campus.courses["course:b"] += [row(1), row(4), row(4)]
    lms = lms_of(campus)
    given, _ = read(lms)

    assert sorted(one.id for one in given) == sorted(EVERYONE)
    assert lms.findings.duplicates == 3


def test_a_failing_partition_is_raised_after_all_others(campus: Campus) -> None:
    campus.courses = {"course:broken": [row(9)], **campus.courses}
    campus.broken["course:broken"] = VendorError("no answer")
    lms = lms_of(campus)
    given, error = read(lms)

    assert statuses(given) == EVERYONE
    assert isinstance(error, VendorError)
    assert error.hint == "1 partition(s) could not be read; all others were."
    assert list(lms.findings.failures) == ["course:broken"]


def test_a_partition_that_is_gone_is_empty(campus: Campus) -> None:
    campus.broken["course:a"] = Gone("it no longer exists")
    lms = lms_of(campus)
    given, error = read(lms)

    assert error is None
    assert sorted(statuses(given)) == ["4", "6"]
    assert lms.findings.failures == {}


def test_a_forbidden_partition_is_told_and_the_others_are_given(campus: Campus) -> None:
    campus.broken["course:a"] = Forbidden("not yours")
    lms = lms_of(campus)
    given, error = read(lms)

    assert error is None
    assert sorted(statuses(given)) == ["4", "6"]
    assert list(lms.findings.forbidden) == ["course:a"]


def test_where_everything_is_forbidden_it_is_raised(campus: Campus) -> None:
    campus.broken = {key: Forbidden("not yours") for key in campus.courses}
    given, error = read(lms_of(campus))

    assert given == []
    assert isinstance(error, Forbidden)


def test_refused_credentials_end_the_reading(campus: Campus) -> None:
    campus.broken["course:b"] = AuthError("refused")
    _, error = read(lms_of(campus))

    assert isinstance(error, AuthError)


def test_an_unforeseen_failure_shows_no_data(campus: Campus) -> None:
    campus.broken["course:b"] = KeyError("ada@example.com")
    given, error = read(lms_of(campus))

    assert sorted(statuses(given)) == ["1", "2", "3"]
    assert error is not None
    assert "KeyError" in str(error)
    assert "ada@example.com" not in str(error)


def test_a_tenant_without_courses_is_empty() -> None:
    assert read(lms_of(Campus())) == ([], None)


def test_parts_are_folded(campus: Campus) -> None:
    campus.courses = {
        "january": [row(1, window="01", seconds=60), row(2, role="teacher", window="01", seconds=0)],
        "february": [row(1, state="done", window="02", seconds=30)],
    }
    lms = lms_of(campus, WindowsConnector)
    given, error = read(lms)

    assert error is None
    assert [(one.id, one.status.value, one.time_spent_seconds) for one in given] == [("1", "completed", 90)]
    assert lms.findings.skipped == {"teacher": 1}


def test_a_failing_part_is_raised_after_all_others(campus: Campus) -> None:
    campus.courses = {"january": [row(1, window="01", seconds=60)], "february": []}
    campus.broken["february"] = VendorError("no answer")
    given, error = read(lms_of(campus, WindowsConnector))

    assert [one.id for one in given] == ["1"]
    assert isinstance(error, VendorError)


class Watched(CampusConnector):
    """Tells how many readings of a partition are under way."""

    under_way = 0

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        Watched.under_way += 1
        try:
            async for page in super().pages(partition, cursor, since):
                await asyncio.sleep(0)
                yield page
        finally:
            try:
                for _ in range(5):  # closing takes its time, as it does on a network
                    await asyncio.sleep(0)
            finally:
                Watched.under_way -= 1


@pytest.mark.parametrize("times", [1, 2])
def test_leaving_the_loop_early_closes_everything(campus: Campus, times: int) -> None:
    campus.size, Watched.under_way = 1, 0
    problems: list[dict[str, Any]] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        lms = lms_of(campus, Watched)
        for _ in range(times):
            async for _one in lms.enrollments():
                break
        await lms.aclose()
        assert Watched.under_way == 0

    asyncio.run(run())

    assert problems == []


def test_plain_with_gives_the_same(campus: Campus, connected: connect) -> None:
    expected, _ = read(lms_of(campus))
    with connected as lms:
        given = list(lms.enrollments())

    assert sorted(given, key=lambda one: one.id) == sorted(expected, key=lambda one: one.id)
    assert lms.findings.skipped == {"teacher": 1}


def test_plain_with_raises_the_same(campus: Campus, connected: connect) -> None:
    campus.broken["course:a"] = VendorError("no answer")
    given: list[str] = []
    with connected as lms, pytest.raises(VendorError, match="no answer"):
        given.extend(one.id for one in lms.enrollments())

    assert sorted(given) == ["4", "6"]


def test_async_with_reads_and_closes(connected: connect) -> None:
    async def run() -> list[CourseEnrollment]:
        async with connected as lms:
            return [one async for one in lms.enrollments()]

    assert statuses(asyncio.run(run())) == EVERYONE


def test_a_plain_loop_may_be_left_early(connected: connect) -> None:
    with connected as lms:
        for _ in lms.enrollments():
            break
        assert statuses(list(lms.enrollments())) == EVERYONE


def test_a_reading_that_was_kept_ends_with_the_connection(connected: connect) -> None:
    with connected as lms:
        kept = lms.enrollments()
        next(kept)

    assert list(kept) == []


def test_plain_with_inside_a_loop_is_refused(connected: connect) -> None:
    async def run() -> None:
        with connected:
            pass

    with pytest.raises(Unsupported, match="inside async code\nWrite `async with connect"):
        asyncio.run(run())


class Single(CampusConnector):
    """Can read one enrollment."""

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        from rollbook.core.connector import Page

        return Page([dict(one) for rows in self.campus.courses.values() for one in rows if str(one["no"]) == id])


def test_one_enrollment_is_read_by_its_id(campus: Campus) -> None:
    with asyncio.Runner() as runner:
        lms = Lms(lms_of(campus, Single), runner)

        assert lms.enrollment("4").user.name == "Ada Example"
        assert lms.enrollment("4").status == "overdue"
        with pytest.raises(Gone, match="no such enrollment"):
            lms.enrollment("77")
        with pytest.raises(Gone, match="teacher"):
            lms.enrollment("5")


def test_a_connector_that_reads_no_single_one_says_so(campus: Campus) -> None:
    with pytest.raises(Unsupported, match="Campus has no way to read a single enrollment"):
        asyncio.run(lms_of(campus).enrollment("1"))


def test_a_check_reads_no_more_than_a_page(campus: Campus, connected: connect) -> None:
    with connected as lms:
        assert lms.check() == ()

    assert campus.pages == 1


@pytest.mark.parametrize("kind", [CampusConnector, WindowsConnector])
def test_a_list_of_partitions_that_breaks_off_is_told_once_the_rest_was_given(
    campus: Campus, kind: type[CampusConnector]
) -> None:
    class HalfListed(kind):
        async def partitions(self) -> AsyncIterator[Partition]:
            yield Partition("course:a")
            raise VendorError("the list broke off")

    for rows in campus.courses.values():
        for one in rows:
            one |= {"window": "w1", "seconds": 1}
    given, error = read(lms_of(campus, HalfListed))

    assert isinstance(error, VendorError)
    assert "the list broke off" in str(error)
    assert set(statuses(given)) == {"1", "2", "3"}


def test_partitions_that_are_all_gone_are_told(campus: Campus) -> None:
    campus.broken = {key: Gone("it does not exist") for key in campus.courses}
    given, error = read(lms_of(campus))

    assert given == []
    assert "none of the 2 partitions is there" in str(error)
