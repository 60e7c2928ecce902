"""The recordings of a new connector: a made-up LMS that signs in and pages in the chosen way, as HAR 1.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from .tenant import COURSES, ENROLLMENTS, FETCHED, GONE, USERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..native import NativeRecord

__all__ = ["Site"]

HALF = 2
"""Items of a page: fewer than are asked for, so that every list of the recording has more than one."""
_OK, _NOT_FOUND = 200, 404
_JSON = {"name": "Content-Type", "value": "application/json"}


class Site:
    """A made-up LMS, and what it answers.

    Args:
        base_url: Its address.
        auth: How it is signed in to.
        paging: How its lists go on.
        settings: The connection's, as they stand in the recording.
    """

    def __init__(self, base_url: str, auth: str, paging: str, settings: Mapping[str, Any]) -> None:
        self._base_url = base_url
        self._auth = auth
        self._paging = paging
        self._settings = settings

    def tenant(self) -> dict[str, Any]:
        """Record a whole reading, and single ones."""
        entries = [*self._sign_in(), *self._list("courses", COURSES)]
        for course in COURSES:
            rows = [row for row in ENROLLMENTS if row["course_id"] == course["id"]]
            entries += self._list(f"courses/{course['id']}/enrollments", rows)
        entries += [*self._list("users", USERS), *self._single()]
        return _har("Three courses, every status, a word that the LMS does not have, a user who was deleted.", entries)

    def empty(self) -> dict[str, Any]:
        """Record the reading of a site with nothing in it."""
        return _har("A site with nothing in it.", [*self._sign_in(), *self._list("courses", ())])

    def _sign_in(self) -> Iterator[dict[str, Any]]:
        if self._auth != "oauth2":
            return
        fields = {"grant_type": "client_credentials", **{name: self._settings[name] for name in _CLIENT}}
        posted = {
            "mimeType": "application/x-www-form-urlencoded",
            "params": [{"name": name, "value": value} for name, value in fields.items()],
        }
        token = {"access_token": "made-up-token", "token_type": "Bearer", "expires_in": 3600}
        request = {"method": "POST", "url": f"{self._base_url}/oauth/token", "postData": posted}
        yield {"request": request, "response": _response(token)}

    def _list(self, path: str, items: Sequence[NativeRecord]) -> Iterator[dict[str, Any]]:
        pages = [items[start : start + HALF] for start in range(0, len(items), HALF)] or [()]
        if self._paging == "none":
            pages = [items]
        if self._paging == "page" and items:
            pages.append(())  # an empty page ends the list
        for number, page in enumerate(pages, start=1):
            address = self._address(path, number)
            following = self._address(path, number + 1) if number < len(pages) else None
            body, headers = self._page(list(page), following, number, len(items))
            yield {"request": {"method": "GET", "url": address}, "response": _response(body, headers)}

    def _address(self, path: str, number: int) -> str:
        before = HALF * (number - 1)
        params: dict[str, Mapping[str, object]] = {
            "link": {"per_page": 100} | ({"page": number} if number > 1 else {}),
            "next": {"per_page": 100} | ({"page": number} if number > 1 else {}),
            "page": {"per_page": 100, "page": number},
            "offset": {"limit": 100, "offset": before},
            "cursor": {"limit": 100} | ({"cursor": _token(number)} if number > 1 else {}),
            "none": {},
        }
        query = urlencode(params[self._paging])
        return f"{self._base_url}/api/{path}" + (f"?{query}" if query else "")

    def _page(
        self, items: list[NativeRecord], following: str | None, number: int, total: int
    ) -> tuple[Any, list[dict[str, str]]]:
        match self._paging:
            case "link":
                link = [{"name": "Link", "value": f'<{following}>; rel="next"'}] if following else []
                return items, link
            case "next":
                return {"data": items, "next": following}, []
            case "offset":
                return {"data": items, "total": total}, []
            case "cursor":
                return {"data": items, "next_cursor": _token(number + 1) if following else None}, []
            case _:
                return {"data": items}, []

    def _single(self) -> Iterator[dict[str, Any]]:
        rows = [row for row in ENROLLMENTS if row["id"] in FETCHED]
        for row in rows:
            yield self._fetched(f"enrollments/{row['id']}", row)
            yield self._fetched(f"courses/{row['course_id']}", _one(COURSES, row["course_id"]))
            yield self._fetched(f"users/{row['user_id']}", _one(USERS, row["user_id"]))
        yield self._fetched(f"enrollments/{GONE}", None)

    def _fetched(self, path: str, item: NativeRecord | None) -> dict[str, Any]:
        response = _response({"error": "not found"}, status=_NOT_FOUND) if item is None else _response(item)
        return {
            "_use": "fetch",
            "request": {"method": "GET", "url": f"{self._base_url}/api/{path}"},
            "response": response,
        }


_CLIENT = ("client_id", "client_secret")


def _token(number: int) -> str:
    return f"p{number}"


def _one(items: Sequence[NativeRecord], id: object) -> NativeRecord | None:
    return next((item for item in items if item["id"] == id), None)


def _response(body: Any, headers: Sequence[dict[str, str]] = (), status: int = _OK) -> dict[str, Any]:
    content = {"mimeType": "application/json", "_json": body}
    return {"status": status, "headers": [_JSON, *headers], "content": content}


def _har(comment: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    creator = {"name": "rollbook new", "version": "1"}
    log = {"version": "1.2", "creator": creator, "comment": comment, "_origin": "synthetic", "entries": entries}
    return {"log": log}
