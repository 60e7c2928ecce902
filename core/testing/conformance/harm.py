"""What a fault did to a reading, held against the reading without it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...native import parse
from .lms import Scripted
from .shapes import item_words, key_of, representatives

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..har import Exchange
    from .lms import Fault
    from .readings import Reading
    from .shapes import Key
    from .trial import Trial

__all__ = ["Harm", "harms", "others_given"]


@dataclass(frozen=True, slots=True)
class Harm:
    """A fault at one kind of request, and what became of the reading."""

    fault: Fault
    at: Exchange
    """The request that it befell, and all that are the same."""
    reading: Reading
    missing: frozenset[str]
    """Ids that the reading without the fault gave."""
    altered: frozenset[str]
    """Ids whose enrollments are not the same."""
    extra: frozenset[str]
    """Ids that the reading without the fault did not give."""

    @property
    def told(self) -> bool:
        """Whether a failure was reported."""
        return bool(self.reading.errors)

    @property
    def is_none(self) -> bool:
        """Whether the reading is as if nothing had happened."""
        return not (self.told or self.missing or self.altered or self.extra)


def harms(trial: Trial, fault: Fault, *, json_only: bool = False, filled_only: bool = False) -> Iterator[Harm]:
    """Give what a fault does at the first and the last request of each kind.

    Args:
        trial: The case.
        fault: What happens.
        json_only: Only where the recorded answer is JSON.
        filled_only: Only where the recorded answer has a body.
    """
    for at in representatives(trial.recorded):
        if (json_only and not _is_json(at)) or (filled_only and not at.content.strip()):
            continue
        key = key_of(at)
        reading = trial.under((fault.name, key), Scripted(fault, _same_as(key)))
        yield harm_of(trial, fault, at, reading)


def harm_of(trial: Trial, fault: Fault, at: Exchange, reading: Reading) -> Harm:
    """Hold a reading against the one without faults."""
    whole, found = trial.whole.found, reading.found
    return Harm(
        fault,
        at,
        reading,
        frozenset(whole.keys() - found.keys()),
        frozenset(id for id in whole.keys() & found.keys() if whole[id] != found[id]),
        frozenset(found.keys() - whole.keys()),
    )


def belonging(trial: Trial, at: Exchange) -> set[str]:
    """Give the ids of the enrollments that the item of a request is about: its learner's, its course's, its own."""
    words = item_words(at)
    found: set[str] = set()
    for id, text in trial.whole.found.items():
        one: Any = parse(text)
        if words & {id, *id.split(":"), one["user"]["id"], one["course"]["id"]}:
            found.add(id)
    for part in trial.partitions:
        if words & {part.partition.key, *re.split(r"[:/]", part.partition.key)}:
            found |= part.ids
    return found


def others_given(trial: Trial, at: Exchange) -> set[str]:
    """Give the ids that must come although a request always fails: those of the partitions that do not need it."""
    key = key_of(at)
    _ = trial.listing, trial.natives  # both ask
    if any(key == key_of(one) for one in (*trial.listed_by.asked, *trial.joined_by.asked)):
        return set()
    bound = [part for part in trial.partitions if key in {key_of(one) for one in part.asked}]
    needed = {id for part in bound for id in part.ids}
    return {id for part in trial.partitions if part not in bound for id in part.ids} - needed if bound else set()


def _is_json(one: Exchange) -> bool:
    return one.content.lstrip()[:1] in (b"{", b"[")


def _same_as(key: Key) -> Callable[[Exchange], bool]:
    return lambda asked: key_of(asked) == key
