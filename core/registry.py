"""Finding connectors: built-in ones, other packages' and the user's own modules, all on the same road."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import sys
import traceback
from dataclasses import dataclass, field
from importlib import resources
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .connector import Connector
from .errors import RollbookError, SettingsError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint, EntryPoints
    from importlib.resources.abc import Traversable
    from types import ModuleType

__all__ = ["GROUP", "Broken", "Registry", "find", "mapping_file", "register", "registry"]

GROUP = "rollbook.connectors"
"""The entry-point group that packages name their connector modules in."""

C = TypeVar("C", bound=type[Connector[Any]])


@dataclass(frozen=True, slots=True)
class Broken:
    """A plug-in that cannot be used."""

    name: str
    """Its entry point's, or its module's."""
    reason: str
    """What went wrong, and where."""
    hint: str
    """What the reader can do about it."""

    def __str__(self) -> str:
        return f"{self.name!r} cannot be loaded: {self.reason}"


@dataclass(slots=True)
class Registry:
    """Connector classes by name and strategy, with the reports of those that could not be loaded."""

    classes: dict[str, dict[str, type[Connector[Any]]]] = field(
        default_factory=dict[str, dict[str, type[Connector[Any]]]]
    )
    broken: dict[str, Broken] = field(default_factory=dict[str, Broken])
    """Plug-ins that could not be loaded, by the module that their entry point or the config names."""

    def add(self, connector: type[Connector[Any]]) -> None:
        """Take a class in. A name belongs to the package that took it first, but a built-in connector keeps its own.

        Raises:
            SettingsError: The name and strategy, or the name in another package, are taken; both classes are named.
        """
        for needed in ("name", "title", "Settings"):
            if not hasattr(connector, needed):
                raise SettingsError(f"the connector {_place(connector)} has no {needed}", hint="Set it in the class.")
        strategies = self.classes.get(connector.name, {})
        other = strategies.get(connector.strategy) or next(iter(strategies.values()), connector)
        if _clash(other, connector):
            if _is_built_in(other) or not _is_built_in(connector):
                raise _taken(other, connector)
            self.broken[other.__module__] = _report(other.name, other.__module__, _taken(connector, other), _UNINSTALL)
            strategies = {}
        self.classes[connector.name] = {**strategies, connector.strategy: connector}

    def load(self, modules: Iterable[str] = ()) -> Registry:
        """Import every installed connector and the named modules; what fails is kept in `broken`."""
        self._load_points(importlib.metadata.entry_points(group=GROUP))
        for module in modules:
            self.import_module(module, module)
        return self

    def load_named(self, name: str) -> None:
        """Import what is installed under a name."""
        self._load_points(importlib.metadata.entry_points(group=GROUP, name=name))

    def _load_points(self, points: EntryPoints) -> None:
        for point in points:
            module, _, rest = point.value.partition("[")[0].partition(":")
            self.import_module(point.name, module.strip(), attribute=rest.strip(), hint=_uninstall(point))

    def import_module(self, name: str, module: str, *, attribute: str = "", hint: str = "") -> None:
        """Import a module that registers connectors; what goes wrong is kept in `broken`.

        Args:
            name: The plug-in's, for messages.
            module: The module's.
            attribute: What must be in it, if an entry point says so.
            hint: What to do if it is broken; by default what helps where the config names it.
        """
        before = dict(self.classes)
        try:
            imported = importlib.import_module(module)
            if attribute:
                attrgetter(attribute)(imported)
            given = _given(imported)
            if not given:
                raise SettingsError("it registers no connector", hint="Write @register above the class.")
            for connector in given:
                self.add(connector)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plug-in may break in any way (SystemExit too), and breaks nothing else
            self.classes.clear()
            self.classes.update(before)
            _forget()
            self.broken[module] = _report(name, module, error, hint or _IN_CONFIG)
        else:
            self.broken.pop(module, None)

    def names(self) -> list[str]:
        """Name every connector that is there."""
        return sorted(self.classes)

    def find(self, name: str, strategy: str = "") -> type[Connector[Any]]:
        """Give the class for a name and a strategy (empty: the connector's default).

        Raises:
            UnknownName: There is none; the nearest name is suggested.
            SettingsError: There is one, but its module cannot be loaded.
        """
        if name not in self.classes:
            raise self._missing(name)
        strategies = self.classes[name]
        if not strategy:
            return next(iter(strategies.values()))
        if strategy not in strategies:
            raise UnknownName(f"strategy of {name}", strategy, strategies)
        return strategies[strategy]

    def _missing(self, name: str) -> SettingsError:
        for one in self.broken.values():
            if one.name == name:
                return SettingsError(f"the connector {one}", hint=one.hint)
        error = UnknownName("connector", name, self.classes)
        if self.broken and "Did you mean" not in error.hint:  # it may be in one of them
            error.hint += f" Could not be loaded: {'; '.join(one.reason for one in self.broken.values())}"
        return error


_UNINSTALL = "Rename it, or uninstall its package."
_IN_CONFIG = "Mend it, or take it out of [plugins] modules in rollbook.toml."

_defined: dict[str, type[Connector[Any]]] = {}
"""What `register` was used on, by place: a module runs only once, but more than one registry may ask for it."""

registry = Registry()
"""The process's connectors."""


def register(connector: C) -> C:
    """Class decorator: make a connector known under its `name` (and `strategy`)."""
    registry.add(connector)
    _defined[_place(connector)] = connector
    return connector


def find(name: str, strategy: str = "", modules: Iterable[str] = ()) -> type[Connector[Any]]:
    """Give a connector's class, importing no more than needed: its own entry point, the modules, then the rest."""
    if not any(map(_is_built_in, registry.classes.get(name, {}).values())):
        registry.load_named(name)  # even if a plug-in has the name: it may be a built-in one's
    for module in modules:
        registry.import_module(module, module)
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


def _root(connector: type[Connector[Any]]) -> str:
    return connector.__module__.partition(".")[0]


def _is_built_in(connector: type[Connector[Any]]) -> bool:
    return _root(connector) == __name__.partition(".")[0]


def _clash(one: type[Connector[Any]], other: type[Connector[Any]]) -> bool:
    """Tell whether two classes of one name cannot both have it; a module that is imported again may replace its own."""
    if _root(one) != _root(other):
        return True
    return one.strategy == other.strategy and _place(one) != _place(other)


def _taken(first: type[Connector[Any]], late: type[Connector[Any]]) -> SettingsError:
    what = f"{late.name!r}" + (f" with strategy {late.strategy!r}" if late.strategy else "")
    return SettingsError(
        f"two connectors are called {what}: {_place(first)} and {_place(late)}",
        hint="Rename one of them, or uninstall its package.",
    )


def _given(module: ModuleType) -> list[type[Connector[Any]]]:
    """Give the registered classes of a module or package, and those that it imports."""
    _forget()
    name, inside = module.__name__, {id(value) for value in vars(module).values()}
    return [
        connector
        for connector in _defined.values()
        if connector.__module__ == name or connector.__module__.startswith(f"{name}.") or id(connector) in inside
    ]


def _forget() -> None:
    """Forget the classes of modules that are no longer there: their import failed midway, say."""
    for place, connector in list(_defined.items()):
        if connector.__module__ not in sys.modules:
            del _defined[place]


def _report(name: str, module: str, error: BaseException, hint: str) -> Broken:
    if isinstance(error, RollbookError):
        return Broken(name, f"{module}: {error.message}", error.hint or hint)
    if isinstance(error, ModuleNotFoundError) and error.name and f"{module}.".startswith(f"{error.name}."):
        return Broken(name, f"there is no module {error.name}", hint)
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "importlib" not in one.filename]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if len(frames) > 1 else ""
    return Broken(name, f"{module}: {type(error).__name__}: {error}{place}", hint)


def _uninstall(point: EntryPoint) -> str:
    package = getattr(point.dist, "name", None)
    return f"Mend it, or uninstall it: pip uninstall {package}" if package else "Mend it, or uninstall its package."
