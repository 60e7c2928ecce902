"""Rows of a CSV file, as native records: a thousand at a time, however long the file is."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import IO, TYPE_CHECKING

from ..errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

    from ..native import NativeRecord

__all__ = ["BATCH", "read_rows"]

BATCH = 1_000


def read_rows(file: IO[bytes], where: str, columns: Collection[str] = ()) -> Generator[list[NativeRecord]]:
    """Give the rows as objects by the names in the first line, in batches of `BATCH`. Every value stays a text.

    Args:
        file: UTF-8, with or without a byte order mark; commas, and quotes around what holds commas, quotes or lines.
        where: The request that it came by, for errors.
        columns: Which ones are wanted; empty for all.

    Raises:
        ContractError: It is no such file, a wanted column is missing, or a row has another length than the first line.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        lines = csv.reader(text, strict=True)
        header: list[str] = next(lines, list[str]())
        places = _places(header, columns, where)
        rows = (line for line in lines if line)  # a line with nothing in it is no row
        done = 0
        while batch := list(islice(rows, BATCH)):
            for number, row in enumerate(batch, done + 1):
                if len(row) != len(header):
                    what = f"row {number} has {len(row)} columns, the first line names {len(header)}"
                    raise ContractError(what, where=where)
            yield [{name: row[place] for name, place in places.items()} for row in batch]
            done += len(batch)
    except UnicodeDecodeError:
        raise ContractError("the file is not in UTF-8", where=where) from None
    except csv.Error:  # its text may quote a value
        raise ContractError("the file is no proper CSV", where=where) from None
    finally:
        text.detach()  # the file is its owner's to close


def _places(header: list[str], columns: Collection[str], where: str) -> dict[str, int]:
    names = [name.strip() for name in header]
    if not any(names):
        raise ContractError("the file has no line with the names of its columns", where=where)
    if len(set(names)) != len(names):
        raise ContractError("two columns of the file have the same name", where=where)
    places = {name: place for place, name in enumerate(names)}
    if missing := [name for name in columns if name not in places]:
        raise ContractError(f"the file has no column {' and no '.join(missing)}", where=where)
    return {name: places[name] for name in columns} if columns else places
