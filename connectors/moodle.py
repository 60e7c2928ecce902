"""Moodle LMS 3.7 and later (and Workplace, IOMAD), read through its web services: REST protocol, JSON answers.

Moodle has no enrollment resource: an enrollment is made of a course, its participants (active ones and the others),
the learner's list of courses, the course total and the completion criteria.
After the site's own API documentation (Site administration > Server > Web services), https://docs.moodle.org/en/Web_services,
https://moodledev.io/docs/apis/subsystems/external and answers of real sites (4.3 and 5.1).
"""

from __future__ import annotations

from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

from pydantic import Field, SecretStr

from ..core.connector import BaseUrl, Connector, Join, Lookup, Notice, Page, Partition, Settings
from ..core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Auth, FormToken, Limit, Offset, Verdict
from ..core.registry import register

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ..core.http import Answer, PageAnswer, Vault
    from ..core.native import JSON, NativeRecord

__all__ = ["Moodle", "MoodleSettings"]

SERVER = "webservice/rest/server.php"
ACTIVE, OTHERS = "onlyactive", "onlysuspended"
# without `userfields` the server works out pictures and preferences of each user, which is very slow
USER = "id,username,fullname,email,idnumber,department,lastcourseaccess,roles"
COURSE = [
    "id",
    "shortname",
    "fullname",
    "idnumber",
    "categoryid",
    "categoryname",
    "format",
    "startdate",
    "enddate",
    "visible",
    "enablecompletion",
    "lang",
    "customfields",
]
USER_COURSE = ["id", "progress", "completed", "lastaccess", "completionhascriteria", "completionusertracked"]
FRONT_PAGE = 1

SITE_INFO = "core_webservice_get_site_info"
COURSES = "core_course_get_courses_by_field"
PARTICIPANTS = "core_enrol_get_enrolled_users"
USER_COURSES = "core_enrol_get_users_courses"
GRADES = "gradereport_user_get_grade_items"
COMPLETION = "core_completion_get_course_completion_status"

_SWITCHED_OFF = Verdict.fail(
    AuthError,
    "the site takes no REST requests (403 without a text)",
    "Enable web services and the REST protocol under Site administration > Server > Web services.",
)
_NO_ACCESS = (
    "Is the function in the token's external service, is this address allowed, has the token not expired, "
    "and may its user use REST (webservice/rest:use)?"
)
_NO_GRADES = "Give it gradereport/user:view and moodle/grade:viewall, or set fetch_grades to false."
_REFUSED = ["invalidtoken", "servicenotavailable", "usernotconfirmed", "sitepolicynotagreed"]
_FORBIDDEN = [
    "nopermissions",
    "notingroup",
    "requireloginerror",
    "errorcoursecontextnotvalid",
    "errorreportview",
]
_GONE = ["invalidrecord", "invalidrecordunknown", "cannotfindcourse", "invaliduser"]
_LATER = ["dbconnectionfailed", "upgraderunning", "sitemaintenance"]
_NO_DATA = ["nocriteriaset", "usernotenroled", "notenroled", "completionnotenabled", "cannotviewreport"]
_ERRORS: dict[str, Verdict] = {
    **{code: Verdict.reauth(f"Moodle refuses the token ({code})") for code in _REFUSED},
    "accessexception": Verdict.fail(Forbidden, "Moodle refuses access (accessexception)", _NO_ACCESS),
    **{code: Verdict.fail(Forbidden, f"the token's user may not read this ({code})") for code in _FORBIDDEN},
    "nopermissiontoviewgrades": Verdict.fail(Forbidden, "the token's user may not read the grades", _NO_GRADES),
    **{code: Verdict.fail(Gone, f"it does not exist ({code})") for code in _GONE},
    **{code: Verdict.retry(f"Moodle cannot answer now ({code})") for code in _LATER},
    # what the completion function says of learners and courses without completion: no data, not an error
    **{code: Verdict.accept() for code in _NO_DATA},
}


class MoodleSettings(Settings):
    """One Moodle site."""

    base_url: BaseUrl | None = Field(...)
    """Address of the site, as its `wwwroot` has it, such as https://moodle.example.com or https://example.com/moodle."""
    token: SecretStr
    """Token of the external service (Site administration > Server > Web services > Manage tokens)."""
    student_role_shortnames: tuple[str, ...] = ("student",)
    """Short names of the roles that learners have."""
    page_size: int = Field(default=500, ge=1, le=1000)
    """How many participants are asked for at once."""
    fetch_grades: bool = True
    """Also read course totals: one large answer a course."""
    fetch_completion_dates: bool = True
    """Also read when courses were completed: one request for each completed enrollment."""

    def auth(self, vault: Vault | None) -> Auth:
        """Send the token in each form; Moodle reads no Authorization header."""
        del vault
        return FormToken("wstoken", self.token)


@register
class Moodle(Connector[MoodleSettings]):
    """Course participants, completed with progress, grades and completion dates."""

    name, title = "moodle", "Moodle"
    Settings = MoodleSettings
    numbered_records = True
    lookups = (Lookup("user_courses", "id", whole=False, batch=1), Lookup("completions", "id", whole=False, batch=1))
    joins = (
        # a learner's list leaves out enrollments that are not active
        Join("user_courses", "user_courses", "when(active, user.id)"),
        # it leaves out hidden courses too: there only the completion itself can tell
        Join(
            "completion",
            "completions",
            "when(active && (pick(user_courses.courses, 'id', course.id).completed || (truth(course.visible) == `false`"
            " && truth(course.enablecompletion))), ids(course.id, user.id))",
        ),
    )
    cursor_hours = 1.0
    credentials = frozenset({"userprivateaccesskey"})

    def limits(self) -> Sequence[Limit]:
        """Moodle has no rate limit; its servers gain nothing from more requests at once."""
        return (Limit(at_once=4),)

    @staticmethod
    def verdict(answer: Answer) -> Verdict | None:
        """Errors come with 200, as an object with an `errorcode`."""
        if answer.status == 403 and not answer.body:  # noqa: PLR2004 - HTTP's own number
            return _SWITCHED_OFF
        if answer.status != 200 or answer.is_html:  # noqa: PLR2004 - likewise
            return None
        body = answer.json()
        if not isinstance(body, dict) or not ("errorcode" in body or "exception" in body):
            return None
        code = str(body.get("errorcode"))
        if code == "invalidrecord" and "external_functions" in str(body.get("message")):
            return Verdict.fail(ContractError, "this Moodle has no such web service function", "Moodle 3.7 is needed.")
        return _ERRORS.get(code) or Verdict.fail(ContractError, f"Moodle does not take the request ({code[:60]})")

    async def check(self) -> Sequence[Notice]:
        """Read the site's description, which names the functions that the token may call."""
        try:
            info = (await self._call(SITE_INFO)).object()
        except Forbidden as error:  # the one function that every service of ours has: the token itself is no good
            raise AuthError(error.message, where=error.where, hint=error.hint) from None
        functions = info.get("functions")
        named = functions if isinstance(functions, list) else []
        known = [one.get("name") for one in named if isinstance(one, dict)]
        wanted = {COURSES: True, PARTICIPANTS: True, USER_COURSES: True}
        wanted |= {GRADES: False} if self.settings.fetch_grades else {}
        wanted |= {COMPLETION: False} if self.settings.fetch_completion_dates else {}
        return [_missing(function, needed=needed) for function, needed in wanted.items() if function not in known]

    async def partitions(self) -> AsyncIterator[Partition]:
        """List the courses; hidden ones are among them where the token's user may see them."""
        courses = (await self._call(COURSES)).items("courses")
        for course in sorted(courses, key=_number):
            if _number(course) != FRONT_PAGE:
                yield Partition(f"course:{course['id']}", {"course": _cut(course, COURSE)})

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
        answer = await self._call(USER_COURSES, userid=user, returnusercount=0)  # 1 costs a count for each course
        return {"courses": [_cut(one, USER_COURSE) for one in answer.items()]}

    async def _completion(self, key: str) -> NativeRecord | None:
        if not self.settings.fetch_completion_dates:
            return None
        course, _, user = key.partition(":")
        answer = await self._call(COMPLETION, courseid=course, userid=user)
        return None if "errorcode" in answer.object() else {"completionstatus": answer.object("completionstatus")}

    async def fetch(self, id: str, known: NativeRecord | None) -> Page:
        """Look for one learner among a course's participants; Moodle cannot be asked for one alone."""
        del known
        course_id, _, user_id = id.partition(":")
        answer = await self._call(COURSES, field="id", value=course_id) if course_id.isdecimal() else None
        courses = answer.items("courses") if answer and course_id != str(FRONT_PAGE) else []
        for course in courses:
            async with aclosing(self._participants(course["id"], None)) as participants:
                async for rows, active, _following in participants:
                    for row in rows:
                        if str(row["id"]) == user_id:
                            found = await self._grades(course["id"], row["id"]) if active else {}
                            return Page([_record(row, _cut(course, COURSE), found, active=active)])
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
        form = _form(PARTICIPANTS, courseid=course) | {
            "options[0][name]": option,
            "options[0][value]": 1,
            "options[1][name]": "userfields",
            "options[1][value]": fields,
            "options[2][name]": "limitfrom",
            "options[3][name]": "limitnumber",
        }
        # users who may not be seen are taken out after the limit: a short page is not the last one
        pager = Offset("options[2][value]", "options[3][value]", self.settings.page_size, step="size")
        return self.http.paged(SERVER, None, pager, method="POST", form=form, start=start)

    async def _grades(self, course: JSON, user: JSON) -> dict[str, NativeRecord]:
        """Give course totals by user; user 0 is everybody."""
        if not self.settings.fetch_grades:
            return {}
        grades = (await self._call(GRADES, courseid=course, userid=user)).items("usergrades")
        return {str(one.get("userid")): total for one in grades if (total := _total(one))}

    async def _call(self, function: str, **params: JSON) -> Answer:
        return await self.http.post(SERVER, form=_form(function, **params))


def _form(function: str, **params: JSON) -> dict[str, object]:
    return {"wsfunction": function, "moodlewsrestformat": "json", **params}


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


def _cut(record: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    return {key: record[key] for key in keys if key in record}


def _total(grades: NativeRecord) -> NativeRecord | None:
    items = grades.get("gradeitems")
    for item in items if isinstance(items, list) else []:
        if isinstance(item, dict) and item.get("itemtype") == "course":
            return item
    return None


def _missing(function: str, *, needed: bool) -> Notice:
    text = f"The token may not call {function}: add it to the token's external service"
    if needed:
        return Notice(f"{text}.", "missing")
    setting = "fetch_grades" if function == GRADES else "fetch_completion_dates"
    return Notice(f"{text}, or set {setting} to false.", "missing")
