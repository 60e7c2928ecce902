"""Finished values need no second validation: pydantic's own would have said the same of every one of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rollbook.core.mapping import Mapped, Rejected, compile, load
from rollbook.core.mapping.effort import LONG, Remembered
from rollbook.core.mapping.finished import enrollment_of, validated, values_of
from rollbook.core.schema import CourseEnrollment

NOW = datetime(2026, 6, 1, tzinfo=UTC)

OF_OUR_OWN = """
id = "ids(id, a)"
user.id = "id(a)"
user.name = "first(text(a), person(b, c), upper(a))"
user.emails.work = "email(b)"
user.emails._ = "emails(c)"
user.emails.login = "email(a)"
course.id = "first(id(b), ids(a, c))"
course.title = "when(one_of(a, 'x', '5'), html(a), unescape(b))"
assigned_at = "earliest(c[].datetime(@), datetime(a))"
due_at = "end_of_day(a, 'Europe/Athens')"
enrolled_at = "datetime(a)"
started_at = "first(epoch(a), epoch_ms(b), dotnet_date(c), ticks(a))"
last_activity_at = "local_datetime(a, 'DD/MM/YYYY')"
completed_at = "first(datetime(b), datetime(a))"
progress_percent = "first(percent(a), ratio(a, b), fraction(c))"
time_spent_seconds = "first(seconds(a), duration(b), hours(c))"
score = "first(number(a), scaled(a, b, c))"
is_mandatory = "first(truth(a), has(b, 'x'))"
attempt_number = "number(a)"
attempts_count = "length(c)"
assigned_by.name = "snake(a)"
urls.x = "url('https://lms.example.com', a, b)"
urls.y = "query(a, 'id', b)"
urls.z = "c"
[course_enrollment.status]
source = "b"
values = { x = "completed", y = "in_progress", 5 = "failed" }
valid_until = "datetime(a)"
[course_enrollment.status.rules.r]
when = "number(a) > `3` && number(a) >= number(b)"
then = "passed"
[course_enrollment.custom_fields]
"*" = "starting(c, 'a')"
at = "datetime(a)"
all = "[a, b, c]"
"""
OF_JMESPATH = """
id = "id(id)"
user.name = "join(' ', [a, b])"
user.emails.work = "c[].a"
course.title = "first(text(a), join('-', [b, a]))"
due_at = "latest(c[].datetime(@))"
is_mandatory = "contains(a, b)"
assigned_by.name = "first(a, b)"
"""

TEXTS = st.sampled_from(
    [
        *(
            "x",
            " y ",
            "5",
            "",
            " ",
            "é",
            "x\ud800",
            "\0",
            "\ud83d\ude00",
            "a@b.example",
            "\ud800@x",
            "é@x.example",
            "²",
        ),
        *("2026-01-31", "2026-01-06T07:00:12Z", "2026-W01-2T07:00:12Z", "2026-01-06T070012Z", "2026-01-06T24:00:00Z"),
        *("2026-01-06T07:00:12.5Z", "2026-01-06T07:00:12-06:00", "2026-01-06T07:00:12", "9999-12-31T23:59:59-14:00"),
        *(
            "0000-00-00",
            "0001-01-01T00:00:00Z",
            "100",
            "100.5 %",
            "1e999",
            "12/01/2026",
            "1h 2m 5s",
            "1.5 h",
            "99:99:99",
        ),
        *(
            "https://x.example.com/1",
            "https://é.example.com",
            "http://a b",
            "x" * (LONG + 1),
            "<b>x</b> &#xD800;",
            "true",
        ),
    ]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | TEXTS
LARGE = st.sampled_from([10**50, -(10**400), 2**53, 1e308, 1_768_208_400, 1_768_208_400_000])
VALUES = st.recursive(
    PLAIN | LARGE | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abx") | TEXTS, inner, max_size=3),
    max_leaves=6,
)
OWN, JMESPATH = (compile(load(f'connector = "d"\n[course_enrollment]\n{one}')) for one in (OF_OUR_OWN, OF_JMESPATH))


def shown(one: CourseEnrollment) -> list[tuple[str, str, str]]:
    """Show every field with the type of its value; NaN is like NaN there."""
    return [(name, type(value).__name__, repr(value)) for name, value in one if name != "remote_data"]


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, VALUES, VALUES, VALUES)
def test_every_finished_value_is_as_full_validation_gives_it(id: Any, a: Any, b: Any, c: Any) -> None:
    record = {"id": id, "a": a, "b": b, "c": c}
    for normalizer in (OWN, JMESPATH):
        result = normalizer.normalize(record, as_of=NOW)
        if not isinstance(result, Mapped):
            assert isinstance(result, Rejected)
            continue
        full = CourseEnrollment.model_validate({**result.values, "remote_data": {}})

        assert shown(full) == shown(result.enrollment)
        assert list(vars(full)) == list(vars(result.enrollment))
        assert full.model_fields_set == result.enrollment.model_fields_set
        assert result.enrollment.remote_data is record


def test_an_enrollment_made_of_finished_values_is_an_ordinary_one() -> None:
    record: dict[str, Any] = {"id": 1, "a": "2026-01-06T07:00:12Z", "b": "a@b.example", "c": "https://x.example.com/1"}
    result = OWN.normalize(record, as_of=NOW)
    assert isinstance(result, Mapped)
    one = result.enrollment

    assert one is result.enrollment
    assert one == CourseEnrollment.model_validate(one.model_dump())
    assert CourseEnrollment.model_validate(one.model_copy(deep=True).model_dump()).urls == one.urls
    assert one.model_dump(exclude={"remote_data"}) == values_of(one)

    one.user.name = "Ada"

    assert one.user.model_fields_set == {"id", "name", "emails"}
    assert enrollment_of(values_of(one), record) == one


def test_a_date_time_that_was_not_made_here_is_validated() -> None:
    """No JSON holds one; a record that a program made might."""
    normalizer = compile(load({"connector": "d", "course_enrollment": {"id": "id(id)", "due_at": "latest(a)"}}))
    far = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    found = normalizer.normalize({"id": 1, "a": [far]}, as_of=NOW)  # pyright: ignore[reportArgumentType] - on purpose
    bad = normalizer.normalize({"id": 1, "a": [far.replace(tzinfo=None)]}, as_of=NOW)  # pyright: ignore[reportArgumentType] - on purpose

    assert bad == Rejected("not valid: due_at", "1")
    assert isinstance(found, Mapped)
    assert found.values["due_at"].isoformat() == "2025-12-31T22:00:00+00:00"


def test_validation_refuses_what_the_schema_does_not_take() -> None:
    values = values_of(CourseEnrollment(id="1"))

    assert validated(values) == values
    with pytest.raises(ValidationError):
        validated(values | {"progress_percent": 101.0})


def test_words_are_worked_out_once_and_long_or_too_many_ones_are_not_kept() -> None:
    seen: list[str] = []

    def upper(text: str) -> str:
        seen.append(text)
        return text.upper()

    known = Remembered(upper, 2)

    assert [known[word] for word in ("a", "a", "x" * (LONG + 1), "x" * (LONG + 1))][:2] == ["A", "A"]
    assert [len(text) for text in seen] == [1, LONG + 1, LONG + 1]

    for word in "bcd":
        known[word]

    assert len(known) <= 2


@pytest.mark.parametrize("text", ["2026-01-06T07:00:12Z", "2026-01-06T07:00:12.500Z", "2026-W01-2T07:00:12Z", "x"])
def test_a_date_in_a_custom_field_is_printed_as_any_other(text: str) -> None:
    normalizer = compile(
        load(
            {
                "connector": "d",
                "course_enrollment": {
                    "id": "id(id)",
                    "custom_fields": {
                        "plain": "datetime(a)",
                        "chosen": "first(datetime(b), datetime(a))",
                    },
                },
            }
        )
    )
    result = normalizer.normalize({"id": 1, "a": text}, as_of=NOW)
    assert isinstance(result, Mapped)
    custom = result.values["custom_fields"]

    assert custom.get("plain") == custom.get("chosen")


def test_each_field_notes_its_own_flaw_where_an_expression_comes_twice() -> None:
    table = {
        "id": "id(id)",
        "enrolled_at": "datetime(a)",
        "custom_fields": {"x": "first(datetime(a), datetime(b))", "y": "when(datetime(a), 'y')"},
    }
    result = compile(load({"connector": "d", "course_enrollment": table})).normalize({"id": 1, "a": "?"}, as_of=NOW)
    assert isinstance(result, Mapped)

    assert [flaw.field for flaw in result.flaws] == ["enrolled_at", "custom_fields.x", "custom_fields.y"]
