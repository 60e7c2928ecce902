"""The synthetic tenant: a function of seed, size and `as_of`, with what was changed since laid over it.

Nothing is held but the changes: people, courses and enrollments are made when they are asked for, so that a tenant of
a million people costs no more memory than one of twenty-five. An enrollment's number tells its person and slot, and a
person's slots tell their courses, so that both directions are arithmetic.
"""

from __future__ import annotations

import heapq
import random
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isqrt
from typing import TYPE_CHECKING, Any

from .facts import Course, Enrollment, Person
from .people import DEPARTMENTS, NAMES, TITLES
from .stories import STORIES, teach, tell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .facts import Account, Life, Role, State

__all__ = ["Course", "Enrollment", "Person", "Tenant"]

FIRST_PERSON, FIRST_COURSE, FIRST_ENROLLMENT = 101, 11, 1001
"""Ids start apart, so that one kind is not taken for another unnoticed."""

_SLOTS = (0, 1, 3, 0)
"""Each person's courses, as steps from their own number; the last is a second section of the first."""
_LIVES: tuple[Life, ...] = ("open", "open", "open", "closed", "ended", "draft", "deleted")
_WITHOUT_MODULES = 2
_STAFF: tuple[Role, ...] = ("instructor", "assistant", "designer", "observer")


class Tenant:
    """A made-up tenant.

    Args:
        seed: Another seed makes other details.
        size: How many people.
        courses: How many courses; by default as many as a tenant of that size might have.
        as_of: The tenant's now, which all its times are relative to; by default when it is made.
    """

    def __init__(
        self, *, seed: int = 1, size: int = 25, courses: int | None = None, as_of: datetime | None = None
    ) -> None:
        self.seed = seed
        self.size = size
        self.as_of = (as_of or datetime.now(UTC)).replace(microsecond=0)
        self.course_ids = range(FIRST_COURSE, FIRST_COURSE + (max(6, isqrt(size)) if courses is None else courses))
        self.person_ids: Sequence[int] = range(FIRST_PERSON, FIRST_PERSON + size)
        """Of everybody listed: the deleted are not."""
        self._lock = threading.Lock()
        self._people: dict[int, Person] = {}
        self._courses: dict[int, Course] = {}
        self._enrollments: dict[int, Enrollment] = {}
        self._added: list[int] = []
        self._next = FIRST_ENROLLMENT + size * len(_SLOTS)
        if self.course_ids and size:
            self._add_preview()

    # --- reading ---------------------------------------------------------------------------------------------------

    def person(self, id: int) -> Person | None:
        """Give a person, also a deleted one; None if there never was one."""
        return self._people.get(id) or self._made_person(id)

    def course(self, id: int) -> Course | None:
        """Give a course, also a deleted one; None if there never was one."""
        return self._courses.get(id) or self._made_course(id)

    def enrollment(self, id: int) -> Enrollment | None:
        """Give an enrollment, in whatever state; None if there never was one."""
        return self._enrollments.get(id) or self._made_enrollment(id)

    def courses(self) -> Iterator[Course]:
        """Give all courses, by id."""
        return (course for each in self.course_ids if (course := self.course(each)))

    def of_person(self, person: int) -> Iterator[Enrollment]:
        """Give a person's enrollments, by id."""
        number = person - FIRST_PERSON
        if 0 <= number < self.size:
            first = FIRST_ENROLLMENT + number * len(_SLOTS)
            yield from self._existing(range(first, first + len(_SLOTS)))
        yield from (enrollment for enrollment in self._existing(list(self._added)) if enrollment.person == person)

    def of_course(self, course: int, after: int = 0) -> Iterator[Enrollment]:
        """Give a course's enrollments with an id above `after`, by id."""
        steps, count = len(_SLOTS), len(self.course_ids)
        start = max(0, after - FIRST_ENROLLMENT) // steps
        slots: list[range] = []
        for slot, step in enumerate(_SLOTS):
            person = start + (course - FIRST_COURSE - step - start) % count
            slots.append(range(person * steps + slot, self.size * steps, count * steps))
        ids = (FIRST_ENROLLMENT + number for number in heapq.merge(*slots))
        yield from self._existing(each for each in ids if each > after)
        added = self._existing(each for each in list(self._added) if each > after)
        yield from (enrollment for enrollment in added if enrollment.course == course)

    def of_pair(self, person: int, course: int) -> list[Enrollment]:
        """Give the enrollments of one person in one course, by id."""
        return [enrollment for enrollment in self.of_person(person) if enrollment.course == course]

    def enrollments(self) -> Iterator[Enrollment]:
        """Give all enrollments, by id."""
        yield from self._existing(range(FIRST_ENROLLMENT, self._next))

    def _existing(self, ids: Iterator[int] | Sequence[int]) -> Iterator[Enrollment]:
        return (enrollment for each in ids if (enrollment := self.enrollment(each)))

    # --- changing --------------------------------------------------------------------------------------------------

    def enrol(self, person: int, course: int, *, role: Role = "learner", state: State = "active") -> Enrollment:
        """Enrol somebody, as of now.

        Raises:
            LookupError: There is no such person or course.
        """
        if self.person(person) is None or self.course(course) is None:
            raise LookupError(f"the tenant has no person {person} or no course {course}")
        with self._lock:
            enrollment = Enrollment(
                id=self._next,
                person=person,
                course=course,
                role=role,
                state=state,
                enrolled_at=self.as_of,
                changed_at=self.as_of,
            )
            self._enrollments[enrollment.id] = enrollment
            self._added.append(enrollment.id)
            self._next += 1
        return enrollment

    def change(self, id: int, **facts: Any) -> Enrollment:
        """Set any facts of an enrollment.

        Raises:
            LookupError: There is no such enrollment.
        """
        with self._lock:
            changed = self._enrollments[id] = replace(self._known(id), **facts)
        return changed

    def progress(self, id: int, percent: int, *, seconds: int = 600) -> Enrollment:
        """Let a learner learn: come to that percentage in so many more seconds."""
        spent = self._known(id).seconds + seconds
        return self.change(id, percent=percent, seconds=spent, last_activity_at=self.as_of)

    def complete(self, id: int, *, score: float | None = None) -> Enrollment:
        """Let a learner meet the completion condition."""
        self.progress(id, 100)
        return self.change(id, completed_at=self.as_of, score=score, failed=False)

    def remove(self, id: int) -> Enrollment:
        """Take somebody's place in a course away; some vendors still show it as deleted, some no more."""
        return self.change(id, state="removed", changed_at=self.as_of)

    def delete_person(self, id: int) -> None:
        """Delete somebody's account.

        Raises:
            LookupError: There is no such person.
        """
        if (person := self.person(id)) is None:
            raise LookupError(f"the tenant has no person {id}")
        with self._lock:
            self._people[id] = replace(person, account="deleted", updated_at=self.as_of)
            self.person_ids = [other for other in self.person_ids if other != id]

    def delete_course(self, id: int) -> None:
        """Delete a course.

        Raises:
            LookupError: There is no such course.
        """
        if (course := self.course(id)) is None:
            raise LookupError(f"the tenant has no course {id}")
        with self._lock:
            self._courses[id] = replace(course, life="deleted")

    def _known(self, id: int) -> Enrollment:
        if (enrollment := self.enrollment(id)) is None:
            raise LookupError(f"the tenant has no enrollment {id}")
        return enrollment

    # --- making ----------------------------------------------------------------------------------------------------

    def _made_person(self, id: int) -> Person | None:
        number = id - FIRST_PERSON
        if not 0 <= number < self.size:
            return None
        given, family = NAMES[number % len(NAMES)]
        turn = number // len(NAMES) + self.seed - 1
        romanised, first = list(given.items())[turn % len(given)]
        login = f"{romanised}{id}"
        return Person(
            id=id,
            first_name=first,
            last_name=family[(turn // len(given) + number) % len(family)],
            login=login,
            email=f"{login}@example.com" if (number + 1) % 13 else None,
            account=_account(number),
            staff=_is_staff(number),
            guest=(number + 1) % 11 == 0,
            department=DEPARTMENTS[number % len(DEPARTMENTS)],
            created_at=self.as_of - timedelta(days=401 + number % 500, hours=number % 24),
            updated_at=self.as_of - timedelta(days=2 + number % 50, minutes=number % 60),
        )

    def _made_course(self, id: int) -> Course | None:
        if id not in self.course_ids:
            return None
        number = id - FIRST_COURSE
        life = _LIVES[number % len(_LIVES)]
        title, edition = TITLES[number % len(TITLES)], number // len(TITLES)
        return Course(
            id=id,
            code=f"C-{id:03}",
            title=f"{title} {edition + 1}" if edition else title,
            life=life,
            requirements=0 if number % len(_LIVES) == _WITHOUT_MODULES else 5,
            time_limit_days=90 if number % len(_LIVES) == 1 else 0,
            created_at=self.as_of - timedelta(days=500 - number % 30),
            starts_at=self.as_of - timedelta(days=310) if life in {"ended", "closed"} else None,
            ends_at=self.as_of - timedelta(days=20) if life in {"ended", "closed"} else None,
        )

    def _made_enrollment(self, id: int) -> Enrollment | None:
        number = id - FIRST_ENROLLMENT
        person, slot = divmod(number, len(_SLOTS))
        if not 0 <= person < self.size or not self.course_ids or not _taken(person, slot):
            return None
        course = self._made_course(self.course_ids[(person + _SLOTS[slot]) % len(self.course_ids)])
        assert course is not None  # noqa: S101 - taken from the tenant's own ids
        rng = random.Random(f"{self.seed}:{id}")
        if _is_staff(person) and slot == 0:
            role = _STAFF[person // 8 % len(_STAFF)]
            return teach(role, course, self.as_of, rng, id=id, person=FIRST_PERSON + person)
        # by these steps each story is told even in the smallest tenant, whatever the seed (a test sees to it)
        story = STORIES[(17 * person + 14 * slot + 7 * self.seed) % len(STORIES)]
        made = tell(story, course, self.as_of, rng, id=id, person=FIRST_PERSON + person)
        return replace(made, section=2) if slot == len(_SLOTS) - 1 else made

    def _add_preview(self) -> None:
        nobody = FIRST_PERSON + self.size
        made = self.as_of - timedelta(days=100)
        self._people[nobody] = Person(
            id=nobody, first_name="Test", last_name="Student", login="", email=None, created_at=made, updated_at=made
        )
        self.enrol(nobody, FIRST_COURSE, role="preview")


def _account(number: int) -> Account:
    if number % 50 == 7:  # noqa: PLR2004 - one in fifty, also in the smallest tenant
        return "vanishing"
    return "inactive" if number % 12 == 5 else "active"  # noqa: PLR2004 - likewise, one in twelve


def _is_staff(number: int) -> bool:
    return number % 8 == 0


def _taken(person: int, slot: int) -> bool:
    """Tell whether the slot holds an enrollment: one in six is in a second section, one in three in fewer courses."""
    if slot == len(_SLOTS) - 1:
        return person % 6 == 1
    return slot != 2 or person % 3 != 2  # noqa: PLR2004 - the third slot
