"""Schoology's answers: rows under a name in the singular, errors in plain text, many answers in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from ..core.errors import ContractError, Forbidden
from ..core.http import Act, Answer, NextLink, PageAnswer, Stop, Verdict
from ..core.native import dump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.http import Http
    from ..core.native import NativeRecord

__all__ = ["PAGES", "first_page", "judged", "multiget", "rows"]

# its links may begin with http://, or name the host behind a proxy: only their path and query are taken
PAGES = NextLink("links.next", any_host=True, count="total")
KEYS = {
    "courses": "course",
    "sections": "section",
    "enrollments": "enrollment",
    "users": "user",
    "inactive": "user",
    "completion": "completion",
    "gradingperiods": "gradingperiods",
}
LISTS = frozenset({"courses", "users", "users/inactive", "users/me", "gradingperiods", "multiget"})
WINDOW = 5.0
"""Seconds after which Schoology counts afresh; it need not say so."""
KEY = (
    "Check client_id and client_secret, and this machine's clock. A personal key may not read other people "
    "(since June 2025): it has to be the school's or district's own."
)
ROLE = "Does the key's user have the permission, and administer the building? Read with the key of a system admin."

_REPLAYED = Verdict(
    Act.RETRY, "Schoology refuses the time or nonce of the request (401)", hint="Is this machine's clock right?"
)
_REFUSED = Verdict(Act.REAUTH, "Schoology refuses the key (401)", hint=KEY)
_UNKNOWN = Verdict.fail(ContractError, "Schoology does not know this request", "Is base_url right?")


def judged(answer: Answer) -> Verdict | None:
    """Give the verdict on an answer; None: the usual reading. Error bodies are plain text or XML, never read."""
    match answer.status:
        case 401 if "timestamp" in answer.text().lower():
            return _REPLAYED  # the next attempt has others
        case 401:
            return _REFUSED
        case 403:
            return Verdict.fail(Forbidden, "the key may not read this (403)", ROLE)
        case 404 | 405 if answer.request.partition("/v1/")[2] in LISTS:
            return _UNKNOWN  # a list that is not there must not read as empty
        case 429 if "retry-after" not in answer.headers:
            return Verdict.throttled("too many requests (429)", WINDOW)
        case _:
            return None


def rows(answer: Answer) -> Sequence[NativeRecord]:
    """Give the rows of a list; the name for them is missing where there are none.

    Raises:
        ContractError: It is no such list. Schoology may give a section or course in the place of what it does not have.
    """
    body, key = answer.object(), KEYS[answer.request.rpartition("/")[2]]
    is_list = "id" not in body and ("links" in body or "total" in body)
    if key not in body and is_list and not PAGES.total(answer):
        return ()
    return answer.items(key)


def first_page(answer: Answer) -> PageAnswer:
    """Read the first page of a list that was asked for together with others."""
    found = rows(answer)
    following = PAGES.after(None, answer, found)
    stop = following.reason if isinstance(following, Stop) else ""
    return PageAnswer(found, answer, None if isinstance(following, Stop) else following, PAGES.total(answer), stop)


async def multiget(http: Http, paths: Sequence[str]) -> list[Answer | None]:
    """Ask for up to 50 things in one request, which answers 200 whatever became of them.

    Returns:
        Their answers, in the same order; None for what failed, and is to be asked for alone: that tells why.
    """
    answer = await http.post("v1/multiget", json={"request": [f"/{path}" for path in paths]})
    found = answer.items("response")
    if len(found) != len(paths):
        raise _disordered(answer)
    return [_one(answer, path, item) for path, item in zip(paths, found, strict=True)]


def _one(whole: Answer, path: str, item: NativeRecord) -> Answer | None:
    place, location, body = f"/{path.partition('?')[0]}", item.get("location"), item.get("body")
    if isinstance(location, str) and location and place not in location:
        raise _disordered(whole)
    if str(item.get("response_code")) != "200" or not isinstance(body, dict):
        return None
    url = str(httpx.URL(whole.url).join(f"/{path}"))
    return Answer(200, httpx.Headers(), dump(body).encode(), f"GET {place}", url)


def _disordered(answer: Answer) -> ContractError:
    hint = 'strategy = "get" asks for each thing alone.'
    return ContractError("the answers are not those to the requests, in their order", where=answer.request, hint=hint)
