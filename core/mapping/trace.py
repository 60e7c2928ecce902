"""The compiled mapping of a kind once more, with notes of what it did: the same lines, and some that only note."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .body import Body, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ..native import JSON
    from ..schema import Status
    from .definition import Entry, Shape
    from .results import Drift, Flaw, Mapped, Rejected, Skipped
    from .source import Source

__all__ = ["Trace", "traced"]


@dataclass(slots=True)
class Trace:
    """What a mapping did with one record; steps that it never came to are missing."""

    took: dict[str, Any] = field(default_factory=dict[str, Any])
    """What came out of each expression, by its key."""
    held: dict[str, bool] = field(default_factory=dict[str, bool])
    """Whether each condition held, by its key."""
    flaws: list[Flaw] = field(default_factory=list["Flaw"])
    drift: list[Drift] = field(default_factory=list["Drift"])
    ahead: list[datetime] = field(default_factory=list["datetime"])
    """What was looked at and is still to come."""
    native: str | None = None
    """The native status."""
    base: Status | None = None
    """The status before deadlines; None: it never came so far."""
    drifted: bool = False
    aside: str = ""
    """The custom field that a completion date belongs into; empty: it may stay."""


@dataclass(frozen=True, slots=True)
class Traced:
    """A mapping that writes down what it does."""

    call: Callable[[Any, datetime, Any, Trace], Mapped | Skipped | Rejected]
    """Maps a record, as a normalizer does."""
    owners: Mapping[str, str]
    """Keys whose expression is worked out under another key that has the same one; its flaws stand there."""


class _Body(Body):
    def __init__(self, source: Source, shape: Shape) -> None:
        super().__init__(source, shape)
        self.owners: dict[str, str] = {}
        self._first: dict[tuple[Any, str | None], str] = {}
        source.line("took, held = trace.took, trace.held")
        source.line("trace.flaws, trace.drift, trace.ahead = flaws, drift, ahead")

    def take(self, entry: Entry | None, type: str | None = None) -> str:
        found = super().take(entry, type)
        if entry is not None:
            self.owners[entry.key] = self._first.setdefault((entry.node, type), entry.key)
            self.source.line(f"took[{entry.key!r}] = {found}")
        return found

    def _holds(self, entry: Entry, *, otherwise: bool) -> str:
        found = super()._holds(entry, otherwise=otherwise)
        self.source.line(f"held[{entry.key!r}] = bool({found})")
        return found

    def _word(self, entry: Entry) -> str:
        found = super()._word(entry)
        self.source.line(f"took[{entry.key!r}] = {found}")
        return found

    def status(self) -> None:
        super().status()
        self.source.line("trace.native, trace.base, trace.drifted, trace.aside = native, base, drifted, aside")


def traced(shape: Shape, settings: Mapping[str, JSON]) -> Traced:
    """Compile the mapping of a kind such that it writes down what it does."""
    body = _Body(source_of(settings), shape)
    body.steps()
    return Traced(body.source.compiled("trace", "record, as_of, remote_data, trace"), body.owners)
