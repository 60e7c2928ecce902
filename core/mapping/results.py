"""What becomes of a native record: an enrollment, a skipped record or a rejected one, with what was noticed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from .finished import enrollment_of, values_of

if TYPE_CHECKING:
    from datetime import datetime

    from ..native import NativeRecord
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


class _Mapped(NamedTuple):
    values: dict[str, Any]
    """Every field of the enrollment but `remote_data`, as `model_dump` gives them: enough to store it."""
    remote_data: NativeRecord
    flaws: tuple[Flaw, ...] = ()
    drift: tuple[Drift, ...] = ()
    stale_at: datetime | None = None
    """Until when (inclusive) the same record maps to the same enrollment; map it again once `stale_at < now`."""


class Mapped(_Mapped):
    """An enrollment: its finished values, and the object of the schema for who asks for it."""

    @property
    def enrollment(self) -> CourseEnrollment:
        """The enrollment, made at the first look."""
        made: CourseEnrollment | None = self.__dict__.get("enrollment")
        if made is None:
            made = self.__dict__["enrollment"] = enrollment_of(self.values, self.remote_data)
        return made

    def of(self, enrollment: CourseEnrollment) -> Mapped:
        """Give the same findings beside another enrollment."""
        return Mapped(values_of(enrollment), enrollment.remote_data, self.flaws, self.drift, self.stale_at)


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
