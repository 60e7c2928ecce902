"""Loading: what a mapping may say, what it is told when it says something else, and how an override joins in."""

from __future__ import annotations

from typing import Any

import pytest
from rollbook.core.errors import MappingError
from rollbook.core.mapping import compile, load

HEAD = 'connector = "canvas"\n[course_enrollment]\nid = "id(e.id)"\n'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('duedate = "datetime(a)"', "canvas.toml, duedate: unknown field 'duedate'\nDid you mean 'due_at'?"),
        ('user.nmae = "text(a)"', "canvas.toml, user.nmae: unknown field 'user.nmae'\nDid you mean 'user.name'?"),
        ('user.name = "txt(a)"', "canvas.toml, user.name, column 1: unknown function 'txt'\nDid you mean 'text'?"),
        ('user.name = "text(a"', "canvas.toml, user.name, column 7: bad syntax"),
        ('user.name = "text(a, b)"', "canvas.toml, user.name, column 1: text() has 2 arguments"),
        ('user.name = "text()"', "canvas.toml, user.name, column 1: text() has 0 arguments"),
        ('user.name = "join(a)"', "canvas.toml, user.name, column 1: join() has 1 arguments"),
        ('custom_fields.x = "sort_by(a, b)"', "column 1: sort_by() takes an &expression here"),
        ('user.name = "text(&b)"', "column 1: text() takes no &expression here"),
        ("user.name = 3", "canvas.toml, user.name: expected an expression as text"),
        ("user.name = true", "canvas.toml, user.name: expected an expression as text"),
        ('user.name = { first = "a" }', "canvas.toml, user.name: expected an expression, not a table"),
        ('user = "a"', "canvas.toml, user: expected a table"),
        ('user.name = "number(a)"', "user.name: expected text, but the expression gives number\nWrite text(...)"),
        ('user.name = "a == b"', "expected text, but the expression gives truth"),
        (
            'due_at = "e.due_at"',
            "canvas.toml, due_at: expected datetime, but the expression gives a bare value\nWrite datetime(...)",
        ),
        ('due_at = "text(e.due_at)"', "due_at: expected datetime, but the expression gives text"),
        ('score = "datetime(a)"', "score: expected number, but the expression gives datetime"),
        ('is_mandatory = "text(a)"', "is_mandatory: expected truth"),
        (
            'due_at = "a && datetime(b)"',
            "column 3: a && b gives false, not null, where a does not hold\nWrite when(a, b).",
        ),
        (
            'user.id = "to_string(a)"',
            "column 1: to_string() makes the text 'null' of a missing value\nWrite text(...) or id(...).",
        ),
        ('user.name = "text(to_string(a))"', "column 6: to_string() makes the text 'null'"),
        ('score = "number(a || b)"', "column 10: || passes over 0, false"),
        ('user.id = "a || b"', "column 3: || passes over 0"),
        ('is_mandatory = "a || b"', "column 3: || passes over 0"),
        (
            'custom_fields.x = "a > `3`"',
            'column 3: a bare value is compared with a number\nA number that comes as text ("35") would break it',
        ),
        ("due_at = \"datetime(a, 'Mars/Base')\"", "column 13: the zone 'Mars/Base': an unknown time zone"),
        (
            "due_at = \"local_datetime(a, 'MM/YYYY')\"",
            "column 19: the pattern 'MM/YYYY': needs a year, a month and a day",
        ),
        ('due_at = "local_datetime(a, b)"', "column 1: the pattern must be written out"),
        ('user.name = "text(datetime(a))"', "column 1: text() is given datetime as its value"),
        ('user.name = "text(`true`)"', "column 1: text() is given boolean as its value"),
        ('skip.x = "past(e.end)"', "column 1: past() cannot be used here"),
        ('status.rules.r = { when = "past(e.end)", then = "failed" }', "past() is given a bare value as its moment"),
        ('user.name = "text(setting(a))"', "column 6: setting() takes the setting's name"),
        (
            'status.rules.r = { when = "a", then = "complete" }',
            "canvas.toml, status.rules.r.then: unknown status 'complete'\nDid you mean 'completed'?",
        ),
        (
            'status.rules.r = { when = "a" }',
            "canvas.toml, status.rules.r: a rule has a condition `when` and a status `then`",
        ),
        ('status.rules.r = { if = "a" }', "unknown key 'status.rules.r.if'"),
        ('status.values = { a = "failed" }', "a table of values needs a source"),
        ('status = { source = "a", values = { A = "failed", a = "passed" } }', "'a' is there twice"),
        ('status.due = "datetime(a)"', "unknown key 'status.due'"),
        ('status = "a"', "canvas.toml, status: expected a table"),
        ('drift.role = { source = "a" }', "canvas.toml, drift.role: expected a source, and a list of known words"),
        ('drift."a.b" = { source = "a", known = [] }', "a name is made of letters"),
        ('urls.course = "datetime(a)"', "urls.course: expected url"),
        ('user.emails.work = "number(a)"', "user.emails.work: expected email"),
        ('user.name = "(((((a"', "bad syntax"),
        (
            "status.rules.r = { when = \"a && !b.c\", then = 'failed' }",
            "column 6: ! takes only the name after it: !a.b is (!a).b\nWrite !(a.b).",
        ),
        ('skip.x = "!a[?b]"', "column 1: ! takes only the name after it"),
        ('user.name = "&a"', "an &expression is only an argument"),
        (
            'user.name = "text(a' + "[*].b" * 20 + ' | [0])"',
            "canvas.toml, user.name: more than 12 lists inside each other",
        ),
        ("kind.x = 3", "canvas.toml, kind.x: expected a table"),
        ('kind.x.nope = "a"', "unknown field 'nope'"),
        ('kind.x.kind.y.score = "a"', "a kind has no kinds of its own"),
    ],
)
def test_a_mistake_is_told_with_file_key_column_and_what_to_write(body: str, said: str) -> None:
    with pytest.raises(MappingError) as error:
        load(HEAD + body, file="canvas.toml")

    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("connector = ", "canvas.toml: no valid TOML: Invalid value (at end of document)"),
        ("[course_enrollment]", "says which connector"),
        ('connector = "x"', "course_enrollment: expected a table"),
        ('connector = "x"\n[course_enrollment]', "canvas.toml, id: a mapping needs an id"),
        ('connector = "x"\ncourse_enrolment = {}', "unknown key 'course_enrolment'\nDid you mean 'course_enrollment'?"),
        ('connector = "x"\n[course_enrollment]\nid = "first(id(a), id(b))"', "an id has one form"),
        ('connector = "x"\n[course_enrollment]\nid = "id(a || b)"', "|| passes over 0"),
        ('connector = "x"\n[course_enrollment]\nid = "when(past(epoch(a)), id(b))"', "past() cannot be used here"),
        ("x" * 1_000_001, "longer than 1000000 characters"),
        ("a=" + "[" * 5_000, "no valid TOML"),
    ],
)
def test_a_file_that_is_no_mapping_is_refused(text: str, said: str) -> None:
    with pytest.raises(MappingError) as error:
        load(text, file="canvas.toml")

    assert said in str(error.value)


def test_a_number_that_is_compared_with_a_bare_value_is_warned_of() -> None:
    definition = load(HEAD + 'custom_fields.x = "a == `3`"', file="canvas.toml")

    assert definition.warnings == (
        "canvas.toml, custom_fields.x, column 3: a bare value is never equal to a number if it comes as text; write number(...)",  # noqa: E501 - mappings, and records beside what they become
    )


@pytest.mark.parametrize(
    "line",
    [
        'score = "max(a || `[]`)"',
        'is_mandatory = "truth(a) || truth(b)"',
        "score = \"when(a == 'x' || b, number(c))\"",
        'score = "number(a[?b || c] | [0].n)"',
    ],
)
def test_an_or_that_is_no_trap_is_taken(line: str) -> None:
    assert load(HEAD + line).warnings == ()


def test_a_setting_that_the_connection_does_not_have_is_found_when_it_is_compiled() -> None:
    definition = load(HEAD + "user.name = \"text(setting('base_ulr'))\"", file="canvas.toml")

    with pytest.raises(
        MappingError, match=r"canvas\.toml, user\.name: unknown setting 'base_ulr'\nDid you mean 'base_url'"
    ):
        compile(definition, {"base_url": "https://x.example.com"})


def override(**fields: Any) -> dict[str, Any]:
    return {"course_enrollment": fields}


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        (override(id="id(x)"), "rollbook.toml, id: the id cannot be overridden"),
        (override(kind={"x": {"id": "id(x)"}}), "rollbook.toml, kind.x.id: the id cannot be overridden"),
        (override(scroe="number(x)"), "rollbook.toml, scroe: unknown field 'scroe'\nDid you mean 'score'?"),
        (override(score="number(x"), "rollbook.toml, score, column 9: bad syntax"),
        (override(user="x"), "rollbook.toml, user: expected a table, or false"),
        ({"score": "number(x)"}, "rollbook.toml, mapping: unknown key 'score'"),
        (override(status={"values": {"x": "don"}}), "rollbook.toml, status.values.x: unknown status 'don'"),
    ],
)
def test_a_mistake_in_an_override_names_its_own_file(fragment: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError) as error:
        load(HEAD + 'user.name = "text(a)"\nstatus.source = "s"', file="canvas.toml", override=fragment)

    assert said in str(error.value)


def test_an_override_joins_in_key_by_key() -> None:
    body = (
        'due_at = "datetime(d)"\nuser.name = "text(a)"\nuser.emails.work = "email(w)"\nuser.emails.home = "email(h)"\n'
    )
    fragment = override(
        due_at=False,
        user={"name": "text(b)", "emails": {"home": False, "other": "email(o)"}},
        custom_fields={"cc": "c"},
    )
    definition = load(HEAD + body, file="canvas.toml", override=fragment, override_file="rollbook.toml")
    shape = definition.kinds[""]

    assert {key: (one.text, one.file) for key, one in shape.fields.items()} == {
        "id": ("id(e.id)", "canvas.toml"),
        "user.name": ("text(b)", "rollbook.toml"),
    }
    assert list(shape.emails) == ["work", "other"]
    assert definition.fields == ("id", "user.name", "user.emails", "custom_fields")


def test_false_takes_a_whole_table_out() -> None:
    definition = load(HEAD + 'user.emails.work = "email(w)"', override=override(user={"emails": False}))

    assert definition.fields == ("id",)


def test_a_definition_knows_the_fields_and_statuses_it_can_give() -> None:
    body = """
due_at = "datetime(d)"
score = "number(s)"
[course_enrollment.status]
source = "s"
values = { a = "enrolled", b = "completed" }
[course_enrollment.kind.plan]
course.title = "text(t)"
"""
    definition = load(HEAD + body)

    assert definition.fields == ("id", "course.title", "status", "due_at", "score", "custom_fields")
    assert definition.kinds[""].filled() == ("id", "status", "due_at", "score", "custom_fields")
    assert sorted(definition.statuses) == ["completed", "enrolled", "overdue", "passed", "unknown"]
