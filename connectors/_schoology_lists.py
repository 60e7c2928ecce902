"""Schoology's lists: how they are asked for, one by one or up to 50 in one request."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from ..core.errors import ContractError
from ._schoology_answers import PAGES, multiget, rows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from ..core.http import Answer, Http, PageAnswer
    from ..core.native import JSON, NativeRecord
    from ._schoology_settings import SchoologySettings

__all__ = ["MANY", "Lists", "course_path", "key_of", "section_path"]

MANY = 50
"""So many requests may be put into one."""
FRESH = 300.0
"""Seconds for which an answer that was asked for ahead is kept."""
STATES = "1,2,3,4,5"  # without them only active ones may come: the documentation says both


class Lists:
    """Asks for lists.

    Args:
        http: The connection.
        settings: Its settings.
        together: Whether to ask for up to 50 at once.
    """

    def __init__(self, http: Http, settings: SchoologySettings, *, together: bool) -> None:
        self._http, self._settings, self._together = http, settings, together
        self._asking = asyncio.Lock()
        self._ahead: dict[str, tuple[float, Answer | None]] = {}

    def read(
        self,
        path: str,
        start: JSON = None,
        items: Callable[[Answer], Sequence[NativeRecord]] = rows,
        **more: JSON,
    ) -> AsyncGenerator[PageAnswer]:
        """Read a list page by page."""
        return self._http.paged(path, {**self.query(path), **more}, PAGES, items=items, start=start)

    def query(self, path: str) -> dict[str, JSON]:
        """Give what a list is asked for with. Without a limit Schoology gives 20 rows."""
        own: dict[str, JSON] = {}
        if path == "v1/courses" and self._settings.building_id:
            own = {"building_id": self._settings.building_id}
        elif path.endswith("/sections") and self._settings.include_past_sections:
            own = {"include_past": 1}
        elif path.endswith("/enrollments"):
            own = {"enrollment_status": STATES}
        return {**own, "start": 0, "limit": self._settings.page_size}

    async def at_once(self, paths: Sequence[str]) -> list[Answer | None]:
        """Ask for the first pages of up to 50 lists; None for each that is to be asked for alone."""
        if not self._together:
            return [None for _ in paths]
        return await multiget(self._http, [f"{path}?{urlencode(self.query(path), safe=',')}" for path in paths])

    async def single(self, paths: Sequence[str]) -> list[Answer | None]:
        """Ask for up to 50 objects; None for each that is to be asked for alone."""
        return await multiget(self._http, paths) if self._together else [None for _ in paths]

    async def enrollments(self, section: str, batch: Sequence[str]) -> Answer | None:
        """Give the first enrollments of a section; None: they are to be asked for alone.

        They were asked for together with those of the other sections of its batch, or are now. If that fails, so does
        this section; the others are asked for alone.
        """
        if not self._together or section not in batch:
            return None
        async with self._asking:
            asked, found = self._ahead.pop(section, (None, None))
            if asked is None or time.monotonic() - asked > FRESH:
                self._ahead = {one: (time.monotonic(), None) for one in batch if one != section}
                answers = await self.at_once([f"{section_path(one)}/enrollments" for one in batch])
                now = time.monotonic()
                self._ahead = {one: (now, answer) for one, answer in zip(batch, answers, strict=True)}
                _, found = self._ahead.pop(section)
        return found


def section_path(id: JSON) -> str:
    """Give the path of a section."""
    return f"v1/sections/{quote(str(id), safe='')}"


def course_path(id: JSON) -> str:
    """Give the path of a course."""
    return f"v1/courses/{quote(str(id), safe='')}"


def key_of(row: NativeRecord, name: str) -> str:
    """Give an id as text: it comes as a number in one list and as a text in another.

    Raises:
        ContractError: There is none.
    """
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise ContractError(f"expected {name} in each row")
    return str(value)
