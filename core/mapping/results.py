"""What becomes of a native record: an enrollment, a skipped record or a rejected one, with what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from ..schema import CourseEnrollment

__all__ = ["Drift", "Flaw", "Mapped", "Rejected", "Skipped"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One value that could not be converted. The field is null, the record lives."""

    field: str
    """The unified field (`due_at`, `user.emails.work`, `custom_fields.cost_center`), or the part of the mapping."""
    type: str
    """JSON type of the native value."""
    preview: str
    """Its shape, with nothing of what it says: `99/99/9999`."""
    reason: str
    """What was expected."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A native word that the mapping has never heard of."""

    what: str
    """`status`, `role`, or another word that the mapping watches."""
    value: str
    """The word, trimmed, at most 80 characters; `(missing)` where a missing one is watched."""


class Mapped(NamedTuple):
    """An enrollment."""

    enrollment: CourseEnrollment
    flaws: tuple[Flaw, ...]
    drift: tuple[Drift, ...]
    stale_at: datetime | None
    """Until when (inclusive) the same record maps to the same enrollment; map it again once `stale_at < now`."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not a learner's enrollment: counted by reason, not stored."""

    reason: str
    """The mapping's name for it, such as `instructor`."""
    id: str | None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot become an enrollment: kept whole with its reason."""

    reason: str
    id: str | None
