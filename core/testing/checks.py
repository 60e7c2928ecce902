"""Checks: conformance tests run by pytest in this process, told one by one, for people who have no suite."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import pytest

from .plugin import rewritten_files

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

__all__ = ["Check", "Checked", "Suite", "run_checks"]

Outcome = Literal["ok", "failed", "skipped"]

_ALONE = {"PYTEST_ADDOPTS": None, "PYTEST_PLUGINS": None, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""The environment in which only pytest itself and our plug-in take part."""
_OPTIONS = (
    "--noconftest",
    "--import-mode=importlib",
    "--capture=sys",
    *("-p", "rollbook.core.testing.plugin"),
    *("-p", "no:terminal"),
    *("-p", "no:cacheprovider"),
    *("-p", "no:logging"),
    *("-p", "no:warnings"),
)


class Suite(NamedTuple):
    """A folder of cases, and the connector that they are of."""

    connector: str
    folder: Path
    case: str = ""
    """The only case that is looked at; empty for all of the folder."""


class Check(NamedTuple):
    """One promise that was held against a case, or against all of them."""

    suite: Suite
    name: str
    """The promise, in words."""
    case: str
    """The case it was held against; empty for all of them."""
    outcome: Outcome
    text: str
    """Why it failed, or why it was skipped."""


@dataclass(slots=True)
class Checked:
    """What came out."""

    checks: list[Check] = field(default_factory=list[Check])
    rewritten: list[str] = field(default_factory=list[str])
    """Expected files that were rewritten."""
    broken: list[str] = field(default_factory=list[str])
    """Why tests could not even be made or run."""
    interrupted: bool = False

    @property
    def passed(self) -> bool:
        """Whether there was something to check, and nothing failed."""
        return bool(self.checks) and not self.broken and all(check.outcome != "failed" for check in self.checks)


def run_checks(
    suites: Iterable[Suite], *, update: bool = False, debug: bool = False, tell: Callable[[Check], None]
) -> Checked:
    """Run the conformance tests of each suite. No config or conftest of the user's takes part.

    Args:
        suites: What to run.
        update: Rewrite expected files that differ.
        debug: Give tracebacks in the texts of failed checks.
        tell: Told of each check as it ends.
    """
    by_class = {f"Test{number}": suite for number, suite in enumerate(suites)}
    watcher = _Watcher(by_class, tell, debug=debug)
    with tempfile.TemporaryDirectory(prefix="rollbook_") as name, _alone():
        folder = Path(name)
        module = folder / f"test_{folder.name}.py"  # a name of its own: pytest imports a name only once in a process
        module.write_text(_source(by_class), encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        places = ["-c", str(folder / "pytest.ini"), "--rootdir", name, str(module)]
        pytest.main([*_OPTIONS, *(["--update-expected"] if update else []), *places], plugins=[watcher])
        sys.modules.pop(module.stem, None)
    watcher.checked.rewritten = rewritten_files(watcher.reports)
    return watcher.checked


def _source(by_class: dict[str, Suite]) -> str:
    lines = ["from rollbook.core.testing.conformance import conformance_tests", ""]
    for name, suite in by_class.items():
        lines.append(f"{name} = conformance_tests({suite.connector!r}, fixtures={str(suite.folder.resolve())!r})")
    return "\n".join([*lines, ""])


@contextmanager
def _alone() -> Generator[None]:
    before = {name: os.environ.get(name) for name in _ALONE}
    _set(_ALONE)
    try:
        yield
    finally:
        _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


class _Watcher:
    """A plug-in of that one run, which listens."""

    def __init__(self, by_class: dict[str, Suite], tell: Callable[[Check], None], *, debug: bool) -> None:
        self.checked = Checked()
        self.reports: list[pytest.TestReport] = []
        self._by_class = by_class
        self._tell = tell
        self._debug = debug
        self._texts: dict[str, str] = {}
        self._names: dict[str, tuple[str, str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Name the checks, and leave out those of other cases where one was asked for."""
        items[:] = [item for item in items if self._is_wanted(item)]

    def _is_wanted(self, item: pytest.Item) -> bool:
        name, _, case = item.name.removeprefix("test_").removesuffix("]").partition("[")
        self._names[item.nodeid] = name.replace("_", " "), case
        wanted = self._suite(item.nodeid).case
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        return not wanted or getattr(parameters.get("trial"), "name", None) == wanted

    def _suite(self, nodeid: str) -> Suite:
        return self._by_class[nodeid.split("::")[1]]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep why a step failed."""
        report = yield
        if report.failed and call.excinfo is not None:
            self._texts[item.nodeid] = report.longreprtext if self._debug else _told(call.excinfo)
        elif report.skipped and isinstance(report.longrepr, tuple):
            self._texts[item.nodeid] = report.longrepr[2].removeprefix("Skipped: ")
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a step's report."""
        self.reports.append(report)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell of a check that has ended."""
        outcomes = {report.outcome for report in self.reports if report.nodeid == nodeid}
        outcome: Outcome = "failed" if "failed" in outcomes else "skipped" if "skipped" in outcomes else "ok"
        check = Check(self._suite(nodeid), *self._names[nodeid], outcome, self._texts.get(nodeid, ""))
        self.checked.checks.append(check)
        self._tell(check)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why tests could not be made."""
        if report.failed:
            self.checked.broken.append(report.longreprtext)

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Keep why the run broke off."""
        self.checked.broken.append(_told(excinfo))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note that the user stopped it; pytest also ends in this way when tests could not be made."""
        self.checked.interrupted = isinstance(excinfo.value, KeyboardInterrupt) and not self.checked.broken


def _told(found: pytest.ExceptionInfo[BaseException]) -> str:
    error = found.value
    text = str(error)
    if isinstance(error, AssertionError) and text:
        return text
    place = f" at {Path(str(found.traceback[-1].path)).name}:{found.traceback[-1].lineno + 1}" if not text else ""
    return f"{type(error).__name__}{f': {text}' if text else place}"
