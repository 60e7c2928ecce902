"""What all tests may use: pytest's own fixture for testing plug-ins, and a small connector with its cases."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from rollbook.core.registry import registry

pytest_plugins = ["pytester"]

SHELF = Path(__file__).parent / "testing" / "shelf"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the connector `shelf` (module `shelf_lms`), its mapping and its cases in `fixtures`."""
    folder = tmp_path / "shelf"
    shutil.copytree(SHELF, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.setattr(registry, "classes", {**registry.classes})
    monkeypatch.setattr(registry, "broken", {**registry.broken})
    monkeypatch.setattr("rollbook.core.registry._defined", {})
    monkeypatch.delitem(sys.modules, "shelf_lms", raising=False)
    return folder
