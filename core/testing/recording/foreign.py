"""HAR files of browsers and proxies: what is of use in them, and an LMS that answers from one."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from ...errors import ContractError, SettingsError
from ...native import JSON, dump, parse
from .bodies import is_api
from .keys import Holds, holds
from .recorder import Taken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .recorder import Headers

__all__ = ["Player", "load_foreign"]

Key = tuple[str, str, tuple[tuple[str, str], ...], str]


def load_foreign(path: Path) -> list[Taken]:
    """Read the answers of programs from a HAR file that anything wrote.

    Raises:
        SettingsError: It cannot be read, or is no HAR file.
    """
    try:
        top = parse(path.read_bytes())
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ContractError:
        raise SettingsError("the file is no HAR recording: it is not JSON", where=str(path)) from None
    entries = _object(_object(top).get("log")).get("entries")
    if not isinstance(entries, list):
        raise SettingsError("the file is no HAR recording: it has no log.entries", where=str(path))
    taken = [_taken(_object(entry)) for entry in entries]
    return [
        one for one in taken if one.status and one.method != "OPTIONS" and one.url.startswith("http") and is_api(one)
    ]


def _taken(entry: dict[str, JSON]) -> Taken:
    request, response = _object(entry.get("request")), _object(entry.get("response"))
    content = _object(response.get("content"))
    headers = _pairs(response.get("headers"))
    kind = content.get("mimeType")
    if isinstance(kind, str) and not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", kind))
    posted, sent = _posted(_object(request.get("postData"))), _pairs(request.get("headers"))
    if posted[1] and not any(name == "content-type" for name, _ in sent):
        sent.append(("content-type", posted[0]))
    time = entry.get("time")
    return Taken(
        method=str(request.get("method", "GET")).upper(),
        url=str(request.get("url", "")).partition("#")[0],
        request_headers=sent,
        posted=posted[1],
        started=_moment(entry.get("startedDateTime")),
        status=_status(response.get("status")),
        headers=headers,
        content=_content(content),
        milliseconds=round(float(time), 1) if isinstance(time, (int, float)) and time > 0 else 0.0,
        whole=True,
    )


def _posted(posted: dict[str, JSON]) -> tuple[str, bytes]:
    kind, text = str(posted.get("mimeType", "")), posted.get("text")
    if isinstance(text, str) and text:
        return kind, text.encode("utf-8", "surrogatepass")
    return kind, urlencode(_pairs(posted.get("params"), fold=False)).encode()


def _content(content: dict[str, JSON]) -> bytes:
    if "_json" in content and "text" not in content:
        return dump(content["_json"]).encode()
    text = str(content.get("text") or "")
    if content.get("encoding") == "base64":
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(text)
        return b""
    return text.encode("utf-8", "surrogatepass")


def _status(value: JSON) -> int:
    return value if isinstance(value, int) and 100 <= value < 600 else 0  # noqa: PLR2004 - HTTP's


def _moment(value: JSON) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(0, UTC)


def _pairs(items: JSON, *, fold: bool = True) -> Headers:
    found: Headers = []
    for item in items if isinstance(items, list) else ():
        pair = _object(item)
        name = str(pair.get("name", ""))
        if not name.startswith(":"):  # HTTP/2's own
            found.append((name.lower() if fold else name, str(pair.get("value", ""))))
    return found


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


# --- answering -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Player(httpx.AsyncBaseTransport):
    """Answers from a HAR file. Credentials do not count: whoever made it was signed in otherwise."""

    taken: Sequence[Taken]
    missing: list[tuple[httpx.Request, Taken | None]] = field(
        default_factory=list["tuple[httpx.Request, Taken | None]"]
    )
    """Requests that the file has no answer to, each with the nearest one it has."""
    used: set[int] = field(default_factory=set[int])
    """Numbers of the exchanges that were of use."""
    _given: dict[Key, int] = field(default_factory=dict["Key", int])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        posted = await request.aread()
        key = _key(request.method, str(request.url), request.headers.get("content-type", ""), posted)
        found = [at for at, one in enumerate(self.taken) if _key_of(one) == key]
        if not found:
            return self._absent(request, key)
        given = self._given.get(key, 0)
        self._given[key] = given + 1
        at = found[min(given, len(found) - 1)]
        self.used.add(at)
        one = self.taken[at]
        headers = [(name, value) for name, value in one.headers if name not in _DROPPED]
        return httpx.Response(one.status, headers=headers, content=one.content)

    def _absent(self, request: httpx.Request, key: Key) -> httpx.Response:
        if any(name == "grant_type" for name, _ in key[2]):  # a browser signs in otherwise
            token: dict[str, JSON] = {
                "access_token": "made-up-access-token",
                "token_type": "Bearer",
                "expires_in": 3600,
            }
            return httpx.Response(200, json=token)
        near = max(self.taken, key=lambda one: _likeness(_key_of(one), key), default=None)
        self.missing.append((request, near))
        return httpx.Response(400, json={"rollbook": "this request was not recorded"})


_DROPPED = {"content-encoding", "content-length", "transfer-encoding"}


def _key_of(one: Taken) -> Key:
    return _key(one.method, one.url, one.request_header("content-type"), one.posted)


def _key(method: str, url: str, kind: str, posted: bytes) -> Key:
    parts = urlsplit(url)
    pairs, body = parse_qsl(parts.query, keep_blank_values=True), posted.decode("utf-8", "replace")
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs, body = [*pairs, *parse_qsl(body, keep_blank_values=True)], ""
    open_pairs = tuple(sorted(pair for pair in pairs if holds(pair[0]) is not Holds.SECRET))
    return method, f"{parts.scheme}://{parts.netloc.lower()}{parts.path}", open_pairs, body


def _likeness(one: Key, other: Key) -> float:
    same = 4.0 * (one[0] == other[0]) + len(set(one[1].split("/")) & set(other[1].split("/")))
    return same + 0.5 * len(set(one[2]) & set(other[2]))
