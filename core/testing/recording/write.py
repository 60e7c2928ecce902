"""Writing HAR 1.2, with all that other tools want of it."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..har import Origin
    from .recorder import Headers, Taken

__all__ = ["har_text"]


def har_text(exchanges: Iterable[Taken], *, origin: Origin, comment: str, version: str) -> str:
    """Write exchanges as a HAR file.

    Args:
        exchanges: Clean ones.
        origin: Where they came from.
        comment: Said of the whole file.
        version: Of rollbook.
    """
    log = {
        "version": "1.2",
        "creator": {"name": "rollbook", "version": version},
        "_origin": origin,
        "comment": comment,
        "pages": [],
        "entries": [_entry(one) for one in exchanges],
    }
    return json.dumps({"log": log}, indent=1, ensure_ascii=False) + "\n"


def _entry(one: Taken) -> dict[str, Any]:
    entry: dict[str, Any] = {} if one.use == "read" else {"_use": one.use}
    entry |= {
        "startedDateTime": one.started.isoformat().replace("+00:00", "Z"),
        "time": one.milliseconds,
        "request": _request(one),
        "response": _response(one),
        "cache": {},
        "timings": {"send": 0, "wait": one.milliseconds, "receive": 0},
    }
    return entry | ({"comment": one.comment} if one.comment else {})


def _request(one: Taken) -> dict[str, Any]:
    query = parse_qsl(urlsplit(one.url).query, keep_blank_values=True)
    request: dict[str, Any] = {
        "method": one.method,
        "url": one.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(one.request_headers),
        "queryString": _pairs(query),
        "headersSize": -1,
        "bodySize": len(one.posted),
    }
    if one.posted:
        kind, text = one.request_header("content-type"), one.posted.decode("utf-8", "replace")
        is_form = kind.startswith("application/x-www-form-urlencoded")
        body = {"params": _pairs(parse_qsl(text, keep_blank_values=True))} if is_form else {"text": text}
        request["postData"] = {"mimeType": kind, **body}
    return request


def _response(one: Taken) -> dict[str, Any]:
    kind = one.header("content-type")
    content: dict[str, Any] = {"size": len(one.content), "mimeType": kind or "application/octet-stream"}
    try:
        content["text"] = one.content.decode("utf-8")
    except UnicodeDecodeError:
        content |= {"text": base64.b64encode(one.content).decode("ascii"), "encoding": "base64"}
    return {
        "status": one.status,
        "statusText": _phrase(one.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(one.headers),
        "content": content,
        "redirectURL": one.header("location"),
        "headersSize": -1,
        "bodySize": len(one.content),
    }


def _pairs(pairs: Headers) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
