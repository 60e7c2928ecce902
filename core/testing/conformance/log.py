"""The log, listened to: everything that any library writes, down to DEBUG."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["listening"]


class _Ear(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record))
        except Exception:  # noqa: BLE001 - as every handler does: a line that cannot be written harms nobody
            self.handleError(record)


@contextmanager
def listening() -> Generator[list[str]]:
    """Give the list that every line of the log goes into, the traceback of an error included."""
    lines: list[str] = []
    root, ours = logging.getLogger(), logging.getLogger("rollbook")
    levels, handlers = (root.level, ours.level), root.handlers[:]
    root.handlers[:] = [_Ear(lines)]  # nobody else is told: it would be thousands of lines
    root.setLevel(logging.DEBUG)
    ours.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
