"""Promises about single enrollments and about ids."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ...errors import Gone, RollbookError, Unsupported
from ...native import parse
from .promise import Promises, broken, defines, few

if TYPE_CHECKING:
    from .readings import Native
    from .trial import Trial

__all__ = ["SinglePromises"]

STRANGERS = ("no-such-enrollment", "0", ":", "999999999999:999999999999", "é/../?&#")
"""Ids that no LMS gives, beside those made of real ones."""


class SinglePromises(Promises):
    """`enrollment(id)`, and ids that stay."""

    def test_a_single_enrollment_is_the_one_of_the_whole(self, trial: Trial) -> None:
        """`enrollment(id)` equals the one of `enrollments()`, joins included, for each id whose reading is recorded."""
        __tracebackhide__ = True
        if not defines(trial.kind, "fetch") or not trial.whole.found:
            return
        read = 0
        missing = ""
        for id, expected in trial.whole.found.items():
            text, error, lms, _ = trial.single(id)
            if lms.unexpected:
                missing = missing or lms.unexpected[0]
                continue
            if isinstance(error, Unsupported):
                continue
            read += 1
            if error is not None:
                broken(
                    trial.name,
                    f"enrollment({id!r}) fails, but enrollments() gives it: {_told(error)}",
                    "Let `fetch` find every enrollment that `pages` gives.",
                )
            if text != expected:
                broken(
                    trial.name,
                    f"enrollment({id!r}) is not the one of enrollments(): {_fields(expected, text)} differ",
                    "Let `fetch` give the same native record as `pages`: same members, same kind, same joins.",
                )
        if not read and missing:
            broken(
                trial.name,
                f"no single enrollment can be read from the recording; the first one asked for\n{missing}",
                'Record what `fetch` asks for, with `"_use": "fetch"`, for at least one enrollment.',
            )

    def test_single_enrollments_are_unsupported_for_all_or_for_none(self, trial: Trial) -> None:
        """Where the connector cannot read single enrollments, it says so, the same for each."""
        __tracebackhide__ = True
        refused = {
            id: isinstance(trial.single(id)[1], Unsupported) for id in trial.whole.found or {"no-such-enrollment": ""}
        }
        if not defines(trial.kind, "fetch") and not all(refused.values()):
            broken(trial.name, "single enrollments are neither read nor Unsupported", "Raise Unsupported in `fetch`.")
        if any(refused.values()) and not all(refused.values()):
            able, unable = ([id for id, no in refused.items() if no is want] for want in (False, True))
            broken(
                trial.name,
                f"enrollment(id) is Unsupported for {few(unable)}, but not for {few(able)}",
                "Raise Unsupported for all ids or for none; what is not there is Gone.",
            )

    def test_an_enrollment_that_is_not_there_is_gone(self, trial: Trial) -> None:
        """`enrollment(id)` of an id that no enrollment has is Gone: no other enrollment, no unforeseen error."""
        __tracebackhide__ = True
        if not defines(trial.kind, "fetch"):
            return
        known = next(iter(trial.whole.found), "1:1")
        made = (f"{known}9", known.replace(":", ":9"), known.partition(":")[0])
        for id in dict.fromkeys((*made, *STRANGERS)):
            if id in trial.whole.found:
                continue
            text, error, lms, _ = trial.single(id, absent=404)
            if isinstance(error, (Gone, Unsupported)):
                continue
            if text:
                broken(
                    trial.name,
                    f"enrollment({id!r}) gives an enrollment, although there is none with this id",
                    "Compare the whole id in `fetch`, and raise Gone.",
                )
            known_error = isinstance(error, RollbookError) and "the connector failed with" not in str(error)
            if not known_error or not lms.unexpected:  # else the recorded LMS cannot tell how the real one says no
                broken(
                    trial.name,
                    f"enrollment({id!r}), which is not there, fails: {_told(error)}",
                    "Raise Gone in `fetch` for an id that is none, also for one of another form.",
                )

    def test_no_two_enrollments_share_an_id(self, trial: Trial) -> None:
        """An id stands for one enrollment: a record that comes twice is the same record."""
        __tracebackhide__ = True
        if trial.kind.part is not None:
            return
        for id, natives in trial.natives.items():
            texts = {native.text for native in natives}
            if len(texts) > 1 and not _is_newer(natives):
                broken(
                    trial.name,
                    f"{len(texts)} different records have the id {id!r}: all but one are lost",
                    "Put into the mapping's `id` what tells them apart, or fold them from parts.",
                )

    def test_ids_are_the_same_in_every_reading(self, trial: Trial) -> None:
        """Reading twice gives the same ids."""
        __tracebackhide__ = True
        first, second = set(trial.whole.found), set(trial.under("again").found)
        if first != second:
            broken(
                trial.name,
                f"the ids of a second reading are others: {few(first ^ second)}",
                "Make ids of what the LMS says, never of a counter, a position, a time or a hash.",
            )

    def test_ids_are_the_same_in_every_strategy(self) -> None:
        """Cases of one `tenant`, read by different strategies, have the same ids; each strategy has a case."""
        __tracebackhide__ = True
        tenants: dict[str, list[Trial]] = defaultdict(list)
        for trial in self.trials:
            tenants[trial.case.tenant].append(trial)
        apart = tenants.pop("", [])
        for tenant, trials in tenants.items():
            first, *others = trials
            for other in others:
                if differing := set(first.whole.found) ^ set(other.whole.found):
                    broken(
                        f"{first.name} and {other.name}",
                        f"of the tenant {tenant!r} only one of them has {few(differing)}",
                        "Give enrollments the same id in each strategy: who changes it must not get everything anew.",
                    )
        strategies = set(self.kinds)
        joined = [{trial.kind.strategy for trial in trials} for trials in tenants.values()]
        if len(strategies) > 1 and not any(strategies <= found for found in joined):
            seen = {trial.kind.strategy for trial in (*apart, *(one for trials in tenants.values() for one in trials))}
            broken(
                self.connector,
                f"no tenant is read by every strategy ({few(strategies)}); there are cases for {few(seen)}",
                'Record one tenant by each strategy, and write the same "tenant" into their expected files.',
            )


def _told(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"


def _fields(one: str, other: str) -> str:
    """Name the fields that differ, without what they say."""
    left: Any = parse(one)
    right: Any = parse(other)
    return ", ".join(name for name in left if repr(left[name]) != repr(right.get(name)))


def _is_newer(natives: list[Native]) -> bool:
    """Tell whether the records of an id may be older and newer states of one enrollment: each has its own time."""
    states = dict(natives)
    stamps = set(states.values())
    return None not in stamps and len(stamps) == len(states)
