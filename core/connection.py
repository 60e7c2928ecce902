"""A connection: one tenant of one LMS, its connector and its mapping, ready to read."""

from __future__ import annotations

import importlib.metadata
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import ValidationError

from .errors import SettingsError, UnknownName
from .mapping import compile, load
from .native import digest, dump
from .registry import find, mapping_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    import httpx

    from .connector import Connector, Settings
    from .http import Http, Sample
    from .mapping import Definition, Normalizer

WORKERS = 8
"""Partitions read at once where neither the LMS nor the settings set a bound."""

_NOT_READING = {"timeout", "max_wait", "concurrency", "pass_mark", "timezone", "allow_http", "allow_link_local"}
"""Settings that do not change which records are read, or from where."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Make it with `open_connection`; it holds network connections until it is closed."""

    name: str
    connector: Connector[Any]
    definition: Definition
    normalizer: Normalizer
    http: Http
    vault: str | None = None
    """File for tokens that the LMS rotates, and for the key of made-up names."""

    @property
    def settings(self) -> Settings:
        """The validated settings."""
        return self.connector.settings

    @property
    def workers(self) -> int:
        """How many partitions are read at once: as many as requests may be under way."""
        bounds = [limit.at_once for limit in self.connector.limits() if limit.at_once]
        return min([*bounds, self.settings.concurrency or WORKERS])

    @property
    def fingerprint(self) -> str:
        """What an interrupted run must share with today's to be taken up: connector, version, non-secret settings."""
        kind = type(self.connector)
        version = _version(kind.__module__.partition(".")[0])
        read = {name: value for name, value in self.settings.public().items() if name not in _NOT_READING}
        if read["remote_data"] == "full":
            del read["remote_data"]  # as if there were no such setting; any other reads all again, to store it anew
        return digest(dump([kind.__module__, kind.__qualname__, version, read]))

    async def aclose(self) -> None:
        """Close the network connections."""
        await self.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def open_connection(
    name: str,
    connector: str,
    values: Mapping[str, Any],
    *,
    override: Mapping[str, object] | None = None,
    override_file: str = "rollbook.toml",
    modules: Iterable[str] = (),
    vault: str | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    sample: Sample | None = None,
) -> Connection:
    """Check the settings, load the mapping, and make the connector. No request is made.

    Args:
        name: The connection's name, for messages and the store.
        connector: Name of the connector.
        values: Its settings, secrets as plain text.
        override: Mapping fragment of this connection.
        override_file: Where that fragment stands, for messages.
        modules: Further modules that hold connectors.
        vault: File for tokens that the LMS rotates; None keeps them for this process only.
        transport: An httpx transport in place of the network.
        sample: How much of each list is read; None for all.

    Raises:
        UnknownName: No such connector, strategy or setting.
        SettingsError: A setting is missing or wrong.
        MappingError: The mapping or the override cannot be used.
    """
    from .http import Http, Limit, Vault  # noqa: PLC0415 - httpx is only imported once a connection is opened

    where = f"connection {name!r}"
    kind = find(connector, str(values.get("strategy", "")), modules)
    settings = check_settings(kind, values, where)
    definition = read_definition(kind, override, override_file)
    http = Http(
        settings.origin(),
        auth=settings.auth(None if vault is None else Vault(vault)),
        verdict=kind.verdict,
        quota=kind.quota,
        key=digest("\n".join([settings.origin(), *sorted(settings.secret_values())])),
        timeout=settings.timeout,
        max_wait=settings.max_wait,
        secrets=settings.secret_values(),
        transport=transport,
        sample=sample,
        allow_link_local=settings.allow_link_local,
    )
    made = kind(settings, http)
    http.limit([*made.limits(), Limit(at_once=settings.concurrency or 0)])
    return Connection(name, made, definition, compile(definition, settings.public()), http, vault)


def read_definition(
    kind: type[Connector[Any]], override: Mapping[str, object] | None = None, override_file: str = "rollbook.toml"
) -> Definition:
    """Load a connector's mapping, with a connection's override merged in."""
    file = mapping_file(kind)
    text = file.read_text(encoding="utf-8")
    return _loaded(_Texts(text, file.name, repr(override or None), override_file, override))


@dataclass(frozen=True, slots=True)
class _Texts:
    """What a mapping is loaded from."""

    text: str
    file: str
    written: str
    """The override, as text."""
    override_file: str
    override: Mapping[str, object] | None = field(compare=False)


@lru_cache(maxsize=64)
def _loaded(texts: _Texts) -> Definition:
    """Load a mapping once for all connections that have the same: nothing changes it."""
    return load(texts.text, file=texts.file, override=texts.override, override_file=texts.override_file)


def check_settings(kind: type[Connector[Any]], values: Mapping[str, Any], where: str) -> Settings:
    """Validate a connection's settings; what is wrong is told without the values."""
    try:
        return kind.Settings.model_validate(dict(values))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        first = min(found, key=lambda one: one["type"] != "extra_forbidden")  # a misspelt name explains a missing one
    field = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        raise UnknownName(f"setting of {kind.name}", field, kind.Settings.model_fields, where=where) from None
    if first["type"] == "missing":
        text = (
            (kind.Settings.model_fields[field].description or "").strip() if field in kind.Settings.model_fields else ""
        )
        raise SettingsError(f"the setting {field!r} is missing", where=where, hint=text) from None
    reason = first["msg"].removeprefix("Value error, ")
    raise SettingsError(f"the setting {field!r}: {reason}" if field else reason, where=where) from None


@cache
def _version(package: str) -> str:
    """Look a version up once: Python keeps what each look found for ever, where the folder has changed meanwhile."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
