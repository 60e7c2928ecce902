"""An explanation: where every value of an enrollment came from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .fields import printable

if TYPE_CHECKING:
    from datetime import datetime

    from ..native import JSON
    from .results import Drift, Flaw

__all__ = ["Condition", "Deadline", "Effect", "Explanation", "Field", "Read", "StatusSteps", "Watched", "Worked"]

Outcome: TypeAlias = Literal["enrollment", "skipped", "rejected"]
Effect: TypeAlias = Literal["moved", "ahead", "idle", "none"]
"""It moved the status; it still can, when it comes; it does not matter for this status; there is none."""


@dataclass(frozen=True, slots=True)
class Read:
    """A place of the native record that an expression looked at, or a setting."""

    path: str
    value: JSON
    there: bool
    """Whether anything stands there, be it null."""


@dataclass(frozen=True, slots=True)
class Worked:
    """An expression of the mapping, and what it made of the record."""

    key: str
    """Where it stands in the mapping: `user.emails.work`, `status.rules.begun.when`."""
    expression: str
    file: str
    """The mapping or the override that it came from; empty for what holds wherever a mapping says nothing."""
    kind: str
    """The kind that it is for alone; empty if it is for all records."""
    reads: tuple[Read, ...]
    value: JSON
    """What came out, taken into the field's type; date-times as text."""
    flaws: tuple[Flaw, ...]
    """What could not be converted on the way."""


@dataclass(frozen=True, slots=True)
class Field:
    """A unified field, or an entry of a list."""

    name: str
    """`user.name`, `user.emails.work`, `urls.course`, `custom_fields.role`."""
    worked: Worked | None
    """None: the mapping does not fill it, as the LMS does not give it."""
    note: str = ""
    """What became of the value, if it does not simply stand in the field."""
    stands: bool = True
    """Whether what came out, if anything did, stands there in the enrollment."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A reason to leave a record out, or a rule of the status."""

    name: str
    worked: Worked | None
    """None: it was not asked, since another had decided."""
    then: str
    """The status of a rule; `left out` otherwise."""
    decides: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """A native word that is watched for new ones."""

    name: str
    worked: Worked
    drift: bool
    """Whether the mapping has never heard of it."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A step of the ladder's end: the pass mark, or a date."""

    name: str
    worked: Worked
    effect: Effect


@dataclass(frozen=True, slots=True)
class StatusSteps:
    """How the status was found."""

    source: Worked | None
    native: str | None
    """The LMS's word."""
    known: bool
    """Whether the mapping knows the word; true without one."""
    table: str | None
    """What the table of words gives for it."""
    rules: tuple[Condition, ...]
    default: str
    """For a missing word."""
    base: str
    """Before deadlines."""
    base_from: str
    """`drift`, `table`, `default`, or the deciding rule's name."""
    deadlines: tuple[Deadline, ...]
    moved_by: str
    """The deadline that moved it from its base; empty for none."""
    status: str
    stale_at: datetime | None
    """The next instant after which the enrollment is another one."""
    stale_by: tuple[str, ...]
    """Which dates fall on it; empty: a rule or a field looks at the time."""
    after: str | None
    """The status after that instant."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a mapping made of one native record, step by step."""

    outcome: Outcome
    reason: str
    """Why it is no enrollment."""
    id: str | None
    connector: str
    kind: str
    as_of: datetime
    decisions: tuple[Condition, ...]
    """`skip` and `keep`, as far as they were asked."""
    watched: tuple[Watched, ...]
    fields: tuple[Field, ...]
    """In the schema's order; of a record that was left out only the id."""
    status: StatusSteps | None
    flaws: tuple[Flaw, ...]
    drift: tuple[Drift, ...]
    enrollment: dict[str, Any] | None
    """The unified record, without the native one in it."""

    def as_json(self) -> dict[str, JSON]:
        """Give all of it as JSON."""
        return printable(asdict(self))
