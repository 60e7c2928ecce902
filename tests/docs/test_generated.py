"""What is generated in the documentation is what the generator would write today."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-B", "docs/generate.py", *arguments], cwd=root, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the generator reads, up to date."""
    for folder in ("docs", "connectors", "mappings", "tests/fixtures"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    generate(tmp_path)
    return tmp_path


def test_the_documentation_is_not_stale() -> None:
    found = generate(ROOT, "--check")

    assert not found.returncode, f"{found.stdout}{found.stderr}Run: python docs/generate.py"


def test_what_was_edited_by_hand_between_the_markers_is_told_and_written_again(copy: Path) -> None:
    page = copy / "docs" / "connectors" / "canvas.md"
    fresh = page.read_text(encoding="utf-8")
    page.write_text(fresh.replace("| `due_at` | - |", "| `due_at` | native |"), encoding="utf-8")

    checked, written = generate(copy, "--check"), generate(copy)

    assert (checked.returncode, checked.stdout) == (1, "stale: docs/connectors/canvas.md\n")
    assert (written.returncode, written.stdout) == (0, "written: docs/connectors/canvas.md\n")
    assert fresh == page.read_text(encoding="utf-8")


def test_what_stands_around_the_markers_stays(copy: Path) -> None:
    page = copy / "docs" / "connectors" / "moodle.md"
    text = page.read_text(encoding="utf-8") + "\nA sentence of mine.\n"
    page.write_text(text, encoding="utf-8")

    assert not generate(copy, "--check").returncode
    assert text == page.read_text(encoding="utf-8")


def test_a_connector_without_a_page_is_given_one(copy: Path) -> None:
    page = copy / "docs" / "connectors" / "docebo.md"
    page.unlink()

    assert generate(copy, "--check").returncode == 1
    assert not page.exists()
    assert not generate(copy).returncode
    assert page.read_text(encoding="utf-8").startswith("# Docebo\n")
    assert "| `client_secret` | required |" in page.read_text(encoding="utf-8")
