"""Finding connectors: built-in ones, other packages' and the user's own modules, all on the same road."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

from .connector import Connector
from .errors import SettingsError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

__all__ = ["GROUP", "Registry", "find", "mapping_file", "register", "registry"]

GROUP = "rollbook.connectors"
"""The entry-point group that packages name their connector modules in."""

C = TypeVar("C", bound=type[Connector[Any]])


@dataclass(slots=True)
class Registry:
    """Connector classes by name and strategy, with the reports of those that could not be loaded."""

    classes: dict[str, dict[str, type[Connector[Any]]]] = field(
        default_factory=dict[str, dict[str, type[Connector[Any]]]]
    )
    broken: dict[str, str] = field(default_factory=dict[str, str])
    """Why a plug-in could not be loaded, by its entry point's or module's name."""

    def add(self, connector: type[Connector[Any]]) -> None:
        """Take a class in.

        Raises:
            SettingsError: Another class has the same name and strategy; both are named.
        """
        strategies = self.classes.setdefault(connector.name, {})
        other = strategies.setdefault(connector.strategy, connector)
        if other is not connector and _place(other) != _place(connector):
            what = f"{connector.name!r}" + (f" with strategy {connector.strategy!r}" if connector.strategy else "")
            raise SettingsError(
                f"two connectors are called {what}: {_place(other)} and {_place(connector)}",
                hint="Rename one of them, or uninstall its package.",
            )
        strategies[connector.strategy] = connector

    def load(self, modules: Iterable[str] = ()) -> Registry:
        """Import every installed connector and the named modules; what fails is kept in `broken`."""
        for point in importlib.metadata.entry_points(group=GROUP):
            self.import_module(point.name, point.value.partition(":")[0])
        for module in modules:
            self.import_module(module, module)
        return self

    def import_module(self, name: str, module: str) -> None:
        """Import a module that registers connectors; what goes wrong is kept in `broken` under the name."""
        try:
            importlib.import_module(module)
            for connector in _defined.get(module, ()):
                self.add(connector)
        except Exception as error:  # noqa: BLE001 - a plug-in may break in any way, and breaks nothing else
            self.broken[name] = f"{module}: {type(error).__name__}: {error}"
        else:
            self.broken.pop(name, None)

    def names(self) -> list[str]:
        """Name every connector that is there."""
        return sorted(self.classes)

    def find(self, name: str, strategy: str = "") -> type[Connector[Any]]:
        """Give the class for a name and a strategy (empty: the connector's default).

        Raises:
            UnknownName: There is none; the nearest name is suggested.
            SettingsError: There is one, but its module cannot be loaded.
        """
        if name not in self.classes and name in self.broken:
            raise SettingsError(f"the connector {name!r} cannot be loaded: {self.broken[name]}")
        if name not in self.classes:
            error = UnknownName("connector", name, self.classes)
            if self.broken and "Did you mean" not in error.hint:  # it may be in one of them
                error.hint += f" Could not be loaded: {'; '.join(self.broken.values())}"
            raise error
        strategies = self.classes[name]
        if not strategy:
            return next(iter(strategies.values()))
        if strategy not in strategies:
            raise UnknownName(f"strategy of {name}", strategy, strategies)
        return strategies[strategy]


_defined: dict[str, list[type[Connector[Any]]]] = {}
"""What `register` was used on, by module: a module runs only once, but more than one registry may ask for it."""

registry = Registry()
"""The process's connectors."""


def register(connector: C) -> C:
    """Class decorator: make a connector known under its `name` (and `strategy`)."""
    _defined.setdefault(connector.__module__, []).append(connector)
    registry.add(connector)
    return connector


def find(name: str, strategy: str = "", modules: Iterable[str] = ()) -> type[Connector[Any]]:
    """Give a connector's class, importing no more than needed: its own entry point, then the rest."""
    for module in modules:
        registry.import_module(module, module)
    if name not in registry.classes:
        for point in importlib.metadata.entry_points(group=GROUP, name=name):
            registry.import_module(point.name, point.value.partition(":")[0])
    if name not in registry.classes:
        registry.load()
    return registry.find(name, strategy)


def mapping_file(connector: type[Connector[Any]]) -> Traversable:
    """Give the connector's mapping: `<name>.toml` beside its module, or in a `mappings` package beside its package."""
    package = connector.__module__.rpartition(".")[0]
    file = f"{connector.name}.toml"
    places: list[Traversable] = []
    if package:
        places.append(resources.files(package))
        outer = package.rpartition(".")[0]
        if outer:
            with contextlib.suppress(ModuleNotFoundError):
                places.append(resources.files(f"{outer}.mappings"))
    else:
        path = getattr(importlib.import_module(connector.__module__), "__file__", None)
        if path:
            from pathlib import Path  # noqa: PLC0415 - only for a module that is in no package

            places.append(Path(path).parent)
    for place in places:
        if (found := place / file).is_file():
            return found
    raise SettingsError(
        f"the connector {connector.name!r} has no mapping file {file}",
        hint=f"Put it beside the module {connector.__module__}.",
    )


def _place(connector: type[Connector[Any]]) -> str:
    return f"{connector.__module__}.{connector.__qualname__}"
