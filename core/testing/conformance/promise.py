"""What all promises share: the connector, its trials, and the words for a promise that was broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ...connector import Connector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import NoReturn

    from .trial import Trial

__all__ = ["Promises", "broken", "defines", "few"]

SHOWN = 5


class Promises:
    """Base of the groups of promises."""

    connector: ClassVar[str]
    """Its name."""
    trials: ClassVar[tuple[Trial, ...]]
    """One for each case."""
    kinds: ClassVar[Mapping[str, type[Connector[Any]]]]
    """The connector's classes by strategy."""

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run a promise once for each case, if it is one about cases."""
        if "trial" in metafunc.fixturenames:
            metafunc.parametrize("trial", self.trials, ids=[trial.name for trial in self.trials])


def defines(kind: type[Connector[Any]], member: str) -> bool:
    """Tell whether a connector has a member of its own in place of the contract's."""
    return next(base for base in kind.__mro__ if member in base.__dict__) is not Connector


def broken(place: str, what: str, todo: str) -> NoReturn:
    """Say that a promise is broken.

    Args:
        place: The case, or the connector.
        what: What happened.
        todo: What its author can do.
    """
    __tracebackhide__ = True
    raise AssertionError(f"{place}: {what}\n  What to do: {todo}")


def few(items: Iterable[object]) -> str:
    """Name a few of many."""
    texts = sorted(str(item) for item in items)
    more = f" and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
