"""The unified schema takes no value of another type, and prints what it holds in one way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import ValidationError
from rollbook.core.cli import cli
from rollbook.core.schema import Course, CourseEnrollment, Status, User

ATHENS = timezone(timedelta(hours=3))


def enrollment(**fields: Any) -> CourseEnrollment:
    return CourseEnrollment(id="1", **fields)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", 7),
        ("id", ""),
        ("status", "assigned"),
        ("due_at", "2026-06-01T00:00:00Z"),
        ("due_at", 1_780_000_000),
        ("due_at", datetime(2026, 6, 1)),  # noqa: DTZ001 - that is the point
        ("score", "90"),
        ("score", True),
        ("time_spent_seconds", 1.0),
        ("time_spent_seconds", True),
        ("is_mandatory", 1),
        ("is_mandatory", "true"),
        ("urls", ()),
        ("custom_fields", []),
    ],
)
def test_a_value_of_another_type_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        CourseEnrollment.model_validate({"id": "1", field: value})

    assert [one["loc"] for one in caught.value.errors()] == [(field,)]


@pytest.mark.parametrize("value", [{"id": "1", "grade": 1}, {"id": "1", "user": {"nick": "ada"}}])
def test_an_unknown_field_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        CourseEnrollment.model_validate(value)

    assert [one["type"] for one in caught.value.errors()] == ["extra_forbidden"]


def test_only_the_id_is_needed_and_nothing_is_made_up() -> None:
    one = enrollment()

    assert one.status is Status.UNKNOWN
    assert one.model_dump(exclude_defaults=True) == {"id": "1"}


def test_two_enrollments_share_nothing() -> None:
    one, other = enrollment(), enrollment()
    one.user.id = "7"
    one.custom_fields["cost_center"] = "x"

    assert other == enrollment()


@pytest.mark.parametrize("percent", [0, 35.5, 100])
def test_progress_is_within_0_and_100(percent: float) -> None:
    assert enrollment(progress_percent=percent).progress_percent == percent


@pytest.mark.parametrize("percent", [-0.1, 100.1, float("nan"), float("inf")])
def test_progress_outside_is_refused(percent: float) -> None:
    with pytest.raises(ValidationError):
        enrollment(progress_percent=percent)


def test_a_moment_is_kept_in_utc() -> None:
    due = enrollment(due_at=datetime(2026, 6, 1, 2, tzinfo=ATHENS)).due_at

    assert due == datetime(2026, 5, 31, 23, tzinfo=UTC)
    assert due is not None
    assert due.tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "printed"),
    [
        (datetime(2026, 6, 1, 2, tzinfo=ATHENS), "2026-05-31T23:00:00Z"),
        (datetime(2026, 6, 1, microsecond=5_000, tzinfo=UTC), "2026-06-01T00:00:00.005000Z"),
        (datetime(26, 6, 1, tzinfo=UTC), "0026-06-01T00:00:00Z"),
        (None, None),
    ],
)
def test_a_moment_is_printed_with_z(moment: datetime | None, printed: str | None) -> None:
    assert json.loads(enrollment(due_at=moment).model_dump_json())["due_at"] == printed


def test_a_moment_stays_a_moment_in_python() -> None:
    moment = datetime(2026, 6, 1, tzinfo=UTC)

    assert enrollment(due_at=moment).model_dump()["due_at"] is moment


def test_a_moment_that_utc_has_no_year_for_is_refused() -> None:
    with pytest.raises(ValidationError, match="out of range in UTC"):
        enrollment(due_at=datetime(1, 1, 1, tzinfo=ATHENS))


def test_what_is_printed_can_be_read_again() -> None:
    one = enrollment(
        user=User(id="7", name="Ada Example"),
        course=Course(title="Safety"),
        status=Status.PASSED,
        completed_at=datetime(2026, 6, 1, tzinfo=UTC),
        score=90.5,
        remote_data={"no": 10**18},
    )

    assert CourseEnrollment.model_validate_json(one.model_dump_json()) == one


def test_the_json_schema_describes_22_fields() -> None:
    printed: dict[str, Any] = json.loads(CliRunner().invoke(cli, ["schema"]).stdout)

    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert len(printed["properties"]) == 22
    assert printed["required"] == ["id"]
    for part in (printed, *printed["$defs"].values()):
        assert part["description"]
        assert all(field.get("description") for field in part.get("properties", {}).values())
        assert "enum" in part or part["additionalProperties"] is False
