"""OneRoster's gradebook: results collected by class and learner."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["Gradebook"]

RESULT = [
    "sourcedId",
    "status",
    "dateLastModified",
    "scoreStatus",
    "score",
    "textScore",
    "scoreDate",
    "inProgress",
    "incomplete",
    "late",
    "missing",
]
COLUMN = ["sourcedId", "status", "dateLastModified", "title", "resultValueMin", "resultValueMax"]


class Gradebook:
    """What is known of each learner's work in each class: one result for each word it can have, and the final grade.

    Args:
        columns: Keeps the line items.
        work: Keeps what was collected.
        final: Title or id of the line item that holds the final grade; empty for none.
    """

    def __init__(self, columns: Table, work: Table, final: str) -> None:
        self._columns = columns
        self._work = work
        self._final = final.strip().lower()

    def add_columns(self, rows: Sequence[NativeRecord]) -> None:
        """Take a page of line items."""
        self._columns.add({id: row for row in rows if (id := _id(row))})

    def collected(self, rows: Sequence[NativeRecord]) -> Sequence[NativeRecord]:
        """Take a page of results; give what is known so far of the learners in it."""
        known = self._columns.many(_ref(row, "lineItem") for row in rows)
        graded = [(row, known.get(_ref(row, "lineItem"), {})) for row in rows]
        # 1.1 names the class in the line item only
        pairs = [f"{_ref(row, 'class') or _ref(column, 'class')}\n{_ref(row, 'student')}" for row, column in graded]
        held = self._work.many(pairs)
        for pair, (row, column) in zip(pairs, graded, strict=True):
            if not _is_deleted(row) and not _is_deleted(column):
                self._add(held.setdefault(pair, {"pair": pair, "results": []}), row, column)
        self._work.add(held)
        return [*held.values()]

    def _add(self, record: NativeRecord, row: NativeRecord, column: NativeRecord) -> None:
        result, results = {key: row[key] for key in RESULT if key in row}, record["results"]
        if isinstance(results, list) and not any(_word(one) == _word(result) for one in results):
            results.append(result)
        if self._is_final(column) and row.get("score") is not None and _word(result)[0] != "exempt":
            held = record.get("final")
            if not isinstance(held, dict) or str(held.get("scoreDate") or "") <= str(row.get("scoreDate") or ""):
                record["final"], record["lineItem"] = result, {key: column[key] for key in COLUMN if key in column}

    def _is_final(self, column: NativeRecord) -> bool:
        names = {_id(column).lower(), str(column.get("title")).strip().lower()}
        return bool(self._final) and self._final in names


def _id(row: NativeRecord) -> str:
    return str(row.get("sourcedId") or "").strip()


def _ref(row: NativeRecord, name: str) -> str:
    reference = row.get(name)
    return _id(reference) if isinstance(reference, dict) else ""


def _is_deleted(row: NativeRecord) -> bool:
    return str(row.get("status")).strip().lower() in {"tobedeleted", "inactive"}


def _word(result: JSON) -> tuple[str, str]:
    row = result if isinstance(result, dict) else {}
    return str(row.get("scoreStatus")).strip().lower(), str(row.get("inProgress")).strip().lower()
