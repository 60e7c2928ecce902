"""What the fixture `replayed` gives: a recording and the connection that reads it, in one line of a test."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

from .case import load_case
from .expected import check_expected
from .replay import found_by, open_case, replay

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ..api import Lms
    from .case import Case

__all__ = ["Replayed"]


class Replayed:
    """Opens cases; paths are relative to the folder of the test, with or without `.har.json`.

    Args:
        folder: That folder.
        update: Whether files of what is expected are rewritten.
    """

    def __init__(self, folder: Path, *, update: bool = False) -> None:
        self._folder = folder
        self._update = update

    def __call__(self, path: str | Path, *, strict: bool = True) -> AbstractContextManager[Lms]:
        """Mount a case's recording on respx, and give its connection, ready to read: `with replayed(...) as lms:`.

        Args:
            path: The case.
            strict: Whether recorded exchanges that were never asked for fail the test. Those that say `_use` may be
                asked for, but need not.

        Raises:
            AssertionError: At the end, if a request was not recorded (the nearest recorded one is shown), or a
                recorded one was never made.
        """
        return _Mounted(load_case(self._folder / path), strict=strict)

    def check(self, path: str | Path) -> None:
        """Read all of a case and compare it with its expected file; under `--update-expected`, rewrite that file.

        Raises:
            AssertionError: They differ, a part could not be read, or the recording does not fit.
        """
        __tracebackhide__ = True
        case = load_case(self._folder / path)
        with _Mounted(case) as lms:
            found = found_by(lms)
        check_expected(case, found, update=self._update)


class _Mounted(AbstractContextManager["Lms"]):
    """Shows no frame of its own, nor of contextlib, in a failed test."""

    def __init__(self, case: Case, *, strict: bool = True) -> None:
        self._case = case
        self._strict = strict
        self._open = ExitStack()

    def __enter__(self) -> Lms:
        with ExitStack() as opened:
            recording = opened.enter_context(replay(self._case.har, strict=self._strict))
            lms = opened.enter_context(open_case(self._case))
            recording.secrets |= lms.connection.settings.secret_values()
            self._open = opened.pop_all()
        return lms

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        try:
            self._open.__exit__(kind, error, trace)
        except AssertionError as found:
            raise AssertionError(str(found)) from None
