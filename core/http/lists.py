"""Whether a list that is read now takes several pages."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Lists", "note_page", "watched"]


@dataclass(slots=True)
class Lists:
    """What was seen of the lists that a task reads."""

    several_pages: bool = False
    """Whether one of them had a second page with anything in it."""


_watching: ContextVar[Lists | None] = ContextVar("rollbook_lists", default=None)


@contextmanager
def watched() -> Generator[Lists]:
    """Watch the lists that this task reads; other tasks may read others meanwhile."""
    lists = Lists()
    _watching.set(lists)
    try:
        yield lists
    finally:
        _watching.set(None)  # a generator may end in another context than it began in


def note_page(pages: int, items: int) -> None:
    """Note a page: how many pages of its list were read with it, and how many items it has."""
    lists = _watching.get()
    if lists and pages > 1 and items:
        lists.several_pages = True
