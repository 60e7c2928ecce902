"""An explanation says what the mapping did, in every step: it is the mapping's own lines that tell."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rollbook.core.connection import open_connection
from rollbook.core.errors import MappingError
from rollbook.core.http import no_waits, stand_in_keys
from rollbook.core.mapping import Mapped, Normalizer, Rejected, Skipped, compile, load
from rollbook.core.mapping.explain import Explainer, explain
from rollbook.core.native import dump
from rollbook.core.store import PRIVATE, Store
from rollbook.core.sync import Sync
from rollbook.core.testing import find_cases
from rollbook.core.testing.conformance.lms import RecordedLms

if TYPE_CHECKING:
    from rollbook.core.mapping.explanation import Condition, Explanation, Field, StatusSteps, Worked
    from rollbook.core.testing import Case

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIXTURES = Path(__file__).parent.parent / "fixtures"
CASES = {f"{folder.name}/{case.name}": case for folder in sorted(FIXTURES.iterdir()) for case in find_cases(folder)}


class Watcher(Normalizer):
    """A normalizer that keeps the records that it was given."""

    def __init__(self, inner: Normalizer) -> None:
        super().__init__(inner.digest, {})
        self.inner = inner
        self.seen: list[tuple[Any, str]] = []

    def identify(self, record: Any, kind: str = "") -> str | Rejected:
        return self.inner.identify(record, kind)

    def normalize(self, record: Any, *, kind: str = "", as_of: datetime, remote_data: Any = None) -> Any:
        self.seen.append((record, kind))
        return self.inner.normalize(record, kind=kind, as_of=as_of, remote_data=remote_data)


@dataclass(frozen=True)
class Recorded:
    """A recording that was read: its records with their kinds, and what maps and explains them."""

    records: list[tuple[Any, str]]
    normalizer: Normalizer
    explainer: Explainer


@cache
def recorded(name: str) -> Recorded:
    return asyncio.run(_read(CASES[name]))


async def _read(case: Case) -> Recorded:
    connector = case.connector or case.folder.name
    lms = RecordedLms(case.load().exchanges)
    override = case.mapping or None
    with TemporaryDirectory() as folder, no_waits(), stand_in_keys(), Store(PRIVATE) as store:
        vault = f"{folder}/vault"
        opened = open_connection(connector, connector, case.settings, override=override, transport=lms, vault=vault)
        async with opened as connection:
            watcher = Watcher(connection.normalizer)
            await Sync(replace(connection, normalizer=watcher), store, clock=lambda: case.as_of).run(full=True)
        return Recorded(watcher.seen, watcher.inner, Explainer(connection.definition, connection.settings.public()))


def agree(explainer: Explainer, normalizer: Normalizer, record: Any, kind: str, as_of: datetime) -> Explanation:
    """Hold an explanation against what the normalizer makes of the same record."""
    told, result = (
        explainer.explain(record, kind=kind, as_of=as_of),
        normalizer.normalize(record, kind=kind, as_of=as_of),
    )
    outcomes = {Mapped: "enrollment", Skipped: "skipped", Rejected: "rejected"}

    assert outcomes[type(result)] == told.outcome
    if not isinstance(result, Mapped):
        assert (result.id, result.reason) == (told.id, told.reason)
        return told
    one = result.enrollment.model_dump(mode="json", exclude={"remote_data"})
    # as text, since NaN is not NaN
    assert dump(one) == dump(told.enrollment)
    assert (result.flaws, result.drift) == (told.flaws, told.drift)
    assert told.status is not None
    assert (one["status"], result.stale_at) == (told.status.status, told.status.stale_at)
    told_custom = hold_fields(told, one)
    assert set(one["custom_fields"]) <= told_custom
    return told


def hold_fields(told: Explanation, one: dict[str, Any]) -> set[str]:
    """Hold every explained value against the enrollment; give the custom fields that are explained."""
    custom: set[str] = set()
    for field in told.fields:
        top, _, inner = field.name.partition(".")
        value = field.worked.value if field.worked else None
        if top == "custom_fields":
            custom |= set(value or {}) if inner == "*" and isinstance(value, dict) else {inner}
            if inner != "*" and value is not None and inner in one["custom_fields"]:
                # pydantic writes a number that is none as null
                assert dump(value).replace("-Infinity", "null").replace("Infinity", "null").replace(
                    "NaN", "null"
                ) == dump(one["custom_fields"][inner])
        elif top == "urls":
            urls = [url["url"] for url in one["urls"] if url["type"] == (None if inner == "_" else inner)]
            assert urls == ([value] if value is not None else [])
        elif field.name.startswith("user.emails"):
            listed = [email["email"] for email in one["user"]["emails"]]
            wanted: list[Any] = value if isinstance(value, list) else [value]
            assert field.note or value is None or {str(one).lower() for one in wanted} <= set(map(str.lower, listed))
        else:
            found = one[top] if not inner or one[top] is None else one[top][inner]
            assert (None if field.note else value) == found
    return custom


@pytest.mark.parametrize("name", CASES)
def test_every_recorded_record_is_explained_as_it_is_mapped(name: str) -> None:
    case, found = CASES[name], recorded(name)
    for record, kind in found.records:
        for days in (0, -400, 400):
            agree(found.explainer, found.normalizer, record, kind, case.as_of + timedelta(days=days))


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**50), 10**50),
    st.floats(),
    st.sampled_from(
        ["", " ", "0", "1", "true", "completed", "active", "2026-01-01", "0000-00-00", "x@example.com", "\ud83d"]
    ),
    st.text(max_size=8),
    st.lists(st.sampled_from([None, 1, "a", {"id": 1}]), max_size=2),
    st.dictionaries(st.sampled_from(["id", "name", "custom_field_1", "field_2"]), st.text(max_size=3), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """List every place of a record."""
    inner: list[tuple[Any, Any]] = []
    members: dict[str, Any] = value
    items: list[Any] = value
    if isinstance(value, dict):
        inner = list(members.items())
    elif isinstance(value, list):
        inner = list(enumerate(items))
    return [*([path] if path else []), *(place for key, item in inner for place in places(item, (*path, key)))]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("name", CASES)
def test_odd_records_are_explained_as_they_are_mapped(name: str, data: st.DataObject) -> None:
    """Recorded ones, with odd values in some places."""
    found = recorded(name)
    if not found.records:
        return
    record, kind = data.draw(st.sampled_from(found.records))
    record = copy.deepcopy(record)
    for _ in range(data.draw(st.integers(1, 4))):
        *way, last = data.draw(st.sampled_from(places(record) or [("id",)]))
        place = record
        for step in way:
            place = place[step]
        place[last] = copy.deepcopy(data.draw(ODD))  # what is drawn is shared by all examples
    agree(found.explainer, found.normalizer, record, kind, CASES[name].as_of)


EVERYTHING = """
connector = "demo"
[course_enrollment]
id = "id(id)"
user.id = "id(user.id)"
user.name = "person(user.first, user.last)"
user.emails.work = "email(user.mail)"
user.emails._ = "emails(user.mails)"
user.emails.login = "email(user.login)"
course.title = "text(title)"
enrolled_at = "datetime(joined)"
created_at = "datetime(joined)"
completed_at = "datetime(done)"
due_at = "end_of_day(due)"
score = "number(score)"
progress_percent = "number(pick(marks, 'for', id).percent)"
urls.course = "link"
keep = "number(version) >= `1`"
skip.teacher = "role == 'teacher'"
drift.role = { source = "role", known = ["learner"], missing = true }
[course_enrollment.status]
source = "state"
values = { new = "enrolled", done = "completed", no = "failed", gone = "withdrawn", odd = "unknown" }
valid_until = "datetime(valid)"
access_ends_at = "datetime(access)"
[course_enrollment.status.rules.watched]
when = "past(datetime(watch))"
then = "in_progress"
[course_enrollment.status.rules.begun]
when = "number(minutes) > `0`"
then = "in_progress"
[course_enrollment.custom_fields]
"*" = "starting(user, 'x_')"
role = "role"
passes = "marks[?number(percent) > `50`].for"
[course_enrollment.kind.todo]
due_at = "datetime(todo_due)"
[course_enrollment.kind.todo.custom_fields]
closed_at = false
"""
PAST, COMING = "2026-05-01T00:00:00Z", "2026-07-01T00:00:00Z"


def ready(override: dict[str, Any] | None = None, **given: Any) -> tuple[Explainer, Normalizer]:
    definition = load(EVERYTHING, file="demo.toml", override=override)
    public = {"timezone": "UTC", "pass_mark": None, **given}
    return Explainer(definition, public), compile(definition, public)


def told(
    record: dict[str, Any], *, kind: str = "", override: dict[str, Any] | None = None, **given: Any
) -> Explanation:
    explainer, normalizer = ready(override, **given)
    return agree(explainer, normalizer, {"id": 1, "version": 1, **record}, kind, NOW)


def field(told: Explanation, name: str) -> Field:
    [found] = [one for one in told.fields if one.name == name]
    return found


def worked(told: Explanation, name: str) -> Worked:
    found = field(told, name).worked
    assert found is not None
    return found


def status(told: Explanation) -> StatusSteps:
    assert told.status is not None
    return told.status


def read(told: Explanation, name: str) -> list[tuple[str, Any, bool]]:
    return [(one.path, one.value, one.there) for one in worked(told, name).reads]


def held(conditions: tuple[Condition, ...]) -> dict[str, Any]:
    return {one.name: one.worked.value if one.worked else "not asked" for one in conditions}


DATES = st.sampled_from([None, PAST, COMING, "soon", "", 5])
RECORDS = st.fixed_dictionaries(
    {"id": st.sampled_from([1, 2, None, [1]]), "version": st.sampled_from([1, 1, 1, 0, "x"])},
    optional={
        "state": st.sampled_from(["new", "DONE ", "no", "gone", "odd", "strange", "", None, 5, ["new"]]),
        "role": st.sampled_from(["learner", "teacher", "guest", 4]),
        "user": st.one_of(
            st.sampled_from([None, "x", []]),
            st.fixed_dictionaries(
                {},
                optional={
                    "mail": st.sampled_from(["a@example.com", "A@example.com", "none", 5]),
                    "mails": st.sampled_from([["a@example.com", "b@example.com"], "c@example.com; x", 5]),
                    "login": st.sampled_from(["b@example.com", "login", 5]),
                    "x_closed": st.sampled_from([PAST, None, " "]),
                },
            ),
        ),
        "marks": st.sampled_from([[{"for": 1, "percent": 60}, {"for": 2, "percent": "x"}], [], 5, None]),
        "score": st.sampled_from([80, "80", "x", None]),
        "minutes": st.sampled_from([0, 5, "x"]),
        "link": st.sampled_from(["https://lms.example.com/1", "nowhere", 5]),
        **dict.fromkeys(("joined", "done", "due", "todo_due", "valid", "access", "watch"), DATES),
    },
)


@settings(max_examples=200, deadline=None)
@given(record=RECORDS, kind=st.sampled_from(["", "todo", "other"]), mark=st.sampled_from([None, 70]))
def test_every_step_agrees_with_the_mapping(record: dict[str, Any], kind: str, mark: int | None) -> None:
    """A mapping of everything that there is, and records of everything that it looks at."""
    if ("made", mark) not in READY:
        READY["made", mark] = ready(pass_mark=mark)
    agree(*READY["made", mark], record, kind, NOW)


READY: dict[tuple[str, int | None], tuple[Explainer, Normalizer]] = {}


def test_a_field_tells_its_expression_what_it_read_and_what_came_out() -> None:
    one = told({"user": {"first": "Ada", "last": None}})

    assert worked(one, "user.name").expression == "person(user.first, user.last)"
    assert worked(one, "user.name").file == "demo.toml"
    assert read(one, "user.name") == [("user.first", "Ada", True), ("user.last", None, True)]
    assert worked(one, "user.name").value == "Ada"


def test_a_field_that_the_mapping_does_not_fill_has_no_expression() -> None:
    assert field(told({}), "started_at").worked is None


def test_missing_and_null_are_told_apart() -> None:
    assert read(told({"title": None}), "course.title") == [("title", None, True)]
    assert read(told({}), "course.title") == [("title", None, False)]
    assert read(told({"user": "x"}), "user.id") == [("user.id", None, False)]


def test_a_flaw_tells_why_a_field_is_null() -> None:
    found = worked(told({"due": "soon"}), "due_at")

    assert found.value is None
    assert [flaw.reason for flaw in found.flaws] == ["expected a date-time such as 2026-01-31T09:30:00Z or 2026-01-31"]


def test_a_flaw_is_told_with_every_field_of_the_same_expression() -> None:
    """It is worked out, and counted, only once."""
    one = told({"joined": "soon"})

    assert len(one.flaws) == 1
    assert worked(one, "enrolled_at").flaws == worked(one, "created_at").flaws == one.flaws


def test_what_an_override_changed_names_its_file() -> None:
    one = told({"cc": 7}, override={"course_enrollment": {"custom_fields": {"cost_center": "id(cc)"}}})

    assert worked(one, "custom_fields.cost_center").file == "rollbook.toml"
    assert worked(one, "custom_fields.cost_center").value == "7"


def test_what_is_of_one_kind_alone_says_so() -> None:
    one = told({"todo_due": PAST}, kind="todo")

    assert (worked(one, "due_at").kind, worked(one, "user.name").kind) == ("todo", "")
    assert worked(one, "due_at").expression == "datetime(todo_due)"


def test_what_a_list_is_searched_for_is_told() -> None:
    marks = [{"for": 2, "percent": 10}, {"for": 1, "percent": 60}]
    one = told({"marks": marks})

    assert read(one, "progress_percent") == [("marks[for=id].percent", 60, True), ("id", 1, True)]
    assert read(one, "custom_fields.passes") == [("marks[?].for", [1], True), ("marks[*].percent", [10, 60], True)]


def test_the_word_and_the_table_give_the_base() -> None:
    steps = status(told({"state": " New"}))

    assert (steps.native, steps.table, steps.base, steps.base_from, steps.status) == (
        "New",
        "enrolled",
        "enrolled",
        "table",
        "enrolled",
    )


def test_the_first_rule_that_holds_decides_and_later_ones_are_not_asked() -> None:
    steps = status(told({"state": "new", "watch": PAST, "minutes": 5}))

    assert held(steps.rules) == {"watched": True, "begun": "not asked"}
    assert (steps.table, steps.base, steps.base_from) == ("enrolled", "in_progress", "watched")


def test_a_rule_that_does_not_hold_tells_what_it_read() -> None:
    steps = status(told({"minutes": "x"}))
    begun = steps.rules[1].worked
    assert begun is not None

    assert held(steps.rules) == {"watched": False, "begun": False}
    assert [(one.path, one.value) for one in begun.reads] == [("minutes", "x")]
    assert [flaw.reason for flaw in begun.flaws] == ["expected a number"]
    assert (steps.base, steps.base_from) == ("unknown", "default")


def test_a_word_that_nobody_knows_asks_no_rule() -> None:
    one = told({"state": "strange", "minutes": 5})
    steps = status(one)

    assert (steps.known, steps.base_from, steps.status) == (False, "drift", "unknown")
    assert held(steps.rules) == {"watched": "not asked", "begun": "not asked"}
    assert [(drift.what, drift.value) for drift in one.drift] == [("role", "(missing)"), ("status", "strange")]
    assert [(watch.name, watch.drift) for watch in one.watched] == [("role", True)]


@pytest.mark.parametrize(
    ("record", "effects", "moved_by", "expected"),
    [
        ({"state": "new", "due": PAST}, {"due_at": "moved"}, "due_at", "overdue"),
        ({"state": "new", "due": COMING}, {"due_at": "ahead"}, "", "enrolled"),
        (
            {"state": "new", "due": PAST, "access": PAST},
            {"access_ends_at": "moved", "due_at": "idle"},
            "access_ends_at",
            "expired",
        ),
        (
            {"state": "new", "due": PAST, "access": COMING},
            {"access_ends_at": "ahead", "due_at": "moved"},
            "due_at",
            "overdue",
        ),
        ({"state": "done", "due": PAST, "access": PAST}, {"access_ends_at": "idle", "due_at": "idle"}, "", "completed"),
        ({"state": "done", "valid": PAST}, {"valid_until": "moved"}, "valid_until", "expired"),
        ({"state": "done", "score": 70}, {"pass_mark": "moved"}, "pass_mark", "passed"),
        ({"state": "done", "score": 69}, {"pass_mark": "idle"}, "", "completed"),
        (
            {"state": "done", "score": 70, "valid": COMING},
            {"pass_mark": "moved", "valid_until": "ahead"},
            "pass_mark",
            "passed",
        ),
        ({"state": "no", "due": PAST}, {"due_at": "idle"}, "", "failed"),
    ],
)
def test_the_deadline_that_moved_the_status_is_named(
    record: dict[str, Any], effects: dict[str, str], moved_by: str, expected: str
) -> None:
    steps = status(told(record, pass_mark=70))
    found = {one.name: one.effect for one in steps.deadlines if one.effect != "none"}

    assert {"pass_mark": "idle", **effects} == {"pass_mark": "idle", **found}
    assert (moved_by, expected) == (steps.moved_by, steps.status)


def test_when_the_status_moves_next_is_told_with_what_it_will_be() -> None:
    due = status(told({"state": "new", "due": COMING}))
    rule = status(told({"state": "new", "watch": COMING}))

    assert (due.stale_at, due.stale_by, due.after) == (datetime(2026, 7, 1, tzinfo=UTC), ("due_at",), "overdue")
    assert (rule.stale_at, rule.stale_by, rule.after) == (datetime(2026, 7, 1, tzinfo=UTC), (), "in_progress")
    assert (status(told({"state": "new"})).stale_at, status(told({"state": "new"})).after) == (None, None)


def test_a_completion_date_that_had_to_move_says_where_to() -> None:
    failed, again = told({"state": "no", "done": PAST}), told({"state": "new", "done": PAST})

    assert field(failed, "completed_at").note.startswith("moved to custom_fields.closed_at: beside failed")
    assert worked(failed, "custom_fields.closed_at").value == PAST
    assert field(again, "completed_at").note.startswith("moved to custom_fields.previously_completed_at")
    assert field(told({"state": "done", "done": PAST}), "completed_at").note == ""


def test_a_completion_date_that_has_nowhere_to_go_says_so() -> None:
    assert field(told({"state": "odd", "done": PAST}), "completed_at").note.startswith("left out: beside unknown")
    assert field(told({"state": "no", "done": PAST}, kind="todo"), "completed_at").note.startswith("left out: beside")
    own = {"course_enrollment": {"custom_fields": {"closed_at": "'the mapping says'"}}}
    taken = told({"state": "no", "done": PAST}, override=own)

    assert field(taken, "completed_at").note == "left out beside failed: the mapping fills custom_fields.closed_at"


def test_custom_fields_that_core_adds_say_so() -> None:
    one = told({"state": "new", "access": COMING})

    assert field(one, "custom_fields.native_status").note == "added by core"
    assert worked(one, "custom_fields.access_ends_at").value == COMING


def test_an_address_that_is_not_used_says_why() -> None:
    one = told({"user": {"mail": "a@example.com", "mails": ["A@example.com"], "login": "b@example.com"}})

    assert field(one, "user.emails.work").note == ""
    assert field(one, "user.emails._").note == "not used: it is listed already"
    assert field(one, "user.emails.login").note == "not used: there is another address"


def test_a_skipped_record_tells_the_reason_and_no_more() -> None:
    one = told({"role": "teacher"})

    assert (one.outcome, one.reason, one.id) == ("skipped", "teacher", "1")
    assert held(one.decisions) == {"skip.teacher": True, "keep": "not asked"}
    assert [one.name for one in one.decisions if one.decides] == ["skip.teacher"]
    assert [field.name for field in one.fields if field.worked] == ["id"]
    assert one.status is None


def test_a_record_that_is_not_kept_tells_so() -> None:
    one = told({"version": 0})

    assert (one.reason, held(one.decisions)) == ("not kept", {"skip.teacher": False, "keep": False})
    assert [one.name for one in one.decisions if one.decides] == ["keep"]


def test_a_rejected_record_tells_why() -> None:
    one = told({"id": [1]})

    assert one.outcome == "rejected"
    assert one.reason == "no usable id: expected an id: a text or a whole number"
    assert len(worked(one, "id").flaws) == 1


def test_what_is_no_object_is_rejected() -> None:
    explainer, _ = ready()
    broken: Any = []

    assert explainer.explain(broken, as_of=NOW).reason == "not an object"


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="as_of must be an aware date-time"):
        ready()[0].explain({"id": 1}, as_of=datetime(2026, 6, 1))  # noqa: DTZ001 - on purpose


def test_a_setting_that_the_connection_does_not_have_is_refused() -> None:
    definition = load({"connector": "d", "course_enrollment": {"id": "id(setting('nothing'))"}})
    with pytest.raises(MappingError, match="unknown setting 'nothing'"):
        explain(definition, {"timezone": "UTC"}, {}, as_of=NOW)


def test_an_explanation_can_be_had_as_json() -> None:
    one = told({"state": "new", "due": COMING, "user": {"mail": "a@example.com"}}).as_json()

    assert json.loads(json.dumps(one))["status"]["stale_at"] == COMING
    assert one["as_of"] == "2026-06-01T00:00:00Z"
