"""`rollbook new` writes a connector that works as it stands, whatever its choices, and overwrites nothing."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.errors import Gone
from rollbook.core.registry import find
from rollbook.core.scaffold import AUTHS, PAGINGS, Draft
from rollbook.core.testing import load_case, open_case, read_case

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Desk

ROOT = Path(__file__).parent.parent.parent
COMBINATIONS = list(itertools.product(AUTHS, PAGINGS))
MODULE = {"rollbook.toml", "my_lms.py", "my_lms.toml", "test_my_lms.py"}
FIXTURES = {f"{case}.{kind}.json" for case in ("tenant", "empty") for kind in ("har", "expected")}
STATUSES = {
    "101": "passed",
    "102": "in_progress",
    "103": "overdue",
    "105": "enrolled",
    "106": "failed",
    "107": "withdrawn",
    "108": "completed",
    "109": "unknown",
}


@pytest.fixture
def own(empty: Desk) -> Iterator[Desk]:
    """Give a desk on which modules that are written can be imported, and are forgotten afterwards."""
    yield empty
    for name in [name for name in sys.modules if name.partition(".")[0] in ("my_lms", "rollbook_my_lms")]:
        del sys.modules[name]


def written(folder: Path) -> set[str]:
    """Name the files of a folder."""
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python's in a folder, as a user would."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ROLLBOOK_"))}
    source = folder / "src"
    clean |= {"COLUMNS": "80"} | ({"PYTHONPATH": str(source)} if source.exists() else {})
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", *args], cwd=folder, env=clean, check=False, capture_output=True, encoding="utf-8"
    )


# -- what is written ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("auth", "paging"), COMBINATIONS)
def test_every_combination_reads_its_recordings_as_it_stands(own: Desk, auth: str, paging: str) -> None:
    result = own.run("new", "my_lms", "--auth", auth, "--paging", paging)
    folder = own.folder / "my_lms"
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    importlib.import_module("my_lms")
    tenant, empty = (load_case(folder / "fixtures" / name) for name in ("tenant", "empty"))
    found = read_case(tenant)

    assert result.exit_code == 0
    assert written(folder) == {*MODULE, *(f"fixtures/{name}" for name in FIXTURES)}
    assert found == tenant.found
    assert {one["id"]: one["status"] for one in found["enrollments"]} == STATUSES
    assert (found["skipped"], found["drift"]) == ({"staff": 1}, [["status", "on_hold", 1]])
    assert read_case(empty) == {"enrollments": [], "skipped": {}, "rejected": [], "drift": []}


@pytest.mark.parametrize("paging", PAGINGS)
def test_a_single_enrollment_is_the_one_of_the_whole(own: Desk, paging: str) -> None:
    from rollbook.core.testing.conformance.lms import RecordedLms

    own.run("new", "my_lms", "--paging", paging)
    sys.path.insert(0, str(own.folder / "my_lms"))
    importlib.invalidate_caches()
    importlib.import_module("my_lms")
    case = load_case(own.folder / "my_lms" / "fixtures" / "tenant")
    with open_case(case, RecordedLms(case.load().exchanges)) as lms:
        one = lms.enrollment("101").model_dump(mode="json")

        assert one == next(each for each in case.enrollments if each["id"] == "101")
        with pytest.raises(Gone):
            lms.enrollment("999")


@pytest.mark.parametrize(
    "choices",
    [
        ["--auth", "oauth2", "--paging", "page"],
        ["--auth", "api-key", "--paging", "none"],
        ["--auth", "basic", "--paging", "offset", "--package"],
    ],
)
def test_its_own_tests_pass_as_they_stand(own: Desk, choices: list[str]) -> None:
    own.run("new", "my_lms", *choices)
    done = run(own.folder / "my_lms", "pytest", "-q", "-p", "no:cacheprovider")

    assert done.returncode == 0, done.stdout


def test_a_package_is_what_an_installer_wants(own: Desk) -> None:
    own.run("new", "my_lms", "--package")
    folder = own.folder / "my_lms"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    source = {f"src/rollbook_my_lms/{name}" for name in ("__init__.py", "connector.py", "my_lms.toml", "py.typed")}

    assert written(folder) == {
        *source,
        *("README.md", "pyproject.toml", "tests/test_my_lms.py"),
        *(f"tests/fixtures/{name}" for name in FIXTURES),
    }
    assert project["project"]["name"] == "rollbook-my-lms"
    assert project["project"]["entry-points"] == {"rollbook.connectors": {"my_lms": "rollbook_my_lms.connector"}}
    assert project["project"]["optional-dependencies"] == {"test": ["rollbook[testing]"]}


@pytest.mark.skipif(shutil.which("ruff") is None, reason="needs ruff on the path")
@pytest.mark.parametrize("shape", ["module", "package"])
@pytest.mark.parametrize("width", [88, 120])
def test_ruff_finds_nothing_to_complain_of(tmp_path: Path, shape: str, width: int) -> None:
    """In lines of either usual length, checked as strictly as this repository."""
    ruff = shutil.which("ruff") or ""
    for auth, paging in COMBINATIONS:
        for file, text in Draft("my_lms", auth, paging, package=shape == "package").files().items():
            path = tmp_path / f"{auth}-{paging}" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (tmp_path / f"{auth}-{paging}" / "ruff.toml").write_text(_ruff(width), encoding="utf-8")
    for command in (["check"], ["format", "--diff"]):
        done = subprocess.run(  # noqa: S603 - our own command
            [ruff, *command, "--no-cache", str(tmp_path)], check=False, capture_output=True, encoding="utf-8"
        )

        assert done.returncode == 0, done.stdout


def _ruff(width: int) -> str:
    """Give this repository's rules for a folder of its own, with its tests."""
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    rules = {"select": lint["select"], "ignore": lint["ignore"]}
    listed = "".join(f"{name} = {json.dumps(value)}\n" for name, value in rules.items())
    tests = json.dumps({"**/test_*.py": ["S101", "INP001"], "*": ["INP001"]}).replace('": ', '" = ')
    return (
        f'line-length = {width}\ntarget-version = "py311"\n[lint]\n{listed}per-file-ignores = {tests}\n'
        '[lint.pydocstyle]\nconvention = "google"\n'
    )


def test_no_text_is_left_unfilled(tmp_path: Path) -> None:
    for auth, paging in COMBINATIONS:
        for package in (False, True):
            for file, text in Draft("my_lms", auth, paging, package).files().items():
                assert "$" not in text, file
                assert "%%" not in text, file
                assert "TODO" not in text, file


# -- what is told ------------------------------------------------------------------------------------------------------


def test_it_tells_what_comes_next(own: Desk) -> None:
    result = own.run("new", "my_lms")

    assert result.stdout == ""
    assert result.stderr.startswith("my_lms has 8 new files: a connector 'my_lms' that reads a made-up LMS.\n")
    for word in (
        "cd my_lms\n",
        "python -m pytest\n",
        "rollbook test .\n",
        "my_lms.py",
        "my_lms.toml",
        "rollbook record",
    ):
        assert word in result.stderr
    assert max(map(len, result.stderr.splitlines())) <= 80


def test_a_package_is_installed_before_it_is_tested(own: Desk) -> None:
    result = own.run("new", "my_lms", "--package")

    assert "  python -m pip install -e '.[test]'\n  python -m pytest\n" in result.stderr
    assert "rollbook test tests\n" in result.stderr


def test_its_config_finds_it(own: Desk) -> None:
    own.run("new", "my_lms")
    folder = own.folder / "my_lms"

    done = run(folder, "rollbook.core", "connectors", "my_lms")
    check = run(folder, "rollbook.core", "check", "my_lms")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("my_lms  My LMS\n")
    assert "the environment variable MY_LMS_API_TOKEN is not set" in check.stderr


def test_an_earlier_config_is_kept_and_told_what_to_add(own: Desk) -> None:
    own.config("# mine\n")
    result = own.run("new", "my_lms", "--dir", ".")

    assert result.exit_code == 0
    assert (own.folder / "rollbook.toml").read_text() == "# mine\n"
    assert 'rollbook.toml was left as it is. Add to it: [plugins] modules = ["my_lms"]\n' in result.stderr
    assert "  cd " not in result.stderr


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My-LMS", "'My-LMS' is not a name in lower case, with digits and single _ inside, such as my_lms. Did you"),
        ("my__lms", "Did you mean 'my_lms'?"),
        ("../lms", "Did you mean 'lms'?"),
        ("9", "'9' is not a name in lower case"),
        ("a" * 31, "is not a name in lower case"),
        ("class", "'class' is a word of Python's own."),
        ("match", "'match' is a word of Python's own."),
        ("json", "'json' is a word of Python's own."),
        ("canvas", "there is a connector 'canvas' already\nSee: rollbook connectors canvas."),
        ("httpx", "there is a module 'httpx' already: "),
    ],
)
def test_a_name_that_cannot_be_is_refused(own: Desk, name: str, said: str) -> None:
    result = own.run("new", name)

    assert result.exit_code == 2
    assert said in result.stderr
    assert written(own.folder) == set()


def test_a_name_is_taken_all_the_same_if_wanted(own: Desk) -> None:
    assert own.run("new", "canvas", "--force").exit_code == 0
    assert (own.folder / "canvas" / "canvas.py").exists()
    assert find("canvas").__module__ == "rollbook.connectors.canvas"


@pytest.mark.parametrize("file", ["my_lms.py", "fixtures/empty.har.json"])
def test_no_file_is_overwritten(own: Desk, file: str) -> None:
    mine = own.folder / "my_lms" / file
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    result = own.run("new", "my_lms")

    assert result.exit_code == 2
    assert f"my_lms/{file} is already there: nothing was written\n" in result.stderr
    assert written(own.folder) == {f"my_lms/{file}"}
    assert mine.read_text() == "mine"


def test_a_disk_that_is_full_leaves_nothing_behind(own: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (own.folder / "my_lms").mkdir()
    before: Any = Path.open
    opened: list[Path] = []

    def full(path: Path, mode: str = "r", **options: Any) -> Any:
        opened.append(path)
        if mode == "x" and len(opened) > 5:
            raise OSError(28, "No space left on device", str(path))
        return before(path, mode, **options)

    monkeypatch.setattr(Path, "open", full)
    result = own.run("new", "my_lms")

    assert result.exit_code == 1
    assert result.stderr.startswith("rollbook: my_lms/")
    assert result.stderr.endswith(": No space left on device\n")
    assert [*own.folder.rglob("*")] == [own.folder / "my_lms"]


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are POSIX's")
def test_a_folder_that_may_not_be_written_is_told(own: Desk) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    own.folder.chmod(0o500)
    result = own.run("new", "my_lms")

    assert result.exit_code == 1
    assert result.stderr == "rollbook: my_lms: Permission denied\n"
