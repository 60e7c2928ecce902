"""What a key may read, list by list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.connector import Notice
from ..core.errors import AuthError, Forbidden
from ._schoology_answers import rows
from ._schoology_lists import course_path, section_path
from ._schoology_results import marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..core.http import Http
    from ..core.native import JSON, NativeRecord
    from ._schoology_lists import Lists
    from ._schoology_settings import SchoologySettings

__all__ = ["Check"]

ADMIN = "Read with the key of a system administrator, of the school or district."
ONE_BUILDING = "All courses seen are in one building. A key that belongs to a building is given no others, silently."


class Check:
    """Asks for a row of each list, and notes what is refused."""

    def __init__(self, http: Http, lists: Lists, settings: SchoologySettings) -> None:
        self._http, self._lists, self._settings = http, lists, settings
        self.notices: list[Notice] = []

    async def run(self) -> None:
        """Ask.

        Raises:
            AuthError: The key is refused.
        """
        await self._http.get("v1/users/me")  # any good key may
        courses = await self._try("v1/courses")
        await self._try("v1/users", "fetch_users")
        await self._try("v1/users/inactive", "fetch_inactive_users")
        await self._try("v1/gradingperiods", "fetch_grading_periods")
        self._look_at_buildings(courses)
        sections = await self._try(f"{course_path(courses[0].get('id'))}/sections") if courses else ()
        if sections:
            path = section_path(sections[0].get("id"))
            await self._try(f"{path}/enrollments")
            await self._try(f"{path}/completion", "include_completion")
            await self._try(f"{path}/grades", "include_results")

    async def _try(self, path: str, setting: str = "") -> Sequence[NativeRecord]:
        if setting and not getattr(self._settings, setting):
            return ()
        query: dict[str, JSON] = self._lists.query(path)
        try:
            answer = await self._http.get(path, query)
        except (Forbidden, AuthError) as error:  # the key itself is good: it may read its own user
            remedy = f"{ADMIN} {setting} = false reads without." if setting else ADMIN
            self.notices.append(Notice(f"No {path.removeprefix('v1/')}: {error.message}. {remedy}", "missing"))
            return ()
        return marks(answer) if path.endswith("/grades") else rows(answer)

    def _look_at_buildings(self, courses: Sequence[NativeRecord]) -> None:
        buildings = {str(course.get("building_id") or "") for course in courses}
        if len(courses) > 1 and len(buildings) == 1 and not self._settings.building_id:
            self.notices.append(Notice(ONE_BUILDING))
