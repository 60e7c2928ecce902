"""How lists go on: small values that know where the next page is. They do no I/O."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

import httpx

from ..errors import ContractError, CursorExpired
from .address import origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..native import JSON, NativeRecord
    from .answer import Answer

__all__ = [
    "Ask",
    "Cursor",
    "LinkHeader",
    "NextLink",
    "Offset",
    "PageAnswer",
    "PageNumber",
    "Paginator",
    "Stop",
]

SECRET_PARAMS = frozenset({"access_token", "api_key", "apikey", "client_secret", "oauth_token", "wstoken"})
"""Query parameters that are left out of a cursor, should the LMS repeat them in a link."""


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """One page of a list."""

    items: Sequence[NativeRecord] = field(repr=False)
    answer: Answer
    next: JSON
    """Where to go on, to be given as `start`; None on the last page."""
    total: int | None
    """How many items the LMS says the list has."""
    stop: str
    """Why the list ends here: `no next link`, `empty page`, `page 7 of 7`; empty while it goes on."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What the next request adds to the list's own path and parameters, or puts in their place."""

    params: Mapping[str, JSON] = field(default_factory=dict[str, "JSON"])
    link: str = ""
    """Path and query, from the host's root, in place of everything."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The list ends, and why."""

    reason: str


class Paginator(Protocol):
    """Knows how a list goes on. A cursor is small JSON without secrets; None is the list's beginning."""

    def ask(self, cursor: JSON) -> Ask:
        """Say what the request for the page at a cursor looks like.

        Raises:
            CursorExpired: The cursor is none of this paginator's.
        """
        ...

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the cursor of the next page, from that of the page just read."""
        ...

    def total(self, answer: Answer) -> int | None:
        """Give the number of items in the whole list, if the LMS tells."""
        ...


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """Follows `Link: <...>; rel="next"` (RFC 8288)."""

    rel: str = "next"
    any_host: bool = False
    """Take a link's path and query only, whatever host it names (an LMS behind a proxy that does not know its name)."""
    count: str = ""
    """Where the total stands: a dotted path, or `header:X-Total-Count`."""

    def ask(self, cursor: JSON) -> Ask:
        """Ask for the link."""
        return _linked(cursor)

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the link."""
        del cursor, items
        target = _link(answer, self.rel)
        return _cursor(target, answer, any_host=self.any_host) if target else Stop("no next link")

    def total(self, answer: Answer) -> int | None:
        """Read the total."""
        return _count(answer, self.count)


class NextLink:
    """Follows an address in the body (`links.next`, `@odata.nextLink`), absolute or relative.

    Args:
        places: Dotted paths at which it may stand; the first that is there counts.
        any_host: Take a link's path and query only, whatever host it names.
        count: Where the total stands.
    """

    def __init__(self, *places: str, any_host: bool = False, count: str = "") -> None:
        self.places = places
        self.any_host = any_host
        self.count = count

    def ask(self, cursor: JSON) -> Ask:
        """Ask for the link."""
        return _linked(cursor)

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the link."""
        del cursor, items
        for place in self.places:
            if target := answer.find(place):
                if not isinstance(target, str):
                    raise ContractError(f"expected a link at {place}", where=answer.request)
                return _cursor(target, answer, any_host=self.any_host)
        return Stop("no next link")

    def total(self, answer: Answer) -> int | None:
        """Read the total."""
        return _count(answer, self.count)


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Counts pages. An empty page ends the list, unless `pages` or `more` tell better."""

    param: str = "page"
    size_param: str = ""
    size: int = 0
    _: KW_ONLY
    first: int = 1
    more: str = ""
    """Where a flag says that there are more pages: a dotted path, or `header:Name`."""
    pages: str = ""
    """Where the number of pages stands."""
    count: str = ""
    """Where the total stands."""
    short_ends: bool = False
    """A page with fewer items than `size` ends the list. Only where the LMS never gives fewer than it was asked for."""
    carry: Mapping[str, str] = field(default_factory=dict[str, str])
    """Parameters of the next request, by where their values stand in this answer (a search that the LMS keeps)."""

    def ask(self, cursor: JSON) -> Ask:
        """Ask for the page of that number."""
        state: JSON = {"page": self.first} if cursor is None else cursor
        if isinstance(state, int) and not isinstance(state, bool):
            state = {"page": state}
        if not isinstance(state, dict) or not isinstance(page := state.get("page"), int):
            raise _foreign(cursor)
        carried = {name: state[name] for name in self.carry if name in state}
        return Ask({**_sized(self.size_param, self.size), self.param: page, **carried})

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the next number, unless this is the last page."""
        page = self.ask(cursor).params[self.param]
        if not isinstance(page, int):
            raise _foreign(cursor)
        if reason := self._end(page, answer, items):
            return Stop(reason)
        carried = {name: value for name, place in self.carry.items() if (value := answer.find(place)) is not None}
        return {"page": page + 1, **carried} if carried else page + 1

    def _end(self, page: int, answer: Answer, items: Sequence[NativeRecord]) -> str:
        pages = _count(answer, self.pages)
        if pages is not None:
            return f"page {page - self.first + 1} of {pages}" if page - self.first + 1 >= pages else ""
        if self.more and (flag := answer.find(self.more)) is not None and not _truth(flag):
            return "no more pages"
        if not items:
            return "empty page"
        return "short page" if self.short_ends and len(items) < self.size else ""

    def total(self, answer: Answer) -> int | None:
        """Read the total."""
        return _count(answer, self.count)


@dataclass(frozen=True, slots=True)
class Offset:
    """Counts items. An empty page ends the list, or the total where the LMS tells it."""

    param: str = "offset"
    size_param: str = "limit"
    size: int = 100
    _: KW_ONLY
    first: int = 0
    count: str = ""
    """Where the total stands: a dotted path, or `header:X-Total-Count`. The list ends with it."""
    next_link: bool = False
    """A `Link` header with a next page outvotes the total: the list goes on. The link itself is not followed."""
    step: Literal["items", "size"] = "items"
    """Go on by the items received (an LMS may give fewer than asked), or by the size asked for (it filters pages)."""
    short_ends: bool = False
    """A page with fewer items than `size` ends the list. Only where the LMS never gives fewer than it was asked for."""

    def ask(self, cursor: JSON) -> Ask:
        """Ask for the items from there on."""
        return Ask({**_sized(self.size_param, self.size), self.param: self._place(cursor)})

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the next offset, unless everything was read."""
        if not items:
            return Stop("empty page")
        offset = self._place(cursor) + (len(items) if self.step == "items" else self.size)
        if self.next_link and _link(answer, "next"):
            return offset
        total = self.total(answer)
        if total is not None and offset - self.first >= total:
            return Stop(f"all of {total}")
        return Stop("short page") if self.short_ends and len(items) < self.size else offset

    def _place(self, cursor: JSON) -> int:
        if cursor is None:
            return self.first
        if isinstance(cursor, bool) or not isinstance(cursor, int):
            raise _foreign(cursor)
        return cursor

    def total(self, answer: Answer) -> int | None:
        """Read the total."""
        return _count(answer, self.count)


@dataclass(frozen=True, slots=True)
class Cursor:
    """Passes back a token that the LMS gave: a bookmark, a page token, the number of the next page."""

    param: str
    place: str
    """Where it stands: a dotted path, or `header:Name`. The list ends when it is missing or empty."""
    _: KW_ONLY
    more: str = ""
    """Where a flag says that there is more, for an LMS whose last page has a token too."""
    size_param: str = ""
    size: int = 0
    count: str = ""
    """Where the total stands."""

    def ask(self, cursor: JSON) -> Ask:
        """Ask for the page of that token."""
        if cursor is not None and not isinstance(cursor, (str, int)):
            raise _foreign(cursor)
        return Ask(_sized(self.size_param, self.size) | ({} if cursor is None else {self.param: cursor}))

    def after(self, cursor: JSON, answer: Answer, items: Sequence[NativeRecord]) -> JSON | Stop:
        """Give the token, unless the list ends."""
        del cursor, items
        if self.more and (flag := answer.find(self.more)) is not None and not _truth(flag):
            return Stop("no more pages")
        token = answer.find(self.place)
        if token is None or token == "":
            return Stop("no next token")
        if not isinstance(token, (str, int)):
            raise ContractError(f"expected a token at {self.place}", where=answer.request)
        return token

    def total(self, answer: Answer) -> int | None:
        """Read the total."""
        return _count(answer, self.count)


def _link(answer: Answer, rel: str) -> str | None:
    return httpx.Response(answer.status, headers=answer.headers).links.get(rel, {}).get("url")


def _linked(cursor: JSON) -> Ask:
    if cursor is None:
        return Ask()
    if not isinstance(cursor, str) or not cursor.startswith("/") or cursor.startswith("//"):
        raise _foreign(cursor)
    return Ask(link=cursor)


def _cursor(target: str, answer: Answer, *, any_host: bool) -> str:
    """Make a cursor of a link: its path and query, without secrets, and only if it leads to the same host."""
    here = httpx.URL(answer.url)
    try:
        link = here.join(target)
    except httpx.InvalidURL:
        raise ContractError("the next link is not an address", where=answer.request) from None
    if not any_host and origin(link) != origin(here):
        raise ContractError(f"the next link leads to another host, {origin(link)}: not followed", where=answer.request)
    path, _, query = link.raw_path.decode("ascii").partition("?")
    kept = "&".join(pair for pair in query.split("&") if pair.partition("=")[0].lower() not in SECRET_PARAMS)
    path = "/" + path.lstrip("/")
    return f"{path}?{kept}" if kept else path


def _sized(param: str, size: int) -> dict[str, JSON]:
    return {param: size} if param and size else {}


def _count(answer: Answer, place: str) -> int | None:
    value = answer.find(place) if place else None
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _truth(value: JSON) -> bool:
    return value.strip().lower() in {"true", "1", "yes"} if isinstance(value, str) else bool(value)


def _foreign(cursor: JSON) -> CursorExpired:
    return CursorExpired(f"a cursor of type {type(cursor).__name__} is none of this list's")
