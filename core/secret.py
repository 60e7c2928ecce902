"""Where a setting's value is kept, if not in the config: the environment, a file, or the system's keyring."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any, cast

from .errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["fetched"]

_WAYS = {"env", "file", "keyring"}


def fetched(value: object, folder: Path, where: str, key: str) -> object:
    """Fetch a value that says where it is kept; any other is taken as it is.

    Args:
        value: As the config has it: `{ env = "NAME" }`, `{ file = "path" }`, `{ keyring = "service/user" }`, or itself.
        folder: What paths are relative to.
        where: Of which connection, for messages.
        key: Name of the setting.

    Raises:
        SettingsError: It is not there, or cannot be read. The value itself is in no message.
    """
    table = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    if not _WAYS & set(table):
        return cast("object", value)
    ways = list(table.items())
    if len(ways) != 1 or not isinstance(ways[0][1], str):
        raise SettingsError(
            f"the setting {key!r} says in an odd way where it is kept",
            where=where,
            hint='Expected { env = "NAME" }, { file = "path" } or { keyring = "service/user" }.',
        )
    way, place = ways[0][0], str(ways[0][1])
    if way == "env":
        return _from_environment(place, where, key)
    return _from_file(folder / place, where, key) if way == "file" else _from_keyring(place, where, key)


def _from_environment(variable: str, where: str, key: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SettingsError(
            f"the environment variable {variable} is {'not set' if value is None else 'empty'}",
            where=where,
            hint=f"The setting {key!r} is read from it.",
        )
    return value


def _from_file(file: Path, where: str, key: str) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"the file {file} cannot be read: {reason}", where=where, hint=f"The setting {key!r} is read from it."
        ) from None


def _from_keyring(place: str, where: str, key: str) -> str:
    service, _, user = place.rpartition("/")
    if not service or not user:
        raise SettingsError(
            f"the setting {key!r} does not say which entry of the keyring it is",
            where=where,
            hint='Expected { keyring = "service/user" }.',
        )
    try:
        keyring: Any = importlib.import_module("keyring")
    except ImportError:
        raise SettingsError(
            f"the setting {key!r} is kept in the keyring, and the package for that is not installed",
            where=where,
            hint="pip install 'rollbook[keyring]'",
        ) from None
    try:
        value = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - each system's keyring fails in its own way, and may quote anything
        raise SettingsError(
            f"the system's keyring cannot be read ({type(error).__name__})",
            where=where,
            hint=f"Is there one, and is it unlocked? The setting {key!r} is read from it; `keyring --list-backends`.",
        ) from None
    if not value:
        raise SettingsError(
            f"the system's keyring has no entry {place!r}",
            where=where,
            hint=f"Make it, the value is asked for: keyring set {service} {user}",
        )
    return str(value)
