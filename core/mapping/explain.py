"""Explaining a record: where every value came from, by the very lines that map it."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from .compile import compile
from .dates import printed
from .deadlines import effects_of
from .explanation import Condition, Deadline, Explanation, Field, Read, StatusSteps, Watched, Worked
from .fields import FILLABLE, printable
from .reads import reader, reads, stands
from .results import Mapped, Rejected, Skipped
from .status import NOWHERE
from .trace import Trace, traced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ..native import JSON, NativeRecord
    from ..schema import CourseEnrollment, Status
    from .definition import Definition, Entry, Shape
    from .results import Flaw

__all__ = ["Explainer", "explain"]

_ADDED = ("native_status", "access_ends_at", "valid_until")  # custom fields that core adds
_INSTANT = timedelta(microseconds=1)


def explain(
    definition: Definition,
    settings: Mapping[str, JSON] | None,
    record: NativeRecord,
    *,
    kind: str = "",
    as_of: datetime,
) -> Explanation:
    """Explain what a mapping makes of a native record. Pure: no clock, no request.

    Args:
        definition: What `load` gave.
        settings: The connection's settings that are no secrets.
        record: The native record, folded, with everything that is joined to it.
        kind: Its kind.
        as_of: The time that deadlines are held against, aware.

    Raises:
        MappingError: It reads a setting that the connection does not have.
    """
    return Explainer(definition, settings).explain(record, kind=kind, as_of=as_of)


class Explainer:
    """Explains records by one mapping.

    Args:
        definition: What `load` gave.
        settings: The connection's settings that are no secrets.

    Raises:
        MappingError: It reads a setting that the connection does not have.
    """

    def __init__(self, definition: Definition, settings: Mapping[str, JSON] | None = None) -> None:
        compile(definition, settings)  # refuses what it would refuse
        self._definition = definition
        self._settings = dict(settings or {})
        self._kinds: dict[str, _Kind] = {}

    def explain(self, record: NativeRecord, *, kind: str = "", as_of: datetime) -> Explanation:
        """Explain what becomes of a record; see the function `explain`."""
        if as_of.tzinfo is None:
            raise ValueError("as_of must be an aware date-time")
        known = kind if kind in self._definition.kinds else ""
        if known not in self._kinds:
            self._kinds[known] = _Kind(self._definition, known, self._settings)
        return _Telling(self._definition, self._kinds[known], record, kind, as_of).explanation()


class _Kind:
    """The mapping of a kind, ready to be traced."""

    def __init__(self, definition: Definition, kind: str, settings: dict[str, JSON]) -> None:
        self.shape = definition.kinds[kind]
        self.traced = traced(self.shape, settings)
        self.places = {entry.key: reads(entry.node) for entry in self.shape.entries()}
        self.read = reader({text: node for found in self.places.values() for text, node in found.items()}, settings)
        of_all = {entry.key: entry.text for entry in definition.kinds[""].entries()}
        self.own = {entry.key for entry in self.shape.entries() if of_all.get(entry.key) != entry.text}
        """Keys that are another expression than for records of no kind."""


class _Telling:
    """Turns the trace of one record into its explanation."""

    def __init__(self, definition: Definition, kind: _Kind, record: Any, name: str, as_of: datetime) -> None:
        self.definition = definition
        self.kind = kind
        self.shape: Shape = kind.shape
        self.record = record
        self.name = name
        self.as_of = as_of
        self.trace = Trace()
        self.result = self._run(self.trace, as_of)
        self.found = kind.read(record)

    def _run(self, trace: Trace, as_of: datetime) -> Mapped | Skipped | Rejected:
        record: Any = self.record
        if not isinstance(self.record, dict):
            return Rejected("not an object", None)
        return self.kind.traced.call(record, as_of, {}, trace)

    def explanation(self) -> Explanation:
        result, enrollment = self.result, None
        outcome, reason = "enrollment", ""
        if isinstance(result, Mapped):
            id = result.enrollment.id
            enrollment = result.enrollment.model_dump(mode="json", exclude={"remote_data"})
        else:
            id, reason = result.id, result.reason
            outcome = "skipped" if isinstance(result, Skipped) else "rejected"
        return Explanation(
            outcome=outcome,
            reason=reason,
            id=id,
            connector=self.definition.connector,
            kind=self.name,
            as_of=self.as_of.astimezone(UTC),
            decisions=tuple(self._decisions()),
            watched=tuple(self._watched()),
            fields=tuple(self._fields()),
            status=self._status(),
            flaws=tuple(self.trace.flaws),
            drift=tuple(self.trace.drift),
            enrollment=enrollment,
        )

    def _worked(self, entry: Entry, value: Any) -> Worked:
        places = self.kind.places.get(entry.key, {})
        return Worked(
            key=entry.key,
            expression=entry.text,
            file=entry.file,
            kind=self.name if entry.key in self.kind.own else "",
            reads=tuple(
                Read(text, printable(self.found[text]), stands(self.record, node, self.found[text]))
                for text, node in places.items()
            ),
            value=printable(value),
            flaws=tuple(self._flaws(entry.key)),
        )

    def _flaws(self, key: str) -> Iterator[Flaw]:
        keys = (key, self.kind.traced.owners.get(key, key))
        return (flaw for flaw in self.trace.flaws if flaw.field in keys)

    def _taken(self, entry: Entry) -> Worked:
        return self._worked(entry, self.trace.took.get(entry.key))

    def _condition(self, name: str, entry: Entry, then: str, *, wanted: bool) -> Condition:
        if entry.key not in self.trace.held:
            return Condition(name, None, then, decides=False)
        held = self.trace.held[entry.key]
        return Condition(name, self._worked(entry, held), then, decides=held is wanted)

    def _decisions(self) -> Iterator[Condition]:
        for name, entry in self.shape.skip.items():
            yield self._condition(f"skip.{name}", entry, "left out", wanted=True)
        if self.shape.keep:
            yield self._condition("keep", self.shape.keep, "left out", wanted=False)

    def _watched(self) -> Iterator[Watched]:
        for watch in self.shape.watches:
            if watch.source.key in self.trace.took:
                drift = any(one.what == watch.name for one in self.trace.drift)
                yield Watched(watch.name, self._taken(watch.source), drift)

    # fields

    def _fields(self) -> Iterator[Field]:
        took = self.trace.took
        for name in FILLABLE:
            if name in ("user.emails", "urls", "custom_fields"):
                yield from self._members(name)
            elif name != "status":
                entry = self.shape.fields.get(name)
                if entry is None:
                    yield Field(name, None)
                elif entry.key in took:
                    note = self._moved() if name == "completed_at" else ""
                    yield Field(name, self._taken(entry), note, stands=not note)

    def _members(self, name: str) -> Iterator[Field]:
        groups = {"user.emails": self.shape.emails, "urls": self.shape.urls, "custom_fields": self.shape.custom_fields}
        entries = groups[name]
        if not entries and not (name == "custom_fields" and self.shape.ladder.source):
            yield Field(name, None)
        for entry in entries.values():
            if entry.key in self.trace.took:
                note = self._email(entry) if name == "user.emails" else ""
                yield Field(entry.key, self._taken(entry), note, stands=not note)
            elif name == "user.emails" and self._enrollment:
                yield Field(entry.key, self._taken(entry), "not asked: there is another address", stands=False)
        if name == "custom_fields":
            yield from self._added()

    @property
    def _enrollment(self) -> CourseEnrollment | None:
        return self.result.enrollment if isinstance(self.result, Mapped) else None

    def _email(self, entry: Entry) -> str:
        """Tell why an address is not listed under its own name."""
        value, kind = self.trace.took[entry.key], entry.key.removeprefix("user.emails.")
        if value is None or value == [] or self._enrollment is None:
            return ""
        listed = {email.type for email in self._enrollment.user.emails}
        if (None if kind == "_" else kind) in listed:
            return ""
        return "not used: there is another address" if kind == "login" else "not used: it is listed already"

    def _added(self) -> Iterator[Field]:
        """Give the custom fields that core adds."""
        ladder, enrollment = self.shape.ladder, self._enrollment
        if enrollment is None:
            return
        sources = dict(zip(_ADDED, (ladder.source, ladder.access_ends_at, ladder.valid_until), strict=True))
        for name, entry in sources.items():
            value = self.trace.native if name == "native_status" else self.trace.took.get(entry.key) if entry else None
            shadowed = name in self.shape.custom_fields or name in self.shape.off
            if entry is not None and value is not None and not shadowed:
                yield Field(f"custom_fields.{name}", self._worked(entry, value), "added by core")
        completed, aside = self.shape.fields.get("completed_at"), self.trace.aside
        if completed is not None and aside and self._put_aside() and aside not in self._own_custom():
            yield Field(f"custom_fields.{aside}", self._taken(completed), "moved here from completed_at")

    def _put_aside(self) -> bool:
        off = self.trace.aside in (NOWHERE, *self.shape.off)
        return self.trace.took.get("completed_at") is not None and not off

    def _own_custom(self) -> set[str]:
        """Name the custom fields that the mapping fills."""
        spread = self.trace.took.get("custom_fields.*")
        named = (name for name in self.shape.custom_fields if self.trace.took.get(f"custom_fields.{name}") is not None)
        return {*named, *(spread if isinstance(spread, dict) else {})}

    def _moved(self) -> str:
        """Tell where a completion date went that may not stay."""
        aside = self.trace.aside
        if not aside or self.trace.took.get("completed_at") is None or not isinstance(self.result, Mapped):
            return ""
        beside = f"beside {self.result.enrollment.status.value}"
        if not self._put_aside():
            return f"left out: {beside} it says nothing"
        if aside in self._own_custom():
            return f"left out {beside}: the mapping fills custom_fields.{aside}"
        return f"moved to custom_fields.{aside}: {beside} it does not complete this enrollment"

    # status

    def _status(self) -> StatusSteps | None:
        trace, ladder, result = self.trace, self.shape.ladder, self.result
        if trace.base is None or not isinstance(result, Mapped):
            return None
        rules = tuple(self._condition(rule.name, rule.when, rule.then.value, wanted=True) for rule in ladder.rules)
        table = (ladder.values or {}).get(trace.native.lower()) if trace.native is not None else None
        rule = next((rule.name for rule in rules if rule.decides), "")
        deadlines = tuple(self._deadlines(trace.base))
        at = result.stale_at
        return StatusSteps(
            source=self._taken(ladder.source) if ladder.source else None,
            native=trace.native,
            known=not trace.drifted,
            table=table.value if table else None,
            rules=rules,
            default=ladder.default.value,
            base=trace.base.value,
            base_from="drift" if trace.drifted else rule or ("table" if table else "default"),
            deadlines=deadlines,
            moved_by=next((one.name for one in deadlines if one.effect == "moved"), ""),
            status=result.enrollment.status.value,
            stale_at=at,
            stale_by=()
            if at is None
            else tuple(one.name for one in deadlines if one.effect == "ahead" and one.worked.value == printed(at)),
            after=None if at is None else self._after(at),
        )

    def _after(self, at: datetime) -> str | None:
        """Give the status once an instant is past."""
        later = self._run(Trace(), at + _INSTANT)
        return later.enrollment.status.value if isinstance(later, Mapped) else None

    def _deadlines(self, base: Status) -> Iterator[Deadline]:
        ladder, fields = self.shape.ladder, self.shape.fields
        entries = {
            "pass_mark": ladder.pass_mark if "score" in fields else None,
            "valid_until": ladder.valid_until,
            "access_ends_at": ladder.access_ends_at,
            "due_at": fields.get("due_at"),
        }
        found = {name: self.trace.took.get(entry.key) if entry else None for name, entry in entries.items()}
        effects = effects_of(found, base, self.trace.took.get("score"), self.as_of)
        for name, entry in entries.items():
            if entry is not None:
                yield Deadline(name, self._taken(entry), effects[name])
