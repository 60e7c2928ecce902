"""How enrollments go: each story is one way through a course, with times relative to the tenant's `as_of`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from .facts import Enrollment

if TYPE_CHECKING:
    import random

    from .facts import Course, Role, State

__all__ = ["STORIES", "Story", "tell"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A way through a course."""

    state: State = "active"
    percent: int = 0
    minutes: int = 0
    failed: bool = False
    access_days: int | None = None
    """When access ends, in days from `as_of`; negative: it is over."""
    certificate_days: int | None = None
    """When the certificate ends, likewise; 0: never."""

    @property
    def finished(self) -> bool:
        """Whether the learner met the completion condition."""
        return self.percent == 100 and not self.failed  # noqa: PLR2004 - percent


STORIES = (
    Story(),  # not begun
    Story(minutes=3),  # opened, nothing done
    Story(percent=40, minutes=50),
    Story(percent=100, minutes=95),
    Story(percent=100, minutes=120, certificate_days=200),
    Story(percent=100, minutes=61, certificate_days=-20),  # lapsed
    Story(percent=100, minutes=80, certificate_days=0),  # for ever
    Story(percent=100, minutes=70, failed=True),
    Story(percent=20, minutes=15, access_days=-5),
    Story(percent=100, minutes=66, access_days=-40),  # access ended after the end: still finished
    Story(access_days=-9),  # time ran out before it was begun
    Story(percent=60, minutes=33, access_days=30),
    Story(state="invited"),
    Story(state="pending"),
    Story(state="suspended", percent=20, minutes=11),
    Story(state="rejected"),
    Story(state="removed", percent=40, minutes=9),
    Story(state="concluded", percent=60, minutes=44),
    Story(state="concluded", percent=100, minutes=52),
)


def tell(story: Story, course: Course, as_of: datetime, rng: random.Random, *, id: int, person: int) -> Enrollment:
    """Make the enrollment that a story leads to.

    Args:
        story: What happens.
        course: Where; a closed course concludes its active learners.
        as_of: The tenant's now.
        rng: Decides the details.
        id: The enrollment's id.
        person: Whose it is.
    """
    enrolled = as_of - timedelta(days=rng.randint(60, 300), seconds=rng.randint(0, 86_399))
    completed = as_of - timedelta(days=rng.randint(30, 59), seconds=rng.randint(0, 86_399))
    active = as_of - timedelta(minutes=rng.randint(300, 40_000))
    if course.ends_at:
        active = min(active, course.ends_at - timedelta(hours=1))
    moved = as_of - timedelta(days=rng.randint(3, 19))
    score = float(rng.randint(70, 100)) if story.finished else float(rng.randint(20, 69))
    return Enrollment(
        id=id,
        person=person,
        course=course.id,
        state="concluded" if course.life == "closed" and story.state == "active" else story.state,
        enrolled_at=enrolled,
        changed_at=enrolled if story.state in {"active", "invited", "pending"} else moved,
        last_activity_at=(completed if story.finished else active) if story.minutes else None,
        completed_at=completed if story.finished else None,
        percent=story.percent,
        seconds=story.minutes * 60 + rng.randint(0, 59) if story.minutes else 0,
        score=score if story.percent else None,
        failed=story.failed,
        access_ends_at=None if story.access_days is None else as_of + timedelta(days=story.access_days),
        certified=story.certificate_days is not None,
        certificate_ends_at=as_of + timedelta(days=story.certificate_days) if story.certificate_days else None,
    )


def teach(role: Role, course: Course, as_of: datetime, rng: random.Random, *, id: int, person: int) -> Enrollment:
    """Make the enrollment of somebody who does not learn there."""
    since = max(course.created_at, as_of - timedelta(days=rng.randint(300, 400)))
    seen = as_of - timedelta(hours=rng.randint(2, 50))
    return Enrollment(
        id=id,
        person=person,
        course=course.id,
        role=role,
        enrolled_at=since,
        changed_at=since,
        last_activity_at=seen,
        seconds=213,
    )
