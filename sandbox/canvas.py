"""Canvas, REST API v1: read course by course, with Link headers and module progress beside the enrollments."""

from __future__ import annotations

import base64
import json
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.routing import Route

from . import canvas_records as say
from .vendor import Vendor, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .facts import Course, Enrollment, Person
    from .quota import Quota
    from .tenant import Tenant

__all__ = ["Canvas"]

PER_PAGE, MAX_PER_PAGE = 10, 100
TOKENS = "/login/oauth2/token"
LIFE = 3_600
"""Seconds that an access token lives which the developer key gives out."""
_REALM = {"WWW-Authenticate": 'Bearer realm="canvas-lms"'}
_UNPUBLISHED = {"created", "claimed"}
"""What the filter calls the courses whose records say `unpublished`."""
_SEEN_BY_DEFAULT = {"active", "invited", "creation_pending", "inactive"}
_IN_BULK_PROGRESS = {"active", "invited", "creation_pending"}
"""Concluded and suspended learners are not in that list."""


class Canvas(Vendor):
    """An institution's Canvas, asked by an account admin."""

    name = "canvas"
    allowance = (100_000, 10.0)
    example = "/api/v1/accounts/self/courses?include[]=term"

    def __init__(self, tenant: Tenant, quota: Quota, key: str) -> None:
        super().__init__(tenant, quota, key)
        self.grants = 0
        """How many access tokens the developer key was given."""
        self._ends: dict[str, float] = {}

    def settings(self, base_url: str) -> dict[str, str]:
        """Give the connection's settings."""
        return {"base_url": base_url, "access_token": self.key}

    def developer_key(self, base_url: str) -> dict[str, str]:
        """Give the settings of a connection that signs in with a developer key and its refresh token."""
        secrets = {"client_secret": f"{self.key}-secret", "refresh_token": f"{self.key}-refresh"}
        return {"base_url": base_url, "client_id": "10000000000001", **secrets}

    def revoke(self) -> None:
        """Let the access tokens that were given out so far be good no more; the refresh token stays."""
        self._ends.clear()

    def routes(self) -> Sequence[Route]:
        """Give the API's resources."""
        resources = {
            "accounts/{account}/courses": self._courses,
            "accounts/{account}/enrollments/{enrollment:int}": self._enrollment,
            "courses/{course:int}": self._course,
            "courses/{course:int}/enrollments": self._enrollments,
            "courses/{course:int}/bulk_user_progress": self._bulk_progress,
            "courses/{course:int}/users/{user:int}/progress": self._progress,
            "users/{user}": self._user,
        }
        routes = [Route(f"/api/v1/{path}", resource, methods=["GET"]) for path, resource in resources.items()]
        return [*routes, Route(TOKENS, self._token, methods=["POST"])]

    def refuse(self, request: Request) -> Response | None:
        """Want a bearer token, but where they are given out."""
        if request.url.path == TOKENS:
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and (token == self.key or self._ends.get(token, 0.0) > self.quota.clock()):
            return None
        if token:
            return JSONResponse({"errors": [{"message": "Invalid access token."}]}, 401, _REALM)
        body = {"status": "unauthenticated", "errors": [{"message": "user authorization required"}]}
        return JSONResponse(body, 401, _REALM)

    def missing(self) -> Response:
        """Answer for what does not exist."""
        return JSONResponse({"errors": [{"message": "The specified resource does not exist."}]}, 404)

    def throttled(self, status: int | None, headers: Mapping[str, str]) -> Response:
        """Answer as the source does (403); newer servers send 429. Plain text in both cases."""
        return PlainTextResponse(f"{status or 403} Forbidden (Rate Limit Exceeded)", status or 403, headers)

    def broken(self, status: int | None) -> Response:
        """Answer with an error of the application (JSON), or of what stands before it (HTML)."""
        if status not in {None, 500}:
            return HTMLResponse("<html><body><h1>Canvas is unavailable</h1></body></html>", status or 503)
        return JSONResponse({"errors": [{"message": "An error occurred."}], "error_report_id": 4711}, 500)

    def headers(self) -> Mapping[str, str]:
        """Give cost and what is left of the bucket, which holds 600 when it is full."""
        left = 600 * self.quota.remaining / self.quota.limit
        return {"X-Request-Cost": "0.0421", "X-Rate-Limit-Remaining": f"{left:.4f}"}

    def counts(self, path: str) -> bool:
        """Count what is asked with an access token: the bucket is the token's."""
        return path != TOKENS

    # --- resources -------------------------------------------------------------------------------------------------

    async def _token(self, request: Request) -> Response:
        """Give an access token for an hour; the refresh token stays as it is, and does not come again."""
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        wanted = self.developer_key("")
        if (given.get("client_id"), given.get("client_secret")) != (wanted["client_id"], wanted["client_secret"]):
            return JSONResponse({"error": "invalid_client"}, 401)
        if given.get("grant_type") != "refresh_token" or given.get("refresh_token") != wanted["refresh_token"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.grants += 1
        token = f"{self.key}-{self.grants}"
        self._ends[token] = self.quota.clock() + LIFE
        user = {"id": 1, "name": "Admin"}
        return JSONResponse({"access_token": token, "token_type": "Bearer", "user": user, "expires_in": LIFE})

    async def _courses(self, request: Request) -> Response:
        if request.path_params["account"] not in {"self", "1"}:
            return self.missing()
        query = request.query_params
        include = query.getlist("include[]")
        found = [course for course in self.tenant.courses() if self._wanted(course, request)]
        number, size = max(1, whole(query.get("page", "1"))), _per_page(request)
        page = found[(number - 1) * size : number * size]
        links = {"current": str(number), "first": "1"}
        if number * size < len(found):
            links["next"] = str(number + 1)
        if number > 1:
            links["prev"] = str(number - 1)
        return JSONResponse([say.course_record(course, include) for course in page], headers=_link(request, links))

    async def _course(self, request: Request) -> Response:
        course = self.tenant.course(request.path_params["course"])
        if course is None or course.life == "deleted":
            return self.missing()
        return JSONResponse(say.course_record(course, request.query_params.getlist("include[]")))

    async def _enrollments(self, request: Request) -> Response:
        query = request.query_params
        if (course := self.tenant.course(request.path_params["course"])) is None:
            return self.missing()
        types = set(query.getlist("type[]"))
        states = set(query.getlist("state[]")) or _SEEN_BY_DEFAULT
        user = query.get("user_id")
        found = (
            (enrollment, person)
            for enrollment, person in self._of_course(course, _after(request))
            if (not types or say.TYPES[enrollment.role] in types)
            and say.state_of(enrollment, person, course) in states
            and (user is None or str(say.user_id(person)) == user)
        )
        email = "email" in query.getlist("include[]")
        page, links = _page(request, found)
        rows = [
            {**say.enrollment_record(enrollment, person, course), "user": say.user_record(person, email=email)}
            for enrollment, person in page
        ]
        return JSONResponse(rows, headers=links)

    async def _enrollment(self, request: Request) -> Response:
        enrollment = self.tenant.enrollment(request.path_params["enrollment"])
        person = self.tenant.person(enrollment.person) if enrollment else None
        course = self.tenant.course(enrollment.course) if enrollment else None
        if enrollment is None or person is None or course is None:
            return self.missing()
        return JSONResponse(say.enrollment_record(enrollment, person, course))

    async def _bulk_progress(self, request: Request) -> Response:
        course = self.tenant.course(request.path_params["course"])
        if course is None or course.life == "deleted":
            return self.missing()
        if not course.requirements:
            return JSONResponse(say.NOT_MODULE_BASED, 400)
        found = (
            (enrollment, person)
            for enrollment, person in self._of_course(course, _after(request))
            if self._first_current(person, course) == enrollment
        )
        page, links = _page(request, found)
        rows = [say.progress_row(person, self.tenant.of_pair(person.id, course.id), course) for _, person in page]
        return JSONResponse(rows, headers=links)

    async def _progress(self, request: Request) -> Response:
        course = self.tenant.course(request.path_params["course"])
        person = self.tenant.person(say.local_id(request.path_params["user"]))
        if course is None or person is None or course.life == "deleted":
            return self.missing()
        progress = say.progress_record(self.tenant.of_pair(person.id, course.id), course)
        return JSONResponse(progress, 400 if "error" in progress else 200)

    async def _user(self, request: Request) -> Response:
        user = request.path_params["user"]
        own = next(iter(self.tenant.person_ids), 0)
        person = self.tenant.person(own if user == "self" else say.local_id(whole(user)))
        if person is None or person.account in {"vanishing", "deleted"}:
            return self.missing()
        return JSONResponse(say.user_record(person, email=True))

    # --- who is wanted ---------------------------------------------------------------------------------------------

    def _wanted(self, course: Course, request: Request) -> bool:
        query = request.query_params
        states = set(query.getlist("state[]"))
        state = str(say.course_record(course, ())["workflow_state"])
        if "all" not in states and not (
            state in states or (state == "unpublished" and states & _UNPUBLISHED) or (not states and state != "deleted")
        ):
            return False
        types = {f"{kind.capitalize()}Enrollment" for kind in query.getlist("enrollment_type[]")}
        if query.get("with_enrollments") != "true" and not types:
            return True
        return any(
            not types or say.TYPES[enrollment.role] in types
            for enrollment in self.tenant.of_course(course.id)
            if enrollment.state != "removed"
        )

    def _of_course(self, course: Course, after: int) -> Iterator[tuple[Enrollment, Person]]:
        for enrollment in self.tenant.of_course(course.id, after):
            if person := self.tenant.person(enrollment.person):
                yield enrollment, person

    def _first_current(self, person: Person, course: Course) -> Enrollment | None:
        """Give the enrollment by which a learner is in bulk progress: once, whatever the sections."""
        return next(
            (
                enrollment
                for enrollment in self.tenant.of_pair(person.id, course.id)
                if enrollment.role == "learner" and say.state_of(enrollment, person, course) in _IN_BULK_PROGRESS
            ),
            None,
        )


def _page(
    request: Request, found: Iterator[tuple[Enrollment, Person]]
) -> tuple[list[tuple[Enrollment, Person]], dict[str, str]]:
    """Cut a page off, and make the links to the others: bookmarks, no numbers and no last."""
    size = _per_page(request)
    page = list(islice(found, size + 1))
    links = {"current": request.query_params.get("page", "first"), "first": "first"}
    if len(page) > size:
        bookmark = json.dumps([str(page[size - 1][0].id)]).encode()
        links["next"] = f"bookmark:{base64.urlsafe_b64encode(bookmark).decode().rstrip('=')}"
    return page[:size], _link(request, links)


def _after(request: Request) -> int:
    """Read a bookmark; one that cannot be read is the first page, as in the source."""
    kind, _, bookmark = request.query_params.get("page", "").partition(":")
    try:
        padded = bookmark + "=" * (-len(bookmark) % 4)
        return int(json.loads(base64.urlsafe_b64decode(padded))[0]) if kind == "bookmark" else 0
    except (ValueError, LookupError, TypeError):
        return 0


def _per_page(request: Request) -> int:
    return min(whole(request.query_params.get("per_page", "")) or PER_PAGE, MAX_PER_PAGE)


def _link(request: Request, pages: dict[str, str]) -> dict[str, str]:
    address = request.url.replace(query="")
    others = [(key, value) for key, value in request.query_params.multi_items() if key not in {"page", "per_page"}]
    links: list[str] = []
    for relation, page in pages.items():
        query = urlencode([*others, ("page", page), ("per_page", _per_page(request))], safe=":")
        links.append(f'<{address}?{query}>; rel="{relation}"')
    return {"Link": ",".join(links)}
