"""The suite as its users meet it: in pytest, in a folder of their own, with a connector of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

MODULE = '''
from rollbook.core.testing import conformance_tests
from guild_lms import Guild

class Loses(Guild):
    """Gives one learner of each page."""

    async def pages(self, partition, cursor, since):
        async for page in super().pages(partition, cursor, since):
            yield type(page)(page.records[:1], page.cursor)

TestGuild = conformance_tests({connector}, "fixtures", exempt={{"test_throttling_is_waited_out": "it is never busy"}})
'''
FEW = "last_page or throttling or check_proves or fresh_process"


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Give somebody's folder."""
    shutil.copytree(HERE / "fixtures" / "guild", tmp_path / "fixtures")
    for name in ("guild_lms.py", "guild.toml"):
        shutil.copy(HERE / "lms" / name, tmp_path / name)
    return tmp_path


def run(desk: Path, connector: str, *options: str) -> subprocess.CompletedProcess[str]:
    (desk / "test_guild.py").write_text(MODULE.format(connector=connector), encoding="utf-8")
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", "-k", FEW, "-rs", "-v", *options],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_promise_runs_once_for_each_case_and_exemptions_are_skipped_with_their_reason(desk: Path) -> None:
    done = run(desk, "Guild")

    assert done.returncode == 0, done.stdout
    for case in ("empty", "tenant"):
        assert f"::TestGuild::test_a_tenant_is_read_to_its_last_page_as_expected[{case}] PASSED" in done.stdout
    assert "::TestGuild::test_a_check_proves_the_credentials PASSED" in done.stdout
    assert "exempt: it is never busy" in done.stdout


def test_a_connector_of_the_test_file_is_found_elsewhere_too_and_fails_in_a_few_lines(desk: Path) -> None:
    done = run(desk, "Loses")
    _, _, told = done.stdout.partition("= FAILURES =")

    assert "test_a_partition_reads_the_same_in_a_fresh_process[tenant] PASSED" in done.stdout
    assert "test_a_tenant_is_read_to_its_last_page_as_expected[tenant] FAILED" in done.stdout
    assert "11:502" in told
    assert "promises_reading.py" not in told
    assert len(told.splitlines()) < 40


def test_expected_files_are_rewritten_where_that_is_asked_for(desk: Path) -> None:
    file = desk / "fixtures" / "tenant.expected.json"
    before = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**before, "enrollments": []}), encoding="utf-8")

    assert run(desk, "Guild").returncode == 1

    done = run(desk, "Guild", "--update-expected")

    assert done.returncode == 0, done.stdout
    assert before == json.loads(file.read_text(encoding="utf-8"))
