"""A new connector as files: the texts of this package, filled in with its name and with the choices made for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..mapping import Mapped, Skipped, compile, load
from ..testing.case import Case
from .recording import Site
from .tenant import AS_OF, COURSES, ENROLLMENTS, PASS_MARK, USERS
from .text import filled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..native import NativeRecord

__all__ = ["AUTHS", "PAGINGS", "Draft"]

AUTHS = ("bearer", "api-key", "basic", "oauth2")
"""How requests can be signed in."""
PAGINGS = ("link", "next", "page", "offset", "cursor", "none")
"""How lists can go on."""

_SIGNS = {"bearer": "Bearer", "api-key": "ApiKey", "basic": "Basic", "oauth2": "OAuth2"}
_PAGES = {"link": "LinkHeader", "next": "NextLink", "page": "PageNumber", "offset": "Offset", "cursor": "Cursor"}
_SETTINGS: dict[str, dict[str, str]] = {
    "bearer": {"api_token": "made-up-token"},
    "api-key": {"api_key": "made-up-key"},
    "basic": {"username": "reader", "password": "made-up-password"},
    "oauth2": {"client_id": "rollbook", "client_secret": "made-up-secret"},
}
_LISTS = {
    "link": "SIZE, PAGES",
    "next": 'SIZE, PAGES, items="data"',
    "page": 'None, PAGES, items="data"',
    "offset": 'None, PAGES, items="data"',
    "cursor": 'None, PAGES, items="data"',
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A connector to be written."""

    name: str
    """As in `connector = "my_lms"`: lower case, words joined with `_`."""
    auth: str
    """One of `AUTHS`."""
    paging: str
    """One of `PAGINGS`."""
    package: bool = False
    """Whether it becomes a package that can be installed, not a module."""

    @property
    def title(self) -> str:
        """The name for people: `My LMS`."""
        return " ".join("LMS" if word == "lms" else word.capitalize() for word in self.name.split("_"))

    @property
    def kind(self) -> str:
        """The class's name: `MyLms`."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def base_url(self) -> str:
        """The made-up LMS's address."""
        return f"https://{self.slug}.example.com"

    @property
    def slug(self) -> str:
        """The name as addresses and packages have it: `my-lms`."""
        return self.name.replace("_", "-")

    @property
    def module(self) -> str:
        """What is imported."""
        return f"rollbook_{self.name}" if self.package else self.name

    def files(self) -> dict[str, str]:
        """Give the files' texts by their paths."""
        mapping = self._text("mapping.toml.txt")
        tests = "tests/" if self.package else ""
        return {
            **(self._package(mapping) if self.package else self._module(mapping)),
            f"{tests}test_{self.name}.py": self._text("test.py.txt"),
            **{f"{tests}fixtures/{file}": text for file, text in self._fixtures(mapping).items()},
        }

    def _module(self, mapping: str) -> dict[str, str]:
        return {
            "rollbook.toml": self._text("rollbook.toml.txt"),
            f"{self.name}.py": self._text("connector.py.txt"),
            f"{self.name}.toml": mapping,
        }

    def _package(self, mapping: str) -> dict[str, str]:
        source = f"src/{self.module}"
        return {
            "README.md": self._text("readme.md.txt"),
            "pyproject.toml": self._text("pyproject.toml.txt"),
            f"{source}/__init__.py": self._text("package.py.txt"),
            f"{source}/connector.py": self._text("connector.py.txt"),
            f"{source}/{self.name}.toml": mapping,
            f"{source}/py.typed": "",
        }

    def _text(self, file: str) -> str:
        shape = "package" if self.package else "module"
        words = [self.auth, self.paging, shape, *(["paged"] if self.paging in _PAGES else [])]
        imports = ["Limit", "Verdict", _SIGNS[self.auth], *([_PAGES[self.paging]] if self.paging in _PAGES else [])]
        names = {
            "name": self.name,
            "title": self.title,
            "kind": self.kind,
            "slug": self.slug,
            "module": self.module,
            "base_url": self.base_url,
            "variable": self.name.upper(),
            "http": ", ".join(sorted(imports, key=str.casefold)),
            "list": _LISTS.get(self.paging, ""),
            "version": version("rollbook"),
        }
        return filled(file, words, names)

    def _fixtures(self, mapping: str) -> dict[str, str]:
        settings: dict[str, Any] = {"base_url": self.base_url, **_SETTINGS[self.auth]}
        site = Site(self.base_url, self.auth, self.paging, settings)
        tenant = settings | {"pass_mark": PASS_MARK}
        return {
            "tenant.har.json": _json(site.tenant()),
            "tenant.expected.json": self._expected(tenant, _mapped(mapping, tenant)),
            "empty.har.json": _json(site.empty()),
            "empty.expected.json": self._expected(
                settings, {"enrollments": [], "skipped": {}, "rejected": [], "drift": []}
            ),
        }

    def _expected(self, settings: Mapping[str, Any], found: Mapping[str, Any]) -> str:
        return Case("", Path(), self.name, datetime.fromisoformat(AS_OF), settings).text(found)


def _mapped(mapping: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Map the made-up tenant as a reading would."""
    public: dict[str, Any] = {"timezone": "UTC", "include_staff": False, **settings}
    normalizer = compile(load(mapping), public)
    enrollments: list[dict[str, Any]] = []
    skipped: dict[str, int] = {}
    drift: list[list[Any]] = []
    for record in map(_record, ENROLLMENTS):
        result = normalizer.normalize(record, as_of=datetime.fromisoformat(AS_OF))
        if isinstance(result, Mapped):
            enrollments.append(result.enrollment.model_dump(mode="json"))
            drift += [[one.what, one.value, 1] for one in result.drift]
        elif isinstance(result, Skipped):
            skipped[result.reason] = skipped.get(result.reason, 0) + 1
    return {"enrollments": enrollments, "skipped": skipped, "rejected": [], "drift": drift}


def _record(row: NativeRecord) -> NativeRecord:
    courses = {course["id"]: course for course in COURSES}
    users = {user["id"]: user for user in USERS}
    return {"enrollment": row, "course": courses[row["course_id"]], "user": users.get(row["user_id"])}


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
