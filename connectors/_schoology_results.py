"""What a section knows of its learners: completion by person, final grades by enrollment."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from ..core.errors import ContractError, Gone
from ._schoology_lists import key_of, section_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.http import Answer
    from ..core.native import NativeRecord
    from ..core.table import Table
    from ._schoology_lists import Lists
    from ._schoology_settings import SchoologySettings

__all__ = ["Results", "marks"]


class Results:
    """The results of one section, in tables.

    Args:
        lists: Reads them.
        settings: Say which.
        completion: An empty table.
        grades: Another.
    """

    def __init__(self, lists: Lists, settings: SchoologySettings, completion: Table, grades: Table) -> None:
        self._lists, self._settings = lists, settings
        self._completion, self._grades = completion, grades

    async def read(self, section: str, enrollment: str = "") -> None:
        """Read a section's, which is there; grades of one enrollment only, if it is named.

        Raises:
            ContractError: It has no such list: that must not read as no results.
        """
        what, setting = "completion", "include_completion"
        try:
            if self._settings.include_completion:
                await self._read_completion(f"{section_path(section)}/completion")
            what, setting = "grades", "include_results"
            if self._settings.include_results:
                await self._read_grades(f"{section_path(section)}/grades", enrollment)
        except Gone as error:
            hint = f"{setting} = false reads without."
            raise ContractError(f"Schoology has the section, but not its {what} (404)", hint=hint) from error

    async def _read_completion(self, path: str) -> None:
        async with aclosing(self._lists.read(path)) as answers:
            async for answer in answers:
                self._completion.add({key_of(row, "uid"): row for row in answer.items})

    async def _read_grades(self, path: str, enrollment: str) -> None:
        only = {"enrollment_id": enrollment} if enrollment else {}
        # pages are cut by the grades of single assignments, which may be thousands and are not kept
        async with aclosing(self._lists.read(path, items=marks, **only)) as answers:
            async for answer in answers:
                whole = answer.answer
                final = whole.items("final_grade") if whole.find("final_grade") else []
                self._grades.add({key_of(row, "enrollment_id"): row for row in final})

    def added(self, found: Sequence[NativeRecord], section: NativeRecord) -> list[NativeRecord]:
        """Make records of a section's enrollments."""
        done = self._completion.many(row.get("uid") for row in found)
        graded = self._grades.many(row.get("id") for row in found)
        return [
            {
                "enrollment": row,
                "section": section,
                "completion": done.get(str(row.get("uid"))),
                "grade": graded.get(str(row.get("id"))),
            }
            for row in found
        ]


def marks(answer: Answer) -> Sequence[NativeRecord]:
    """Give the grades of single assignments. Where there are none, an empty list may stand in their place."""
    place = answer.object().get("grades")
    if place == [] or (isinstance(place, dict) and not place.get("grade")):
        return ()
    return answer.items("grades.grade")
