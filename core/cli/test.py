"""`rollbook test`: a connector's promises, held against its recordings, without a test suite."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SettingsError
from .failures import COMPLETE, FAILED, INTERRUPTED
from .screen import counted, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..testing.case import Case
    from ..testing.checks import Check, Checked, Suite
    from .workspace import Workspace

__all__ = ["test"]

_COLOURS = {"ok": "green", "failed": "red", "skipped": "yellow"}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--connector", metavar="NAME", help="Its connector, where the cases do not name it.")
@click.option("--update-expected", "update", is_flag=True, help="Rewrite expected files that differ, for review.")
@click.pass_obj
def test(work: Workspace, path: Path, connector: str | None, *, update: bool) -> int:
    """Prove a connector against its recordings.

    PATH is a folder with cases (NAME.har.json beside NAME.expected.json), also in folders below it, or one case. No LMS
    is asked. Exit status 1: a check failed.
    """
    for module in ("pytest", "respx"):
        if find_spec(module) is None:
            raise SettingsError(f"rollbook test needs {module}", hint="Run: pip install 'rollbook[testing]'")
    suites = _suites(path, connector)
    for suite in suites:
        _check(suite, work)
    from ..testing.checks import run_checks  # noqa: PLC0415 - pytest is slow to import, and may be missing

    pages = _Pages()
    checked = run_checks(suites, update=update, debug=bool(os.environ.get("ROLLBOOK_DEBUG")), tell=pages.add)
    pages.end()
    _print_end(checked, update=update)
    return INTERRUPTED if checked.interrupted else COMPLETE if checked.passed else FAILED


def _suites(path: Path, connector: str | None) -> list[Suite]:
    """Find the cases, folder by folder, and what connector each folder is of."""
    from ..testing.case import HAR, find_cases, load_case  # noqa: PLC0415 - slow to import
    from ..testing.checks import Suite  # noqa: PLC0415 - as above

    if path.is_dir():
        folders = sorted({file.parent for file in path.rglob(f"*{HAR}") if not _is_foreign(file.relative_to(path))})
        suites = [Suite(_connector_of(find_cases(folder), connector), folder) for folder in folders]
    else:
        case = load_case(path)
        suites = [Suite(_connector_of([case], connector), case.folder, case.name)]
    if not suites:
        hint = "Make one: rollbook record CONNECTION"
        raise SettingsError(f"there is no recording (*{HAR}) in this folder or below", where=str(path), hint=hint)
    chosen = [suite for suite in suites if connector in (None, suite.connector)]
    if not chosen:
        others = ", ".join(sorted({suite.connector for suite in suites}))
        raise SettingsError(f"there is no case of the connector {connector!r}", where=str(path), hint=f"Only: {others}")
    return chosen


def _is_foreign(file: Path) -> bool:
    """Tell whether a file is in a folder that is not the user's own work."""
    return any(part.startswith(".") or part == "site-packages" for part in file.parts[:-1])


def _connector_of(cases: Sequence[Case], connector: str | None) -> str:
    where = str(cases[0].folder)
    names = sorted({name for case in cases if (name := case.connector or connector)})
    if len(names) > 1:
        hint = "Keep the cases of each connector in a folder of their own."
        raise SettingsError(f"the cases are of several connectors: {', '.join(names)}", where=where, hint=hint)
    if not names:
        hint = 'Give --connector NAME, or write "connector": "NAME" into their expected files.'
        raise SettingsError("the cases do not say which connector they are of", where=where, hint=hint)
    return names[0]


def _check(suite: Suite, work: Workspace) -> None:
    """Look at names, settings and mappings now: what is wrong there is worth one message, not forty failed checks."""
    from ..connection import check_settings, read_definition  # noqa: PLC0415 - slow to import
    from ..registry import find  # noqa: PLC0415 - as above
    from ..testing.case import find_cases  # noqa: PLC0415 - as above

    for case in find_cases(suite.folder):
        case.load()
        kind = find(suite.connector, str(case.settings.get("strategy", "")), work.modules)
        check_settings(kind, case.settings, str(case.expected))
        read_definition(kind, case.mapping, str(case.expected))


def _place(suite: Suite) -> str:
    return str(suite.folder / suite.case) if suite.case else str(suite.folder)


class _Pages:
    """Prints checks as they end: a heading for each suite, and a promise that all cases keep on one line."""

    def __init__(self) -> None:
        self._suite: Suite | None = None
        self._checks: list[Check] = []

    def add(self, check: Check) -> None:
        """Take the next check."""
        if self._checks and self._checks[-1][:2] != check[:2]:
            self.end()
        if check.suite != self._suite:
            self._suite = check.suite
            click.secho(f"{plain(check.suite.connector)}  {plain(_place(check.suite))}", bold=True)
        self._checks.append(check)

    def end(self) -> None:
        """Print the promise that the last checks were about."""
        groups: dict[tuple[str, str], list[Check]] = {}
        for check in self._checks:
            groups.setdefault((check.outcome, check.text), []).append(check)
        for (outcome, text), checks in groups.items():
            _print_promise(outcome, text, checks)
        self._checks = []


def _print_promise(outcome: str, text: str, checks: Sequence[Check]) -> None:
    cases = [plain(check.case) for check in checks if check.case]
    which = f" [{cases[0] if len(cases) == 1 else f'{len(cases)} cases'}]" if cases else ""
    reason = f" ({plain(text)})" if outcome == "skipped" and text else ""
    click.echo(f"  {click.style(f'{outcome:<7}', fg=_COLOURS[outcome])}  {plain(checks[0].name)}{which}{reason}")
    if outcome == "failed":
        _print_lines(text)


def _print_lines(text: str) -> None:
    for line in text.splitlines():
        click.echo(f"           {plain(line)}".rstrip())


def _print_end(checked: Checked, *, update: bool) -> None:
    for text in checked.broken:
        click.secho("  broken", fg="red")
        _print_lines(text)
    count = {outcome: sum(check.outcome == outcome for check in checked.checks) for outcome in _COLOURS}
    told = [f"{number} {outcome}" for outcome, number in count.items() if number]
    click.echo(f"\n{counted(len(checked.checks), 'check')}{': ' if told else ''}{', '.join(told)}")
    if update and not checked.rewritten:
        click.echo("Nothing was rewritten: every expected file says what was read.")
    if checked.rewritten:
        click.echo(f"Rewritten, to be reviewed ({len(checked.rewritten)}):")
        for file in checked.rewritten:
            click.echo(f"  {plain(file)}")
    if checked.interrupted:
        click.echo("rollbook: stopped", err=True)
