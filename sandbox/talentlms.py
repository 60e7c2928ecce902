"""TalentLMS, API v1: everything is text, arguments lie in the path, and there is no id of an enrollment."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from . import talentlms_records as say
from .vendor import Vendor, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from .facts import Course, Enrollment, Person
    from .vendor import JSON, Record

__all__ = ["TalentLMS"]

_BAD_ARGUMENTS = "Invalid arguments provided"


class TalentLMS(Vendor):
    """A portal of TalentLMS."""

    name = "talentlms"
    allowance = (10_000, 3600.0)
    example = "/api/v1/users"

    def settings(self, base_url: str) -> dict[str, str]:
        """Give the connection's settings."""
        return {"base_url": base_url, "api_key": self.key}

    def routes(self) -> Sequence[Route]:
        """Give the API's calls, each with its arguments as one path segment."""
        calls = {
            "users": self._users,
            "courses": self._courses,
            "getuserstatusincourse": self._status_in_course,
            "ratelimit": self._rate_limit,
            "siteinfo": self._site_info,
        }
        return [
            Route(f"/api/v1/{name}{arguments}", call, methods=["GET"])
            for name, call in calls.items()
            for arguments in ("", "/{arguments}")
        ]

    def refuse(self, request: Request) -> Response | None:
        """Want HTTP Basic: the key as user name, and no password."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            given = ""
        if scheme.lower() == "basic" and given == f"{self.key}:":
            return None
        return _error(401, "Invalid API key provided")

    def missing(self) -> Response:
        """Answer a call that the API does not have."""
        return _error(404, "The requested API action does not exist")

    def throttled(self, status: int | None, headers: Mapping[str, str]) -> Response:
        """Answer beyond the quota; the vendor documents no such answer, so this is the likeliest."""
        return _error(status or 429, "Rate limit exceeded", headers)

    def broken(self, status: int | None) -> Response:
        """Answer with the vendor's own error."""
        return _error(status or 500, "Something went wrong on our side", kind="api_error")

    def counts(self, path: str) -> bool:
        """Count everything but the question for the quota itself."""
        return not path.startswith("/api/v1/ratelimit")

    # --- calls -----------------------------------------------------------------------------------------------------

    async def _users(self, request: Request) -> Response:
        arguments = _arguments(request)
        if set(arguments) <= {"page_size", "page_number"}:
            return self._user_list(arguments)
        match arguments:
            case {"id": id}:
                person = self._listed(id)
            case {"email": email}:
                person = self._named(email.partition("@")[0])
            case {"username": login}:
                person = self._named(login)
            case _:
                return _error(400, _BAD_ARGUMENTS)
        if person is None or person.account == "vanishing":
            return _error(404, "The requested user does not exist")
        return JSONResponse(self._user_page(person))

    def _user_list(self, arguments: dict[str, str]) -> Response:
        ids = self.tenant.person_ids
        if arguments:
            size, number = whole(arguments.get("page_size", "")), whole(arguments.get("page_number", "1"))
            if not size or not number:
                return _error(400, _BAD_ARGUMENTS)
            ids = ids[(number - 1) * size : number * size]
        return JSONResponse([say.user_head(person) for each in ids if (person := self.tenant.person(each))])

    async def _courses(self, request: Request) -> Response:
        match _arguments(request):
            case {"id": id}:
                if course := self._course(id):
                    return JSONResponse(self._course_page(course))
                return _error(404, "The requested course does not exist")
            case arguments if arguments:
                return _error(400, _BAD_ARGUMENTS)
            case _:
                courses = self.tenant.courses()
                return JSONResponse([say.course_head(course) for course in courses if course.life != "deleted"])

    async def _status_in_course(self, request: Request) -> Response:
        match _arguments(request):
            case {"course_id": course_id, "user_id": user_id}:
                person, course = self._listed(user_id), self._course(course_id)
            case _:
                return _error(400, _BAD_ARGUMENTS)
        if person is None or person.account == "vanishing":
            return _error(404, "The requested user does not exist")
        if course is None:
            return _error(404, "The requested course does not exist")
        for place, where in self._places(person):
            if where == course:
                return JSONResponse(say.status_row(place, course))
        return _error(404, "The requested user is not enrolled in this course")

    async def _rate_limit(self, request: Request) -> Response:  # noqa: ARG002 - it takes no arguments
        quota = self.quota
        return JSONResponse(
            {
                "limit": str(quota.limit),
                "remaining": str(quota.remaining),
                "reset": str(int(quota.resets_at)),
                "formatted_reset": datetime.fromtimestamp(quota.resets_at, say.ZONE).strftime("%d/%m/%Y, %H:%M"),
            }
        )

    async def _site_info(self, request: Request) -> Response:  # noqa: ARG002 - it takes no arguments
        courses = sum(course.life != "deleted" for course in self.tenant.courses())
        return JSONResponse(
            {
                "total_users": str(len(self.tenant.person_ids)),
                "total_courses": str(courses),
                "total_categories": "2",
                "total_groups": "2",
                "total_branches": "4",
                "monthly_active_users": len(self.tenant.person_ids) // 2,
                "signup_method": "email",
                "paypal_email": "",
                "domain_map": "",
                "date_format": "DDMMYYYY",
            }
        )

    # --- who is there ----------------------------------------------------------------------------------------------

    def _listed(self, id: str) -> Person | None:
        person = self.tenant.person(whole(id))
        return person if person and person.account != "deleted" and person.login else None

    def _named(self, login: str) -> Person | None:
        person = self._listed(login[len(login.rstrip("0123456789")) :])  # logins end with the id
        return person if person and person.login == login else None

    def _course(self, id: str) -> Course | None:
        course = self.tenant.course(whole(id))
        return course if course and course.life != "deleted" else None

    def _places(self, person: Person) -> Iterator[tuple[Enrollment, Course]]:
        """Give the person's places, one a course: sections are nothing here."""
        seen: set[int] = set()
        for place in self.tenant.of_person(person.id):
            course = self._course(str(place.course))
            if course and say.is_there(place) and place.course not in seen:
                seen.add(place.course)
                yield place, course

    # --- whole pages -----------------------------------------------------------------------------------------------

    def _user_page(self, person: Person) -> Record:
        places = list(self._places(person))
        return {
            **say.user_head(person),
            "courses": [say.course_row(place, course) for place, course in places],
            "branches": [],
            "groups": [{"id": "3", "name": person.department}] if person.department else [],
            "certifications": [
                say.certification_row(place, course, place.completed_at)
                for place, course in places
                if place.certified and place.completed_at
            ],
            "badges": [],
        }

    def _course_page(self, course: Course) -> Record:
        rows: dict[int, JSON] = {}
        for place in self.tenant.of_course(course.id):
            person = self._listed(str(place.person))
            if person and person.account != "vanishing" and say.is_there(place):
                who: Record = {"id": str(person.id), "name": say.short_name(person)}
                rows.setdefault(person.id, {**who, **say.place_row(place)})
        return {
            **say.course_head(course),
            "users": list(rows.values()),
            "units": [*say.unit_rows(course)],
            "rules": ["You must complete all content"],
            "prerequisites": [],
            "prerequisite_rule_sets": [],
        }


def _arguments(request: Request) -> dict[str, str]:
    """Read `key:value,key:value`, wherever it stands in the path."""
    text = str(request.path_params.get("arguments", ""))
    return {key: value for key, _, value in (argument.partition(":") for argument in text.split(",")) if key}


def _error(
    status: int, message: str, headers: Mapping[str, str] | None = None, kind: str = "invalid_request_error"
) -> Response:
    return JSONResponse({"error": {"type": kind, "message": message}}, status, headers)
