"""`rollbook schema` prints a JSON Schema that says what each field is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rollbook.core.schema import CourseEnrollment, Status

if TYPE_CHECKING:
    from .conftest import Desk


def test_every_field_is_described(empty: Desk) -> None:
    schema = json.loads(empty.run("schema").stdout)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == list(CourseEnrollment.model_fields)
    for part in (schema, *(one for one in schema["$defs"].values() if "properties" in one)):
        for field in part["properties"].values():
            inner: dict[str, str] = schema["$defs"][field["$ref"].rpartition("/")[2]] if "$ref" in field else {}

            assert field.get("description") or inner["description"]


def test_the_statuses_are_the_ten(empty: Desk) -> None:
    schema = json.loads(empty.run("schema").stdout)

    assert schema["$defs"]["Status"]["enum"] == list(Status)
