"""Coverage: how directly an LMS tells each field and status."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connection import read_definition
from rollbook.core.connector import Connector, Join
from rollbook.core.coverage import BY_SETTING, Coverage, Reading, readings
from rollbook.core.mapping import load
from rollbook.core.mapping.grammar import parse
from rollbook.core.mapping.provenance import provenance
from rollbook.core.registry import registry
from rollbook.core.schema import CourseEnrollment, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

MAPPINGS = Path(__file__).parents[2] / "mappings"
NATIVE, DERIVED, JOINED, NEVER = Coverage


def reading(text: str, *joined: str) -> Reading:
    """Give the only way of reading of a connector with a mapping, and with declared joins."""

    class Plain(Connector[Any]):
        name = title = "plain"
        joins = tuple(Join(into, "lookup", "key") for into in joined)

    (one,) = readings({"": Plain}, load(f'connector = "plain"\n[course_enrollment]\n{text}'))
    return one


def made_of(expression: str, *joined: str) -> Coverage:
    """Tell how direct the score is in a mapping whose enrollments have a resource of their own."""
    text = f'id = "id(enrollment.id)"\nstatus.source = "enrollment.state"\nscore = """{expression}"""'
    return reading(text, *joined).field("score")


@pytest.mark.parametrize(
    "expression",
    [
        "enrollment.score",
        "number(enrollment.grades.final)",
        "first(number(enrollment.final), number(enrollment.current))",
        "number(enrollment.grades[0].score)",
    ],
)
def test_one_value_of_the_enrollments_own_record_is_native(expression: str) -> None:
    assert made_of(expression) is NATIVE


@pytest.mark.parametrize(
    "expression",
    [
        "ratio(enrollment.done, enrollment.all)",
        "when(enrollment.closed, number(enrollment.score))",
        "number(enrollment.grades[?final].score | [0])",
        "ratio(enrollment.points, course.points)",
        "first(number(enrollment.final), when(enrollment.closed, number(enrollment.current)))",
        "number(setting('pass_mark'))",
        "`100`",
        "when(course.closed, number(enrollment.score))",
    ],
)
def test_what_takes_several_values_a_condition_or_a_setting_is_derived(expression: str) -> None:
    assert made_of(expression) is DERIVED


@pytest.mark.parametrize(
    "expression",
    [
        "number(progress.score)",
        "ratio(progress.done, progress.all)",
        "when(enrollment.closed, number(progress.score))",
        "number(pick(progress.courses, 'id', enrollment.course_id).score)",
    ],
)
def test_what_comes_whole_from_another_resource_is_joined(expression: str) -> None:
    assert made_of(expression) is JOINED


def test_a_declared_join_is_another_resource_even_in_a_record_that_is_flat() -> None:
    flat = reading('id = "id(id)"\nuser.name = "text(person.name)"\ncourse.title = "text(course.title)"', "person")

    assert [flat.field(field) for field in ("id", "course.title", "user.name")] == [NATIVE, NATIVE, JOINED]


def test_without_a_source_the_enrollments_own_is_what_the_id_reads_beside_the_course() -> None:
    one = reading(
        'id = "ids(course.id, user.id)"\ncourse.id = "id(course.id)"\nuser.name = "text(user.name)"\n'
        'is_mandatory = "truth(needed)"'
    )

    assert [one.field(field) for field in ("user.name", "course.id", "is_mandatory")] == [NATIVE, JOINED, NATIVE]


def test_a_list_is_as_its_first_entry_and_custom_fields_as_the_most_direct_one() -> None:
    one = reading(
        'id = "id(enrollment.id)"\nstatus.source = "enrollment.state"\nuser.emails._ = "email(user.email)"\n'
        'user.emails.login = "email(enrollment.login)"\nstatus.values.open = "enrolled"\n'
        'custom_fields = { native_status = false, a = "user.a", b = "enrollment.b" }'
    )

    assert [one.field(field) for field in ("user.emails", "custom_fields", "urls")] == [JOINED, NATIVE, NEVER]


def test_each_status_has_the_ways_that_lead_to_it() -> None:
    one = reading(
        'id = "id(enrollment.id)"\nscore = "number(enrollment.score)"\ndue_at = "datetime(enrollment.due)"\n'
        'status = { source = "enrollment.state", values = { open = "enrolled" }, default = "assigned", rules = { '
        'done = { when = "progress.done", then = "completed" }, '
        'out = { when = "enrollment.out && course.over", then = "withdrawn" } } }'
    )
    ways = {status.value: one.ways(status) for status in Status}

    assert ways == {
        "assigned": {"otherwise": DERIVED},
        "enrolled": {"`open`": NATIVE},
        "in_progress": {},
        "completed": {"rule `done`": JOINED},
        "passed": {BY_SETTING: DERIVED},
        "failed": {},
        "withdrawn": {"rule `out`": DERIVED},
        "expired": {},
        "overdue": {"`due_at` past": DERIVED},
        "unknown": {"any other word": DERIVED},
    }


def test_a_mapping_without_a_status_never_tells_one() -> None:
    assert reading('id = "id(id)"').field("status") is NEVER


def test_a_kind_with_a_strategys_name_is_that_strategys_shape() -> None:
    class Main(Connector[Any]):
        name = title = "plain"
        strategy = "main"

    class Short(Main):
        strategy = "short"

    definition = load(
        'connector = "plain"\n[course_enrollment]\nid = "id(id)"\nscore = "number(score)"\n'
        "[course_enrollment.kind.short]\nscore = false\n[course_enrollment.kind.attempt]\n"
    )
    found = readings({"main": Main, "short": Short}, definition)

    assert [(one.strategy, one.kind, one.field("score")) for one in found] == [
        ("main", "", NATIVE),
        ("main", "attempt", NATIVE),
        ("short", "short", NEVER),
    ]


def built_in() -> Mapping[str, Reading]:
    registry.load()
    return {
        " ".join(filter(None, (name, one.strategy, one.kind if one.kind != one.strategy else ""))): one
        for name in sorted(file.stem for file in MAPPINGS.glob("*.toml"))
        for one in readings(registry.classes[name], read_definition(next(iter(registry.classes[name].values()))))
    }


def test_the_built_in_connectors_are_told_rightly() -> None:
    found = built_in()
    fields = ("id", "user.name", "course.title", "completed_at", "progress_percent", "due_at", "assigned_by.name")

    assert {name: " ".join(one.field(field) for field in fields) for name, one in found.items()} == {
        "blackboard courses": "derived joined joined never never never never",
        "blackboard users": "derived joined joined never never never never",
        "brightspace courses": "derived derived joined joined never never never",
        "brightspace datahub": "derived joined joined never never never never",
        "canvas": "native native joined joined joined never never",
        "docebo learn": "derived joined native native native native joined",
        "docebo course": "derived joined native native never native joined",
        "google_classroom": "derived joined native joined joined never never",
        "google_classroom invitation": "derived joined native never never never never",
        "moodle standard": "derived native joined joined joined never never",
        "moodle report": "joined joined joined native derived never never",
        "oneroster flat": "native derived joined never never never never",
        "oneroster school": "native derived joined never never never never",
        "openedx platform": "derived joined joined joined joined never never",
        "openedx breakdown": "derived joined joined joined joined never never",
        "openedx courses": "derived joined joined joined joined never never",
        "openedx enterprise": "derived derived native native native never never",
        "schoology multiget": "derived derived joined never joined never never",
        "schoology get": "derived derived joined never joined never never",
        "talentlms users": "derived joined native native native never never",
        "talentlms courses": "derived joined joined native native never never",
    }


@pytest.mark.parametrize("name", list(built_in()))
def test_coverage_agrees_with_what_the_mapping_says_it_fills(name: str) -> None:
    one = built_in()[name]
    filled = {field for field, coverage in one.fields().items() if coverage is not NEVER}
    statuses = {status for status in Status if one.status(status) is not NEVER}

    assert filled == {*one.shape.filled(), "remote_data"}
    assert statuses == one.shape.statuses()
    assert {field.partition(".")[0] for field in one.fields()} == set(CourseEnrollment.model_fields)


def test_provenance_tells_values_from_what_decides() -> None:
    found = provenance(parse("when(a.open, first(b[?c.ok].d, pick(e, 'id', f)), setting('g'))"))

    assert found.values == {("b", "d"), ("e",)}
    assert found.conditions == {("a", "open"), ("b", "c", "ok")}
    assert found.settings == {"g"}
    assert found.branches
