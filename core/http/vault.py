"""Secrets that the LMS exchanges as they are used: a file for its owner only."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

__all__ = ["Vault"]


class Vault:
    """A few texts by key, in a file that only its owner can read.

    One process at a time holds it; what is put is on the disk when `put` returns, whole or not at all.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    def get(self, key: str) -> str | None:
        """Give what is kept under a key, None if nothing is."""
        return self._read().get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of what was there."""
        with self._locked():
            Kept(self).put(key, value)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Kept]:
        """Keep every other process out from reading a secret until its successor is saved."""
        lock = self._locked()
        await asyncio.to_thread(lock.__enter__)  # another process may hold it for as long as a request takes
        try:
            yield Kept(self)
        finally:
            lock.__exit__(None, None, None)

    @contextmanager
    def _locked(self) -> Generator[None]:
        # the lock is a file beside it, since the vault itself is replaced
        try:
            file = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failure("cannot be locked", error) from None
        try:
            _lock(file)
            yield
        finally:
            os.close(file)  # which unlocks it

    def _read(self) -> dict[str, str]:
        try:
            content = json.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._failure("cannot be read", error) from None
        except ValueError:
            raise self._failure("is damaged") from None
        if not isinstance(content, dict):
            raise self._failure("is damaged")
        entries = cast("dict[str, object]", content)
        if not all(isinstance(value, str) for value in entries.values()):
            raise self._failure("is damaged")
        return cast("dict[str, str]", entries)

    def _write(self, content: dict[str, str]) -> None:
        name = ""
        try:
            file, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name)  # made with mode 0600
            with os.fdopen(file, "w", encoding="utf-8") as stream:
                json.dump(content, stream, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(self.path)
            _keep_name(self.path.parent)
        except OSError as error:
            if name:
                Path(name).unlink(missing_ok=True)
            raise self._failure("cannot be written", error) from None

    def _failure(self, what: str, error: OSError | None = None) -> SettingsError:
        why = f": {error.strerror}" if error else ""
        hint = (
            "Look at the permissions of its folder and at the space on its disk."
            if error
            else "Move it away and put a new refresh token into the settings."
        )
        return SettingsError(f"the vault {self.path} {what}{why}", hint=hint)

    def __repr__(self) -> str:
        return f"Vault({str(self.path)!r})"


class Kept:
    """A vault that is held: what is read stays true until it is let go."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def get(self, key: str) -> str | None:
        """Give what is kept under a key, None if nothing is."""
        return self._vault.get(key)

    def put(self, key: str, value: str) -> None:
        """Keep a text under a key, in place of what was there."""
        self._vault._write({**self._vault._read(), key: value})  # noqa: SLF001 - its other half  # pyright: ignore[reportPrivateUsage] - likewise


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        while True:
            try:
                msvcrt.locking(file, msvcrt.LK_LOCK, 1)
            except OSError:  # it gives up after ten seconds
                continue
            return

    def _keep_name(folder: Path) -> None:
        del folder  # nothing to be done there
else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)

    def _keep_name(folder: Path) -> None:
        """Have the disk take which file bears the name: else a power failure may bring back the one before."""
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
