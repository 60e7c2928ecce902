"""What a tenant holds, in neutral terms of our own: people, courses and enrollments, as no vendor says them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Account", "Course", "Enrollment", "Life", "Person", "Role", "State"]

Account = Literal["active", "inactive", "vanishing", "deleted"]
"""Of a person's account; `vanishing`: deleted while the list is walked, so still listed, but gone when asked for."""

Life = Literal["open", "ended", "closed", "draft", "deleted"]
"""Of a course; `ended`: its last day is past; `closed`: somebody concluded it, and its learners with it."""

Role = Literal["learner", "instructor", "assistant", "designer", "observer", "preview"]
"""In a course; `preview`: the pretend learner of a teacher who looks at the course."""

State = Literal["invited", "pending", "active", "suspended", "rejected", "concluded", "removed"]
"""Of an enrollment; `pending`: the account is not made yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account."""

    id: int
    first_name: str
    last_name: str
    login: str
    email: str | None
    account: Account = "active"
    staff: bool = False
    guest: bool = False
    """The account belongs to another institution of the same vendor."""
    department: str = ""
    created_at: datetime
    updated_at: datetime

    @property
    def name(self) -> str:
        """First and last name joined."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Something to learn."""

    id: int
    code: str
    title: str
    life: Life = "open"
    requirements: int = 0
    """How many things its modules ask for; 0: it has no modules."""
    time_limit_days: int = 0
    created_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrollment:
    """One person in one section of one course."""

    id: int
    person: int
    course: int
    section: int = 1
    role: Role = "learner"
    state: State = "active"
    enrolled_at: datetime
    changed_at: datetime
    """Last change by staff or system; learning does not move it."""
    last_activity_at: datetime | None = None
    completed_at: datetime | None = None
    percent: int = 0
    seconds: int = 0
    score: float | None = None
    failed: bool = False
    access_ends_at: datetime | None = None
    certified: bool = False
    certificate_ends_at: datetime | None = None
    """None beside `certified`: never."""

    @property
    def begun(self) -> bool:
        """Whether the learner has done anything in it."""
        return self.seconds > 0 or self.percent > 0
