"""Environments of their own for the examples, made of what is installed already: no index is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@dataclass(frozen=True)
class Place:
    """A working directory, and the Python that is used in it."""

    folder: Path
    python: str = sys.executable

    def run(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python's, such as `pytest`."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ROLLBOOK_"))}
        clean |= {"COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(  # noqa: S603 - our own command
            [self.python, "-m", *args],
            cwd=self.folder,
            env=clean,
            check=False,
            encoding="utf-8",
            capture_output=True,
        )


@pytest.fixture(scope="session")
def campfire(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Install the example package into a fresh environment, beside rollbook as it is installed here."""
    home = tmp_path_factory.mktemp("campfire")
    source = Path(shutil.copytree(EXAMPLES / "campfire", home / "source", ignore=_made))
    venv.create(home / "venv", with_pip=False)
    scripts = home / "venv" / ("Scripts" if os.name == "nt" else "bin")
    place = Place(source, str(scripts / "python"))
    paths = sysconfig.get_paths("venv", {"base": str(home / "venv"), "platbase": str(home / "venv")})
    here = sysconfig.get_paths()["purelib"]
    (Path(paths["purelib"]) / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n", encoding="utf-8")
    pip = ["pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = place.run(*pip, "--disable-pip-version-check", "--target", paths["purelib"], str(source))
    assert done.returncode == 0, done.stdout + done.stderr
    return Place(source, place.python)


def _made(folder: str, names: list[str]) -> set[str]:
    """Leave out what runs and builds leave behind."""
    del folder
    return {name for name in names if name in {"build", "__pycache__"} or name.endswith(".egg-info")}


@pytest.fixture
def place() -> type[Place]:
    """Give what makes places."""
    return Place
