"""Coverage: how directly an LMS tells each unified field and status, worked out from its mapping and declarations."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .mapping.fields import FILLABLE
from .mapping.provenance import Path, provenance
from .mapping.status import OPEN
from .schema import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .connector import Connector
    from .mapping import Definition, Entry, Shape
    from .mapping.grammar import Node

__all__ = ["BY_SETTING", "Coverage", "Reading", "readings"]


class Coverage(StrEnum):
    """How directly the LMS tells something, the most direct first."""

    NATIVE = "native"
    """One value of the enrollment's own record, converted at most."""
    DERIVED = "derived"
    """Worked out from several values, by a rule, a condition, or a pattern."""
    JOINED = "joined"
    """All of it from another resource: the person, the course, the progress."""
    NEVER = "never"
    """Not told."""


_ORDER = tuple(Coverage)
BY_SETTING = "the setting `pass_mark`"
"""The way of a status that only the connection's own setting makes."""


@dataclass(frozen=True)
class Reading:
    """One way of reading an LMS, with records of one shape: a strategy, and the kind of its records.

    A native record is an object of resources (`{enrollment, course, progress}`), or the enrollment itself. Its own
    members are those that the status source reads; where there is no source, those that the `id` reads and `course.id`
    does not. If the source or the `id` reads a plain value of the record, the record itself is the enrollment, and all
    its members are its own. A plain value, which the mapping never looks into, always is; what a declared join attaches
    never.
    """

    strategy: str
    kind: str
    shape: Shape
    joined: frozenset[str]
    """Members that declared joins attach."""

    @cached_property
    def resources(self) -> frozenset[str]:
        """The members that the mapping looks into: objects and lists."""
        paths = (path for entry in self.shape.entries() for path in provenance(entry.node).paths)
        return frozenset(path[0] for path in paths if len(path) > 1) | self.joined

    @cached_property
    def own(self) -> frozenset[str] | None:
        """The members that are the enrollment's own; None for all that are not joined."""
        id, source = self._read(self.shape.fields["id"]), self._read(self.shape.ladder.source)
        if any(path[0] not in self.resources for path in (*id, *source)):
            return None
        if source:
            return frozenset(path[0] for path in source)
        course = {path[0] for path in self._read(self.shape.fields.get("course.id"))}
        members = {path[0] for path in id}
        return frozenset(members - course or members)

    def _read(self, entry: Entry | None) -> set[Path]:
        paths = provenance(entry.node).paths if entry else set[Path]()
        return {path for path in paths if path and path[0] not in self.joined}

    def entry(self, entry: Entry) -> Coverage:
        """Tell how direct an expression of the mapping is."""
        return self._node(entry.node)

    def entries(self, field: str) -> Mapping[str, Entry]:
        """Give what fills a unified field: its expressions by key; a list has several."""
        lists = {"user.emails": self.shape.emails, "urls": self.shape.urls, "custom_fields": self.shape.custom_fields}
        if field in lists:
            return {f"{field}.{name}": entry for name, entry in lists[field].items()}
        return {field: self.shape.fields[field]} if field in self.shape.fields else {}

    def field(self, field: str) -> Coverage:
        """Tell how direct a unified field is: a list as its first entry, custom fields as the most direct one."""
        if field == "remote_data":
            return Coverage.NATIVE
        if field == "status":
            return self._statuses()
        found = [self.entry(entry) for entry in self.entries(field).values()]
        if field != "custom_fields":
            return found[0] if found else Coverage.NEVER
        source = self.shape.ladder.source  # its word is kept as `native_status`
        found += [self.entry(source)] if source and "native_status" not in self.shape.off else []
        return min(found, key=_ORDER.index, default=Coverage.NEVER)

    def _statuses(self) -> Coverage:
        found = {self.status(status) for status in Status if status is not Status.UNKNOWN} - {Coverage.NEVER}
        if not found:
            return Coverage.NEVER
        return found.pop() if len(found) == 1 else Coverage.DERIVED

    def fields(self) -> dict[str, Coverage]:
        """Tell all fields in the schema's order, the parts of `user`, `course` and `assigned_by` each for itself."""
        return {field: self.field(field) for field in (*FILLABLE, "remote_data")}

    def status(self, status: Status) -> Coverage:
        """Tell how direct a status is: as direct as the most direct way that leads to it."""
        return min(self.ways(status).values(), key=_ORDER.index, default=Coverage.NEVER)

    def ways(self, status: Status) -> dict[str, Coverage]:
        """Tell every way that leads to a status: the LMS's words, rules, dates, a setting."""
        ladder = self.shape.ladder
        found: dict[str, Coverage] = {}
        if ladder.source:
            source = self.entry(ladder.source)
            found |= {f"`{word}`": source for word, then in (ladder.values or {}).items() if then is status}
        for rule in ladder.rules:
            if rule.then is status:
                is_joined = self.entry(rule.when) is Coverage.JOINED
                found[f"rule `{rule.name}`"] = Coverage.JOINED if is_joined else Coverage.DERIVED
        if status is ladder.default is not Status.UNKNOWN:
            found["otherwise"] = Coverage.DERIVED
        found |= dict.fromkeys(self._laid_over(status), Coverage.DERIVED)
        if status is Status.UNKNOWN:
            found["any other word" if ladder.source else "otherwise"] = Coverage.DERIVED
        return found

    def _laid_over(self, status: Status) -> Iterable[str]:
        """Name the dates and settings that core lays over a base status, and that can give this one."""
        ladder, base = self.shape.ladder, self.shape.ladder.base()
        if status is Status.PASSED and Status.COMPLETED in base and "score" in self.shape.fields and ladder.pass_mark:
            yield BY_SETTING
        if status is Status.EXPIRED:
            if ladder.valid_until and base & {Status.COMPLETED, Status.PASSED}:
                yield "`valid_until` past"
            if ladder.access_ends_at and base & set(OPEN):
                yield "`access_ends_at` past"
        if status is Status.OVERDUE and "due_at" in self.shape.fields and base & set(OPEN):
            yield "`due_at` past"

    def _node(self, node: Node) -> Coverage:
        found = provenance(node)
        if node.type == "function_expression" and not found.settings:
            reading = [child for child in node.children if provenance(child).paths]
            if node.value == "first":  # as its least direct choice
                order = (Coverage.NATIVE, Coverage.JOINED, Coverage.DERIVED)
                return max((self._node(child) for child in reading), key=order.index, default=Coverage.DERIVED)
            if len(reading) == 1 and node.value not in ("when", "past", "future"):  # a conversion
                return self._node(reading[0])
        if found.settings or not found.paths:
            return Coverage.DERIVED
        if not any(map(self._is_own, found.values or found.paths)):
            return Coverage.JOINED
        if len(found.values) == 1 and not found.conditions and not found.branches:
            return Coverage.NATIVE
        return Coverage.DERIVED

    def _is_own(self, path: Path) -> bool:
        if path and path[0] in self.joined:
            return False
        return self.own is None or path[:1] == () or path[0] in self.own or path[0] not in self.resources


def readings(strategies: Mapping[str, type[Connector[Any]]], definition: Definition) -> list[Reading]:
    """Give every way of reading an LMS.

    A kind of the mapping that has a strategy's name is the shape of that strategy's records; other kinds may come with
    every strategy that has no kind of its own.

    Args:
        strategies: The connector's classes by strategy, the default one first.
        definition: Its mapping.
    """
    shared = [kind for kind in definition.kinds if kind not in strategies or not kind]
    return [
        Reading(strategy, kind, definition.kinds[kind], frozenset(join.into for join in connector.joins))
        for strategy, connector in strategies.items()
        for kind in ((strategy,) if strategy and strategy in definition.kinds else shared)
    ]
