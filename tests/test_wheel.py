"""The wheel holds the tree's packages, whole and once, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("core", "connectors", "mappings", "sandbox")


def in_the_tree(*folders: str) -> list[str]:
    """Name the files that git tracks or would."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone")
    command = [git, "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")  # noqa: S603
    return sorted({name for name in listed.stdout.splitlines() if (ROOT / name).is_file()})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from a copy of the tree."""
    copy, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in in_the_tree():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    built = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")  # noqa: S603
    assert built.returncode == 0, built.stdout + built.stderr
    [file] = out.iterdir()
    return file


def test_every_module_and_mapping_is_in_it_once(wheel: Path) -> None:
    packed = Counter(name for name in ZipFile(wheel).namelist() if name.startswith("rollbook/"))
    expected = Counter(
        f"rollbook/{name}"
        for name in in_the_tree(*PACKAGES)
        if name.endswith((".py", ".toml", ".txt")) or PurePosixPath(name).name == "py.typed"
    )

    assert packed == expected


def test_each_package_says_that_it_is_typed(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()

    assert {f"rollbook/{package}/py.typed" for package in PACKAGES} <= set(names)


def test_there_is_nothing_beside_the_package(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"rollbook"}
