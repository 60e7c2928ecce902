"""The same reading with Airbyte's CDK: a declarative source that prints. bench/compare.py runs it.

    python airbyte_source.py http://127.0.0.1:PORT FOLDER

Nothing is stored, and nothing is brought into one schema.
"""

# what it imports is only in its own environment
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import AirbyteStateMessage, ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

STATES = ["active", "invited", "creation_pending", "inactive", "completed", "rejected", "deleted"]
COURSES = {
    "include[]": ["term", "concluded"],
    "with_enrollments": "true",
    "enrollment_type[]": "student",
    "state[]": ["created", "claimed", "available", "completed"],
}
ENROLLMENTS = {"type[]": "StudentEnrollment", "state[]": STATES, "include[]": "email"}
ANYTHING = {"type": "InlineSchemaLoader", "schema": {"type": "object", "additionalProperties": True, "properties": {}}}


def query(params: dict[str, Any]) -> str:
    return urlencode(params | {"per_page": 100}, doseq=True)


def stream(name: str, path: str, params: dict[str, Any], parent: dict[str, Any] | None = None) -> dict[str, Any]:
    """Declare a list."""
    router = {
        "type": "SubstreamPartitionRouter",
        "parent_stream_configs": [
            {"type": "ParentStreamConfig", "parent_key": "id", "partition_field": "course", "stream": parent}
        ],
    }
    return {
        "type": "DeclarativeStream",
        "name": name,
        "primary_key": ["id"],
        "schema_loader": ANYTHING,
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {
                "type": "HttpRequester",
                "url_base": "{{ config['base_url'] }}/api/v1",
                "path": f"{path}?{query(params)}",
                "authenticator": {"type": "BearerAuthenticator", "api_token": "{{ config['token'] }}"},
            },
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {"type": "RequestPath"},
                "pagination_strategy": {
                    "type": "CursorPagination",
                    "cursor_value": "{{ headers['link']['next']['url'] }}",
                    "stop_condition": "{{ 'next' not in headers['link'] }}",
                },
            },
            **({"partition_router": router} if parent else {}),
        },
    }


courses = stream("courses", "accounts/self/courses", COURSES)
course = "courses/{{ stream_partition['course'] }}"
manifest = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 8},
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "additionalProperties": True}},
    "check": {"type": "CheckStream", "stream_names": ["courses"]},
    "streams": [
        courses,
        stream("enrollments", f"{course}/enrollments", ENROLLMENTS, courses),
        stream("progress", f"{course}/bulk_user_progress", {}, courses),
    ],
}
catalog = {
    "streams": [
        {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
        for name in ("courses", "enrollments", "progress")
    ]
}
config = {"base_url": sys.argv[1], "token": os.environ["TOKEN"]}
folder = Path(sys.argv[2])
(folder / "config.json").write_text(json.dumps(config))
(folder / "catalog.json").write_text(json.dumps(catalog))
state: list[AirbyteStateMessage] = []
source = ConcurrentDeclarativeSource(
    catalog=ConfiguredAirbyteCatalogSerializer.load(catalog), config=config, state=state, source_config=manifest
)
launch(source, ["read", "--config", str(folder / "config.json"), "--catalog", str(folder / "catalog.json")])
