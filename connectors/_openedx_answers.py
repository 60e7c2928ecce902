"""Open edX: where its lists are, and what its answers mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..core.errors import AuthError, ContractError, CursorExpired, Forbidden, Gone
from ..core.http import Act, NextLink, Verdict

if TYPE_CHECKING:
    from ..core.http import Answer

__all__ = ["ACCOUNTS", "AGGREGATOR", "COURSES", "ENROLLMENTS", "GRADES", "NEXT", "REPORTS", "STAFF", "judged", "quoted"]

ENROLLMENTS = "api/enrollment/v1/enrollments"
COURSES = "api/courses/v1/courses/"
ACCOUNTS = "api/user/v1/accounts"
GRADES = "api/grades/v1/courses/"
AGGREGATOR = "completion-aggregator/v1/course/"
# behind a proxy a link may name a host that the LMS only believes to have: its path and query are all that is followed
NEXT = NextLink("next", "pagination.next", any_host=True, count="count")
STAFF = (
    "The application (LMS Django admin > Django OAuth Toolkit > Applications) has to be owned by a user with staff "
    "status; a restricted one needs the scopes, too."
)
REPORTS = "The application's user needs access to the reports of this customer of edX For Business."
_WAIT = re.compile(r"available in (\d+) second")
_WORDS = ("error_code", "developer_message", "detail")
_NO_PLUGIN = Verdict.fail(
    ContractError,
    "the LMS has no completion aggregator",
    "It is a plugin: set fetch_progress = false for a site without it.",
)
_ADDRESS = "Is base_url that of the LMS, and enterprise_url, if it is set, that of the reports?"
_LOGIN = Verdict.fail(AuthError, "the LMS asks for a login in place of an answer", STAFF)
_NO_REPORT = Verdict.fail(Forbidden, "the application's user may not read the report (403)", REPORTS)
_REFUSED = {
    401: Verdict(Act.REAUTH, "the LMS refuses the token (401)", hint=STAFF),
    403: Verdict.fail(Forbidden, "the application's user may not read this (403)", STAFF),
}
_NO_API = Verdict.fail(ContractError, "the LMS has nothing at this address", _ADDRESS)


def judged(answer: Answer) -> Verdict | None:
    """Tell a refused token, missing staff status, a login page and a missing list from a thing that is gone."""
    match answer.status:
        case 200 if answer.is_html and "/login" in answer.request:
            return _LOGIN
        case 400 if answer.request.endswith(ENROLLMENTS) and "username=" in answer.url:
            return Verdict.fail(Gone, "the LMS takes this for no course and learner (400)")
        case 403 if "/enterprise/" in answer.request:
            return _NO_REPORT
        case 404 | 410:
            return _missing(answer)
        case 429 if (wait := _WAIT.search(answer.text())) and "retry-after" not in answer.headers:
            return Verdict.throttled("too many requests (429)", float(wait[1]))
        case _:
            return _REFUSED.get(answer.status)


def quoted(part: str) -> str:
    """Spell a course key or a user name for a path: a plus, and the slashes of old keys, are encoded."""
    return quote(part, safe="")


def _missing(answer: Answer) -> Verdict | None:
    """Read a 404: a list is not empty because of it, and a thing is gone only in the API's own words."""
    path, query = answer.request, answer.url.partition("?")[2]
    if re.search(r"(^|&)(cursor|page)=", query) and not path.endswith(COURSES):
        return Verdict.fail(CursorExpired, "the LMS no longer knows this page of the list")
    if path.endswith(ACCOUNTS) and not answer.body.strip():
        return None  # none of the learners exists
    if path.endswith(("/enrollments", "/enrollments/", COURSES)) or not _says_so(answer):
        return _NO_PLUGIN if AGGREGATOR in path else _NO_API
    return None


def _says_so(answer: Answer) -> bool:
    """Tell whether it is the API that says so, and no proxy, or a site without this part of it."""
    try:
        return any(answer.find(word) for word in _WORDS)
    except ContractError:  # a web page, a line of text, nothing
        return False
