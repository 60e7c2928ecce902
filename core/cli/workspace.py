"""What a command works with: the config, the store behind it, and its connections."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..settings import CONFIG, Config, load_config

if TYPE_CHECKING:
    from ..connection import Connection
    from ..store import Store

__all__ = ["Workspace"]


class Workspace:
    """The config that `--config` names; it is read when a command first needs it.

    Args:
        path: The config's file, None for the usual one.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._warned: set[str] = set()

    @cached_property
    def config(self) -> Config:
        """The config."""
        return load_config(self.path)

    @property
    def modules(self) -> tuple[str, ...]:
        """The plug-in modules that the config names; none where there is no config and none was asked for."""
        if self.path is None and not Path(CONFIG).exists():
            return ()
        return self.config.modules()

    def store(self) -> Store:
        """Open the store."""
        from ..store import Store  # noqa: PLC0415 - SQLAlchemy is slow to import

        return Store(self.config.store)

    def open(self, name: str) -> Connection:
        """Open a connection, and warn once of its secrets that others can read."""
        connection = self.config.open(name)
        exposed = [] if name in self._warned else self.config.exposed(name, type(connection.settings).secrets())
        self._warned.add(name)
        for secret in exposed:
            click.echo(
                f"rollbook: warning: others on this machine can read {secret} of {name} in {self.config.path}\n"
                f'chmod 600 the file, or write {secret} = {{ env = "..." }}.',
                err=True,
            )
        return connection
