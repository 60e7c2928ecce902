"""Requests by their kind: which of them ask for the same sort of thing, and which are pages of one list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ...errors import ContractError
from ...native import dump, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ...native import JSON
    from ..har import Exchange

__all__ = ["Key", "Paging", "item_words", "key_of", "lists_by_name", "paging", "representatives", "shape"]

Key = tuple[str, str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...], str]
"""What a request is told from others by: method, place, query, form, other body."""

_WORD = re.compile(r"[a-z][a-z_.]*")
_PAGING = re.compile(
    r"page|offset|limit|size|start|skip|from|after|before|cursor|token|bookmark|count|top|per", re.IGNORECASE
)
_TOKENS = re.compile(r"[^/,;:=]+")


def key_of(one: Exchange) -> Key:
    """Give what a request is told from others by."""
    return one.method, one.place, one.query, one.form, one.body


def shape(one: Exchange) -> str:
    """Name the kind of a request: method and path without ids, the names of its parameters, words of its form."""
    path = "/".join(_blank(part) for part in urlsplit(one.url).path.split("/"))
    query = "&".join(sorted({name for name, _ in one.query}))
    form = "&".join(f"{name}={value if _WORD.fullmatch(value) else '#'}" for name, value in one.form)
    return f"{one.method} {urlsplit(one.url).netloc}{path}?{query} {form} {_body_shape(one.body)}".rstrip()


def representatives(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Give the first and the last request of each kind, in the order they were recorded."""
    kinds: dict[str, list[Exchange]] = {}
    for one in exchanges:
        kinds.setdefault(shape(one), []).append(one)
    chosen: dict[Key, Exchange] = {}
    for group in kinds.values():
        for one in (group[0], group[-1]):
            chosen.setdefault(key_of(one), one)
    return list(chosen.values())


def item_words(one: Exchange) -> set[str]:
    """Give the words of a request that may be the id of what it asks for: with a digit, and of no paging parameter."""
    words = {word for part in urlsplit(one.url).path.split("/") for word in _TOKENS.findall(unquote(part))}
    words |= {value for name, value in (*one.query, *one.form) if not _PAGING.search(name)}
    return {word for word in words if any(sign.isdigit() for sign in word)}


@dataclass(frozen=True, slots=True)
class Paging:
    """A list that goes on: its first page, and what its further pages are told from it by."""

    first: Exchange
    further: tuple[Exchange, ...]
    names: frozenset[str]
    """The parameters that differ from page to page; `(path)` for a number in the path."""

    def is_further(self, one: Exchange) -> bool:
        """Tell whether a request asks for a page of this list, recorded or not, that is not its first."""
        if key_of(one) == key_of(self.first):
            return False
        return key_of(one) in {key_of(page) for page in self.further} or self._common(one) == self._common(self.first)

    def _common(self, one: Exchange) -> tuple[object, ...]:
        place = _digits(one.place) if "(path)" in self.names else one.place
        rest = [[pair for pair in pairs if pair[0] not in self.names] for pairs in (one.query, one.form)]
        body = _digits(one.body) if "(body)" in self.names else one.body
        return one.method, place, rest, body


def paging(pages: Sequence[Exchange]) -> Paging:
    """Describe a list by the requests for its pages, in their order."""
    first, *rest = pages
    names: set[str] = set()
    for one in rest:
        for mine, other in ((dict(first.query), dict(one.query)), (dict(first.form), dict(one.form))):
            names |= {name for name in mine.keys() | other.keys() if mine.get(name) != other.get(name)}
        names |= {"(path)"} if one.place != first.place else set()
        names |= {"(body)"} if one.body != first.body else set()
    return Paging(first, tuple(rest), frozenset(names))


def lists_by_name(exchanges: Iterable[Exchange]) -> list[Paging]:
    """Find lists whose pages differ in nothing but parameters that are called like a page, an offset or a cursor."""
    groups: dict[str, dict[Key, Exchange]] = {}
    for one in exchanges:
        rest = [[pair for pair in pairs if not _PAGING.search(pair[0])] for pairs in (one.query, one.form)]
        groups.setdefault(repr((one.method, one.place, rest, one.body)), {}).setdefault(key_of(one), one)
    return [paging(list(group.values())) for group in groups.values() if len(group) > 1]


def _blank(part: str) -> str:
    return "#" if any(sign.isdigit() for sign in part) and not re.fullmatch(r"v\d+(\.\d+)?", part) else part


def _digits(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _body_shape(body: str) -> str:
    if not body:
        return ""
    try:
        value = parse(body)
    except ContractError:
        return "body"
    return dump(_blanked(value))


def _blanked(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {name: _blanked(item) for name, item in value.items()}
    if isinstance(value, str):
        return value if any(sign.isspace() for sign in value) or _WORD.fullmatch(value) else "#"
    return "[]" if isinstance(value, list) else "#"
