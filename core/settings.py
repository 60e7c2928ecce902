"""`rollbook.toml`: the store, plug-ins and connections, with their secrets left where they are until they are used."""

from __future__ import annotations

import os
import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .errors import SettingsError, UnknownName
from .secret import fetched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .connection import Connection
    from .connector import Connector, Settings
    from .mapping import Definition
    from .native import JSON

__all__ = ["CONFIG", "Config", "ConnectionConfig", "load_config"]

CONFIG = "rollbook.toml"
"""The config's usual name."""

_STORE = "sqlite:///rollbook.db"
_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)([^/?:][^?]*)(.*)")  # neither absolute, nor :memory:, nor file:
_READABLE_BY_OTHERS = 0o044
_STAND_IN = "not fetched"


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A `[connections.NAME]` table, as it is written."""

    name: str
    connector: str
    values: Mapping[str, object] = field(repr=False)
    """The connector's settings; a secret may still say where it is kept: `{ env = "..." }`."""
    mapping: Mapping[str, object]
    """The mapping fragment of this tenant; empty for none."""


@dataclass(frozen=True, slots=True)
class Config:
    """A config that was read. Relative paths in it are relative to its folder."""

    path: Path
    """As it was asked for, for messages."""
    folder: Path
    store: str = field(repr=False)
    """The store's address; it may hold a password."""
    plugins: tuple[str, ...]
    """Modules that hold further connectors."""
    connections: Mapping[str, ConnectionConfig]

    def connection(self, name: str) -> ConnectionConfig:
        """Give a connection's table.

        Raises:
            UnknownName: There is none of that name; the nearest is suggested.
        """
        if name not in self.connections:
            raise UnknownName("connection", name, self.connections, where=str(self.path))
        return self.connections[name]

    def settings(self, name: str) -> dict[str, object]:
        """Give a connection's settings with its secrets fetched.

        Raises:
            SettingsError: An environment variable is not set, or a file or the keyring cannot be read.
        """
        values = self.connection(name).values
        return {key: fetched(value, self.folder, _at(name), key) for key, value in values.items()}

    def modules(self) -> tuple[str, ...]:
        """Name the plug-in modules, and let them be imported from the config's folder."""
        if self.plugins and str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
        return self.plugins

    def open(self, name: str, **options: Any) -> Connection:
        """Open a connection: `open_connection` with what the config says, tokens kept in `rollbook.vault` beside it.

        Raises:
            SettingsError: A setting is missing, unknown or wrong, or a secret is not there.
            MappingError: The mapping or the connection's override cannot be used.
        """
        from .connection import open_connection  # noqa: PLC0415 - heavy, and a config can be read without it

        one = self.connection(name)
        try:
            return open_connection(
                name,
                one.connector,
                self.settings(name),
                override=one.mapping or None,
                override_file=str(self.path),
                modules=self.modules(),
                vault=self.vault(),
                **options,
            )
        except SettingsError as error:
            raise error if error.where else error.at(_at(name)) from None

    def vault(self) -> str:
        """Name the file for tokens that an LMS rotates, and for the keys of made-up names."""
        return str(self.folder / "rollbook.vault")

    def mapping(self, name: str) -> tuple[type[Connector[Any]], Definition, dict[str, JSON]]:
        """Give what maps a connection's records: its connector, the merged mapping, the settings that are no secrets.

        No secret is fetched, unless the connector's settings look into one to be valid at all.

        Raises:
            SettingsError: A setting is missing, unknown or wrong.
            MappingError: The mapping or the connection's override cannot be used.
        """
        from .connection import read_definition  # noqa: PLC0415 - as in `open`
        from .registry import find  # noqa: PLC0415

        one = self.connection(name)
        strategy = fetched(one.values.get("strategy", ""), self.folder, _at(name), "strategy")
        try:
            kind = find(one.connector, str(strategy), self.modules())
        except SettingsError as error:
            raise error.at(_at(name)) from None
        settings = self._checked(name, kind)
        return kind, read_definition(kind, one.mapping or None, str(self.path)), settings.public()

    def _checked(self, name: str, kind: type[Connector[Any]]) -> Settings:
        """Validate a connection's settings with a stand-in for each secret that is kept elsewhere, if that will do."""
        from .connection import check_settings  # noqa: PLC0415 - as in `open`

        where, secrets = _at(name), kind.Settings.secrets()
        values = {
            key: _STAND_IN if key in secrets and isinstance(value, dict) else fetched(value, self.folder, where, key)
            for key, value in self.connection(name).values.items()
        }
        try:
            return check_settings(kind, values, where)
        except UnknownName:
            raise
        except SettingsError as error:
            try:
                values = self.settings(name)
            except SettingsError:
                raise error from None
            return check_settings(kind, values, where)

    def exposed(self, name: str, secrets: Iterable[str]) -> list[str]:
        """Name the secrets of a connection that others on this machine can read, as plain text in the config."""
        values = self.connection(name).values
        plain = sorted(secret for secret in secrets if isinstance(values.get(secret), str))
        if os.name != "posix" or not plain:
            return []
        return plain if self.path.stat().st_mode & _READABLE_BY_OTHERS else []


def load_config(path: Path | None = None) -> Config:
    """Read a config; no secret is fetched yet.

    Args:
        path: The file; by default `rollbook.toml` in the working directory.

    Raises:
        SettingsError: There is none, it is not TOML (with line and column), or a value is of the wrong type.
        UnknownName: A table or a key that rollbook does not know.
    """
    file = path or Path(CONFIG)
    where, folder = str(file), file.absolute().parent
    top = _read(file, hinted=path is None)
    _known(top, ("store", "plugins", "connections"), "table", where)
    store = _table(top, "store", where)
    _known(store, ("url",), "key of [store]", where)
    plugins = _table(top, "plugins", where)
    _known(plugins, ("modules",), "key of [plugins]", where)
    url = fetched(store.get("url", _STORE), folder, where, "url")
    if not isinstance(url, str):
        raise SettingsError("[store] url is not a text", where=where, hint=f'Expected something like url = "{_STORE}".')
    connections = _table(top, "connections", where)
    return Config(
        path=file,
        folder=folder,
        store=_beside(url, folder),
        plugins=_modules(plugins.get("modules", []), where),
        connections={name: _connection(name, _table(connections, name, where), where) for name in connections},
    )


def _read(file: Path, *, hinted: bool) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        text = f"there is no {file} here" if hinted else f"there is no file {file}"
        raise SettingsError(
            text, hint="Make one: rollbook init. To see rollbook at work first: rollbook demo."
        ) from None
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(file)) from None
    except UnicodeDecodeError:
        raise SettingsError("not TOML: the text is not UTF-8", where=str(file)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"not TOML: {error}", where=str(file)) from None


def _table(parent: Mapping[str, object], key: str, where: str) -> dict[str, object]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{key!r} is not a table", where=where, hint=f"Write it as [{key}] with its keys below.")
    return cast("dict[str, object]", value)


def _known(table: Mapping[str, object], names: tuple[str, ...], what: str, where: str) -> None:
    for key in table:
        if key not in names:
            raise UnknownName(what, key, names, where=where)


def _modules(value: object, where: str) -> tuple[str, ...]:
    modules = cast("list[object]", value) if isinstance(value, list) else [value]
    if not all(isinstance(module, str) for module in modules):
        raise SettingsError(
            "[plugins] modules is not a list of texts", where=where, hint='Expected modules = ["my_lms.connector"].'
        )
    return tuple(str(module) for module in modules)


def _connection(name: str, table: Mapping[str, object], where: str) -> ConnectionConfig:
    connector = table.get("connector")
    if not isinstance(connector, str):
        raise SettingsError(
            f"the connection {name!r} does not say which LMS it is",
            where=where,
            hint='Add a line such as connector = "canvas"; rollbook connectors lists them.',
        )
    mapping = _table(table, "mapping", f"{where}: {_at(name)}")
    values = {key: value for key, value in table.items() if key not in ("connector", "mapping")}
    return ConnectionConfig(name, connector, values, mapping)


def _beside(url: str, folder: Path) -> str:
    """Make the path of an SQLite address relative to the config's folder, not to the working directory."""
    found = _SQLITE_FILE.fullmatch(url)
    return f"{found[1]}{folder / found[2]}{found[3]}" if found else url


def _at(name: str) -> str:
    return f"connection {name!r}"
