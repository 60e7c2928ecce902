"""The same reading with the Singer SDK: a tap that prints records. bench/compare.py runs it.

    python singer_tap.py http://127.0.0.1:PORT

Nothing is stored, and nothing is brought into one schema.
"""

# what it imports is only in its own environment
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUntypedBaseClass=false

from __future__ import annotations

import os
import sys
from typing import Any, ClassVar

from singer_sdk import RESTStream, Tap
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.pagination import HeaderLinkPaginator
from singer_sdk.typing import (
    BooleanType,
    DateTimeType,
    IntegerType,
    NumberType,
    ObjectType,
    PropertiesList,
    Property,
    StringType,
)

STATES = ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"]


def columns(type: Any, *names: str) -> list[Property]:
    return [Property(name, type) for name in names]


class Canvas(RESTStream[Any]):
    """What all lists share."""

    primary_keys: ClassVar[list[str]] = ["id"]
    asked: ClassVar[dict[str, Any]] = {}

    @property
    def url_base(self) -> str:
        return f"{self.config['base_url']}/api/v1"

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> HeaderLinkPaginator:
        return HeaderLinkPaginator()

    def get_url_params(self, context: Any, next_page_token: Any) -> Any:
        del context
        return next_page_token.query if next_page_token else {**self.asked, "per_page": 100}


class Courses(Canvas):
    """Courses of the account."""

    name = "courses"
    path = "/accounts/self/courses"
    asked: ClassVar[dict[str, Any]] = {
        "include[]": ["term", "concluded"],
        "with_enrollments": "true",
        "state[]": ["created", "claimed", "available", "completed"],
        "enrollment_type[]": "student",
    }
    schema = PropertiesList(
        *columns(IntegerType, "id", "account_id", "enrollment_term_id"),
        *columns(StringType, "name", "course_code", "workflow_state", "sis_course_id", "time_zone"),
        *columns(DateTimeType, "created_at", "start_at", "end_at"),
        *columns(BooleanType, "concluded", "restrict_enrollments_to_course_dates"),
        Property("term", ObjectType(*columns(IntegerType, "id"), *columns(StringType, "name", "start_at", "end_at"))),
    ).to_dict()

    def get_child_context(self, record: Any, context: Any) -> Any:
        del context
        return {"course_id": record["id"]}


class Enrollments(Canvas):
    """Enrollments of a course."""

    name = "enrollments"
    path = "/courses/{course_id}/enrollments"
    parent_stream_type = Courses
    asked: ClassVar[dict[str, Any]] = {"type[]": "StudentEnrollment", "state[]": STATES, "include[]": "email"}
    schema = PropertiesList(
        *columns(IntegerType, "id", "user_id", "course_id", "course_section_id", "associated_user_id", "role_id"),
        *columns(IntegerType, "root_account_id", "total_activity_time", "sis_import_id"),
        *columns(StringType, "type", "enrollment_state", "role", "html_url", "sis_account_id", "sis_course_id"),
        *columns(StringType, "sis_section_id", "sis_user_id", "course_integration_id", "section_integration_id"),
        *columns(
            DateTimeType, "created_at", "updated_at", "start_at", "end_at", "last_activity_at", "last_attended_at"
        ),
        *columns(BooleanType, "limit_privileges_to_course_section"),
        Property(
            "grades",
            ObjectType(
                *columns(NumberType, "current_score", "final_score"),
                *columns(StringType, "html_url", "current_grade", "final_grade"),
            ),
        ),
        Property(
            "user",
            ObjectType(
                *columns(IntegerType, "id", "sis_import_id"),
                *columns(StringType, "name", "sortable_name", "short_name", "login_id", "email", "sis_user_id"),
                *columns(StringType, "integration_id", "created_at"),
            ),
        ),
    ).to_dict()


class Progress(Canvas):
    """Module progress of a course."""

    name = "progress"
    path = "/courses/{course_id}/bulk_user_progress"
    parent_stream_type = Courses
    primary_keys: ClassVar[list[str]] = ["course_id", "id"]
    schema = PropertiesList(
        *columns(IntegerType, "course_id", "id"),
        *columns(StringType, "display_name"),
        Property(
            "progress",
            ObjectType(
                *columns(IntegerType, "requirement_count", "requirement_completed_count"),
                *columns(StringType, "next_requirement_url", "completed_at"),
            ),
        ),
    ).to_dict()


class TapCanvas(Tap):
    """The tap."""

    name = "tap-canvas"
    config_jsonschema = PropertiesList(*columns(StringType, "base_url", "token")).to_dict()

    def discover_streams(self) -> list[Any]:
        return [kind(self) for kind in (Courses, Enrollments, Progress)]


if __name__ == "__main__":
    TapCanvas(config={"base_url": sys.argv[1], "token": os.environ["TOKEN"]}).sync_all()
