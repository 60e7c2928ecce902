"""Unified records as JSON lines, JSON and CSV, in UTF-8, one of them in memory at a time."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from ..native import dump
from ..schema import CourseEnrollment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["FORMATS", "csv_columns", "json_of", "strict"]

_NESTED = {"user": ("id", "name", "emails"), "course": ("id", "title"), "assigned_by": ("id", "name")}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""


def json_of(one: CourseEnrollment, remote: str) -> str:
    """Write a unified record as JSON, with `remote_data` as the store's own text: every digit of it."""
    fields = dump(one.model_dump(mode="json", exclude={"remote_data"}))
    return f'{fields[:-1]},"remote_data":{strict(remote)}}}'


def strict(text: str) -> str:
    """Make JSON text that any reader takes: NaN and the infinities, which some LMSs send, are null."""
    if "NaN" not in text and "Infinity" not in text:
        return text
    return json.dumps(json.loads(text, parse_constant=lambda _: None), separators=(",", ":"))


def _json_lines(records: Iterable[str]) -> Iterator[bytes]:
    for record in records:
        yield f"{record}\n".encode()


def _json(records: Iterable[str]) -> Iterator[bytes]:
    before = "[\n"
    for record in records:
        yield f"{before}{record}".encode()
        before = ",\n"
    yield b"[]\n" if before == "[\n" else b"\n]\n"


def csv_columns() -> list[str]:
    """Name the columns of CSV: the unified fields in their order, `user.id` as `user_id`."""
    return [
        f"{field}_{part}" if part else field
        for field in CourseEnrollment.model_fields
        for part in _NESTED.get(field, ("",))
    ]


def _csv(records: Iterable[str]) -> Iterator[bytes]:
    yield _csv_line(csv_columns())
    for record in records:
        yield _csv_line([_cell(value) for value in _spread(json.loads(record))])


def _spread(record: Mapping[str, Any]) -> Iterator[Any]:
    for field, value in record.items():
        if field in _NESTED:
            nested: Mapping[str, Any] = value or {}
            yield from (nested.get(part) for part in _NESTED[field])
        else:
            yield value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode("utf-8", "replace")  # half of a surrogate pair has no place in UTF-8


FORMATS: Mapping[str, Callable[[Iterable[str]], Iterator[bytes]]] = {
    "jsonl": _json_lines,
    "json": _json,
    "csv": _csv,
}
"""Writers of JSON records, by the name of their format."""
