"""Recordings: HTTP exchanges in HAR 1.2, which browsers, proxies and API clients read and write."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

from ..errors import SettingsError, UnknownName
from ..native import JSON, dump, parse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Origin = Literal["recorded", "documented", "synthetic"]
ORIGINS: tuple[Origin, ...] = ("recorded", "documented", "synthetic")
"""Where a recording came from: a real server, a vendor's documentation, or nobody but its author."""


USES = ("read", "fetch", "check", "since", "resume")
"""What asks for an exchange: reading the whole tenant, a single enrollment, a check, an incremental run, a reading
that goes on at a cursor."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer."""

    method: str
    url: str
    form: tuple[tuple[str, str], ...]
    """The body of a form, as sorted pairs; empty for other bodies."""
    body: str
    """Any other body."""
    status: int
    headers: tuple[tuple[str, str], ...]
    """The answer's."""
    content: bytes
    """The answer's body, decompressed."""
    use: str = "read"
    """What asks for it, one of `USES`."""

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The query, as sorted pairs."""
        return tuple(sorted(parse_qsl(urlsplit(self.url).query, keep_blank_values=True)))

    @property
    def place(self) -> str:
        """Scheme, host and path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"


@dataclass(frozen=True, slots=True)
class Har:
    """A recording."""

    origin: Origin
    exchanges: tuple[Exchange, ...]


def load_har(path: Path) -> Har:
    """Read a HAR file.

    Beside HAR's own `content.text`, an answer's body may stand as JSON in `content._json`, so that hand-written
    recordings are easy to read. `log._origin` says where it came from; an entry's `_use` what asks for it, if it is
    not the reading of the whole tenant.

    Raises:
        SettingsError: It is no recording, or does not say where it came from.
    """
    where = path.name
    log = _object(_object(parse(path.read_bytes()), where).get("log"), where)
    origin = log.get("_origin")
    if origin not in ORIGINS:
        raise SettingsError(
            "the recording does not say where it came from",
            where=where,
            hint=f"Set log._origin to one of: {', '.join(ORIGINS)}.",
        )
    entries = log.get("entries")
    if not isinstance(entries, list):
        raise SettingsError("the recording has no log.entries", where=where)
    return Har(origin, tuple(_exchange(_object(entry, where), where) for entry in entries))


def _exchange(entry: dict[str, JSON], where: str) -> Exchange:
    request, response = _object(entry.get("request"), where), _object(entry.get("response"), where)
    posted = request.get("postData")
    form, body = _posted(posted, where) if isinstance(posted, dict) else ((), "")
    return Exchange(
        method=str(request.get("method", "GET")).upper(),
        url=str(request.get("url", "")),
        form=form,
        body=body,
        status=int(str(response.get("status", 0))),
        headers=tuple(_pairs(response.get("headers"))),
        content=_content(response.get("content")),
        use=_use(entry, where),
    )


def _use(entry: dict[str, JSON], where: str) -> str:
    use = entry.get("_use", USES[0])
    if use not in USES:
        raise UnknownName("_use of an exchange", str(use), USES, where=where)
    return str(use)


def _posted(posted: dict[str, JSON], where: str) -> tuple[tuple[tuple[str, str], ...], str]:
    kind, text = str(posted.get("mimeType", "")), posted.get("text")
    if isinstance(posted.get("params"), list):
        return tuple(sorted(_pairs(posted["params"]))), ""
    if not isinstance(text, str):
        raise SettingsError("a request has a postData with neither text nor params", where=where)
    if kind.startswith("application/x-www-form-urlencoded"):
        return tuple(sorted(parse_qsl(text, keep_blank_values=True))), ""
    return (), text


def _content(content: JSON) -> bytes:
    if not isinstance(content, dict):
        return b""
    if "_json" in content:
        return dump(content["_json"]).encode()
    text = str(content.get("text", ""))
    return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()


def _pairs(items: JSON) -> Iterable[tuple[str, str]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            yield str(item.get("name", "")), str(item.get("value", ""))


def _object(value: JSON, where: str) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise SettingsError("the file is no HAR recording", where=where)
    return value
