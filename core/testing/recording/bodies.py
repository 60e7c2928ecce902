"""Bodies and headers of an exchange: what they are, and a walk through each kind."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import xml.etree.ElementTree as ET  # a body with a DTD is not parsed
import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import ContractError
from ...http.answer import dig
from ...http.archive import MAGIC, unzipped
from ...native import dump, parse
from .addresses import is_idlike, looks_secret
from .keys import Holds, holds, is_person_word
from .objects import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...http import Cut
    from ...native import JSON
    from .recorder import Headers, Taken
    from .walk import Walk

__all__ = ["blanked", "is_api", "walked"]

PAGE = "<!DOCTYPE html><html><body>a web page was here</body></html>"
"""Stands for every web page: it may greet whoever was signed in."""
DROPPED = "A body that is no text was here."
UNREAD = "A body that could not be read was here."
"""Cut JSON, or XML with entities: nobody can tell what its members are."""

_REQUEST = re.compile(r"content-type|accept")
_ANSWER = re.compile(
    r"content-type|link|retry-after|date|location|www-authenticate|content-range"
    r"|(x-)?(rate-?limit|total|page|per-page|next-page|prev-page|pagination|request-cost|quota)[\w-]*|(x-)?count"
)
"""Headers that stay; all others go."""
_ROLES = re.compile(r"/roles/?(\?|$)", re.IGNORECASE)
"""A list of roles: each has a display name and an identifier, as people have."""
_FORM = re.compile(r"[\w.\[\]%-]+=[^&\s<{]*(&[\w.\[\]%-]+=[^&\s<]*)*")
_TOKEN = re.compile(rb"(\s*\"?)([\w+/=.~%-]{16,4096})(\"?\s*)")
"""An answer that is one word and looks like a credential: some LMSs answer a signing-in so."""
_GUARD = re.compile(rb"\s*(?:while\(1\);|for\(;;\);|\)\]\}',?)\s*")


def walked(walk: Walk, one: Taken) -> Taken:
    """Walk through an exchange, and give it with what the walk gave in each place."""
    about = "roles" if _ROLES.search(one.url) else ""
    content, comment = _content(walk, one.content, one.header("content-type"), about)
    return replace(
        one,
        url=walk.address(one.url),
        request_headers=list(_headers(walk, one.request_headers, _REQUEST)),
        posted=_posted(walk, one),
        headers=list(_headers(walk, one.headers, _ANSWER)),
        content=content,
        comment=comment or one.comment,
    )


def is_api(one: Taken) -> bool:
    """Tell whether an answer is a program's, not a page, a script or a picture."""
    kind = one.header("content-type").partition(";")[0].strip().lower()
    if re.search(r"html|javascript|css|font|image|video|audio|wasm|event-stream", kind):
        return False
    return bool(re.search(r"json|xml|csv|ndjson", kind)) or one.content[:1] in {b"{", b"["}


def blanked(one: Taken, cuts: list[Cut], *, unnamed: bool) -> Taken:
    """Empty the items that a sample dropped: as many remain, and nobody in them.

    Args:
        one: The exchange.
        cuts: What was cut from it.
        unnamed: Whether to try also where the connector finds the items in a way of its own.
    """
    try:
        body = parse(one.content)
    except ContractError:
        return one
    for cut in cuts:
        items = dig(body, cut.path) if cut.path is not None else body if unnamed else None
        if isinstance(items, list):
            items[cut.kept :] = [{} for _ in items[cut.kept :]]
    return replace(one, content=dump(body).encode())


# --- headers ---------------------------------------------------------------------------------------------------------


def _headers(walk: Walk, headers: Headers, kept: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if not kept.fullmatch(name.lower()):
            continue
        if name.lower() == "content-type":
            yield name, re.sub(r"charset=[\w-]+", "charset=utf-8", value)
        elif name.lower() == "location":
            yield name, walk.address(value)
        else:
            yield name, walk.anything(value)


# --- bodies ----------------------------------------------------------------------------------------------------------


def _posted(walk: Walk, one: Taken) -> bytes:  # noqa: PLR0911 - one line for each kind
    if not one.posted:
        return b""
    kind = one.request_header("content-type").lower()
    text = one.posted.decode("utf-8", "replace")
    if kind.startswith("application/x-www-form-urlencoded"):
        return walk.query(text).encode()
    if kind.startswith("multipart/"):
        return b""
    if _FORM.fullmatch(text):
        return walk.query(text).encode()
    if text.lstrip()[:1] == "<":
        return (_as_xml(walk, text, b"<") or "").encode()
    try:
        value = parse(text)
    except ContractError:
        return b"" if text.lstrip()[:1] in {"{", "["} else walk.anything(text).encode()
    new = walk.json(value)
    return one.posted if new == value else _spelled_like(text, value)(new).encode()


def _spelled_like(text: str, value: JSON) -> Callable[[JSON], str]:
    """Give the way that a client spelled JSON in, so that the same request is spelled the same."""
    ways: tuple[Callable[[JSON], str], ...] = (
        lambda new: json.dumps(new, ensure_ascii=False, separators=(",", ":")),
        json.dumps,
        lambda new: json.dumps(new, separators=(",", ":")),
    )
    return next((way for way in ways if way(value) == text), ways[0])


def _content(walk: Walk, content: bytes, kind: str, about: str = "") -> tuple[bytes, str]:  # noqa: PLR0911 - a line for each kind
    kind = kind.lower()
    if not content:
        return b"", ""
    if content.startswith(b"\x1f\x8b"):
        try:
            inner, comment = _content(walk, gzip.decompress(content), "")
        except (OSError, EOFError, zlib.error):
            return b"", DROPPED
        return gzip.compress(inner, mtime=0), comment
    if content.startswith(MAGIC):
        try:
            inner, comment = _content(walk, b"".join(unzipped(io.BytesIO(content), "")), "")
        except ContractError:  # damaged, or not one file
            return b"", DROPPED
        return _zipped(inner), comment
    content = content[found.end() :] if (found := _GUARD.match(content)) else content
    if (token := _TOKEN.fullmatch(content)) and looks_secret(token[2].decode("ascii")):
        new = str(walk.leaf(Holds.SECRET, token[2].decode("ascii"), name="token"))
        return token[1] + new.encode() + token[3], ""
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if (start == b"<" and "xml" not in kind) or ("html" in kind and start not in {b"{", b"["}):
        return PAGE.encode(), ""
    text = _decoded(content, kind)
    if text is None:
        return b"", DROPPED
    new = (
        _as_json(walk, text, about)
        or _as_lines(walk, text)
        or _as_xml(walk, text, start)
        or _as_table(walk, text, kind)
    )
    if new is None and start in {b"{", b"[", b"<"}:
        return b"", UNREAD
    return (walk.anything(text) if new is None else new).encode("utf-8", "surrogatepass"), ""


def _zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:  # the file's own name may be somebody's
        archive.writestr(zipfile.ZipInfo("file"), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _decoded(content: bytes, kind: str) -> str | None:
    found = re.search(r"charset=\"?([\w-]+)", kind)
    for charset in (
        found[1] if found else "utf-8-sig",
        "utf-8-sig",
        "latin-1" if "text/" in kind or "csv" in kind else "ascii",
    ):
        try:
            text = content.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
        return text if "\0" not in text else None
    return None


def _as_json(walk: Walk, text: str, about: str) -> str | None:
    if text.lstrip()[:1] not in {"{", "[", '"'}:
        return None
    try:
        return dump(walk.json(parse(text), about))
    except ContractError:
        return None


def _as_lines(walk: Walk, text: str) -> str | None:
    """Walk through JSON lines."""
    lines = text.splitlines()
    if len(lines) < 2 or text.lstrip()[:1] not in {"{", "["}:  # noqa: PLR2004 - one line would be JSON
        return None
    try:
        return "\n".join(dump(walk.json(parse(line))) if line.strip() else line for line in lines) + "\n"
    except ContractError:
        return None


def _as_table(walk: Walk, text: str, kind: str) -> str | None:
    """Walk through CSV: each row is an object, named by the heading."""
    first = text.partition("\n")[0]
    mark = max(",;\t|", key=first.count)
    if first.count(mark) == 0 and "csv" not in kind:
        return None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error:
        return None
    heading = rows[0]
    if "csv" not in kind and (len(rows) < 2 or any(len(row) != len(heading) for row in rows if row)):  # noqa: PLR2004
        return None
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator="\r\n" if "\r\n" in text else "\n")
    if any("@" in cell or re.fullmatch(r"\d+([-/.:]\d+)*", cell) for cell in heading):  # it has none
        heading = ["id" if is_idlike(cell) else f"column {at}" for at, cell in enumerate(heading)]
        rows = [[], *rows]
    else:
        writer.writerow([walk.anything(cell) for cell in heading])
    for row in rows[1:]:
        writer.writerow(_row(walk, heading, row))
    return out.getvalue()


def _row(walk: Walk, heading: list[str], row: list[str]) -> list[str]:
    names = [name if heading.index(name) == at else f"{name} {at}" for at, name in enumerate(heading)]
    record: dict[str, JSON] = {}
    for at, cell in enumerate(row):
        record[names[at] if at < len(names) else f"column {at}"] = cell
    new = walk.json(record)
    return [str(cell) for cell in new.values()] if isinstance(new, dict) else row


# --- XML -------------------------------------------------------------------------------------------------------------


def _as_xml(walk: Walk, text: str, start: bytes) -> str | None:
    if start != b"<":
        return None
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        root = ET.fromstring(text)  # noqa: S314 - no DTD, so no entity to expand
    except ET.ParseError:
        return None
    _element(walk, root)
    return ET.tostring(root, encoding="unicode")


def _element(walk: Walk, element: ET.Element) -> None:
    """Walk through an element as if it were an object: its attributes, and its children that hold only a text."""
    leaves = [child for child in element if not len(child) and not child.attrib]
    record: dict[str, JSON] = {_local(name): value for name, value in element.attrib.items()}
    named = {f"{_local(child.tag)}{at or ''}": child for at, child in _counted(leaves)}
    record |= {name: child.text or "" for name, child in named.items() if name not in record}
    new = walk.json(record, _local(element.tag))
    if isinstance(new, dict):
        for name in element.attrib:
            element.set(name, str(new[_local(name)]))
        for name, child in named.items():
            child.text = str(new.get(name, "")) or None
    for child in element:
        child.tail = walk.anything(child.tail) if child.tail and child.tail.strip() else child.tail
        if child not in leaves:
            if child.text and child.text.strip():
                child.text = str(walk.json(child.text, _named(child, _local(element.tag)), in_person=True))
            _element(walk, child)


def _named(element: ET.Element, outer: str) -> str:
    """Give what an element's text is called: by an attribute, as `<ID type="Employee_ID">`, else by its tag."""
    record: dict[str, JSON] = {_local(name): value for name, value in element.attrib.items()}
    said, tag = called({**record, "value": element.text}, "value"), _local(element.tag)
    if said != "value":
        return said
    return f"{outer}Id" if holds(tag) is Holds.ID and is_person_word(outer) else tag


def _counted(leaves: list[ET.Element]) -> Iterator[tuple[int, ET.Element]]:
    seen: dict[str, int] = {}
    for child in leaves:
        seen[child.tag] = seen.get(child.tag, -1) + 1
        yield seen[child.tag], child


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
