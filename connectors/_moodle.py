"""What every way of reading a Moodle site shares: its settings, its one address, its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, SecretStr, model_validator

from ..core.connector import BaseUrl, Connector, Notice, Settings
from ..core.errors import AuthError, ContractError, Forbidden, Gone
from ..core.http import FormToken, Limit, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.http import Answer, Auth, Vault
    from ..core.native import JSON, NativeRecord

SERVER = "webservice/rest/server.php"
SITE_INFO = "core_webservice_get_site_info"
COURSES = "core_course_get_courses_by_field"
FRONT_PAGE = 1
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

REPORT_COLUMNS = {
    "course_idnumber": "Course ID number",
    "course_shortname": "Course short name",
    "username": "Username",
    "user_idnumber": "ID number",
    "email": "Email address",
    "method": "Plugin",
    "status": "Status",
    "created": "Time created",
    "started": "Time started",
    "ended": "Time ended",
    "role": "Role name",
    "completed": "Completed",
    "progress": "Student progress",
    "completion_enrolled": "Time enrolled",
    "completion_started": "Time started",
    "completion_completed": "Time completed",
    "grade": "Grade",
    "last_access": "Last access to course",
}
"""What a report's columns can be, and the heading that Moodle 4.3 and 5.1 give them in English."""
NEEDED_COLUMNS = ("course_shortname", "username", "status")

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
SHARE = "Add the token's user to the report's audience, and give it moodle/reportbuilder:view."
_REFUSED = ["invalidtoken", "servicenotavailable", "usernotconfirmed", "sitepolicynotagreed"]
_FORBIDDEN = ["nopermissions", "notingroup", "requireloginerror", "errorcoursecontextnotvalid"]
_GONE = ["invalidrecord", "invalidrecordunknown", "cannotfindcourse", "invaliduser"]
_LATER = ["dbconnectionfailed", "upgraderunning", "sitemaintenance"]
_NO_DATA = ["nocriteriaset", "usernotenroled", "notenroled", "completionnotenabled", "cannotviewreport"]
_ERRORS: dict[str, Verdict] = {
    **{code: Verdict.reauth(f"Moodle refuses the token ({code})") for code in _REFUSED},
    "accessexception": Verdict.fail(Forbidden, "Moodle refuses access (accessexception)", _NO_ACCESS),
    **{code: Verdict.fail(Forbidden, f"the token's user may not read this ({code})") for code in _FORBIDDEN},
    "errorreportview": Verdict.fail(Forbidden, "the token's user may not see the report (errorreportview)", SHARE),
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
    """Short names of the roles that learners have. A report tells names instead: put those in, too."""
    page_size: int = Field(default=500, ge=1, le=1000)
    """How many participants, or rows of the report, are asked for at once."""
    fetch_grades: bool = True
    """Also read course totals: one large answer a course. Not with the strategy `report`."""
    fetch_completion_dates: bool = True
    """Also read when courses were completed: one request for each completed enrollment. The report has them."""
    report_id: int | None = Field(default=None, ge=1)
    """With the strategy `report`: number of the custom report, as in its address (`/reportbuilder/view.php?id=7`)."""
    report_columns: tuple[str, ...] = tuple(REPORT_COLUMNS)
    """What the report's columns are, from left to right; "" for one that is not to be read."""
    clear_filters: bool = True
    """Clear filters that are set on the report for the token's user before it is read: they would hide rows."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.strategy == "report" and self.report_id is None:
            raise ValueError("`report_id` is missing: the strategy `report` reads a custom report")
        named = [name for name in self.report_columns if name]
        if unknown := [name for name in named if name not in REPORT_COLUMNS]:
            place = self.report_columns.index(unknown[0]) + 1
            raise ValueError(
                f"`report_columns` has an unknown name in place {place}; known: {', '.join(REPORT_COLUMNS)}"
            )
        if len(named) > len(set(named)):
            raise ValueError("`report_columns` names a column twice")
        if lacking := [name for name in NEEDED_COLUMNS if name not in named]:
            raise ValueError(f"`report_columns` needs {', '.join(lacking)}")
        return self

    def auth(self, vault: Vault | None) -> Auth:
        """Send the token in each form; Moodle reads no Authorization header."""
        del vault
        return FormToken("wstoken", self.token)


class MoodleSite(Connector[MoodleSettings]):
    """A site that is asked for one function after the other."""

    name, title = "moodle", "Moodle"
    Settings = MoodleSettings
    numbered_records = True
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
            return Verdict.fail(
                ContractError,
                "this Moodle has no such web service function",
                "Moodle 3.7 is needed, and 4.1 for reports.",
            )
        return _ERRORS.get(code) or Verdict.fail(ContractError, f"Moodle does not take the request ({code[:60]})")

    async def describe(self) -> tuple[NativeRecord, list[JSON]]:
        """Read the site's description, and the names of the functions that the token may call."""
        try:
            info = (await self.call(SITE_INFO)).object()
        except Forbidden as error:  # the one function that every service of ours has: the token itself is no good
            raise AuthError(error.message, where=error.where, hint=error.hint) from None
        functions = info.get("functions")
        named = functions if isinstance(functions, list) else []
        return info, [one.get("name") for one in named if isinstance(one, dict)]

    async def call(self, function: str, **params: JSON) -> Answer:
        """Call a function."""
        return await self.http.post(SERVER, form=form(function, **params))


def form(function: str, **params: JSON) -> dict[str, object]:
    """Make the form that calls a function."""
    return {"wsfunction": function, "moodlewsrestformat": "json", **params}


def cut(record: NativeRecord, keys: Sequence[str]) -> NativeRecord:
    """Keep these members of a record."""
    return {key: record[key] for key in keys if key in record}


def missing(function: str, setting: str = "") -> Notice:
    """Tell that the service lacks a function; a setting can do without it."""
    text = f"The token may not call {function}: add it to the token's external service"
    return Notice(f"{text}, or set {setting} to false." if setting else f"{text}.", "missing")
