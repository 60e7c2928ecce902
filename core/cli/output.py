"""Where data goes: standard output, or a file that is there whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["output"]


@contextmanager
def output(file: str | None) -> Generator[IO[bytes]]:
    """Open the place to write to.

    Args:
        file: A path, or None or `-` for standard output. A file takes an earlier one's place once all is written.
    """
    if file is None or file == "-":
        yield sys.stdout.buffer
        return
    path = Path(os.path.realpath(file))
    if path.exists() and not path.is_file():  # a pipe or a device has no beside
        with path.open("wb") as stream:
            yield stream
        return
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
