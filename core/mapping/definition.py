"""A mapping as it was loaded: checked, merged with its override, immutable, and still readable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..schema import Status
from .fields import FILLABLE
from .status import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .grammar import Node

__all__ = ["Definition", "Entry", "Ladder", "Rule", "Shape", "Watch"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One expression of a mapping."""

    key: str
    """Where it stands below `course_enrollment`: `user.emails.work`, `status.rules.begun.when`."""
    text: str
    file: str
    """The file that it came from: the mapping, or the override."""
    node: Node
    """As it was parsed."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named rule of the status ladder."""

    name: str
    when: Entry
    then: Status


@dataclass(frozen=True, slots=True)
class Watch:
    """A native word whose unknown values are counted as drift."""

    name: str
    source: Entry
    known: frozenset[str]
    """In lower case."""
    missing: bool
    """Whether a missing one counts too."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """How a status is found."""

    source: Entry | None = None
    values: Mapping[str, Status] | None = None
    """By the native word, in lower case."""
    rules: tuple[Rule, ...] = ()
    default: Status = Status.UNKNOWN
    valid_until: Entry | None = None
    access_ends_at: Entry | None = None
    pass_mark: Entry | None = None

    def base(self) -> set[Status]:
        """Give the statuses that rules and table can give."""
        return {self.default, *(self.values or {}).values(), *(rule.then for rule in self.rules)}


@dataclass(frozen=True, slots=True)
class Shape:
    """The mapping of one kind of records."""

    fields: Mapping[str, Entry]
    """The single values by key: `user.name`, `due_at`."""
    emails: Mapping[str, Entry]
    urls: Mapping[str, Entry]
    custom_fields: Mapping[str, Entry]
    off: frozenset[str]
    """Custom fields that are switched off, also those that core would add."""
    keep: Entry | None
    skip: Mapping[str, Entry]
    watches: tuple[Watch, ...]
    ladder: Ladder

    def filled(self) -> tuple[str, ...]:
        """Name the unified fields that it can fill, in the schema's order."""
        lists = {
            "user.emails": self.emails,
            "urls": self.urls,
            "custom_fields": self.custom_fields or self.ladder.source,
        }
        return tuple(
            name
            for name in FILLABLE
            if name in self.fields or lists.get(name) or (name == "status" and len(self.statuses()) > 1)
        )

    def statuses(self) -> frozenset[Status]:
        """Give the statuses that it can give."""
        base = self.ladder.base()
        found = base | {Status.UNKNOWN}
        if Status.COMPLETED in base and "score" in self.fields and self.ladder.pass_mark:
            found.add(Status.PASSED)
        if self.ladder.valid_until and base & {Status.COMPLETED, Status.PASSED}:
            found.add(Status.EXPIRED)
        if self.ladder.access_ends_at and base & set(OPEN):
            found.add(Status.EXPIRED)
        if "due_at" in self.fields and base & set(OPEN):
            found.add(Status.OVERDUE)
        return frozenset(found)

    def entries(self) -> Iterator[Entry]:
        """Give every expression."""
        for group in (self.fields, self.emails, self.urls, self.custom_fields, self.skip):
            yield from group.values()
        ladder = self.ladder
        yield from (watch.source for watch in self.watches)
        yield from (rule.when for rule in ladder.rules)
        others = self.keep, ladder.source, ladder.valid_until, ladder.access_ends_at, ladder.pass_mark
        yield from (entry for entry in others if entry is not None)


@dataclass(frozen=True, slots=True)
class Definition:
    """A mapping, merged with its override."""

    connector: str
    file: str
    digest: str
    """Changes with everything that can change a result."""
    kinds: Mapping[str, Shape]
    """By kind; the empty kind is the mapping of all other records."""
    warnings: tuple[str, ...]
    """What is allowed but probably not meant, with file, key and column."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The unified fields that it can fill, in the schema's order, of all kinds together."""
        filled = {name for shape in self.kinds.values() for name in shape.filled()}
        return tuple(name for name in FILLABLE if name in filled)

    @property
    def statuses(self) -> frozenset[Status]:
        """The statuses that it can give."""
        return frozenset(status for shape in self.kinds.values() for status in shape.statuses())

    def settings(self) -> dict[str, Entry]:
        """Give the settings that its expressions read, each with one that does."""
        return {
            node.children[0].value: entry
            for shape in self.kinds.values()
            for entry in shape.entries()
            for node in entry.node.walk()
            if node.type == "function_expression" and node.value == "setting"
        }
