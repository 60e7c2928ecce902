"""The pytest plug-in: recordings as fixtures. Installed with rollbook, found by pytest itself.

pytest loads it wherever rollbook is installed, so it imports nothing of rollbook before a fixture is used.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from ..http import Pace
    from .replayed import Replayed

__all__ = ["REWRITTEN", "no_waits", "replayed", "rewritten_files"]

REWRITTEN = "rollbook_rewrote"
"""Name of the property that a test's report carries for each file it rewrote, also from pytest-xdist's workers."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-expected`."""
    parser.getgroup("rollbook").addoption(
        "--update-expected",
        action="store_true",
        default=False,
        help="Rewrite the *.expected.json files of recordings with what was read, for review.",
    )


@pytest.fixture
def replayed(request: pytest.FixtureRequest) -> Replayed:
    """Give what replays recordings; see `Replayed`.

    `with replayed("fixtures/tenant") as lms:` mounts one and opens its connection; `replayed.check("fixtures/tenant")`
    reads all of it and compares it with its expected file.
    """
    if find_spec("respx") is None:
        pytest.fail("The fixture 'replayed' needs respx. Run: pip install 'rollbook[testing]'", pytrace=False)
    from .replayed import Replayed  # noqa: PLC0415 - as the module says

    return Replayed(request.path.parent, update=_wants_update(request.config))


@pytest.fixture
def no_waits() -> Generator[Pace]:
    """Let no connection that the test opens wait: pauses, quotas and repetitions pass at once."""
    from ..http import no_waits as without_waits  # noqa: PLC0415 - as the module says

    with without_waits() as pace:
        yield pace


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Note in a test's report which expected files it rewrote."""
    if not _wants_update(item.config):
        return (yield)
    from .expected import rewritten  # noqa: PLC0415 - as the module says

    before = len(rewritten)
    try:
        return (yield)
    finally:
        item.user_properties += [(REWRITTEN, str(file)) for file in rewritten[before:]]


def rewritten_files(reports: Iterable[object]) -> list[str]:
    """Give the files that tests have rewritten, by their reports."""
    properties = [
        pair for report in reports for pair in cast("list[tuple[str, object]]", getattr(report, "user_properties", []))
    ]
    return sorted({str(file) for name, file in properties if name == REWRITTEN})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the files that were rewritten: they are to be reviewed before they are committed."""
    if not _wants_update(config):
        return
    stats = cast("dict[str, list[object]]", terminalreporter.stats)
    files = rewritten_files(report for reports in stats.values() for report in reports)
    terminalreporter.section("rollbook: --update-expected")
    if not files:
        terminalreporter.write_line("Nothing was rewritten: every expected file says what was read.")
        return
    terminalreporter.write_line(f"Rewritten, to be reviewed ({len(files)}):")
    for file in files:
        terminalreporter.write_line(f"  {file}")


def _wants_update(config: pytest.Config) -> bool:
    return bool(config.getoption("update_expected"))
