"""A sample: the beginning of every list, so that a recording of a large LMS stays small."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Cut", "Sample"]


class Cut(NamedTuple):
    """A page that was cut."""

    url: str
    """The answer's address."""
    path: str | None
    """Where its items stand: a dotted path; None if the connector finds them in another way."""
    kept: int
    """How many items were kept, from the first."""


@dataclass(slots=True)
class Sample:
    """How much of each list is read. The LMS is asked as ever, so that a recording of it can be read the same way."""

    pages: int = 0
    """The most pages of a list; 0 = all."""
    items: int = 0
    """The most items of a page; 0 = all."""
    cuts: list[Cut] = field(default_factory=list[Cut], compare=False)
    """The pages that lost items to it."""

    @property
    def partitions(self) -> int:
        """The most partitions that are read; 0 = all."""
        return self.pages * self.items
