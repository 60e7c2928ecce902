"""One HTTP response, read whole, and the ways to look into it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ..errors import ContractError
from ..native import parse

if TYPE_CHECKING:
    import httpx

    from ..native import JSON, NativeRecord

__all__ = ["Answer", "dig"]

_HEADER = "header:"


@dataclass(frozen=True, eq=False, repr=False)
class Answer:
    """One HTTP response, read whole."""

    status: int
    """As in 200."""
    headers: httpx.Headers
    """Their names are compared without regard to case."""
    body: bytes
    """Decompressed. Of a download only the beginning."""
    request: str
    """`GET /api/v1/courses/7/enrollments`: fit for printing, since it has no query."""
    url: str
    """The whole address, which links are relative to. Not for printing."""

    def json(self) -> JSON:
        """Read the body as JSON; it is parsed once.

        Raises:
            ContractError: It is not JSON.
        """
        return self._json

    @cached_property
    def _json(self) -> JSON:
        try:
            return parse(self.body)
        except ContractError as error:
            raise error.at(self.request) from None

    def find(self, place: str) -> JSON:
        """Give what stands at a dotted path of the body, or in a header (`header:Name`); None if nothing does."""
        if place.startswith(_HEADER):
            return self.headers.get(place.removeprefix(_HEADER))
        return dig(self.json(), place)

    def object(self, path: str = "") -> NativeRecord:
        """Give the object at a dotted path; the whole body if the path is empty.

        Raises:
            ContractError: Something else is there.
        """
        value = self.find(path)
        if not isinstance(value, dict):
            raise ContractError(f"expected an object{_at(path)}, found {_kind(value)}", where=self.request)
        return value

    def items(self, path: str = "") -> list[NativeRecord]:
        """Give the list of objects at a dotted path; the whole body if the path is empty.

        Raises:
            ContractError: Something else is there, or an item of the list is not an object.
        """
        value = self.find(path)
        if not isinstance(value, list):
            raise ContractError(f"expected a list{_at(path)}, found {_kind(value)}", where=self.request)
        items = [item for item in value if isinstance(item, dict)]
        if len(items) != len(value):
            odd = next(number for number, item in enumerate(value) if not isinstance(item, dict))
            found = _kind(value[odd])
            raise ContractError(f"expected objects{_at(path)}, found {found} as number {odd + 1}", where=self.request)
        return items

    def text(self, limit: int = 200) -> str:
        """Give the body's beginning as text, for a verdict to look at. It may hold anything: never print it."""
        return self.body[: 4 * limit].decode("utf-8", "replace")[:limit]

    @property
    def is_html(self) -> bool:
        """Whether the body is a web page (or other markup) where JSON was asked for."""
        kind = self.headers.get("content-type", "").lower()
        start = self.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if start == b"<":
            return "xml" not in kind or "xhtml" in kind
        return "html" in kind and start not in (b"", b"{", b"[", b'"')  # a careless server's JSON is still JSON

    def __repr__(self) -> str:
        return f"<Answer {self.status} to {self.request}>"


def dig(value: JSON, path: str) -> JSON:
    """Give what stands at a dotted path, None if nothing does. A key that has dots in it wins over a walk."""
    while path:
        if not isinstance(value, dict):
            return None
        if path in value:
            return value[path]
        key, _, path = path.partition(".")
        value = value.get(key)
    return value


def _at(path: str) -> str:
    return f" at {path}" if path else ""


def _kind(value: JSON) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return "a number"
