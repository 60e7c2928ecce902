"""`rollbook test`: a line for each promise, failures that say what is wrong, and nobody's own pytest in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.testing import check_expected, load_case, read_case

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Desk

    Promise = Callable[[Any], None]

PLUGIN = '[plugins]\nmodules = ["shelf_lms"]\n'


@pytest.fixture
def desk(empty: Desk, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Give a folder with the connector `shelf`, and a config that names its module."""
    monkeypatch.chdir(shelf)
    empty.folder = shelf
    empty.config(PLUGIN)
    return empty


@pytest.fixture
def promises(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let a connector have these promises only: functions, run once for each of the cases that they are marked with."""

    def promise(**tests: Any) -> None:
        def made(connector: str, fixtures: str) -> type:
            members = {name: staticmethod(test) if callable(test) else test for name, test in tests.items()}
            return type("Promises", (), {f"test_{name}": test for name, test in members.items()})

        monkeypatch.setattr("rollbook.core.testing.conformance.conformance_tests", made)

    return promise


def for_cases(*names: str) -> Any:
    return pytest.mark.parametrize("trial", [SimpleNamespace(name=name) for name in names], ids=names)


def kept() -> None:
    """Keep a promise."""


def kept_by() -> Promise:
    """Give a promise about cases that all of them keep."""

    def promise(trial: Any) -> None:
        del trial

    return promise


def broken() -> None:
    """Break one."""
    raise AssertionError("it is so:\n  not as it should be \x1b[2J")


def test_a_connector_passes(desk: Desk) -> None:
    """In a process of its own, beside a conftest and a config of pytest that would stop any run."""
    (desk.folder / "conftest.py").write_text("raise RuntimeError('not ours')\n")
    (desk.folder / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    done = subprocess.run(
        [sys.executable, "-m", "rollbook.core", "test", "fixtures"],
        cwd=desk.folder,
        env={**os.environ, "PYTEST_ADDOPTS": "--no-such-option", "PYTEST_PLUGINS": "no_such_plugin"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "shelf  fixtures"
    assert "  ok       a tenant is read to its last page as expected [2 cases]" in lines
    assert all(line.startswith("  ok       ") for line in lines[1:-2])
    assert lines[-1].partition(" checks: ")[2].endswith(" ok")
    assert max(map(len, lines)) <= 80


def test_what_differs_is_told_under_its_promise_and_can_be_taken_over(
    desk: Desk, promises: Callable[..., None]
) -> None:
    folder = desk.folder / "fixtures"
    file = folder / "tenant.expected.json"
    right = file.read_text(encoding="utf-8")
    file.write_text(right.replace('"status": "completed"', '"status": "passed"'), encoding="utf-8")

    def as_expected(trial: Any, request: pytest.FixtureRequest) -> None:
        case = load_case(folder / trial.name)
        check_expected(case, read_case(case), update=bool(request.config.getoption("update_expected")))

    promises(it_is_read_as_expected=for_cases("empty", "tenant")(as_expected), another=broken)
    failed = desk.run("test", "fixtures/tenant.har.json")

    assert failed.exit_code == 1
    assert failed.stdout == (
        "shelf  fixtures/tenant\n"
        "  failed   it is read as expected [tenant]\n"
        "           tenant.expected.json and what was read differ:\n"
        '             12  status: expected "passed", found "completed"\n'
        "           If what was found is right, run again with --update-expected and review the changed file.\n"
        "\n1 check: 1 failed\n"
    )

    updated = desk.run("test", "fixtures/tenant.har.json", "--update-expected")

    assert updated.exit_code == 0
    assert updated.stdout.endswith(f"\n1 check: 1 ok\nRewritten, to be reviewed (1):\n  {file}\n")
    assert file.read_text(encoding="utf-8") == right


def test_a_promise_that_all_cases_keep_is_one_line(desk: Desk, promises: Callable[..., None]) -> None:
    promises(
        a_first_thing_holds=for_cases("empty", "tenant")(kept_by()),
        another_one=kept,
        a_last_one=for_cases("empty")(kept_by()),
    )
    result = desk.run("test", "fixtures")

    assert result.stdout == (
        "shelf  fixtures\n"
        "  ok       a first thing holds [2 cases]\n"
        "  ok       another one\n"
        "  ok       a last one [empty]\n"
        "\n4 checks: 4 ok\n"
    )


def test_a_promise_that_one_case_breaks_names_it(desk: Desk, promises: Callable[..., None]) -> None:
    def holds(trial: Any) -> None:
        if trial.name == "tenant":
            broken()

    promises(it_holds=for_cases("empty", "tenant", "third")(holds))
    result = desk.run("test", "fixtures")

    assert result.exit_code == 1
    assert result.stdout == (
        "shelf  fixtures\n"
        "  ok       it holds [2 cases]\n"
        "  failed   it holds [tenant]\n"
        "           it is so:\n"
        "             not as it should be \N{REPLACEMENT CHARACTER}[2J\n"
        "\n3 checks: 2 ok, 1 failed\n"
    )


def test_what_is_skipped_says_why(desk: Desk, promises: Callable[..., None]) -> None:
    promises(one=kept, other=lambda: pytest.skip("the LMS has no pages"))
    result = desk.run("test", "fixtures")

    assert result.exit_code == 0
    assert "  skipped  other (the LMS has no pages)\n\n2 checks: 1 ok, 1 skipped\n" in result.stdout


def test_an_error_is_told_by_its_kind(desk: Desk, promises: Callable[..., None]) -> None:
    def torn() -> None:
        raise KeyError("user")

    def silent() -> None:
        raise AssertionError

    promises(one=torn, two=silent)
    result = desk.run("test", "fixtures")

    assert "  failed   one\n           KeyError: 'user'\n" in result.stdout
    assert "  failed   two\n           AssertionError at test_test.py:" in result.stdout


def test_a_traceback_is_shown_to_who_asks_for_it(
    desk: Desk, promises: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROLLBOOK_DEBUG", "1")
    promises(one=broken)

    assert 'raise AssertionError("it is so:' in desk.run("test", "fixtures").stdout


def test_what_a_test_prints_is_not_shown(desk: Desk, promises: Callable[..., None]) -> None:
    promises(one=lambda: sys.stdout.write("noise"))

    assert "noise" not in desk.run("test", "fixtures").stdout


def test_tests_that_cannot_be_made_are_a_failure(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(connector: str, fixtures: str) -> type:
        raise ValueError("no promises today")

    monkeypatch.setattr("rollbook.core.testing.conformance.conformance_tests", made)
    result = desk.run("test", "fixtures")

    assert result.exit_code == 1
    assert "  broken\n" in result.stdout
    assert "no promises today" in result.stdout
    assert result.stdout.endswith("\n0 checks\n")


def test_stopped_by_the_user_it_ends_with_130(desk: Desk, promises: Callable[..., None]) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    promises(one=kept, two=stop)
    result = desk.run("test", "fixtures")

    assert result.exit_code == 130
    assert "  ok       one\n" in result.stdout
    assert result.stderr == "rollbook: stopped\n"


def test_nothing_to_update_is_said(desk: Desk, promises: Callable[..., None]) -> None:
    promises(one=kept)

    assert desk.run("test", "fixtures", "--update-expected").stdout.endswith(
        "\n1 check: 1 ok\nNothing was rewritten: every expected file says what was read.\n"
    )


def test_cases_are_found_in_all_folders_below(desk: Desk, promises: Callable[..., None]) -> None:
    (desk.folder / "more").mkdir()
    (desk.folder / "fixtures").rename(desk.folder / "more" / "fixtures")
    (desk.folder / "more" / "other").mkdir()
    for file in (desk.folder / "more" / "fixtures").glob("empty.*"):
        (desk.folder / "more" / "other" / file.name).write_bytes(file.read_bytes())
    promises(one=kept)

    assert desk.run("test", "more").stdout == (
        "shelf  more/fixtures\n  ok       one\nshelf  more/other\n  ok       one\n\n2 checks: 2 ok\n"
    )


def test_folders_that_are_not_the_users_own_are_left_out(desk: Desk, promises: Callable[..., None]) -> None:
    for place in (".hidden", "venv/lib/site-packages/other"):
        shutil.copytree(desk.folder / "fixtures", desk.folder / place)
    promises(one=kept)

    assert desk.run("test", ".").stdout == "shelf  fixtures\n  ok       one\n\n1 check: 1 ok\n"


def test_the_environment_is_as_before(
    desk: Desk, promises: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    before = {name: os.environ.get(name) for name in ("PYTEST_ADDOPTS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")}
    modules = {name for name in sys.modules if name.startswith("test_rollbook")}
    promises(one=kept)
    desk.run("test", "fixtures")

    assert {name: os.environ.get(name) for name in before} == before
    assert {name for name in sys.modules if name.startswith("test_rollbook")} == modules


def without_connector(desk: Desk) -> None:
    for file in (desk.folder / "fixtures").glob("*.expected.json"):
        file.write_text(file.read_text(encoding="utf-8").replace(' "connector": "shelf",\n', ""), encoding="utf-8")


def test_a_connector_that_the_cases_do_not_name_can_be_given(desk: Desk, promises: Callable[..., None]) -> None:
    without_connector(desk)
    promises(one=kept)

    assert desk.run("test", "fixtures", "--connector", "shelf").stdout.startswith("shelf  fixtures\n")


def test_a_connector_that_nobody_names_is_asked_for(desk: Desk) -> None:
    without_connector(desk)
    result = desk.run("test", "fixtures")

    assert result.exit_code == 2
    assert result.stderr == (
        "rollbook: fixtures: the cases do not say which connector they are of\n"
        'Give --connector NAME, or write "connector": "NAME" into their expected files.\n'
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nowhere"], "rollbook: .: there is no recording nowhere.har.json\n"),
        (
            ["more"],
            "rollbook: more: there is no recording (*.har.json) in this folder or below\nMake one: rollbook rec",
        ),
        (
            ["fixtures", "--connector", "canvas"],
            "rollbook: fixtures: there is no case of the connector 'canvas'\nOnly: s",
        ),
        (
            ["fixtures/tenant", "--connector", "canvas"],
            "rollbook: fixtures/tenant: there is no case of the connector 'canvas'\n",
        ),
        ([], "rollbook test: Missing argument 'PATH'.\n"),
    ],
)
def test_wrong_usage_is_told_before_anything_runs(desk: Desk, args: list[str], said: str) -> None:
    (desk.folder / "more").mkdir()
    result = desk.run("test", *args)

    assert result.exit_code == 2
    assert result.stderr.startswith(said)
    assert result.stdout == ""


def test_a_misspelt_connector_suggests_the_nearest(desk: Desk) -> None:
    without_connector(desk)
    result = desk.run("test", "fixtures", "--connector", "shelv")

    assert result.exit_code == 2
    assert result.stderr == "rollbook: unknown connector 'shelv'\nDid you mean 'shelf'?\n"


@pytest.mark.parametrize(
    ("file", "before", "after", "said"),
    [
        (
            "fixtures/tenant.expected.json",
            '"token"',
            '"tokn"',
            "unknown setting of shelf 'tokn'\nDid you mean 'token'?",
        ),
        ("shelf.toml", "id(loan.id)", "id(loan.id", "shelf.toml"),
        ("fixtures/tenant.expected.json", '"as_of"', '"asof"', "the key 'asof' is not known"),
        ("fixtures/empty.har.json", '"_origin"', '"origin"', "does not say where it came from"),
    ],
)
def test_what_is_wrong_in_the_files_is_one_message(desk: Desk, file: str, before: str, after: str, said: str) -> None:
    text = (desk.folder / file).read_text(encoding="utf-8")
    (desk.folder / file).write_text(text.replace(before, after), encoding="utf-8")
    result = desk.run("test", "fixtures")

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("missing", ["pytest", "respx"])
def test_a_missing_package_is_told_with_what_to_do(desk: Desk, missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def find_spec(name: str) -> object:
        return None if name == missing else object()

    monkeypatch.setattr("rollbook.core.cli.test.find_spec", find_spec)
    result = desk.run("test", "fixtures")

    assert result.exit_code == 2
    assert result.stderr == f"rollbook: rollbook test needs {missing}\nRun: pip install 'rollbook[testing]'\n"
