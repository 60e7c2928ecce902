"""Open edX: grades and progress, which are listed course by course."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from ..core.errors import Gone
from ._openedx_answers import AGGREGATOR, GRADES, NEXT, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..core.http import Answer, Http
    from ..core.native import JSON, NativeRecord
    from ..core.table import Table

__all__ = ["COMPLETION", "GRADE", "Results"]

GRADE, COMPLETION = "grade", "completion"


class Results:
    """Grades and progress of the courses that come up, each read once, in a table.

    Args:
        http: Asks the LMS.
        table: Keeps them.
        kinds: Which of them are read.
        size: How many are asked for at once.
        user: Read only those of this learner.
    """

    def __init__(self, http: Http, table: Table, kinds: Iterable[str], size: int, user: str = "") -> None:
        self._http = http
        self._table = table
        self._kinds = tuple(kinds)
        self._only: dict[str, object] = {"username": user} if user else {"page_size": size}
        # of one learner, the aggregator tells the name only on demand
        self._named = {"requested_fields": "username"} if user else {}
        self._known: set[str] = set()

    async def beside(self, rows: Sequence[NativeRecord]) -> list[NativeRecord]:
        """Make records of enrollments: only active ones have results in the lists."""
        for row in rows:
            if row.get("is_active") is not False and isinstance(course := row.get("course_id"), str):
                await self.read(course)
        keys = [f"{row.get('course_id')}:{row.get('user')}" for row in rows]
        found = self._table.many(f"{kind}:{key}" for key in keys for kind in self._kinds)
        return [
            {"enrollment": row, **{kind: found.get(f"{kind}:{key}") for kind in (GRADE, COMPLETION)}}
            for row, key in zip(rows, keys, strict=True)
        ]

    async def read(self, course: str) -> None:
        """Read a course's, unless that is done."""
        if course in self._known:
            return
        self._known.add(course)
        if GRADE in self._kinds:
            await self._list(GRADE, course, f"{GRADES}{quoted(course)}/", self._only)
        if COMPLETION in self._kinds:
            await self._list(COMPLETION, course, f"{AGGREGATOR}{quoted(course)}/", self._only | self._named)

    async def _list(self, kind: str, course: str, path: str, query: dict[str, object]) -> None:
        with suppress(Gone):  # the course, or the learner, is not there any more
            async for answer in self._http.paged(path, query, NEXT, items=_rows):
                self._table.add({f"{kind}:{course}:{row.get('username')}": row for row in answer.items})


def _rows(answer: Answer) -> Sequence[NativeRecord]:
    """Give the rows of a list; the grade of one learner is a list without an envelope."""
    body: JSON = answer.json()
    return answer.items("" if isinstance(body, list) else "results")
