"""OneRoster's answers: rows under a name or bare, errors in the standard's words, also with 200."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

import httpx

from ..core.errors import ContractError, Forbidden, Gone, VendorError
from ..core.http import Act, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.http import Answer
    from ..core.native import JSON, NativeRecord

__all__ = ["LEAST", "NoListError", "RefusedError", "SlowError", "UnfilteredError", "judged", "rows"]

LEAST = 10
"""The smallest page that a slow server is asked for."""
LISTS = frozenset(
    {"enrollments", "users", "students", "classes", "courses", "academicSessions", "schools", "lineItems", "results"}
)
KEYS = "Check client_id, client_secret and token_url; with OAuth 1.0a, signature_method and this machine's clock."
SCOPES = "Have the scope that opens it allowed for this key, and check the setting `scope`."
FAILURES = {
    "unauthorisedrequest": Verdict(Act.REAUTH, "the server refuses the key or the secret (200, failure)", hint=KEYS),
    "forbidden": Verdict.fail(Forbidden, "these credentials may not read this (200, forbidden)", SCOPES),
    "server_busy": Verdict.throttled("too many requests (200, server_busy)"),
    "internal_server_error": Verdict.retry("the server failed (200, internal_server_error)"),
}
log = logging.getLogger("rollbook.oneroster")


class RefusedError(ContractError):
    """The server takes no such request: some have no sorting, no filter, or no pages that large."""


class UnfilteredError(RefusedError):
    """It has no such filter."""


class NoListError(ContractError):
    """The server does not offer this list."""


class SlowError(VendorError):
    """A gateway gave up waiting for a large page."""


def judged(answer: Answer) -> Verdict | None:
    """Give the verdict on an answer; None: the usual reading."""
    params, resource = httpx.URL(answer.url).params, answer.request.rstrip("/").rpartition("/")[2]
    verdict: Verdict | None = None
    match answer.status:
        case 200:
            verdict = _reported(answer, is_list=resource in LISTS)
        case 400 if params:
            hint = "sort = false, use_filter = false or a smaller page_size may help: not every server takes them."
            kind = UnfilteredError if (code := _minor(answer)) == "invalid_filter_field" else RefusedError
            verdict = Verdict.fail(kind, f"the server takes no such request (400, {code})", hint)
        case 401:
            verdict = Verdict(Act.REAUTH, "the server refuses the key or the secret (401)", hint=KEYS)
        case 403:
            verdict = Verdict.fail(Forbidden, "these credentials may not read this (403)", SCOPES)
        case 404 | 405 | 501 if resource in LISTS:
            hint = "Are base_url and version right? Not every system offers every list."
            verdict = Verdict.fail(NoListError, f"there is no such list ({answer.status})", hint)
        case 504 if int(params.get("limit") or 0) > LEAST:
            verdict = Verdict.fail(SlowError, "a gateway gave up on the page (504)", "Try a smaller page_size.")
        case _:
            pass
    return verdict


def rows(answer: Answer) -> Sequence[NativeRecord]:
    """Give the rows of a list, under the standard's name for them or bare."""
    body, resource = answer.json(), answer.request.rstrip("/").rpartition("/")[2]
    if isinstance(body, list):
        return answer.items()
    key = {"students": "users", "schools": "orgs"}.get(resource, resource)
    return answer.items(resource if isinstance(body, dict) and key not in body and resource in body else key)


def _reported(answer: Answer, *, is_list: bool) -> Verdict | None:
    """Read what may stand beside the data, or in its place, though the status is 200."""
    status = _status(answer.json())
    if str(status.get("imsx_severity")).lower() == "warning":
        log.warning("%s: the server warns (%s)", answer.request, _code(status))
    if str(status.get("imsx_codeMajor")).lower() != "failure":
        return None
    code = _code(status)
    if code == "unknownobject" and not is_list:
        return Verdict.fail(Gone, "it does not exist (200, unknownobject)")
    return FAILURES.get(code) or Verdict.fail(ContractError, f"the server reports a failure (200, {code})")


def _status(body: JSON) -> NativeRecord:
    """Give the standard's status object: it may be wrapped, in a list, or the body itself."""
    if not isinstance(body, dict):
        return {}
    wrapped = [body[key] for key in ("statusInfoSet", "imsx_statusInfo", "imsx_StatusInfo") if key in body]
    status = wrapped[0] if wrapped else body
    status = status[0] if isinstance(status, list) and status else status
    return status if isinstance(status, dict) else {}


def _minor(answer: Answer) -> str:
    try:
        return _code(answer.json())
    except ContractError:  # a gateway's page
        return "no code"


def _code(body: JSON) -> str:
    """Give the minor code, which stands in a list of fields, or alone; texts beside it may hold anything."""
    minor = _status(body).get("imsx_codeMinor") or _status(body).get("imsx_CodeMinor")
    fields = minor.get("imsx_codeMinorField") if isinstance(minor, dict) else [{"imsx_codeMinorFieldValue": minor}]
    first = fields[0] if isinstance(fields, list) and fields else None
    code = str(first.get("imsx_codeMinorFieldValue")).lower() if isinstance(first, dict) else ""
    return code if re.fullmatch("[a-z_]{1,40}", code) and code != "none" else "no code"
