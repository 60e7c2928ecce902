"""Which recorded request a request is: the same, or the nearest one and what differs."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from .delta import MISSING, deltas, printable, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    import httpx

    from .har import Exchange

    Pairs = tuple[tuple[str, str], ...]

__all__ = ["asked", "described", "nearest", "same"]

_HIDDEN = "•••"
_MADE_UP = "made-up"
_SECRET = re.compile(
    r"secret|passw|pwd|api_?-?key|access_?key|token|signature|^sig$|^key$|^code$|assertion|auth(?!or)|session|credential|jwt",
    re.IGNORECASE,
)
_PAGING = re.compile(r"page|next|contin|cursor|sync|delta|skip", re.IGNORECASE)
_LONGEST = 60


def asked(request: httpx.Request) -> Exchange:
    """Read a request as a recording would hold it, with no answer."""
    from .har import Exchange  # noqa: PLC0415 - pytest loads this module wherever rollbook is installed

    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    text = request.content.decode("utf-8", "replace")
    form = tuple(sorted(parse_qsl(text, keep_blank_values=True))) if is_form else ()
    return Exchange(request.method, str(request.url), form, "" if is_form else text, 0, (), b"")


def same(one: Exchange, other: Exchange) -> bool:
    """Tell whether two requests are the same: method, address, sorted query and form, body. Headers do not count."""
    return (one.method, one.place, one.query, one.form, one.body) == (
        other.method,
        other.place,
        other.query,
        other.form,
        other.body,
    )


def described(one: Exchange, secrets: Collection[str] = ()) -> str:
    """Write a request on one line, without secrets that are not made up."""
    parts = urlsplit(one.url)
    place = _safe("", f"{parts.scheme}://{_host(one)}{parts.path}", secrets)
    pairs = [f"{printable(name)}={_cut(_safe(name, value, secrets))}" for name, value in (*one.query, *one.form)]
    return f"{one.method} {place}" + (f" [{' '.join(pairs)}]" if pairs else "")


def nearest(request: httpx.Request | Exchange, recorded: Iterable[Exchange], *, secrets: Collection[str] = ()) -> str:
    """Write a request that was not recorded, the nearest recorded one, and each thing that differs.

    Args:
        request: What was asked for.
        recorded: What could have been answered.
        secrets: The connection's; they are not shown, unless they begin with `made-up`. Values of parameters that
            are named like a secret are hidden in the same way.
    """
    from .har import Exchange  # noqa: PLC0415 - pytest loads this module wherever rollbook is installed

    one = request if isinstance(request, Exchange) else asked(request)
    near = min(recorded, key=lambda other: _distance(one, other), default=None)
    if near is None:
        return f"{described(one, secrets)}\n  nothing else is recorded"
    if same(one, near):
        return f"{described(one, secrets)}\n  it was recorded, but all its answers have been given already"
    lines = [described(one, secrets), f"  nearest recorded: {described(near, secrets)}"]
    return "\n".join([*lines, *(f"    {line}" for line in _differences(one, near, secrets))])


def _distance(one: Exchange, other: Exchange) -> float:
    """Weigh what differs: another method or host is further away than another parameter, and that than its value."""
    far = 4.0 * (one.method != other.method) + 4.0 * (_host(one) != _host(other))
    far += 2.0 * sum(max(len(a), len(b)) for _, a, b in _segments(one, other))
    for mine, theirs in ((one.query, other.query), (one.form, other.form)):
        for _, a, b in _parameters(mine, theirs):
            far += 2.0 - _likeness(" ".join(a), " ".join(b)) if a and b else 2.0
    return far + (2.0 - 2.0 * _likeness(one.body, other.body) if one.body != other.body else 0.0)


def _differences(one: Exchange, other: Exchange, secrets: Collection[str]) -> Iterator[str]:
    if one.method != other.method:
        yield f"method: {one.method}, recorded {other.method}"
    mine, theirs = urlsplit(one.url), urlsplit(other.url)
    if mine.scheme != theirs.scheme:
        yield f"scheme: {mine.scheme}, recorded {theirs.scheme}"
    if _host(one) != _host(other):
        yield f"host: {_host(one)}, recorded {_host(other)}"
    for number, a, b in _segments(one, other):
        text = [_values("", [unquote(part) for part in parts], secrets) for parts in (a, b)]
        yield _contrast(f"path, segment {number}", *text)
    for place, pairs, recorded in (("query", one.query, other.query), ("form", one.form, other.form)):
        for name, a, b in _parameters(pairs, recorded):
            yield _contrast(f"{place} {printable(name)}", _values(name, a, secrets), _values(name, b, secrets))
    if one.body != other.body:
        yield from _bodies(one.body, other.body, secrets)


def _bodies(one: str, other: str, secrets: Collection[str]) -> Iterator[str]:
    if not one or not other:
        yield _contrast("body", f"{len(one)} characters" if one else "", repr(_cut(printable(other))) if other else "")
        return
    mine, theirs = _json(one), _json(other)
    found = [] if MISSING in (mine, theirs) else list(deltas(mine, theirs))
    for path, a, b in found:
        what = f"body, {printable(path)}" if path else "body"
        yield _contrast(what, _member(path, a, secrets), _member(path, b, secrets))
    if not found:
        at = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        # what was asked for may hold a secret anywhere; what was recorded holds none
        yield f"body: differs from character {at + 1} on, recorded there {_cut(printable(other[at:]))!r}"


def _contrast(what: str, mine: str, theirs: str) -> str:
    """Tell of one thing that differs; empty texts stand for what is not there."""
    return f"{what}: {mine or 'missing'}, {f'recorded {theirs}' if theirs else 'which the recorded one has not'}"


def _segments(one: Exchange, other: Exchange) -> Iterator[tuple[int, list[str], list[str]]]:
    mine, theirs = (urlsplit(each.url).path.split("/")[1:] for each in (one, other))
    if len(mine) == len(theirs):
        yield from ((at, [a], [b]) for at, (a, b) in enumerate(zip(mine, theirs, strict=True), 1) if a != b)
        return
    for kind, start, end, other_start, other_end in SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            yield start + 1, mine[start:end], theirs[other_start:other_end]


def _parameters(one: Pairs, other: Pairs) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give the parameters that are not the same, with their values on both sides."""
    for name in dict.fromkeys(name for name, _ in (*one, *other)):
        mine, theirs = ([value for key, value in pairs if key == name] for pairs in (one, other))
        if mine != theirs:
            yield name, mine, theirs


def _values(name: str, values: list[str], secrets: Collection[str]) -> str:
    return ", ".join(repr(_cut(_safe(name, value, secrets))) for value in values)


def _member(path: str, value: Any, secrets: Collection[str]) -> str:
    """Show a member of a JSON body; what is asked for with a whole object may hold anything."""
    if value is MISSING:
        return ""
    if isinstance(value, (dict, list)):
        return "an object" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return _HIDDEN if any(map(_is_secret, path.split("."))) else shown(value)
    return repr(_cut(min((_safe(name, value, secrets) for name in path.split(".")), key=lambda text: text != _HIDDEN)))


def _safe(name: str, value: str, secrets: Collection[str]) -> str:
    if value and _is_secret(name) and not value.startswith(_MADE_UP):
        return _HIDDEN
    for secret in secrets:
        if secret and not secret.startswith(_MADE_UP):
            for spelled in (secret, quote(secret, safe="")):
                value = value.replace(spelled, _HIDDEN)
    return printable(value)


def _is_secret(name: str) -> bool:
    return bool(_SECRET.search(name)) and not _PAGING.search(name)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _host(one: Exchange) -> str:
    return urlsplit(one.url).netloc.rpartition("@")[2]  # a login before the host is nobody's business


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one[:500], other[:500], autojunk=False).ratio()


def _json(text: str) -> Any:
    from ..errors import ContractError  # noqa: PLC0415 - as above
    from ..native import parse  # noqa: PLC0415 - as above

    try:
        return parse(text)
    except ContractError:
        return MISSING
