"""The conformance suite: what every connector promises, as a pytest class."""

from __future__ import annotations

from inspect import currentframe, getdoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import SettingsError, UnknownName
from ...registry import find, registry
from ..case import find_cases
from .bad_days import FaultPromises
from .data import DataPromises
from .declared import DeclaredPromises
from .parts import PartsPromises
from .reading import ReadingPromises
from .single import SinglePromises
from .trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ...connector import Connector

__all__ = ["Conformance", "conformance_tests", "promises"]


class Conformance(ReadingPromises, SinglePromises, PartsPromises, FaultPromises, DataPromises, DeclaredPromises):
    """Every promise of a connector; each test method is one, and its docstring says it."""


def promises() -> dict[str, str]:
    """Give the names of all tests, with what they promise."""
    return {name: getdoc(getattr(Conformance, name)) or "" for name in dir(Conformance) if name.startswith("test_")}


def conformance_tests(
    connector: str | type[Connector[Any]],
    fixtures: str | Path,
    *,
    exempt: Mapping[str, str] | None = None,
    modules: Iterable[str] = (),
) -> type[Conformance]:
    """Make the pytest class that a connector must pass.

    Assign it in a test module, under a name that begins with `Test`. Promises about cases run once for each case.

    Args:
        connector: Its name, or a class of it, registered or not.
        fixtures: The folder of its cases; relative to the file that calls this.
        exempt: Tests that it cannot pass, by name, each with the reason; they are skipped with it.
        modules: Further modules that hold connectors.

    Raises:
        UnknownName: No such connector or test.
        SettingsError: There is no case, or one cannot be loaded.

    Example:
        ```python
        TestCampfire = conformance_tests("campfire", fixtures="fixtures")
        ```
    """
    frame = currentframe()
    caller = frame.f_back.f_globals if frame and frame.f_back else {}  # whoever calls says where its fixtures are
    kinds = _kinds(connector, modules)
    name = next(iter(kinds.values())).name
    folder = Path(str(caller.get("__file__", "."))).parent / fixtures
    cases = find_cases(folder)
    for case in cases:
        if case.connector not in ("", name):
            raise SettingsError(f"it is a case of {case.connector!r}, not of {name!r}", where=str(case.expected))
    members: dict[str, Any] = {
        "__doc__": f"What the connector {name!r} promises.",
        "__module__": str(caller.get("__name__", __name__)),
        "connector": name,
        "kinds": kinds,
        "trials": tuple(Trial(case, kinds) for case in cases),
    }
    for test, reason in (exempt or {}).items():
        if test not in promises():
            raise UnknownName("conformance test", test, promises())
        if not reason.strip():
            raise SettingsError(f"the exemption from {test} gives no reason")
        members[test] = _exempted(test, reason)
    return type("Conformance", (Conformance,), members)


def _kinds(connector: str | type[Connector[Any]], modules: Iterable[str]) -> dict[str, type[Connector[Any]]]:
    """Give the classes of a connector by strategy; of a class that is not registered, itself."""
    if isinstance(connector, str):
        find(connector, modules=modules)
        return dict(registry.classes[connector])
    registered = registry.classes.get(connector.name, {})
    return dict(registered) if connector in registered.values() else {connector.strategy: connector}


def _exempted(test: str, reason: str) -> Callable[[Conformance], None]:
    def exempted(self: Conformance) -> None:
        import pytest  # noqa: PLC0415 - the suite itself needs none

        del self
        pytest.skip(f"exempt: {reason}")

    exempted.__name__ = exempted.__qualname__ = test
    exempted.__doc__ = promises()[test]
    return exempted
