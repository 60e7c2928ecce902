"""A folder with a config, a plug-in connector and a JSON file that stands for the LMS; and the command line in it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from rollbook.core.cli import cli
from rollbook.core.registry import registry

if TYPE_CHECKING:
    from click.testing import Result

CONFIG = """\
[plugins]
modules = ["paper_lms"]

[connections.acme]
connector = "paper"
file = "lms.json"
token = { env = "ACME_TOKEN" }
"""


@dataclass
class Desk:
    """Somebody's working directory."""

    folder: Path

    def config(self, text: str) -> None:
        """Write the config."""
        (self.folder / "rollbook.toml").write_text(text, encoding="utf-8")

    def lms(
        self, *records: dict[str, Any], more: dict[str, Any] | None = None, notices: dict[str, str] | None = None
    ) -> None:
        """Fill the LMS: records of a partition `all`, and further partitions by name."""
        told = {"partitions": {"all": list(records), **(more or {})}, "notices": notices or {}}
        (self.folder / "lms.json").write_text(json.dumps(told), encoding="utf-8")

    @staticmethod
    def record(id: str, **more: Any) -> dict[str, Any]:
        """Give a native record."""
        return {"id": id, "user": f"u{id}", "course": "c1", "title": "Safety", "email": f"u{id}@example.com", **more}

    def run(self, *args: str, input: str | None = None) -> Result:
        """Run a command in this process."""
        return CliRunner().invoke(cli, args, input=input)

    def process(self, *args: str, stdout: int | IO[str] = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        """Run a command in a process of its own."""
        command = [sys.executable, "-m", "rollbook.core", *args]
        return subprocess.run(  # noqa: S603 - our own command
            command, cwd=self.folder, check=False, encoding="utf-8", stdout=stdout, stderr=subprocess.PIPE
        )


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a folder with nothing in it, and 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("ROLLBOOK_DEBUG", "ACME_TOKEN", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(registry, "classes", {**registry.classes})
    monkeypatch.setattr(registry, "broken", {**registry.broken})
    monkeypatch.delitem(sys.modules, "paper_lms", raising=False)
    return Desk(tmp_path)


@pytest.fixture
def desk(empty: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a folder with a connection `acme` to an LMS of three learners and a teacher."""
    for file in (Path(__file__).parent / "paper").iterdir():
        if file.is_file():
            shutil.copy(file, empty.folder)
    monkeypatch.setenv("ACME_TOKEN", "right")
    empty.config(CONFIG)
    empty.lms(
        empty.record("1", state="open", name="Ada Example", progress=35, due="2026-05-01T00:00:00Z"),
        empty.record("2", state="done", name="Bo Example", score=90.5),
        empty.record("3", state="sleeping", name="=Cy()"),
        empty.record("4", role="teacher"),
    )
    return empty
