"""The same reading with dlt: its rest_api source into SQLite, merged by id. bench/compare.py runs it.

    python dlt_pipeline.py http://127.0.0.1:PORT FILE.db

It keeps native records, spread over columns and tables by dlt; nothing is brought into one schema.
"""

# what it imports is only in its own environment
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ADDRESS, FILE = sys.argv[1], Path(sys.argv[2]).absolute()
FOLDER = FILE.parent
os.environ |= {"DLT_DATA_DIR": str(FOLDER / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false", "EXTRACT__WORKERS": "8"}

import dlt  # noqa: E402 - after its settings
from dlt.destinations import sqlalchemy  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402


def of_course(name: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
    """Declare a list that each course has."""
    endpoint = {"path": f"courses/{{resources.courses.id}}/{path}", "params": {"per_page": 100, **params}}
    return {"name": name, "endpoint": endpoint, "include_from_parent": ["id"], "parallelized": True}


courses = {"include[]": ["term", "concluded"], "with_enrollments": "true", "per_page": 100}
courses |= {"state[]": ["created", "claimed", "available", "completed"], "enrollment_type[]": "student"}
states = ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"]
enrollments = {"type[]": "StudentEnrollment", "state[]": states, "include[]": "email"}
source = rest_api_source(
    {
        "client": {
            "base_url": f"{ADDRESS}/api/v1/",
            "auth": {"type": "bearer", "token": os.environ["TOKEN"]},
            "paginator": "header_link",
        },
        "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
        "resources": [
            {"name": "courses", "endpoint": {"path": "accounts/self/courses", "params": courses}},
            of_course("enrollments", "enrollments", enrollments),
            of_course("progress", "bulk_user_progress", {}) | {"primary_key": ["_courses_id", "id"]},
        ],
    }
)
pipeline = dlt.pipeline(
    "canvas",
    pipelines_dir=str(FOLDER / "pipelines"),
    destination=sqlalchemy(f"sqlite:///{FILE}"),
    dataset_name="main",
)
print(pipeline.run(source))
