"""A case: a recording with what must come out of it. `tenant.har.json` stands beside `tenant.expected.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from ..errors import SettingsError
from ..http import Sample
from .har import load_har

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .har import Har

__all__ = ["EXPECTED", "HAR", "Case", "find_cases", "load_case"]

HAR, EXPECTED = ".har.json", ".expected.json"
_KEYS = frozenset({"connector", "as_of", "settings", "mapping", "sample", "tenant"})
_FOUND = ("enrollments", "skipped", "rejected", "drift")


@dataclass(frozen=True, slots=True)
class Case:
    """A recording, the connection it was made with, and what comes out of it."""

    name: str
    """The files' name without their endings: `tenant`."""
    folder: Path
    connector: str
    """Name of the connector; empty if the file does not say."""
    as_of: datetime
    """The instant that statuses are told for."""
    settings: Mapping[str, Any]
    """The connection's, secrets too: made-up ones, as they stand in the recording. They begin with `made-up`."""
    mapping: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The connection's override."""
    sample: Mapping[str, int] = field(default_factory=dict[str, int])
    """`pages` and `items`, if only the beginning of each list was recorded."""
    tenant: str = ""
    """Cases with the same word here are the same people and courses, read by different strategies."""
    found: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What comes out: enrollments by id; skipped, rejected, drift."""

    @property
    def har(self) -> Path:
        """The recording."""
        return self.folder / f"{self.name}{HAR}"

    @property
    def expected(self) -> Path:
        """What comes out of it, with the settings."""
        return self.folder / f"{self.name}{EXPECTED}"

    @property
    def enrollments(self) -> list[dict[str, Any]]:
        """The unified records as JSON, by id."""
        return self.found.get("enrollments", [])

    def load(self) -> Har:
        """Read the recording."""
        return load_har(self.har)

    def sampled(self) -> Sample:
        """Make the sample that it was read with."""
        return Sample(self.sample.get("pages", 0), self.sample.get("items", 0))

    def text(self, found: Mapping[str, Any]) -> str:
        """Write the file of what is expected, with what was found this time."""
        head: dict[str, Any] = {"connector": self.connector} if self.connector else {}
        head |= {"as_of": self.as_of.isoformat().replace("+00:00", "Z"), "settings": dict(self.settings)}
        for name in ("mapping", "sample", "tenant"):
            if value := getattr(self, name):
                head[name] = value
        return json.dumps(head | {name: found.get(name) for name in _FOUND}, indent=1, ensure_ascii=False) + "\n"


def load_case(file: Path) -> Case:
    """Load the case that a recording or the file beside it belongs to.

    Raises:
        SettingsError: One of the two files is missing, or does not say what it must.
    """
    folder, name = file.parent, file.name
    for ending in (HAR, EXPECTED):
        name = name.removesuffix(ending)
    expected = folder / f"{name}{EXPECTED}"
    if not (folder / f"{name}{HAR}").is_file():
        raise SettingsError(f"there is no recording {name}{HAR}", where=str(folder))
    try:
        said = json.loads(expected.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"there is no {expected.name} beside the recording",
            where=str(folder),
            hint='Write {"as_of": "2026-01-01T00:00:00Z", "settings": {...}} into it, and have the rest filled in: '
            "rollbook test FOLDER --update-expected.",
        ) from None
    except ValueError as error:
        raise SettingsError(f"no JSON: {error}", where=str(expected)) from None
    return _case(said, folder, name, str(expected))


def find_cases(folder: Path) -> list[Case]:
    """Load every case of a folder, by name.

    Raises:
        SettingsError: There is none, or one cannot be loaded.
    """
    files = sorted(folder.glob(f"*{HAR}"))
    if not files:
        raise SettingsError(f"there is no recording (*{HAR})", where=str(folder))
    return [load_case(file) for file in files]


def _case(said: Any, folder: Path, name: str, where: str) -> Case:
    if not isinstance(said, dict):
        raise SettingsError("expected an object", where=where)
    table = cast("dict[str, Any]", said)
    for key in table:
        if key not in _KEYS and key not in _FOUND:
            raise SettingsError(
                f"the key {key!r} is not known", where=where, hint=f"Known: {', '.join(sorted(_KEYS))}."
            )
    try:
        as_of = datetime.fromisoformat(table["as_of"])
    except (KeyError, TypeError, ValueError):
        raise SettingsError("as_of is missing or no date-time", where=where, hint="2026-01-01T00:00:00Z") from None
    if as_of.tzinfo is None:
        raise SettingsError("as_of has no zone", where=where, hint="2026-01-01T00:00:00Z")
    tables = {key: table.get(key, {}) for key in ("settings", "mapping", "sample")}
    for key, value in tables.items():
        if not isinstance(value, dict):
            raise SettingsError(f"{key} is no object", where=where)
    return Case(
        name=name,
        folder=folder,
        connector=str(table.get("connector", "")),
        as_of=as_of,
        **tables,
        tenant=str(table.get("tenant", "")),
        found={key: table[key] for key in _FOUND if key in table},
    )
