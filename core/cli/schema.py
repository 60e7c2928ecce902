"""`rollbook schema`."""

from __future__ import annotations

import json

import click

__all__ = ["schema"]


@click.command()
def schema() -> None:
    """Print the JSON Schema of an enrollment.

    JSON Schema 2020-12, every field described.
    """
    from ..schema import CourseEnrollment  # noqa: PLC0415 - pydantic is slow to import

    described = CourseEnrollment.model_json_schema()
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    click.echo(json.dumps(dialect | described, indent=2, ensure_ascii=False))
