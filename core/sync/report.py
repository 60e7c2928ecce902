"""The report: what a run did, in figures, and what a person should look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

Outcome = Literal["complete", "partial", "failed"]


def _counter() -> dict[str, int]:
    return {}


@dataclass(slots=True)
class Counts:
    """Figures that grow while a run reads; stored with each page, so that a resumed run goes on counting."""

    records: int = 0
    """Native records (or parts) served."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    """Enrollments that the LMS no longer has."""
    remapped: int = 0
    """Stored enrollments mapped again without a request: a date passed, or the mapping is another."""
    duplicates: int = 0
    """Records served more than once in the run."""
    rejected: int = 0
    """Native records that could not become an enrollment; kept with their reason."""
    skipped: dict[str, int] = field(default_factory=_counter)
    """Records that are not a learner's enrollment, by reason."""
    requests: int = 0
    """HTTP requests, retries and token requests included."""
    retries: int = 0
    waited: float = 0.0
    """Seconds spent waiting because the LMS asked for it, or between tries."""

    def to_json(self) -> dict[str, Any]:
        """Give the figures for the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Counts:
        """Read the figures of an interrupted run."""
        return cls(**{name: value for name, value in stored.items() if name in cls.__dataclass_fields__})


@dataclass(slots=True)
class Report:
    """What a run did. It is alive while the run is under way."""

    connection: str
    connector: str
    mode: Literal["full", "incremental"]
    run: int
    started_at: datetime
    resumed: bool = False
    counts: Counts = field(default_factory=Counts)
    planned: bool = False
    """Whether the list of partitions is complete."""
    partitions: dict[str, int] = field(default_factory=_counter)
    """Partitions by state: waiting, reading, complete, gone, forbidden, failed."""
    outcome: Outcome | None = None
    finished_at: datetime | None = None
    failures: dict[str, str] = field(default_factory=dict[str, str])
    """Why partitions could not be read, by partition."""
    forbidden: dict[str, str] = field(default_factory=dict[str, str])
    """What the credentials may not do, by partition."""
    newly_forbidden: list[str] = field(default_factory=list[str])
    """Those of them that could be read in the run before, or that were never tried."""
    totals: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """Partitions where the LMS said another number than it served: partition, said, served."""
    removals_held: int = 0
    """Enrollments that would be removed, but were kept because they are suspiciously many."""
    live: int = 0
    """Stored enrollments that the LMS still has."""
    flaws: dict[str, int] = field(default_factory=_counter)
    """Stored values that could not be converted, by field."""
    drift: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Stored enrollments with a native word unknown to the mapping, by (what, word)."""
    new_fields: list[str] = field(default_factory=list[str])
    """Paths of native values that no record had until after the first full run, and that the mapping does not read."""
    error: str = ""
    """What ended the run early, or kept the list of partitions from being completed."""

    @property
    def read(self) -> int:
        """How many partitions are done, well or badly."""
        return sum(count for state, count in self.partitions.items() if state not in ("waiting", "reading"))

    @property
    def all_gone(self) -> bool:
        """Whether the LMS listed partitions, and then had none of them: more likely a wrong address than the truth."""
        return self.listed > 1 and self.partitions.get("gone", 0) == self.listed

    @property
    def listed(self) -> int:
        """How many partitions are known so far."""
        return sum(self.partitions.values())
