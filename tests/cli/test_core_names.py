"""`rollbook.core` offers its names without importing anything until one is used."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import rollbook.core


def test_every_listed_name_is_there() -> None:
    for name in rollbook.core.__all__:
        assert getattr(rollbook.core, name) is not None


def test_what_is_listed_is_what_type_checkers_see() -> None:
    tree = ast.parse(Path(str(rollbook.core.__file__)).read_text(encoding="utf-8"))
    seen = {(node.module, alias.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names}  # fmt: skip

    assert sorted(name for _, name in seen) == sorted(rollbook.core.__all__)
    for home, name in seen:
        assert getattr(rollbook.core, name) is getattr(importlib.import_module(f"rollbook.core.{home}"), name)
    assert dir(rollbook.core) == sorted(rollbook.core.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        rollbook.core.conect  # noqa: B018 # pyright: ignore[reportUnusedExpression] - the access is what is tested


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, rollbook.core; print(*sys.modules)"
    modules = subprocess.check_output([sys.executable, "-c", code], text=True).split()  # noqa: S603 - our own code

    assert {"httpx", "sqlalchemy", "pydantic", "click", "rich", "jmespath"} & set(modules) == set()
