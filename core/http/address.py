"""Addresses: what belongs to the LMS's host, and how parameters are spelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast
from urllib.parse import unquote_to_bytes, urlencode

import httpx

from ..errors import ContractError, SettingsError
from .reach import is_withheld, refusal

__all__ = ["Params", "Site", "encoded", "origin", "pairs", "with_param"]

Params: TypeAlias = "Mapping[str, object] | Sequence[tuple[str, object]]"
"""Texts, numbers, true and false; None is left out, a list is repeated."""


class Site:
    """The one host that requests are signed in for, and what paths are relative to there.

    Args:
        base_url: Its address.
        allow_link_local: It, and hosts that it leads to, may be at addresses that are else refused.

    Raises:
        SettingsError: It is no address, or a refused one.
    """

    def __init__(self, base_url: str, *, allow_link_local: bool = False) -> None:
        try:
            url = httpx.URL(base_url.rstrip("/"))
        except httpx.InvalidURL:
            url = httpx.URL("")
        if url.scheme not in {"https", "http"} or not url.host:
            raise SettingsError("base_url is not an address such as https://lms.example.com")
        self.base = url.copy_with(userinfo=b"", query=None, fragment=None)
        self.origin = origin(self.base)
        self._allow = allow_link_local
        if not allow_link_local and is_withheld(url.host):
            raise refusal(url.host, own=True)

    def holds(self, url: httpx.URL) -> bool:
        """Tell whether an address is at this host, by the same scheme and port."""
        return origin(url) == self.origin

    def is_safe(self, url: httpx.URL) -> bool:
        """Tell whether another host may be asked: only by https, or as openly as this one."""
        return url.scheme in {"https", self.base.scheme} and (self._allow or not is_withheld(url.host))

    def url(self, path: str, params: Params | None = None, *, other_host: bool = False) -> httpx.URL:
        """Resolve a path, with or without a slash before it; a whole address has to be at this host.

        Raises:
            ContractError: It is at another host, or no address.
        """
        try:
            if "://" in path.partition("?")[0] or path.startswith("//"):
                url = self.base.join(path)
            else:
                url = httpx.URL(f"{self.base}/{path.lstrip('/')}")
        except httpx.InvalidURL:
            raise ContractError("the request has no proper address") from None
        if not self.holds(url) and not (other_host and self.is_safe(url)):
            raise ContractError(f"{origin(url)} is another host: nothing is asked there")
        return _with_query(url.copy_with(userinfo=b"", fragment=None), pairs(params))

    def link(self, path_and_query: str) -> httpx.URL:
        """Resolve what a paginator kept of a link: from the host's root."""
        return self.base.copy_with(raw_path=path_and_query.encode("ascii", "ignore"))


def origin(url: httpx.URL) -> str:
    """Give scheme, host and port, without a login."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def pairs(params: Params | None) -> list[tuple[str, str]]:
    """Spell parameters as they are sent."""
    if params is None:
        return []
    given = params.items() if isinstance(params, Mapping) else params
    spelled: list[tuple[str, str]] = []
    for field, value in given:
        many = cast("Sequence[object]", value) if isinstance(value, (list, tuple)) else [value]
        spelled += [(field, _spelled(item)) for item in many if item is not None]
    return spelled


def encoded(form: list[tuple[str, str]]) -> bytes:
    """Encode a form or a query."""
    return urlencode(form).encode("ascii")


def with_param(url: httpx.URL, field: str, value: str) -> httpx.URL:
    """Set one parameter of the query, and leave the others as they are spelled."""
    others = [
        pair for pair in url.query.split(b"&") if pair and unquote_to_bytes(pair.partition(b"=")[0]) != field.encode()
    ]
    return url.copy_with(query=b"&".join([*others, encoded([(field, value)])]))


def _with_query(url: httpx.URL, query: list[tuple[str, str]]) -> httpx.URL:
    if not query:
        return url
    return url.copy_with(query=b"&".join(part for part in (url.query, encoded(query)) if part))


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TypeError(f"a parameter is a text, a number, true or false, not {type(value).__name__}")
