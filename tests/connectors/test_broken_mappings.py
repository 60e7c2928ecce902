"""Each built-in mapping broken on purpose, one mistake at a time: loading it or the recorded tenants must tell.

A broken mapping is held against what the whole one makes of the same native records; that this is what is expected is
tested beside each connector.
"""

from __future__ import annotations

import asyncio
import re
import tomllib
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
from rollbook.core.api import AsyncLms
from rollbook.core.connection import open_connection
from rollbook.core.errors import MappingError
from rollbook.core.http import stand_in_keys
from rollbook.core.mapping import Mapped, compile, load
from rollbook.core.testing import find_cases
from rollbook.core.testing.conformance.lms import RecordedLms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from rollbook.core.mapping import Definition, Normalizer
    from rollbook.core.mapping.definition import Shape
    from rollbook.core.testing import Case

    Tables = dict[str, Any]
    Mistakes = Iterator[tuple[str, Tables]]

FIXTURES = Path(__file__).parent.parent / "fixtures"
MAPPINGS = Path(__file__).parents[2] / "mappings"
CONNECTORS = sorted(file.stem for file in MAPPINGS.glob("*.toml"))
UNITS = {
    "datetime": "epoch",
    "epoch": "datetime",
    "end_of_day": "datetime",
    "latest": "earliest",
    "duration": "seconds",
    "seconds": "duration",
    "percent": "number",
    "ratio": "latest",
    "scaled": "ratio",
    "html": "text",
    "unescape": "text",
    "snake": "text",
}
"""Functions, each with one that reads the same value as something else."""


# -- mistakes ---------------------------------------------------------------------------------------------------------


def places(table: Tables, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give everything in the mapping with its path; not which connector it is for, and not all of it."""
    for name, item in table.items():
        if path:
            yield (*path, name), item
        if isinstance(item, dict):
            yield from places(cast("Tables", item), (*path, name))


def changed(tables: Tables, path: tuple[str, ...], value: Any = None) -> Tables:
    """Copy the tables with something else at a path, or nothing."""
    copied = place = deepcopy(tables)
    for name in path[:-1]:
        place = place[name]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return copied


def named(path: tuple[str, ...]) -> str:
    return ".".join(path[1:])


def lines_left_out(tables: Tables) -> Mistakes:
    """Fields, words, conditions, overrides of a kind, custom fields: each line, and each table, once."""
    for path, _ in places(tables):
        yield named(path), changed(tables, path)


def other_statuses(tables: Tables) -> Mistakes:
    """Words and rules that say another status."""
    for path, status in places(tables):
        if path[-2] == "values" or path[-1] == "then":
            yield named(path), changed(tables, path, "failed" if status == "completed" else "completed")


def rules_swapped(tables: Tables) -> Mistakes:
    """Two rules of a ladder in the wrong order."""
    rules: Tables = tables["course_enrollment"]["status"]["rules"]
    names = list(rules)
    for place, (one, other) in enumerate(pairwise(names)):
        order = [*names[:place], other, one, *names[place + 2 :]]
        ladder = {name: rules[name] for name in order}
        yield f"{one} and {other}", changed(tables, ("course_enrollment", "status", "rules"), ladder)


def slips(pattern: str, slip: Callable[[str], str]) -> Callable[[Tables], Mistakes]:
    """Make a sort of mistakes: one slip in each thing that a pattern finds in a line, where it stands first."""

    def made(tables: Tables) -> Mistakes:
        for path, text in places(tables):
            found = re.finditer(pattern, text) if isinstance(text, str) else ()
            for first in {one[0]: one for one in reversed(list(found))}.values():
                wrong = text[: first.start()] + slip(first[0]) + text[first.end() :]
                yield f"{named(path)}: {first[0]}", changed(tables, path, wrong)

    return made


SORTS: dict[str, Callable[[Tables], Mistakes]] = {
    "lines left out": lines_left_out,
    "other statuses": other_statuses,
    "rules swapped": rules_swapped,
    "misspelled paths": slips(r"\b[A-Za-z_]+(\.[A-Za-z_]+)+\b(?!\()", lambda path: f"{path}x"),
    "wrong units": slips(rf"\b({'|'.join(UNITS)})(?=\()", lambda name: UNITS[name]),
    "misspelled words": slips(r"(?<=')\w[^']*(?=')", lambda word: f"{word}x"),
    "conditions turned": slips(r"!(?=setting|one_of|\()", lambda _: ""),
}
UNSHOWN = {
    # the documented rows of a course have no status word
    "talentlms": {("courses", "unknown")},
    # there is no native word to be unknown
    "brightspace": {("", "unknown")},
    "moodle": {("", "unknown")},
    # certificates are joined whatever the grades are read from, and a flag is no less known there: the others show both
    "openedx": {
        *(
            ("breakdown", name)
            for name in ("completed_at", "certificate_status", "certificate_type", "urls.certificate")
        ),
        ("breakdown", "unknown"),
    },
}
"""What a kind declares, and no recorded enrollment shows."""
HARMLESS: dict[str, set[str]] = {
    "blackboard": set(),
    "brightspace": set(),
    # conditions that never hold together
    "canvas": {"course_concluded and never_accepted", "never_accepted and begun"},
    "docebo": {
        # a percentage within 0 to 100 is the number itself, and a date-time has no end of its day
        "progress_percent: percent",
        "kind.course.due_at: end_of_day",
        # nobody has the id 0
        "assigned_by.name: 0",
        "kind.course.assigned_by.name: 0",
    },
    "google_classroom": {
        # conditions that never hold together
        *("unheard_of and handed_in", "handed_in and begun"),
        # the same as for the others; it stands there for when an override changes that
        "kind.invitation.status.values.ARCHIVED",
    },
    # nothing is joined to who is not active
    "moodle": {"completed and not_active", "not_active and begun"},
    # withdrawn in either way
    "oneroster": {
        "class_deleted and left_early",
        *(f"status.rules.left_early.when: {what}" for what in ("enrollment.status", "tobedeleted", "inactive")),
    },
    "openedx": {
        # a grade is 0, or more
        "content_done and not_passed",
        # the words of a flag, which the report does not have; its own two are known, and rules tell what they say
        *(f"kind.enterprise.status.values.{word}" for word in ("true", "false", "passed", "failed")),
    },
    "talentlms": {
        # as for docebo
        "progress_percent: percent",
        "status.rules.begun.when: percent",
        # the rows of a course have no status word
        *(f"kind.courses.{key}" for key in ("status.source", "status.values", "custom_fields.native_status")),
    },
}
"""Changes after which the mapping means the same as before."""
SECONDS = ("seconds", "enrollment.total_time_seconds")
ROLES = (
    *("role.RoleId", "role.DisplayName", "enrollment.RoleId", "enrollment.ClasslistRoleDisplayName"),
    *(
        "instructor",
        "teacher",
        "lecturer",
        "professor",
        "faculty",
        "tutor",
        "assistant",
        "grader",
        "facilitator",
        "admin",
    ),
    *("auditor", "observer", "parent", "guardian", "designer", "support", "student", "learner", "participant", "staff"),
)
COURSES = ("course.Type", "course.OrgUnitTypeId", "Course Offering")
EITHER = {
    "unenrolled.when": ("enrollment.has_passed", "enrollment.progress_status", "passed"),
    "passed.when": ("enrollment.has_passed", "enrollment.progress_status", "passed"),
    "not_passed.when": ("enrollment.course_end_date", "enrollment.progress_status", "failed"),
    "course_over.when": ("enrollment.course_end_date", "enrollment.progress_status", "failed"),
    "begun.when": (
        *("enrollment.total_learning_time_hours", "enrollment.course_progress"),
        *("enrollment.current_grade", "enrollment.last_activity_date"),
    ),
}
"""What says the same in a report, where each alone is enough."""
SUBMISSIONS = ("NEW", "CREATED", "TURNED_IN", "RETURNED", "RECLAIMED_BY_STUDENT")
TOLD_BESIDE_THE_CONNECTOR = {
    "brightspace": {
        *(
            f"{kind}{line}: {what}"
            for kind in ("", "kind.datahub.")
            for line in ("skip.staff", "drift.role.source")
            for what in ROLES
        ),
        *(f"kind.datahub.skip.other_org_unit: {what}" for what in COURSES),
        "user.name: enrollment.DisplayName",
    },
    "canvas": {"drift.type.missing", "status.rules.modules_done.when: progress.completed_at"},
    "google_classroom": {
        "kind.invitation.drift.role.missing",
        *(f"drift.submission_state.source: {word}" for word in SUBMISSIONS),
        *(f"status.rules.begun.when: {word}" for word in ("RECLAIMED_BY_STUDENT", "TURNED_IN", "PROVISIONED")),
    },
    "oneroster": {
        *("drift.result", "drift.result.source: work.results", "drift.role.source: enrollment.role"),
        *("left_early and begun", "score: work.lineItem.resultValueMin"),
        *(f"user.name: user.{half}" for half in ("givenName", "familyName", "preferredFirstName", "preferredLastName")),
        *(f"skip.staff: {role}" for role in ("aide", "administrator", "proctor", "invigilator", "principal")),
        *(f"skip.observer: {role}" for role in ("parent", "relative")),
        *(f"status.rules.{rule}.when: inactive" for rule in ("class_deleted", "begun")),
        "custom_fields.user_active: inactive",
    },
    "openedx": {
        *("passed and content_done", "status.rules.begun.when: grade.current_grade"),
        *(
            f"{kind}user.name: {what}"
            for kind in ("", "kind.enterprise.")
            for what in ("retired__user", "enrollment.user", "enrollment.user_username")
        ),
        *(f"kind.enterprise.status.rules.{rule}: {what}" for rule, each in EITHER.items() for what in each),
        *(f"kind.enterprise.custom_fields.closed_at: {what}" for what in EITHER["passed.when"]),
    },
    "talentlms": {"drift.role.missing", *(f"status.rules.begun.when: {what}" for what in SECONDS)},
}
"""What the mapping is ready for, and no recording has: tests of single records tell."""

NOT_TOLD = {
    "schoology": {
        "drift.section_active",
        "drift.section_active.source: section.active",
        "user.name: enrollment.name_first",
        "user.name: enrollment.name_display",
        *(f"status.rules.section_over.when: {what}" for what in ("end_of_day", "latest", "4")),
        "custom_fields.section_ends_at: end_of_day",
    },
    "moodle": {
        *(f"kind.report.{what}" for what in ("id", "drift.role.known", "drift.role.source: !")),
        *(f"kind.report.status.rules.{rule}" for rule in ("completed", "not_active", "active")),
        "kind.report.status.rules.finished.when: dddd, D MMMM YYYY, h:mm A",
        *(
            f"kind.report.drift.role.source: {role}"
            for role in ("Course creator", "Manager", "Non-editing teacher", "Teacher", "Student")
        ),
    },
}
"""Gaps: the recordings have no such record yet."""


# -- what tells -------------------------------------------------------------------------------------------------------


class Seen(NamedTuple):
    """What was read of a case."""

    case: Case
    settings: dict[str, Any]
    results: list[tuple[Any, str, Any]]
    """Native records with their kind, and what the whole mapping makes of them."""


@dataclass(slots=True)
class Watching:
    """A normalizer that keeps what goes through it."""

    normalizer: Normalizer
    results: list[tuple[Any, str, Any]] = field(default_factory=list[tuple[Any, str, Any]])

    @property
    def digest(self) -> str:
        return self.normalizer.digest

    def identify(self, record: Any, kind: str = "") -> Any:
        return self.normalizer.identify(record, kind)

    def normalize(self, record: Any, *, kind: str = "", as_of: datetime) -> Any:
        result = self.normalizer.normalize(record, kind=kind, as_of=as_of)
        self.results.append((record, kind, result))
        return result


async def read(case: Case) -> Seen:
    transport = RecordedLms(case.load().exchanges)
    with TemporaryDirectory() as folder, stand_in_keys():
        vault = f"{folder}/vault"
        connection = open_connection("c", case.connector, case.settings, transport=transport, vault=vault)
        watching = Watching(connection.normalizer)
        watched: Any = replace(connection, normalizer=watching)
        async with connection:
            async for _ in AsyncLms(watched, lambda: case.as_of).enrollments():
                pass
    assert not transport.unexpected
    return Seen(case, connection.settings.public(), watching.results)


@cache
def tenants(connector: str) -> list[Seen]:
    """Read the cases of a connector, the largest first: most mistakes show there."""
    found = [asyncio.run(read(case)) for case in find_cases(FIXTURES / connector)]
    return sorted((one for one in found if one.results), key=lambda one: -len(one.results))


def is_told(connector: str, tables: Tables) -> bool:
    """Tell whether loading refuses or warns, a recorded record comes out otherwise, or a declared field stays empty."""
    try:
        definition = load(tables)
        return (
            bool(definition.warnings) or maps_otherwise(definition, connector) or declares_more(definition, connector)
        )
    except MappingError:  # from `load`, or from `compile` for a setting that is not there
        return True


def maps_otherwise(definition: Definition, connector: str) -> bool:
    whole = kinds_of(connector)
    broken = {kind: shape for kind, shape in definition.kinds.items() if shape != whole[kind]}
    for one in tenants(connector):
        if kinds := {kind: broken[kind] for _, kind, _ in one.results if kind in broken}:
            normalizer = compile(replace(definition, kinds=kinds), one.settings)  # the others take their time
            for record, kind, result in one.results:
                if kind in kinds and normalizer.normalize(record, kind=kind, as_of=one.case.as_of) != result:
                    return True
    return whole.keys() != definition.kinds.keys()


def declares_more(definition: Definition, connector: str) -> bool:
    """Tell whether a kind has a line that no recorded enrollment of that kind shows."""
    return not declared(definition) <= filled(connector) | UNSHOWN.get(connector, set())


def declared(definition: Definition) -> set[tuple[str, str]]:
    return {
        (kind, name)
        for kind, shape in definition.kinds.items()
        for name in (
            *shape.fields,
            *shape.custom_fields,
            *map("urls.{}".format, shape.urls),
            *shape.statuses(),
            *ends(shape),
        )
        if name != "*"
    }


def ends(shape: Shape) -> Iterator[str]:
    """Name the custom fields that follow from a ladder's ends."""
    found = {"valid_until": shape.ladder.valid_until, "access_ends_at": shape.ladder.access_ends_at}
    yield from (name for name, entry in found.items() if entry and name not in shape.off)


@cache
def filled(connector: str) -> set[tuple[str, str]]:
    """Name what the recorded enrollments of each kind have."""
    return {
        (kind, name)
        for one in tenants(connector)
        for _, kind, result in one.results
        if isinstance(result, Mapped)
        for name in filled_in(result.enrollment.model_dump(exclude={"remote_data"}))
    }


def filled_in(enrollment: dict[str, Any]) -> Iterator[str]:
    for name, value in enrollment.items():
        if name in ("user", "course", "assigned_by"):
            part: Tables = value or {}
            yield from (f"{name}.{member}" for member, inner in part.items() if inner)
        elif name == "urls":
            yield from (f"urls.{link['type']}" for link in value)
        elif name == "custom_fields":
            yield from value
        elif value is not None:
            yield value if name == "status" else name


@cache
def kinds_of(connector: str) -> Mapping[str, Shape]:
    return load(mapping(connector)).kinds


@cache
def mapping(connector: str) -> Tables:
    return tomllib.loads((MAPPINGS / f"{connector}.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("connector", CONNECTORS)
def test_the_whole_mapping_is_not_taken_for_a_broken_one(connector: str) -> None:
    assert not is_told(connector, mapping(connector))


FLAWED = {"report-words"}
"""Recordings that are about flaws: dates in a language that the mapping does not read."""


@pytest.mark.parametrize("connector", CONNECTORS)
def test_no_recorded_value_is_a_flaw(connector: str) -> None:
    told = [one for one in tenants(connector) if one.case.name not in FLAWED]
    results = [result for one in told for _, _, result in one.results]

    assert [flaw for result in results if isinstance(result, Mapped) for flaw in result.flaws] == []


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("connector", CONNECTORS)
def test_every_mistake_is_told_by_loading_or_by_the_recordings(connector: str, sort: str) -> None:
    excused = HARMLESS.get(connector, set()) | TOLD_BESIDE_THE_CONNECTOR.get(connector, set())
    excused |= NOT_TOLD.get(connector, set())
    silent = [what for what, tables in SORTS[sort](mapping(connector)) if not is_told(connector, tables)]

    assert [what for what in silent if what not in excused] == []
