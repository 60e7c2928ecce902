"""What is known of a built-in connector: code, mapping, recordings. `generate.py` writes it down."""  # noqa: INP001 - beside a program

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rollbook.core import http
from rollbook.core.cli.description import described
from rollbook.core.connection import read_definition
from rollbook.core.coverage import readings
from rollbook.core.registry import registry
from rollbook.core.testing import find_cases, load_har

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rollbook.core.connector import Connector
    from rollbook.core.coverage import Reading
    from rollbook.core.mapping import Definition

__all__ = ["ROOT", "Book"]

ROOT = Path(__file__).parents[1]
SCHEMES = {
    "ApiKey": "key in a header or the query",
    "Basic": "HTTP Basic",
    "Bearer": "bearer token",
    "FormToken": "token in the form",
    "OAuth1": "OAuth 1.0a",
    "OAuth2": "OAuth 2",
}
GRANTS = ("client_credentials", "password", "refresh_token")
NOTE = re.compile(r"(inferred|judgement): ")


@dataclass(frozen=True)
class Book:
    """A connector of this repository, by its module's name."""

    module: str

    @cached_property
    def strategies(self) -> dict[str, type[Connector[Any]]]:
        """Its classes by strategy, the default one first."""
        module = f"rollbook.connectors.{self.module}"
        registry.import_module(self.module, module)
        if module in registry.broken:
            raise click.ClickException(str(registry.broken[module]))
        return next(kinds for kinds in registry.classes.values() if next(iter(kinds.values())).__module__ == module)

    @property
    def default(self) -> type[Connector[Any]]:
        """The class of the default strategy."""
        return next(iter(self.strategies.values()))

    @property
    def name(self) -> str:
        """Its name."""
        return self.default.name

    @cached_property
    def about(self) -> dict[str, Any]:
        """What `rollbook connectors NAME --format json` says."""
        return described(self.strategies)

    @cached_property
    def definition(self) -> Definition:
        """Its mapping."""
        return read_definition(self.default)

    @cached_property
    def readings(self) -> list[Reading]:
        """Its ways of reading."""
        return readings(self.strategies, self.definition)

    @cached_property
    def labels(self) -> list[str]:
        """A name for each way of reading; an empty one where there is only one."""
        if len(self.readings) == 1:
            return [""]
        is_by_strategy = len({reading.strategy for reading in self.readings}) == len(self.readings)
        parts = ((reading.strategy, "" if is_by_strategy else reading.kind) for reading in self.readings)
        return [" ".join(filter(None, part)) or "others" for part in parts]

    @cached_property
    def recordings(self) -> list[tuple[str, str, int]]:
        """Its recordings: name, origin, number of enrollments."""
        folder = ROOT / "tests" / "fixtures" / self.name
        cases = find_cases(folder) if folder.exists() else []
        return [(case.name, load_har(case.har).origin, len(case.enrollments)) for case in cases]

    @property
    def signing(self) -> str:
        """How requests are signed in: the schemes that the settings' `auth` can make, and the secrets they take."""
        code = self.default.Settings.auth.__code__
        grants = [f"`{grant}`" for grant in GRANTS if grant in code.co_consts]
        schemes = [
            SCHEMES.get(name, name) + (f" ({either(grants)})" if name == "OAuth2" and grants else "")
            for name in code.co_names
            if isinstance(scheme := getattr(http, name, None), type) and issubclass(scheme, http.Auth)
        ]
        secrets = ", ".join(f"`{setting['name']}`" for setting in self.about["settings"] if setting["secret"])
        return ": ".join(filter(None, (either(schemes), secrets))) or "nothing"

    def notes(self) -> Iterator[tuple[str, str]]:
        """Give what the mapping infers or judges: its comments that say so, each with the key below it."""
        file = ROOT / "mappings" / f"{self.name}.toml"
        table = noted = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("#"):
                text = line.lstrip("# ")
                noted = text if NOTE.match(text) else f"{noted} {text}" if noted else ""
                continue
            is_table = line.startswith("[")
            table = line.strip("[] ") if is_table else table
            if noted and line.strip():
                key = table if is_table else f"{table}.{line.partition(' = ')[0]}"
                yield key.removeprefix("course_enrollment."), noted
                noted = ""


def either(words: Sequence[str]) -> str:
    """Write choices: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
