"""From a record to an enrollment: fields, lists, custom fields, kinds, what is skipped, rejected and noted."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollbook.core.mapping import Drift, Flaw, Mapped, Rejected, Skipped, compile, load

if TYPE_CHECKING:
    from conftest import Mapper

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no id"),
        ("  ", "no id"),
        (True, "no usable id: expected an id: a text or a whole number"),
        ([1], "no usable id: expected an id: a text or a whole number"),
        (1.5, "no usable id: expected an id: a text or a whole number"),
        (float("nan"), "no usable id: expected an id: a text or a whole number"),
        ("a\0", "no usable id: an id with characters that cannot be stored"),
        ("\ud800", "no usable id: an id with characters that cannot be stored"),
    ],
)
def test_a_record_without_a_usable_id_is_rejected(outcome: Mapper, value: Any, reason: str) -> None:
    assert outcome("", {"id": value}) == Rejected(reason, None)


@pytest.mark.parametrize("record", [None, [], "x", 3])
def test_what_is_no_object_is_rejected(outcome: Mapper, record: Any) -> None:
    assert outcome("", record) == Rejected("not an object", None)


def test_a_search_in_what_jmespath_cannot_sort_is_a_flaw_and_no_failure(mapped: Mapper) -> None:
    result = mapped("user.name = \"text(pick(sort(people), 'id', '1').name)\"", {"id": 1, "people": 5})

    assert result.enrollment.user.name is None
    assert result.flaws == (Flaw("user.name", "null", "null", "a function was given a value of the wrong type"),)


def test_an_id_keeps_every_digit(mapped: Mapper) -> None:
    digits = "9" * 50

    assert mapped("", {"id": int(digits)}).enrollment.id == digits


def test_identify_gives_the_same_id_as_normalize(mapped: Mapper) -> None:
    normalizer = compile(load('connector = "d"\n[course_enrollment]\nid = "ids(u, c)"'))

    assert normalizer.identify({"u": 45, "c": "12"}) == "45:12"
    assert normalizer.identify({"u": 45}) == "45:"
    assert normalizer.identify({}) == Rejected("no id", None)
    assert normalizer.identify([]) == Rejected("not an object", None)  # pyright: ignore[reportArgumentType] - on purpose


def test_remote_data_is_the_record_itself(mapped: Mapper) -> None:
    record = {"id": 1, "deep": {"er": [float("nan"), "\ud800", 10**50]}}

    assert mapped("", record).enrollment.remote_data is record


def test_every_field_is_filled(mapped: Mapper) -> None:
    body = """
user.id = "id(v.n)"
user.name = "v.t"
course.id = "v.n"
course.title = "html(v.t)"
assigned_at = "datetime(v.d)"
due_at = "datetime(v.d)"
enrolled_at = "datetime(v.d)"
started_at = "datetime(v.d)"
last_activity_at = "datetime(v.d)"
completed_at = "datetime(v.d)"
progress_percent = "v.n"
time_spent_seconds = "minutes(v.n)"
score = "v.n"
is_mandatory = "v.b"
assigned_by.name = "v.t"
attempt_number = "v.n"
attempts_count = "number(v.n)"
urls.course = "v.u"
created_at = "datetime(v.d)"
updated_at = "datetime(v.d)"
user.emails._ = "v.m"
status.rules.any = { when = "v", then = "completed" }
custom_fields.x = "v.d"
"""
    value = {"n": 7, "t": " Text ", "d": "2026-01-01", "b": False, "u": "https://x.example.com/1", "m": "a@example.com"}
    result = mapped(body, {"id": 1, "v": value})
    shown = result.enrollment.model_dump(mode="json", exclude={"remote_data"})

    assert result.flaws == ()
    assert shown == {
        "id": "1",
        "user": {"id": "7", "name": "Text", "emails": [{"email": "a@example.com", "type": None, "is_primary": True}]},
        "course": {"id": "7", "title": "Text"},
        "status": "completed",
        **dict.fromkeys(
            ("assigned_at", "due_at", "enrolled_at", "started_at", "last_activity_at"), "2026-01-01T00:00:00Z"
        ),
        **dict.fromkeys(("completed_at", "created_at", "updated_at"), "2026-01-01T00:00:00Z"),
        "progress_percent": 7.0,
        "time_spent_seconds": 420,
        "score": 7.0,
        "is_mandatory": False,
        "assigned_by": {"id": None, "name": "Text"},
        "attempt_number": 7,
        "attempts_count": 7,
        "urls": [{"url": "https://x.example.com/1", "type": "course"}],
        "custom_fields": {"x": "2026-01-01"},
    }


def test_a_mapping_of_nothing_but_the_id_gives_nulls(mapped: Mapper) -> None:
    shown = mapped("", {"id": 1}).enrollment.model_dump(exclude={"remote_data", "id"})
    user: Any = {"id": None, "name": None, "emails": []}
    course = {"id": None, "title": None}
    full: dict[str, Any] = {"user": user, "course": course, "status": "unknown", "urls": [], "custom_fields": {}}

    assert shown == {name: full.get(name) for name in shown}


@pytest.mark.parametrize(
    ("line", "value", "flaw"),
    [
        ('user.name = "v"', ["Ada"], Flaw("user.name", "list", "1 items", "expected a text")),
        ('user.name = "v"', 3, Flaw("user.name", "number", "2 bits", "expected a text")),
        ('score = "v"', "35", Flaw("score", "text", "99", "expected a number")),
        ('score = "v"', True, Flaw("score", "boolean", "boolean", "expected a number")),
        ('score = "v"', float("inf"), Flaw("score", "number", "number", "not a finite number")),
        ('score = "v"', 10**400, Flaw("score", "number", "1329 bits", "out of range")),
        ('progress_percent = "number(v)"', "100.5", Flaw("progress_percent", "number", "number", "outside 0 to 100")),
        ('progress_percent = "v"', float("nan"), Flaw("progress_percent", "number", "number", "not a finite number")),
        ('is_mandatory = "v"', 1, Flaw("is_mandatory", "number", "1 bits", "expected true or false")),
        (
            'attempt_number = "v"',
            1.5,
            Flaw("attempt_number", "number", "number", "expected a whole number, not below 0"),
        ),
        (
            'attempt_number = "v"',
            10**30,
            Flaw("attempt_number", "number", "100 bits", "expected a whole number, not below 0"),
        ),
        (
            'time_spent_seconds = "v"',
            -1,
            Flaw("time_spent_seconds", "number", "1 bits", "a time below 0 or out of range"),
        ),
        (
            'urls.course = "v"',
            "/courses/1",
            Flaw("urls.course", "text", "/aaaaaaa/9", "expected an absolute http or https address"),
        ),
        (
            'urls.course = "v"',
            "javascript:x",
            Flaw("urls.course", "text", "aaaaaaaaaa:a", "expected an absolute http or https address"),
        ),
        (
            'due_at = "datetime(v)"',
            "14/03/26 Ann",
            Flaw("due_at", "text", "99/99/99 aaa", "expected a date-time such as 2026-01-31T09:30:00Z or 2026-01-31"),
        ),
        ('custom_fields."*" = "v"', "x", Flaw("custom_fields.*", "text", "a", "expected an object")),
        (
            'custom_fields.n = "max(v)"',
            "x",
            Flaw("custom_fields.n", "null", "null", "a function was given a value of the wrong type"),
        ),
    ],
)
def test_a_value_that_does_not_fit_is_null_and_noted_without_what_it_says(
    mapped: Mapper, line: str, value: Any, flaw: Flaw
) -> None:
    result = mapped(line, {"id": 1, "v": value})
    empty = mapped(line, {"id": 1, "v": None} if "max" not in line else {"id": 1, "v": [1]})

    assert result.flaws == (flaw,)
    assert empty.flaws == ()


def test_time_spent_is_rounded_half_up(mapped: Mapper) -> None:
    assert mapped('time_spent_seconds = "v"', {"id": 1, "v": 2.5}).enrollment.time_spent_seconds == 3


MAILS = 'user.emails.work = "email(w)"\nuser.emails.login = "email(l)"\nuser.emails._ = "o"\n'


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"w": "w@example.com", "l": "l@example.com"}, [("w@example.com", "work", True)]),
        ({"l": "l@example.com"}, [("l@example.com", "login", True)]),
        ({"l": "ada"}, []),
        (
            {"w": "W@example.com", "o": ["w@EXAMPLE.com", "x@example.com", "nobody", 3]},
            [("W@example.com", "work", True), ("x@example.com", None, False)],
        ),
        ({"o": "o@example.com", "l": "l@example.com"}, [("o@example.com", None, True)]),
        ({"w": "  "}, []),
    ],
)
def test_addresses_are_listed_once_the_first_is_primary_and_a_login_is_the_last_resort(
    mapped: Mapper, record: dict[str, Any], expected: Any
) -> None:
    emails = mapped(MAILS, {"id": 1, **record}).enrollment.user.emails

    assert [(one.email, one.type, one.is_primary) for one in emails] == expected


@pytest.mark.parametrize("record", [{"w": "w@example.com", "l": "l@example.com"}, {"l": "l@example.com"}, {"l": "ada"}])
def test_one_kind_of_address_and_a_login_follow_the_same_rule(mapped: Mapper, record: dict[str, Any]) -> None:
    short = MAILS.rpartition("user.")[0]

    assert mapped(short, {"id": 1, **record}).enrollment.user == mapped(MAILS, {"id": 1, **record}).enrollment.user


def test_links_stand_in_the_order_of_the_mapping_and_without_the_missing_ones(mapped: Mapper) -> None:
    urls = mapped(
        'urls.b = "b"\nurls.a = "a"\nurls.c = "c"',
        {"id": 1, "a": "https://a.example.com", "b": "http://b.example.com/x y", "c": None},
    )

    assert [(one.url, one.type) for one in urls.enrollment.urls] == [("https://a.example.com", "a")]


@pytest.mark.parametrize(("record", "expected"), [({}, None), ({"i": 3}, ("3", None)), ({"n": "Bo"}, (None, "Bo"))])
def test_assigned_by_is_null_as_a_whole(mapped: Mapper, record: dict[str, Any], expected: Any) -> None:
    found = mapped('assigned_by.id = "id(i)"\nassigned_by.name = "text(n)"', {"id": 1, **record}).enrollment.assigned_by

    assert (found and (found.id, found.name)) == expected


def test_custom_fields_keep_json_print_dates_and_leave_nulls_out(mapped: Mapper) -> None:
    body = """[course_enrollment.custom_fields]
"*" = "starting(@, 'cf_')"
cf_named = "text(name)"
json = "list"
date = "datetime(d)"
dates = "ds[].datetime(@)"
either = "first(datetime(d), d)"
blank = "blank"
missing = "missing"
zero = "zero"
no = "no"
"quote' \\" \\\\ \\n {x} \\u2028" = "zero"
"""
    record = {
        "id": 1,
        "cf_a": "A",
        "cf_named": "spread",
        "cf_null": None,
        "cf_blank": " ",
        "cf_\ud800": 1,
        "name": "named",
    }
    record |= {
        "list": [1, {"a": None}],
        "d": "2026-01-01",
        "ds": ["2026-01-02", "bad"],
        "blank": " ",
        "zero": 0,
        "no": False,
    }

    assert mapped(body, record).enrollment.custom_fields == {
        "cf_a": "A",
        "cf_\ufffd": 1,
        "cf_named": "named",
        "json": [1, {"a": None}],
        "date": "2026-01-01T00:00:00Z",
        "dates": ["2026-01-02T00:00:00Z"],
        "either": "2026-01-01T00:00:00Z",
        "zero": 0,
        "no": False,
        "quote' \" \\ \n {x} \u2028": 0,
    }


@pytest.mark.parametrize(
    ("body", "record", "expected"),
    [
        ("keep = \"kind == 'a'\"", {"kind": "b"}, Skipped("not kept", "1")),
        ('keep = "kind"', {}, Skipped("not kept", "1")),
        ("skip.instructor = \"one_of(role, 'teacher')\"", {"role": "Teacher"}, Skipped("instructor", "1")),
        ("skip.instructor = \"one_of(role, 'teacher')\"", {"role": "dean"}, None),
        ("skip.instructor = \"one_of(role, 'teacher')\"", {}, None),
        ("skip.odd = \"starts_with(role, 't')\"", {"role": 3}, None),
        ("keep = \"starts_with(role, 't')\"", {"role": 3}, None),
    ],
)
def test_what_is_no_learners_enrollment_is_skipped_by_name(
    outcome: Mapper, body: str, record: dict[str, Any], expected: Any
) -> None:
    found = outcome(body, {"id": 1, **record})

    assert isinstance(found, Mapped) if expected is None else found == expected


def test_an_override_switches_one_reason_off(outcome: Mapper) -> None:
    override = {"course_enrollment": {"skip": {"staff": False}}}

    assert isinstance(outcome("skip.staff = \"role == 't'\"", {"id": 1, "role": "t"}, override=override), Mapped)


@pytest.mark.parametrize(
    ("role", "drift"),
    [
        (" Student ", ()),
        ("dean", (Drift("role", "dean"),)),
        (None, ()),
        (" ", ()),
        ("x" * 200, (Drift("role", "x" * 80),)),
    ],
)
def test_an_unknown_role_stays_in_and_is_counted(mapped: Mapper, role: Any, drift: Any) -> None:
    assert mapped('drift.role = { source = "role", known = ["student"] }', {"id": 1, "role": role}).drift == drift


def test_a_missing_role_is_counted_where_it_is_watched(mapped: Mapper) -> None:
    assert mapped('drift.role = { source = "role", known = ["student"], missing = true }', {"id": 1}).drift == (
        Drift("role", "(missing)"),
    )


KINDS = """
user.name = "text(a)"
course.title = "text(a)"
[course_enrollment.status]
source = "s"
values = { x = "enrolled", y = "failed" }
[course_enrollment.kind.history]
user.name = "text(b)"
course.title = false
status.values = { x = "completed" }
[course_enrollment.kind.todo]
id = "ids(id, `2`)"
"""


def test_a_kind_replaces_keys_and_shares_the_rest(mapped: Mapper) -> None:
    record = {"id": 1, "a": "A", "b": "B", "s": "x"}
    found = {kind: mapped(KINDS, record, kind=kind).enrollment for kind in ("", "history", "todo", "never heard of")}

    assert {kind: (one.id, one.user.name, one.course.title, one.status.value) for kind, one in found.items()} == {
        "": ("1", "A", "A", "enrolled"),
        "history": ("1", "B", None, "completed"),
        "todo": ("1:2", "A", "A", "enrolled"),
        "never heard of": ("1", "A", "A", "enrolled"),
    }
    assert mapped(KINDS, record | {"s": "y"}, kind="history").enrollment.status.value == "failed"


def test_the_zone_of_the_connection_counts_where_none_is_named(mapped: Mapper) -> None:
    body = 'due_at = "end_of_day(d)"\nenrolled_at = "datetime(d, zone)"\ncreated_at = "datetime(d, \'UTC\')"'
    found = mapped(body, {"id": 1, "d": "2026-01-10", "zone": "Asia/Tokyo"}, timezone="Europe/Athens").enrollment
    other = mapped(body, {"id": 1, "d": "2026-01-10"}, timezone="Europe/Athens").enrollment

    assert found.due_at == datetime(2026, 1, 10, 21, 59, 59, tzinfo=UTC)
    assert found.enrolled_at == datetime(2026, 1, 9, 15, tzinfo=UTC)
    assert found.created_at == datetime(2026, 1, 10, tzinfo=UTC)
    assert other.enrolled_at == datetime(2026, 1, 9, 22, tzinfo=UTC)


def test_as_of_must_know_its_zone() -> None:
    normalizer = compile(load('connector = "d"\n[course_enrollment]\nid = "id(id)"'))

    with pytest.raises(ValueError, match="aware"):
        normalizer.normalize({"id": 1}, as_of=datetime(2026, 1, 1))  # noqa: DTZ001 - on purpose


EVERYTHING = """
user.id = "id(a)"
user.name = "person(a, b)"
user.emails.work = "first(a, b)"
user.emails._ = "emails(c)"
course.title = "html(a)"
due_at = "end_of_day(a, b)"
started_at = "first(epoch(a), epoch_ms(b), dotnet_date(c), ticks(a))"
completed_at = "latest(c[].datetime(@), local_datetime(a, 'DD/MM/YYYY'))"
progress_percent = "first(percent(a), ratio(a, b), fraction(c))"
time_spent_seconds = "first(duration(a), hours(b))"
score = "scaled(a, b, c)"
is_mandatory = "first(truth(a), b)"
attempt_number = "length(a)"
assigned_by.id = "when(id(a) != id(b), id(b))"
urls.x = "url(a, b, c)"
urls.y = "a"
drift.role = { source = "b", known = [] }
skip.s = "a == b && c"
[course_enrollment.status]
source = "c"
values = { a = "completed", b = "in_progress" }
valid_until = "datetime(a)"
access_ends_at = "epoch(b)"
[course_enrollment.status.rules.r]
when = "past(epoch(a)) || future(datetime(b)) || a > b"
then = "passed"
[course_enrollment.custom_fields]
"*" = "merge(a, b)"
m = "a[?b].c | [0]"
p = "pick(a, 'b', c)"
"""
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(
            [
                "a",
                "b",
                "2026-01-31",
                "9999-12-31T23:59:59-14:00",
                "\ud800",
                "\0",
                10**50,
                -(10**400),
                "99:99:99",
                "1e999",
            ]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "c", "\ud800"]), inner, max_size=3)
    ),
    max_leaves=8,
)
NORMALIZER = compile(load(f'connector = "d"\n[course_enrollment]\nid = "ids(id, a)"\n{EVERYTHING}'))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(values, values, values, values)
def test_no_record_raises_and_each_becomes_one_of_three(id: Any, a: Any, b: Any, c: Any) -> None:
    record = {"id": id, "a": a, "b": b, "c": c}
    first, second = (NORMALIZER.normalize(record, as_of=NOW) for _ in range(2))

    assert isinstance(first, (Mapped, Skipped, Rejected))
    assert repr(first) == repr(second)
    assert not (isinstance(first, Rejected) and first.id)  # only the id rejects: no field breaks the schema


def test_deep_nesting_loses_nothing(mapped: Mapper) -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    result = mapped(
        'custom_fields.x = "deep"\nuser.name = "text(deep)"\ncustom_fields.y = "to_string(deep)"',
        {"id": 1, "deep": deep},
    )

    assert result.enrollment.custom_fields["x"] is deep
    assert sorted((flaw.field, flaw.reason) for flaw in result.flaws) == [
        ("custom_fields.y", "nested too deeply"),
        ("user.name", "expected a text or a number"),
    ]


def test_the_digest_changes_with_the_mapping_and_the_settings_it_reads_and_with_nothing_else() -> None:
    text = 'connector = "d"\n[course_enrollment]\nid = "id(id)"\nuser.name = "text(setting(\'label\'))"'
    base = {"label": "x", "other": 1, "timezone": "UTC", "pass_mark": None}
    digests = [
        compile(load(text), base).digest,
        compile(load(text), base | {"other": 2}).digest,
        compile(load(text + " # a comment"), base).digest,
        compile(load(text), base | {"label": "y"}).digest,
        compile(load(text), base | {"timezone": "Asia/Tokyo"}).digest,
        compile(load(text, override={"course_enrollment": {"score": "number(s)"}}), base).digest,
    ]

    assert [digests.index(one) for one in digests] == [0, 0, 0, 3, 4, 5]


def test_the_digest_is_the_same_in_every_process() -> None:
    program = 'from rollbook.core.mapping import *; print(compile(load(\'connector="d"\\n[course_enrollment]\\nid="id(id)"\')).digest)'  # noqa: E501 - mappings, and records beside what they become
    found = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout  # noqa: S603 - this Python
        for _ in range(2)
    }

    assert len(found) == 1
