"""Zip files that an LMS sends: one file inside, within bounds, whole or not at all."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

from ..errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["MAGIC", "unzipped"]

MAGIC = b"PK\x03\x04"
"""What a zip file begins with (an empty one does not)."""
MOST_FILES = 100
"""A list of files that is longer is not even read."""
STEP = 1 << 20
_END, _END64 = b"PK\x05\x06", b"PK\x06\x07"
_TAIL = 22 + 65_535  # the end record and the longest comment behind it
_LONGEST = MOST_FILES * 70_000  # an entry of the list: 46 bytes, a name and an extra field
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the others are expanded in steps without a bound


def unzipped(file: IO[bytes], where: str) -> Generator[bytes]:
    """Give the content of the one file in a zip file, piece by piece; its checksum is compared at the end.

    Args:
        file: The zip file, at any place.
        where: The request that it came by, for errors.

    Raises:
        ContractError: It is damaged or encrypted, or does not hold one file.
    """
    _look_at_the_end(file, where)
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_only(archive, where)) as content:
            while piece := content.read(STEP):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, OSError, NotImplementedError, ValueError):
        raise ContractError("the zip file is damaged", where=where) from None


def _only(archive: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    files = [one for one in archive.infolist() if not one.is_dir()]
    if len(files) != 1:
        raise ContractError(f"the zip file holds {len(files)} files, not one", where=where)
    if files[0].flag_bits & 1:
        raise ContractError("the zip file is encrypted", where=where)
    if files[0].compress_type not in _METHODS:
        raise ContractError("the zip file is compressed by a method that is not known", where=where)
    return files[0]


def _look_at_the_end(file: IO[bytes], where: str) -> None:
    """Refuse a list of files that is too long before the library reads it into the memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:  # noqa: PLR2004 - the record's length
        raise ContractError("the zip file ends before its end", where=where)
    entries, length = struct.unpack_from("<HI", tail, at + 10)
    if at >= 20 and tail[at - 20 : at - 16] == _END64:  # noqa: PLR2004 - of a file beyond 4 GiB: a longer record before it
        file.seek(min(struct.unpack_from("<Q", tail, at - 12)[0], size))
        record = file.read(56).ljust(56, b"\0")
        entries, length = struct.unpack_from("<QQ", record, 32)
    if entries > MOST_FILES or length > _LONGEST:
        raise ContractError("the zip file holds too many files, not one", where=where)
