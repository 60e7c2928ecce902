"""The ladder: the native word, the rules, the deadlines, and until when the answer holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.mapping import Drift

if TYPE_CHECKING:
    from conftest import Mapper

LADDER = """
due_at = "end_of_day(due)"
completed_at = "datetime(done)"
score = "number(score)"
[course_enrollment.status]
source = "state"
values = { new = "enrolled", todo = "assigned", open = "in_progress", late = "overdue", done = "completed", ok = "passed", no = "failed", gone = "withdrawn", over = "expired", odd = "unknown", 2 = "completed", true = "completed" }
valid_until = "datetime(valid)"
access_ends_at = "datetime(access)"
[course_enrollment.status.rules.begun]
when = "number(progress) > `0`"
then = "in_progress"
"""  # noqa: E501 - mappings, and records beside what they become
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PAST, FUTURE = "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z"


def status(mapped: Mapper, **record: Any) -> str:
    return mapped(LADDER, {"id": 1, **record}).enrollment.status.value


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"state": " NEW "}, "enrolled"),
        ({"state": 2}, "completed"),
        ({"state": 2.0}, "completed"),
        ({"state": True}, "completed"),
        ({"state": "new", "progress": 5}, "in_progress"),
        ({"state": None, "progress": 5}, "in_progress"),
        ({"state": "odd", "progress": 5}, "in_progress"),
        ({"state": "  "}, "unknown"),
        ({}, "unknown"),
        ({"state": "hm", "progress": 5, "due": PAST}, "unknown"),
        ({"state": ["new"], "progress": 5}, "unknown"),
        ({"state": "new", "progress": "hm"}, "enrolled"),
        # deadlines
        ({"state": "open", "due": PAST}, "overdue"),
        ({"state": "todo", "due": "2026-05-31"}, "overdue"),
        ({"state": "open", "due": "2026-06-01"}, "in_progress"),
        ({"state": "open", "due": PAST, "access": PAST}, "expired"),
        ({"state": "late", "access": PAST}, "expired"),
        ({"state": "open", "due": PAST, "access": FUTURE}, "overdue"),
        ({"state": "done", "due": PAST, "access": PAST}, "completed"),
        ({"state": "done", "valid": PAST}, "expired"),
        ({"state": "ok", "valid": PAST}, "expired"),
        ({"state": "done", "valid": FUTURE}, "completed"),
        ({"state": "open", "valid": PAST}, "in_progress"),
        ({"state": "no", "due": PAST, "access": PAST, "valid": PAST}, "failed"),
        ({"state": "gone", "due": PAST, "access": PAST}, "withdrawn"),
        ({"due": PAST, "access": PAST}, "unknown"),
        ({"state": "open", "due": "2026-06-01T00:00:00Z"}, "in_progress"),
        ({"state": "open", "due": "2026-05-31T23:59:59Z"}, "overdue"),
    ],
)
def test_the_first_line_that_holds_gives_the_status(mapped: Mapper, record: dict[str, Any], expected: str) -> None:
    assert status(mapped, **record) == expected


def test_a_word_that_the_mapping_has_never_heard_of_is_drift_whatever_the_rules_say(mapped: Mapper) -> None:
    result = mapped(LADDER, {"id": 1, "state": " Paused ", "progress": 5})

    assert result.drift == (Drift("status", "Paused"),)
    assert result.enrollment.custom_fields == {"native_status": "Paused"}


def test_an_override_teaches_a_new_word(mapped: Mapper) -> None:
    override = {"course_enrollment": {"status": {"values": {"Paused": "withdrawn"}}}}
    result = mapped(LADDER, {"id": 1, "state": "paused"}, override=override)

    assert (result.enrollment.status.value, result.drift) == ("withdrawn", ())


@pytest.mark.parametrize(
    ("score", "mark", "expected"),
    [(80, 80, "passed"), (79.9, 80, "completed"), (None, 80, "completed"), (90, None, "completed")],
)
def test_a_pass_mark_that_is_met_makes_a_finished_course_passed(
    mapped: Mapper, score: Any, mark: Any, expected: str
) -> None:
    result = mapped(LADDER, {"id": 1, "state": "done", "score": score}, pass_mark=mark)

    assert result.enrollment.status.value == expected


def test_a_pass_mark_does_not_pass_what_is_not_finished(mapped: Mapper) -> None:
    result = mapped(LADDER, {"id": 1, "state": "open", "score": 99}, pass_mark=80)

    assert result.enrollment.status.value == "in_progress"


def test_a_pass_mark_can_be_written_into_an_override(mapped: Mapper) -> None:
    result = mapped(
        LADDER, {"id": 1, "state": "done", "score": 60}, override={"course_enrollment": {"status": {"pass_mark": 60}}}
    )

    assert result.enrollment.status.value == "passed"


@pytest.mark.parametrize(
    ("record", "kept", "custom"),
    [
        ({"state": "done"}, True, {}),
        ({"state": "ok"}, True, {}),
        ({"state": "done", "valid": PAST}, True, {"valid_until": PAST}),
        ({"state": "over"}, True, {}),
        ({"state": "open"}, False, {"previously_completed_at": PAST}),
        ({"state": "open", "due": PAST}, False, {"previously_completed_at": PAST}),
        ({"state": "open", "access": PAST}, False, {"previously_completed_at": PAST, "access_ends_at": PAST}),
        ({"state": "no"}, False, {"closed_at": PAST}),
        ({"state": "gone"}, False, {"closed_at": PAST}),
        ({"state": "hm"}, False, {}),
    ],
)
def test_a_completion_date_stands_only_beside_a_completion(
    mapped: Mapper,
    record: dict[str, Any],
    kept: bool,  # noqa: FBT001 - parametrized
    custom: dict[str, Any],
) -> None:
    found = mapped(LADDER, {"id": 1, "done": PAST, **record}).enrollment

    assert (found.completed_at is not None) is kept
    assert found.custom_fields == {"native_status": record["state"], **custom}


def test_a_mapping_that_fills_closed_at_itself_keeps_its_own(mapped: Mapper) -> None:
    body = LADDER + '[course_enrollment.custom_fields]\nclosed_at = "datetime(ended)"\n'
    found = mapped(body, {"id": 1, "done": PAST, "state": "no", "ended": FUTURE}).enrollment

    assert found.custom_fields["closed_at"] == FUTURE


@pytest.mark.parametrize(
    ("record", "stale"),
    [
        ({"state": "open", "due": FUTURE, "access": "2026-08-01T00:00:00Z"}, FUTURE),
        ({"state": "open", "due": PAST, "access": "2026-08-01T00:00:00Z"}, "2026-08-01T00:00:00Z"),
        ({"state": "open", "due": PAST}, None),
        ({"state": "done", "due": FUTURE, "access": FUTURE}, None),
        ({"state": "done", "valid": FUTURE}, FUTURE),
        ({"state": "late", "due": FUTURE}, None),
        ({"state": "no", "due": FUTURE, "valid": FUTURE, "access": FUTURE}, None),
        ({"due": FUTURE}, None),
        ({"state": "hm", "due": FUTURE}, None),
        ({"state": "open", "due": "2026-06-01T00:00:00Z"}, "2026-06-01T00:00:00Z"),
    ],
)
def test_stale_at_is_the_next_moment_that_can_change_this_record(
    mapped: Mapper, record: dict[str, Any], stale: str | None
) -> None:
    found = mapped(LADDER, {"id": 1, **record}).stale_at

    assert found == (datetime.fromisoformat(stale) if stale else None)


CLOCKED = """
[course_enrollment.status]
[course_enrollment.status.rules.ended]
when = "past(datetime(end))"
then = "expired"
[course_enrollment.status.rules.waiting]
when = "future(datetime(start))"
then = "assigned"
[course_enrollment.status.rules.rest]
when = "`true`"
then = "in_progress"
"""


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_until_stale_at_inclusive_the_answer_is_the_same_and_after_it_another(mapped: Mapper, shift: int) -> None:
    record = {"id": 1, "start": "2026-06-10T00:00:00Z", "end": "2026-06-20T00:00:00Z"}
    first = mapped(CLOCKED, record, as_of=NOW)
    assert first.stale_at == datetime(2026, 6, 10, tzinfo=UTC)
    later = mapped(CLOCKED, record, as_of=first.stale_at + timedelta(microseconds=shift))

    assert (later.enrollment == first.enrollment) is (shift <= 0)


def test_only_a_look_at_the_clock_that_was_taken_counts(mapped: Mapper) -> None:
    record = {"id": 1, "start": "2026-06-10T00:00:00Z", "end": PAST}

    assert mapped(CLOCKED, record).stale_at is None


def test_a_missing_word_takes_the_default(mapped: Mapper) -> None:
    body = '[course_enrollment.status]\nsource = "state"\nvalues = { new = "assigned" }\ndefault = "enrolled"\n'

    assert mapped(body, {"id": 1}).enrollment.status.value == "enrolled"
    assert mapped(body, {"id": 1, "state": "hm"}).enrollment.status.value == "unknown"


def test_rules_that_an_override_adds_go_first_and_false_takes_one_out(mapped: Mapper) -> None:
    record = {"id": 1, "state": "new", "progress": 5}
    added = {"extra": {"when": "number(progress) > `0`", "then": "passed"}}

    assert (
        mapped(LADDER, record, override={"course_enrollment": {"status": {"rules": added}}}).enrollment.status.value
        == "passed"
    )
    assert (
        mapped(
            LADDER, record, override={"course_enrollment": {"status": {"rules": {"begun": False}}}}
        ).enrollment.status.value
        == "enrolled"
    )
    assert (
        mapped(
            LADDER, record, override={"course_enrollment": {"status": {"rules": {"begun": {"then": "failed"}}}}}
        ).enrollment.status.value
        == "failed"
    )


def test_a_rule_that_cannot_be_worked_out_does_not_hold_and_is_noted(mapped: Mapper) -> None:
    body = '[course_enrollment.status]\n[course_enrollment.status.rules.odd]\nwhen = "abs(progress) == `1`"\nthen = "completed"\n'  # noqa: E501 - mappings, and records beside what they become
    result = mapped(body, {"id": 1, "progress": "Ada"})

    assert result.enrollment.status.value == "unknown"
    assert [(flaw.field, flaw.reason) for flaw in result.flaws] == [
        ("status.rules.odd.when", "a function was given a value of the wrong type")
    ]
