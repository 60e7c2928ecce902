"""Promises about what a connector and its mapping declare: it is there, it is true, and fixtures show it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...connection import check_settings, read_definition
from ...connector import Connector
from ...errors import AuthError, ContractError, MappingError, RollbookError
from ...mapping import compile_expression
from ...native import parse
from . import faults
from .lms import Scripted
from .promise import Promises, broken, defines, few

if TYPE_CHECKING:
    from ...mapping import Definition
    from .trial import Trial

__all__ = ["DeclaredPromises"]

UNKNOWN = "unknown"


class DeclaredPromises(Promises):
    """Names, settings, statuses, coverage, check."""

    def test_the_connector_declares_itself(self) -> None:
        """It has a name, a title, a description, described settings, and joins whose lookups are there."""
        __tracebackhide__ = True
        for kind in self.kinds.values():
            _declared(kind)

    def test_the_mapping_loads_without_a_warning(self) -> None:
        """The mapping is this connector's, and says nothing that is probably not meant."""
        __tracebackhide__ = True
        for kind in self.kinds.values():
            definition = read_definition(kind)
            if definition.connector != kind.name:
                broken(
                    kind.name,
                    f"the mapping {definition.file} says that it is for {definition.connector!r}",
                    f'Write connector = "{kind.name}" at its top.',
                )
            for warning in definition.warnings:
                broken(kind.name, f"the mapping warns: {warning}", "Mend it, or write it so that it is plainly meant.")

    def test_every_kind_of_page_is_mapped(self, trial: Trial) -> None:
        """A page's `kind` is one that the mapping has: else its records follow the mapping of all others."""
        __tracebackhide__ = True
        kinds = {page.kind for part in trial.partitions for page in part.pages}
        if unknown := kinds - read_definition(trial.kind, trial.case.mapping or None).kinds.keys():
            broken(
                trial.name,
                f"the mapping has no kind {few(unknown)}",
                "Write a table [course_enrollment.kind.<kind>] for it, or give pages without a kind.",
            )

    def test_every_declared_status_is_reached(self) -> None:
        """Each status that the mapping can give is one that some fixture has; with a native word, `unknown` too."""
        __tracebackhide__ = True
        definition = self._definition()
        declared = {status.value for status in definition.statuses}
        if not any(shape.ladder.source for shape in definition.kinds.values()):
            declared.discard(UNKNOWN)
        reached = {status for trial in self.trials for status in trial.whole.statuses}
        if never := declared - reached:
            broken(
                self.connector,
                f"no fixture has an enrollment that is {few(never)}",
                "Add one to a recording; for `unknown` with a word that the mapping does not know. "
                "If the LMS cannot have it, take it out of the mapping.",
            )

    def test_declared_coverage_is_what_fixtures_fill(self) -> None:
        """Each unified field that the mapping declares is filled by some fixture, and no other field is."""
        __tracebackhide__ = True
        declared, filled = set(self._definition().fields), set[str]()
        for trial in self.trials:
            for text in trial.whole.found.values():
                one: Any = parse(text)
                filled |= _filled(one)
            declared |= set(read_definition(trial.kind, trial.case.mapping or None).fields) & filled
        if never := declared - filled:
            broken(
                self.connector,
                f"no fixture fills {few(never)}",
                "Add a record that has it to a recording, or take it out of the mapping: coverage is made of it.",
            )
        if undeclared := filled - declared:
            broken(
                self.connector, f"fixtures fill {few(undeclared)}, which the mapping does not declare", "Declare it."
            )

    def test_a_check_proves_the_credentials(self) -> None:
        """`check()` works on some recording."""
        __tracebackhide__ = True
        missing = ""
        for trial in self.trials:
            _, error, lms, _ = trial.check()
            if lms.unexpected:
                missing = missing or f"{trial.name}: {lms.unexpected[0]}"
            elif error is None:
                return
            else:
                broken(
                    trial.name,
                    f"check() fails on good credentials: {type(error).__name__}: {error}",
                    "Let it ask for the cheapest thing that good credentials can read.",
                )
        broken(
            self.connector,
            f"check() asks for what no case has recorded:\n{missing}",
            'Record it in one of them, with `"_use": "check"`.',
        )

    def test_a_check_tells_refused_credentials(self, trial: Trial) -> None:
        """`check()` raises AuthError with a hint where the LMS answers 401."""
        __tracebackhide__ = True
        text, error, _, _ = trial.check(Scripted(faults.REFUSED, bool))
        if not isinstance(error, AuthError) or not error.hint:
            told = f"{type(error).__name__}: {error}" if error else f"nothing{text and f' but {text}'}"
            broken(
                trial.name,
                f"with 401, check() tells {told}",
                "Let AuthError through in `check`; only Forbidden becomes a notice.",
            )

    def test_secrets_of_a_case_are_made_up(self, trial: Trial) -> None:
        """Every secret setting of a case begins with `made-up`, and the recording says where it came from."""
        __tracebackhide__ = True
        for name in sorted(trial.kind.Settings.secrets()):
            value = str(trial.case.settings.get(name) or "made-up")
            if not all(text.startswith("made-up") for text in _texts(value)):
                broken(
                    trial.name,
                    f"the setting {name} does not begin with `made-up`",
                    "Never keep a real secret in a recording: revoke it if it is one, and write a made-up one.",
                )
        _ = trial.har.origin  # loading fails without one
        try:
            check_settings(trial.kind, trial.case.settings, trial.name)
        except RollbookError as error:
            broken(trial.name, f"its settings are wrong: {error}", "Write all settings into the expected file.")

    def _definition(self) -> Definition:
        return read_definition(next(iter(self.kinds.values())))


def _texts(value: str) -> list[str]:
    """Give the texts of a secret that is a JSON object, such as a key file; else itself."""
    try:
        found = parse(value)
    except ContractError:
        return [value]
    return [str(text) for text in found.values()] if isinstance(found, dict) else [value]


def _declared(kind: type[Connector[Any]]) -> None:
    __tracebackhide__ = True
    place = f"{kind.name} ({kind.__qualname__})"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", kind.name):
        broken(place, "its name is not in lower case letters, digits and _", "Rename it.")
    if not getattr(kind, "title", "").strip():
        broken(place, "it has no title", "Give it the name that people know the LMS by.")
    if not (kind.__doc__ or "").strip() or kind.__doc__ == Connector.__doc__:
        broken(place, "it has no docstring", "Say in a sentence how it reads the LMS.")
    for name, field in kind.Settings.model_fields.items():
        if not (field.description or "").strip():
            broken(place, f"the setting {name} is not described", "Write a docstring under it: users are shown it.")
    _joined(kind, place)


def _joined(kind: type[Connector[Any]], place: str) -> None:
    __tracebackhide__ = True
    lookups = {one.name for one in kind.lookups}
    if strange := {one.lookup for one in kind.joins} - lookups:
        broken(place, f"joins name the lookups {few(strange)}, which are not declared", "Declare them in `lookups`.")
    if idle := lookups - {one.lookup for one in kind.joins}:
        broken(place, f"no join uses the lookups {few(idle)}", "Join them, or take them out.")
    if lookups and not defines(kind, "load"):
        broken(place, "it declares lookups, and has no `load`", "Write `load`.")
    if dead := [one.name for one in kind.lookups if not one.whole and one.batch < 1]:
        broken(place, f"the lookups {few(dead)} can be read neither whole nor by keys", "Set `batch` to 1 or more.")
    expressions = [one.on for one in kind.joins] + [one.key for one in kind.lookups]
    expressions += [one.pick for one in kind.joins if one.pick]
    for text in (*expressions, *([kind.part] if kind.part is not None else [])):
        try:
            compile_expression(text)
        except MappingError as error:
            broken(place, f"the expression {text!r} is none: {error.message}", "Mend it.")
    if kind.part is None and defines(kind, "fold"):
        broken(place, "it has a `fold`, and no `part`", "Name the part's key in `part`.")


def _filled(one: dict[str, Any]) -> set[str]:
    """Name the unified fields of an enrollment that say something."""
    flat = {name: value for name, value in one.items() if name != "remote_data"}
    for name in ("user", "course", "assigned_by"):
        part: Any = flat.pop(name) or {}
        flat |= {f"{name}.{member}": value for member, value in part.items()}
    empty = flat["status"] == UNKNOWN
    return {name for name, value in flat.items() if value not in (None, [], {}) and not (name == "status" and empty)}
