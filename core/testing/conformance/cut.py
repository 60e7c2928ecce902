"""A run that is cut off, as by a power failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sync import Report

__all__ = ["Cut", "cutting"]


class Cut(BaseException):
    """Stands for a process that is killed: nothing may catch it."""


def cutting(after: int) -> Callable[[Report], None]:
    """Give what a run tells of its progress to, and what cuts it off at the given step; 0 = never."""
    steps = 0

    def observe(report: Report) -> None:
        nonlocal steps
        del report
        steps += 1
        if steps == after:
            raise Cut

    return observe
