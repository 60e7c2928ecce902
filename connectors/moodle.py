"""Moodle LMS 3.7 and later (and Workplace, IOMAD), read through its web services: REST protocol, JSON answers.

Moodle has no enrollment resource: an enrollment is made of a course, its participants (active ones and the others),
the learner's list of courses, the course total and the completion criteria.
After the site's own API documentation (Site administration > Server > Web services), https://docs.moodle.org/en/Web_services,
https://moodledev.io/docs/apis/subsystems/external and answers of real sites (4.3 and 5.1).
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from ..core.connector import Join, Lookup, Page, Partition
from ..core.errors import ContractError, CursorExpired, Gone
from ..core.http import Offset
from ..core.registry import register
from ._moodle import COURSE, COURSES, FRONT_PAGE, SERVER, MoodleSettings, MoodleSite, cut, form, missing
from ._moodle_report import MoodleReport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.connector import Notice
    from ..core.http import PageAnswer
    from ..core.native import JSON, NativeRecord

__all__ = ["Moodle", "MoodleReport", "MoodleSettings"]

ACTIVE, OTHERS = "onlyactive", "onlysuspended"
# without `userfields` the server works out pictures and preferences of each user, which is very slow
USER = "id,username,fullname,email,idnumber,department,lastcourseaccess,roles"
USER_COURSE = ["id", "progress", "completed", "lastaccess", "completionhascriteria", "completionusertracked"]

PARTICIPANTS = "core_enrol_get_enrolled_users"
USER_COURSES = "core_enrol_get_users_courses"
GRADES = "gradereport_user_get_grade_items"
COMPLETION = "core_completion_get_course_completion_status"


@register
class Moodle(MoodleSite):
    """Course participants, completed with progress, grades and completion dates."""

    strategy = "standard"
    lookups = (Lookup("user_courses", "id", whole=False, batch=1), Lookup("completions", "id", whole=False, batch=1))
    joins = (
        # a learner's list leaves out enrollments that are not active; progress in one course is no news of the others
        Join("user_course", "user_courses", "when(active, user.id)", "pick(found.courses, 'id', record.course.id)"),
        # it leaves out hidden courses too: there only the completion itself can tell
        Join(
            "completion",
            "completions",
            "when(active && (user_course.completed || (truth(course.visible) == `false`"
            " && truth(course.enablecompletion))), ids(course.id, user.id))",
        ),
    )

    async def check(self) -> Sequence[Notice]:
        """Read the site's description, which names the functions that the token may call."""
        _, known = await self.describe()
        wanted = {COURSES: "", PARTICIPANTS: "", USER_COURSES: ""}
        wanted |= {GRADES: "fetch_grades"} if self.settings.fetch_grades else {}
        wanted |= {COMPLETION: "fetch_completion_dates"} if self.settings.fetch_completion_dates else {}
        return [missing(function, setting) for function, setting in wanted.items() if function not in known]

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses; hidden ones are among them where the token's user may see them."""
        courses = (await self.call(COURSES)).items("courses")
        for course in sorted(courses, key=_number):
            if _number(course) != FRONT_PAGE:
                yield Partition(f"course:{course['id']}", {"course": cut(course, COURSE)})

    async def pages(self, partition: Partition, cursor: JSON, since: JSON) -> AsyncIterator[Page]:
        """Read a course's participants: first the active ones, then the others."""
        del since
        course: NativeRecord = _context(partition)["course"]
        with self.table() as grades:
            grades.add(await self._grades(course["id"], 0))
            async with aclosing(self._participants(course["id"], cursor)) as participants:
                async for rows, active, following in participants:
                    found = grades.many(row["id"] for row in rows) if active else {}
                    yield Page([_record(row, course, found, active=active) for row in rows], following)

    def fewest(self) -> int:
        """Count a page of active participants, one of the others, and the grades; learners are told nowhere."""
        return 2 + self.settings.fetch_grades

    async def load(self, lookup: str, keys: Sequence[str] | None) -> AsyncIterator[Sequence[NativeRecord]]:
        """Read learners' lists of courses, or completions by `course:user`."""
        for key in keys or ():
            with suppress(Gone):  # it vanished during the walk: nothing is joined
                found = await (self._user_courses(key) if lookup == "user_courses" else self._completion(key))
                yield [{"id": key, **found}] if found else []

    async def _user_courses(self, user: str) -> NativeRecord:
        answer = await self.call(USER_COURSES, userid=user, returnusercount=0)  # 1 costs a count for each course
        return {"courses": [cut(one, USER_COURSE) for one in answer.items()]}

    async def _completion(self, key: str) -> NativeRecord | None:
        if not self.settings.fetch_completion_dates:
            return None
        course, _, user = key.partition(":")
        answer = await self.call(COMPLETION, courseid=course, userid=user)
        return None if "errorcode" in answer.object() else {"completionstatus": answer.object("completionstatus")}

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one learner among a course's participants; Moodle cannot be asked for one alone."""
        del known
        course_id, _, user_id = id.partition(":")
        answer = await self.call(COURSES, field="id", value=course_id) if course_id.isdecimal() else None
        courses = answer.items("courses") if answer and course_id != str(FRONT_PAGE) else []
        for course in courses:
            async with aclosing(self._participants(course["id"], None)) as participants:
                async for rows, active, _following in participants:
                    for row in rows:
                        if str(row["id"]) == user_id:
                            found = await self._grades(course["id"], row["id"]) if active else {}
                            return Page([_record(row, cut(course, COURSE), found, active=active)])
        raise Gone("Moodle has no such participant")

    async def _participants(
        self, course: JSON, cursor: JSON
    ) -> AsyncGenerator[tuple[Sequence[NativeRecord], bool, JSON]]:
        """Give pages of participants, whether they are active, and the cursor behind them."""
        option, start = _place(cursor)
        with self.table() as active:
            if cursor is not None:  # taken up again: who is active has to be known before the others are read
                async for answer in self._list(course, ACTIVE, "id", None):
                    active.add({str(row["id"]): {} for row in answer.items})
            if option == ACTIVE:
                async for answer in self._list(course, ACTIVE, USER, start):
                    active.add({str(row["id"]): {} for row in answer.items})
                    following = ACTIVE if answer.next is not None else OTHERS
                    yield answer.items, True, {"list": following, "from": answer.next}
                start = None
            async for answer in self._list(course, OTHERS, USER, start):
                # an old Moodle ignores the option and lists everybody: those who are active were read already
                seen = active.many(row["id"] for row in answer.items)
                rows = [row for row in answer.items if str(row["id"]) not in seen]
                yield rows, False, None if answer.next is None else {"list": OTHERS, "from": answer.next}

    def _list(self, course: JSON, option: str, fields: str, start: JSON) -> AsyncGenerator[PageAnswer]:
        asked = form(PARTICIPANTS, courseid=course) | {
            "options[0][name]": option,
            "options[0][value]": 1,
            "options[1][name]": "userfields",
            "options[1][value]": fields,
            "options[2][name]": "limitfrom",
            "options[3][name]": "limitnumber",
        }
        # users who may not be seen are taken out after the limit: a short page is not the last one
        pager = Offset("options[2][value]", "options[3][value]", self.settings.page_size, step="size")
        return self.http.paged(SERVER, None, pager, method="POST", form=asked, start=start)

    async def _grades(self, course: JSON, user: JSON) -> dict[str, NativeRecord]:
        """Give course totals by user; user 0 is everybody."""
        if not self.settings.fetch_grades:
            return {}
        grades = (await self.call(GRADES, courseid=course, userid=user)).items("usergrades")
        return {str(one.get("userid")): total for one in grades if (total := _total(one))}


def _context(partition: Partition) -> dict[str, Any]:
    return partition.context if isinstance(partition.context, dict) else {}


def _record(row: NativeRecord, course: NativeRecord, grades: dict[str, NativeRecord], *, active: bool) -> NativeRecord:
    return {"user": row, "active": active, "course": course, "grade": grades.get(str(row["id"]))}


def _place(cursor: JSON) -> tuple[str, JSON]:
    if cursor is None:
        return ACTIVE, None
    if not isinstance(cursor, dict) or cursor.get("list") not in {ACTIVE, OTHERS}:
        raise CursorExpired("the cursor is none of this connector's")
    return str(cursor["list"]), cursor.get("from")


def _number(course: NativeRecord) -> int:
    number = course.get("id")
    if isinstance(number, bool) or not isinstance(number, int):
        raise ContractError("a course has no number")
    return number


def _total(grades: NativeRecord) -> NativeRecord | None:
    items = grades.get("gradeitems")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("itemtype") == "course":
            return item
    return None


register(MoodleReport)
