"""rollbook: course enrollments out of any Learning Management System, in one schema.

    from rollbook.core import connect

    with connect("talentlms", domain="acme", api_key="...") as lms:
        for enrollment in lms.enrollments():
            print(enrollment.user.name, enrollment.course.title, enrollment.status)

Names are imported when they are first used: `import rollbook.core` itself loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import AsyncLms, Findings, Lms, RejectedRecord, connect
    from .connection import Connection, open_connection
    from .connector import BaseUrl, Connector, Estimate, Join, Lookup, Notice, Page, Partition, Settings
    from .errors import (
        AuthError,
        ContractError,
        CursorExpired,
        Forbidden,
        Gone,
        MappingError,
        RateLimited,
        RollbookError,
        SettingsError,
        StoreError,
        UnknownName,
        Unsupported,
        VendorError,
    )
    from .native import JSON, NativeRecord
    from .registry import find, register
    from .schema import AssignedBy, Course, CourseEnrollment, Email, Status, Url, User
    from .settings import Config, load_config
    from .store import Store
    from .sync import Counts, Report, Sync

_HOMES = {
    "api": ("AsyncLms", "Findings", "Lms", "RejectedRecord", "connect"),
    "connection": ("Connection", "open_connection"),
    "connector": ("BaseUrl", "Connector", "Estimate", "Join", "Lookup", "Notice", "Page", "Partition", "Settings"),
    "errors": (
        "AuthError",
        "ContractError",
        "CursorExpired",
        "Forbidden",
        "Gone",
        "MappingError",
        "RateLimited",
        "RollbookError",
        "SettingsError",
        "StoreError",
        "UnknownName",
        "Unsupported",
        "VendorError",
    ),
    "native": ("JSON", "NativeRecord"),
    "registry": ("find", "register"),
    "schema": ("AssignedBy", "Course", "CourseEnrollment", "Email", "Status", "Url", "User"),
    "settings": ("Config", "load_config"),
    "store": ("Store",),
    "sync": ("Counts", "Report", "Sync"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "JSON",
    "AssignedBy",
    "AsyncLms",
    "AuthError",
    "BaseUrl",
    "Config",
    "Connection",
    "Connector",
    "ContractError",
    "Counts",
    "Course",
    "CourseEnrollment",
    "CursorExpired",
    "Email",
    "Estimate",
    "Findings",
    "Forbidden",
    "Gone",
    "Join",
    "Lms",
    "Lookup",
    "MappingError",
    "NativeRecord",
    "Notice",
    "Page",
    "Partition",
    "RateLimited",
    "RejectedRecord",
    "Report",
    "RollbookError",
    "Settings",
    "SettingsError",
    "Status",
    "Store",
    "StoreError",
    "Sync",
    "UnknownName",
    "Unsupported",
    "Url",
    "User",
    "VendorError",
    "connect",
    "find",
    "load_config",
    "open_connection",
    "register",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
