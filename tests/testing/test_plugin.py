"""The pytest plug-in in somebody else's suite: its fixtures, what they say when something does not fit, its option."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    Suite = pytest.Pytester

WHOLE = """
def test_tenant(replayed):
    replayed.check("fixtures/tenant")
"""

WITHOUT_RESPX = """
import sys
import pytest

sys.modules["respx"] = None
sys.exit(pytest.main(["-q", "-p", "rollbook"]))
"""
QUICK = [f"-pno:{name}" for name in ("randomly", "hypothesispytest", "anyio", "cacheprovider")]
"""Plug-ins of ours that the suites here do without: they are slow to load, for each of them."""


@pytest.fixture
def suite(pytester: pytest.Pytester, shelf: Path) -> Suite:
    """Give the suite of somebody whose connector is `shelf`: its cases stand in `fixtures`."""
    for module in ("api", "testing.replayed"):
        importlib.import_module(f"rollbook.core.{module}")  # or each run of a suite would do so anew
    (pytester.path / "fixtures").symlink_to(shelf / "fixtures")
    pytester.makeconftest("import shelf_lms")
    return pytester


def run(suite: Suite, *args: str) -> tuple[int, str]:
    """Run the suite; gives how many tests passed and what was printed."""
    result = suite.runpytest_inprocess(*QUICK, *args)
    return result.parseoutcomes().get("passed", 0), result.stdout.str()


def edit(case: Path, before: str, after: str) -> None:
    """Change something in a file."""
    text = case.read_text(encoding="utf-8")

    assert before in text
    case.write_text(text.replace(before, after), encoding="utf-8")


def test_a_recording_gives_a_ready_connection(suite: Suite) -> None:
    suite.makepyfile("""
        def test_loans(replayed):
            with replayed("fixtures/tenant") as lms:
                found = {one.id: one.status for one in lms.enrollments()}
            assert found == {"11": "in_progress", "12": "completed", "21": "unknown"}
            assert lms.findings.skipped == {"librarian": 1}

        def test_nothing(replayed):
            with replayed("fixtures/empty.har.json") as lms:
                assert list(lms.enrollments()) == []
    """)

    assert run(suite)[0] == 2


def test_single_reads_and_checks_can_be_replayed_too(suite: Suite) -> None:
    suite.makepyfile("""
        def test_one(replayed):
            with replayed("fixtures/tenant", strict=False) as lms:
                assert lms.enrollment("11").user.name == "Ada Quill"
                assert lms.check() == ()
    """)

    assert run(suite)[0] == 1


def test_paths_are_relative_to_the_test_file(suite: Suite) -> None:
    folder = suite.mkdir("deeper")
    (folder / "test_deeper.py").write_text(WHOLE.replace("fixtures/", "../fixtures/"))

    assert run(suite, str(folder))[0] == 1


def test_a_whole_case_is_compared_with_its_expected_file(suite: Suite) -> None:
    suite.makepyfile(WHOLE)

    assert run(suite)[0] == 1


def test_what_differs_fails_with_a_line_for_each_thing(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    edit(suite.path / "fixtures" / "tenant.expected.json", '"progress_percent": 40.0', '"progress_percent": 41.0')
    passed, text = run(suite)

    assert passed == 0
    assert "E       AssertionError: tenant.expected.json and what was read differ:\n" in text
    assert "E         11  progress_percent: expected 41.0, found 40.0\n" in text
    assert "run again with --update-expected and review the changed file" in text
    assert "replayed.py" not in text  # nothing of our own inside
    assert "remote_data" not in text


def test_a_request_that_was_not_recorded_fails_with_the_nearest(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    edit(suite.path / "fixtures" / "tenant.har.json", "shelves/2/loans?size=2&page=1", "shelves/2/loans?size=2&page=0")
    _, text = run(suite)

    assert "E       AssertionError: tenant.har.json:\n" in text
    assert "not recorded: GET https://shelf.example.com/shelves/2/loans [page=1 size=2]" in text
    assert "nearest recorded: GET https://shelf.example.com/shelves/2/loans [page=0 size=2]" in text
    assert "query page: '1', recorded '0'" in text


def test_a_recorded_exchange_that_is_never_asked_for_fails(suite: Suite) -> None:
    suite.makepyfile("""
        def test_first(replayed):
            with replayed("fixtures/tenant"):
                pass
    """)
    passed, text = run(suite)

    assert passed == 0
    assert "recorded, but never asked for: GET https://shelf.example.com/shelves/" in text


def test_a_failure_inside_comes_out_as_it_is(suite: Suite) -> None:
    suite.makepyfile("""
        def test_first(replayed):
            with replayed("fixtures/tenant") as lms:
                assert 1 == 2
    """)
    text = run(suite)[1]

    assert "assert 1 == 2" in text
    assert "never asked for" not in text


def test_a_case_that_is_not_there_is_named(suite: Suite) -> None:
    suite.makepyfile(WHOLE.replace("tenant", "tennant"))

    assert "there is no recording tennant.har.json" in run(suite)[1]


def test_a_connector_whose_module_nobody_imported_is_told_with_what_to_do(suite: Suite) -> None:
    suite.makeconftest("")
    suite.makepyfile(WHOLE)
    text = run(suite)[1]

    assert "unknown connector 'shelf'" in text
    assert "If it is your own, import its module in the test or in conftest.py." in text


def test_no_network_is_reached(suite: Suite) -> None:
    suite.makepyfile("""
        import httpx

        def test_other(replayed):
            with replayed("fixtures/tenant", strict=False):
                httpx.get("https://shelf.example.com/other")
    """)

    assert "not recorded: GET https://shelf.example.com/other" in run(suite)[1]


def test_an_update_rewrites_what_differs_and_lists_it_for_review(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    file = suite.path / "fixtures" / "tenant.expected.json"
    before = file.read_text(encoding="utf-8")
    edit(file, '"progress_percent": 40.0', '"progress_percent": 41.0')
    passed, text = run(suite, "--update-expected")

    assert passed == 1
    assert "Rewritten, to be reviewed (1):" in text
    assert str(file) in text
    assert file.read_text(encoding="utf-8") == before


def test_an_update_fills_a_file_that_has_only_its_settings(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    file = suite.path / "fixtures" / "tenant.expected.json"
    before = file.read_text(encoding="utf-8")
    said = json.loads(before)
    file.write_text(json.dumps({key: said[key] for key in ("connector", "as_of", "settings")}))

    assert run(suite, "--update-expected")[0] == 1
    assert file.read_text(encoding="utf-8") == before


def test_an_update_with_nothing_to_do_says_so(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    passed, text = run(suite, "--update-expected")

    assert passed == 1
    assert "Nothing was rewritten: every expected file says what was read." in text


def test_an_update_does_not_hide_a_recording_that_does_not_fit(suite: Suite) -> None:
    suite.makepyfile(WHOLE)
    edit(suite.path / "fixtures" / "tenant.har.json", "shelves/2/loans?", "shelves/3/loans?")
    before = (suite.path / "fixtures" / "tenant.expected.json").read_text(encoding="utf-8")
    passed, text = run(suite, "--update-expected")

    assert passed == 0
    assert "not recorded: GET https://shelf.example.com/shelves/2/loans" in text
    assert (suite.path / "fixtures" / "tenant.expected.json").read_text(encoding="utf-8") == before


def test_without_the_option_nothing_is_said_about_it(suite: Suite) -> None:
    suite.makepyfile(WHOLE)

    assert "rewritten" not in run(suite)[1].lower()


def test_waits_can_be_switched_off(suite: Suite) -> None:
    suite.makepyfile("""
        import asyncio
        from rollbook.core.http import pace

        def test_hour(no_waits):
            before = pace().now()
            asyncio.run(pace().sleep(3600))
            assert pace() is no_waits
            assert pace().now() - before >= 3600

        def test_after():
            assert type(pace()).__name__ == "Pace"
    """)

    assert run(suite)[0] == 2


def test_the_option_and_the_fixtures_are_told_in_pytests_help(suite: Suite) -> None:
    shown = [suite.runpytest_inprocess(*QUICK, option).stdout.str() for option in ("--help", "--fixtures")]

    assert "rollbook:\n  --update-expected " in shown[0]
    assert "Give what replays recordings" in shown[1]


def test_a_suite_without_recordings_needs_nothing_and_imports_nothing(pytester: pytest.Pytester) -> None:
    """In a process of its own, in which respx cannot be imported."""
    pytester.makepyfile("""
        import sys

        def test_ours():
            heavy = {"httpx", "pydantic", "sqlalchemy", "jmespath", "rich", "click", "rollbook.core.http"}
            assert "rollbook.core.testing.plugin" in sys.modules
            assert heavy & {*sys.modules} == set()

        def test_waits(no_waits):
            assert no_waits

        def test_replay(replayed):
            pass
    """)
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", WITHOUT_RESPX],
        cwd=pytester.path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        check=False,
        capture_output=True,
        text=True,
    )

    assert "2 passed, 1 error" in done.stdout
    assert "The fixture 'replayed' needs respx. Run: pip install 'rollbook[testing]'\n" in done.stdout
