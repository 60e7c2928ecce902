"""The unified schema: one course enrollment, whatever LMS it came from."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

__all__ = ["AssignedBy", "Course", "CourseEnrollment", "Email", "Status", "Url", "User"]


class Status(StrEnum):
    """Where a learner stands in a course. docs/semantics.md says when each one holds."""

    ASSIGNED = "assigned"
    ENROLLED = "enrolled"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    PASSED = "passed"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


def _in_utc(value: datetime) -> datetime:
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError:
        raise ValueError("the date-time is out of range in UTC") from None


def _with_z(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


Moment = Annotated[
    AwareDatetime, AfterValidator(_in_utc), PlainSerializer(_with_z, return_type=str, when_used="json-unless-none")
]
"""An aware date-time, kept in UTC, printed as RFC 3339 with `Z`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Email(_Part):
    """An e-mail address of a learner."""

    email: str
    """The address."""
    type: str | None = None
    """The LMS's own kind: `work`, `primary`, `institution`; `login` for a login in the form of an address."""
    is_primary: bool | None = None
    """True for the first or the preferred one."""


class User(_Part):
    """A learner."""

    id: str | None = None
    """The learner's id in the LMS."""
    name: str | None = None
    """Full or display name; null if the LMS gives none."""
    emails: list[Email] = []
    """E-mail addresses, the primary one first."""


class Course(_Part):
    """The course, or the class, section, session or run that the LMS enrolls people in."""

    id: str | None = None
    """The course's id in the LMS."""
    title: str | None = None
    """The course's title, as plain text."""


class AssignedBy(_Part):
    """Who assigned or enrolled the learner, if another than the learner."""

    id: str | None = None
    """Of the same kind as `user.id`."""
    name: str | None = None
    """Full or display name."""


class Url(_Part):
    """A link for a person with a browser."""

    url: str
    """Absolute address."""
    type: str | None = None
    """`enrollment`, `course`, `certificate`, `launch`, `last_unit`, or the LMS's own word."""


class CourseEnrollment(_Part):
    """One learner in one course. What the LMS does not say is null, never 0 or an empty text."""

    id: str = Field(min_length=1)
    """The enrollment's id: the LMS's own, or its parts joined with `:`. The same in every sync."""
    user: User = User()
    """The learner."""
    course: Course = Course()
    """The course."""
    status: Status = Status.UNKNOWN
    """Where the learner stands, in one of ten words."""
    assigned_at: Moment | None = None
    """When somebody else or a rule assigned it."""
    due_at: Moment | None = None
    """Deadline for completion."""
    enrolled_at: Moment | None = None
    """When the learner was enrolled, registered or joined."""
    started_at: Moment | None = None
    """First activity in the course."""
    last_activity_at: Moment | None = None
    """Last activity of the learner in this enrollment."""
    completed_at: Moment | None = None
    """When the learner met the completion condition."""
    progress_percent: float | None = Field(default=None, ge=0, le=100)
    """How much is done, 0 to 100."""
    time_spent_seconds: int | None = None
    """Time spent in the course, in whole seconds."""
    score: float | None = None
    """Percent where the LMS states or implies a maximum, else its number as it is."""
    is_mandatory: bool | None = None
    """Whether the LMS calls it mandatory or required."""
    assigned_by: AssignedBy | None = None
    """Who assigned or enrolled the learner."""
    attempt_number: int | None = None
    """The number of the last attempt, from 1."""
    attempts_count: int | None = None
    """How many attempts there are."""
    urls: list[Url] = []
    """Links to the enrollment, the course, the certificate."""
    created_at: Moment | None = None
    """When the LMS made the enrollment record."""
    updated_at: Moment | None = None
    """When the LMS last changed the enrollment record."""
    custom_fields: dict[str, Any] = {}
    """Further fields a reader may want, in snake_case; docs/semantics.md lists the common ones."""
    remote_data: dict[str, Any] = {}
    """What the LMS sent for this enrollment, untouched; one key per resource where several were joined."""
