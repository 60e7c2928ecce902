"""A pretend LMS on loopback: it speaks vendors' own APIs over made-up people.

It renders what the vendors document, and knows neither the connectors nor the mappings: so it can disagree with them.

    from rollbook.sandbox import Sandbox

    with Sandbox("talentlms") as sandbox:
        print(sandbox.settings)      # ready for a connection

Raises:
    SettingsError: When imported without the extra `sandbox`.
"""

from __future__ import annotations

from ..core.errors import SettingsError

try:
    from .server import VENDORS, Sandbox, app, serve
except ModuleNotFoundError as error:
    package = (error.name or "").partition(".")[0]
    if package not in {"starlette", "uvicorn"}:
        raise
    raise SettingsError(
        f"the sandbox needs the package {package!r}, which is not installed",
        hint="Run: pip install 'rollbook[sandbox]'",
    ) from None
from .faults import Fault, Faults
from .quota import Quota
from .tenant import Course, Enrollment, Person, Tenant

__all__ = [
    "VENDORS",
    "Course",
    "Enrollment",
    "Fault",
    "Faults",
    "Person",
    "Quota",
    "Sandbox",
    "Tenant",
    "app",
    "serve",
]
