"""Bodies too large for the memory: a private file that leaves nothing behind."""

from __future__ import annotations

import tempfile
import zlib
from typing import IO, TYPE_CHECKING, Self

from ..errors import ContractError, StoreError
from .archive import MAGIC, unzipped

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Download"]

_STEP = 1 << 20  # how much is expanded at a time
_GZIP = 16 + zlib.MAX_WBITS


class Download:
    """A temporary file without a name, for its owner only.

    Args:
        max_bytes: The most it takes.
        expand: Decompress a body that is itself a gzip file, or a zip file with one file in it; any other body is
            taken as it is.
    """

    def __init__(self, max_bytes: int, *, expand: bool = False) -> None:
        self._max_bytes = max_bytes
        self._expand = expand
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._size = 0
        self._start = b""
        self._inflate: zlib._Decompress | None = None  # pyright: ignore[reportPrivateUsage] - it has no public name

    def restart(self) -> None:
        """Forget what was written: another attempt begins."""
        self._file.seek(0)
        self._file.truncate()
        self._size = 0
        self._start = b""
        self._inflate = None

    def write(self, chunk: bytes, where: str) -> None:
        """Take a piece of the body.

        Raises:
            ContractError: It is too large, or no proper gzip file.
            StoreError: The disk does not take it.
        """
        if self._expand and not self._size and len(self._start) < 2:  # noqa: PLR2004 - gzip's two first bytes
            self._start += chunk
            if len(self._start) < 2:  # noqa: PLR2004
                return
            chunk = self._start
            if chunk.startswith(b"\x1f\x8b"):
                self._inflate = zlib.decompressobj(_GZIP)
        if self._inflate is None:
            self._keep(chunk, where)
        else:
            self._expanded(self._inflate, chunk, where)

    def _expanded(self, member: zlib._Decompress, chunk: bytes, where: str) -> None:  # pyright: ignore[reportPrivateUsage]
        while chunk:
            if member.eof:  # a gzip file may have several members, and zeros behind them
                if not (chunk := chunk.lstrip(b"\0")):
                    return
                member = self._inflate = zlib.decompressobj(_GZIP)
            try:
                self._keep(member.decompress(chunk, _STEP), where)
            except zlib.error:
                raise ContractError("the file is no proper gzip file", where=where) from None
            chunk = member.unconsumed_tail or member.unused_data

    def _keep(self, chunk: bytes, where: str) -> None:
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise ContractError(f"the file is larger than {self._max_bytes / 2**20:g} MiB", where=where)
        try:
            self._file.write(chunk)
        except OSError as error:
            hint = f"Is there space in {tempfile.gettempdir()}?"
            raise StoreError(f"the download cannot be kept: {error.strerror}", where=where, hint=hint) from None

    def finish(self, where: str) -> IO[bytes]:
        """Give the file, at its beginning."""
        if self._inflate is None:
            if not self._size and self._start:
                self._keep(self._start, where)
        elif not self._inflate.eof:
            raise ContractError("the gzip file ends before its end", where=where)
        self._file.seek(0)
        if self._expand and self._inflate is None and self._file.read(len(MAGIC)) == MAGIC:
            self._unpack(where)
        self._file.seek(0)
        return self._file

    def _unpack(self, where: str) -> None:
        """Put what is in the zip file into its place: only now, since its list of files is at its end."""
        with self._file as packed:
            self._file, self._size = tempfile.TemporaryFile(), 0  # noqa: SIM115 - closed by __exit__
            for piece in unzipped(packed, where):
                self._keep(piece, where)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
