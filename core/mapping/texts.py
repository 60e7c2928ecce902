"""Functions for ids, texts, names, e-mail addresses and links."""

from __future__ import annotations

import html as entities
import re
from typing import Any, cast
from urllib.parse import quote

from .effort import LONG, Remembered, spend
from .functions import function
from .values import Unfit, clean, is_number

_BLOCKS = frozenset(
    "address article br dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre section table td th tr ul".split()  # noqa: SIM905 - read as words
)
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*+)[^<>]*+>|<!--[^<>]*-->")
_HIDDEN = re.compile(r"<(script|style)\b[^<>]*+>[^<]*+</\1>", re.IGNORECASE)
_is_plain_address = re.compile(r"https?://[a-zA-Z0-9][!-~]*").fullmatch
_is_address = re.compile(r"https?://[^\s\0/?#\\]++[^\s\0]*+", re.IGNORECASE).fullmatch
_NOT_WORD = re.compile(r"\W+")
_SAFE = ":@!$&'()*+,;="  # what RFC 3986 lets stand in a path segment beside letters, digits and -._~


def scalar(value: Any) -> str | None:
    """Give a text or a number as clean text; null and blank are null.

    Raises:
        Unfit: It is true, false, a list or an object.
    """
    if isinstance(value, str):
        if len(value) > LONG:
            spend(len(value))
        return clean(value) or None
    if value is None:
        return None
    if value.__class__ is int:
        return str(value)
    if is_number(value):
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    raise Unfit("expected a text or a number")


@function(
    "id(value: text|number)",
    "id",
    ("id(`42`)", "42"),
    ("id(' a-7 ')", "a-7"),
    ("id('')", "null"),
    quick="str({0}) if {0}.__class__ is int else f_id({0})",
)
def id_(value: Any) -> str | None:
    """An id as text, exactly as the LMS writes it. Anything but a text or a whole number is a flaw."""
    if value.__class__ is int:
        return str(value)
    if isinstance(value, str):
        text = value.strip()
        if "\0" in text or not (text.isascii() or _encodable(text)):
            raise Unfit("an id with characters that cannot be stored")
        return text or None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    raise Unfit("expected an id: a text or a whole number")


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


@function("ids(part: text|number, ...)", "id", ("ids(`45`, '12')", "45:12"), ("ids(`45`, `null`)", "45:"), nulls=True)
def ids(*parts: Any) -> str | None:
    """An id made of parts, joined with `:`. A missing part is an empty part; null if all are missing."""
    found = ":".join([_part(part) for part in parts])
    return found if len(found) >= len(parts) else None  # not only the marks between them


def _part(value: Any) -> str:
    if value.__class__ is str and value.isalnum() and value.isascii():
        return value
    return "" if value is None else id_(value) or ""


@function(
    "text(value: text|number)",
    "text",
    ("text('  Safety ')", "Safety"),
    ("text(`12`)", "12"),
    ("text('')", "null"),
    quick="({0}.strip() or None) if {0}.__class__ is str and {0}.isascii() and '\\0' not in {0} and len({0}) <= LONG"
    " else f_text({0})",
)
def text(value: Any) -> str | None:
    """A text, trimmed; blank is null. A number becomes its digits; true, false, lists and objects are flaws."""
    if value.__class__ is not str:
        return scalar(value)
    if len(value) > LONG:
        spend(len(value))
    found = value.strip()
    return (found if found.isascii() and "\0" not in found else clean(found)) or None


@function("html(value: text)", "text", ("html('<p>Start here &amp;amp; learn</p>')", "Start here &amp; learn"))
def html(value: Any) -> str | None:
    """Plain text of HTML: tags removed, entities unescaped once."""
    found = _string(value)
    if "<" in found:
        spend(len(found))  # short ones, too: each tag takes its time
        found = " ".join(_TAG.sub(_space, _HIDDEN.sub(" ", found)).split())
    return clean(entities.unescape(found)) or None


def _space(tag: re.Match[str]) -> str:
    return " " if (tag[1] or "").lower() in _BLOCKS else ""


@function("unescape(value: text)", "text", ("unescape('Law &amp; order')", "Law & order"))
def unescape(value: Any) -> str | None:
    """A text with its HTML entities unescaped once; `<` stays."""
    found = _string(value)
    return text(entities.unescape(found) if "&" in found else found)


@function("lower(value: text|number)", "text", ("lower(' Passed')", "passed"))
def lower(value: Any) -> str | None:
    """A text in lower case."""
    found = scalar(value)
    return found and found.lower()


@function("upper(value: text|number)", "text", ("upper('de')", "DE"))
def upper(value: Any) -> str | None:
    """A text in upper case."""
    found = scalar(value)
    return found and found.upper()


@function("snake(value: text|number)", "text", ("snake('Not Started')", "not_started"))
def snake(value: Any) -> str | None:
    """A text in lower case, with `_` between its words."""
    return _words[value] if value.__class__ is str else _snaked(value)


def _snaked(value: Any) -> str | None:
    found = scalar(value)
    return (_NOT_WORD.sub("_", found.lower()).strip("_") or None) if found else None


_words = Remembered(_snaked, 1_024)  # statuses: the same few words in every record


@function("before(value: text, mark: text)", "text", ("before('In Progress / Past Due', '/')", "In Progress"))
def before(value: Any, mark: Any) -> str | None:
    """What stands before the first `mark`; the whole text if there is none."""
    return clean(_string(value).partition(_string(mark))[0]) or None


@function("after(value: text, mark: text)", "text", ("after('urn:li:person:x1', 'person:')", "x1"))
def after(value: Any, mark: Any) -> str | None:
    """What stands after the first `mark`; null if there is none."""
    return clean(_string(value).partition(_string(mark))[2]) or None


@function(
    "has(value: text, piece: text, ...)",
    "truth",
    ("has('Teacher (Main)', 'teacher')", "true"),
    ("has('Head coach', 'teacher', 'coach')", "true"),
    nulls=True,
)
def has(value: Any, *pieces: Any) -> bool:
    """Whether one of the pieces stands in the text, whatever the case; false for null."""
    if value is None:
        return False
    text = _string(value).lower()
    return any(piece is not None and _string(piece).lower() in text for piece in pieces)


@function(
    "one_of(value: text|number, choice: text|number, ...)",
    "truth",
    ("one_of(' Tutor', 'tutor', 'coach')", "true"),
    nulls=True,
)
def one_of(value: Any, *choices: Any) -> bool:
    """Whether the value is one of the choices: compared as text, trimmed, whatever the case; false for null."""
    found = scalar(value)
    return found is not None and found.lower() in {str(scalar(choice)).lower() for choice in choices}


@function(
    "person(first: text, last: text)",
    "text",
    ("person('Mara', 'Quill')", "Mara Quill"),
    ("person(`null`, 'Quill')", "Quill"),
    nulls=True,
)
def person(first: Any, last: Any) -> str | None:
    """A full name of its two halves; one is enough."""
    one = None if first is None else text(first)
    other = None if last is None else text(last)
    return f"{one} {other}" if one and other else one or other


@function("email(value: text)", "email", ("email(' ada@example.com')", "ada@example.com"), ("email('ada')", "null"))
def email(value: Any) -> str | None:
    """An e-mail address; null without an `@` between two others: that is data, not a flaw."""
    if value.__class__ is str and value.isascii() and "\0" not in value and len(value) <= LONG:
        found = value.strip()  # nearly all of them
    else:
        found = text(_string(value)) or ""
    return found if 0 < found.find("@") < len(found) - 1 else None


@function(
    "emails(value: text|list)",
    "list",
    ("emails('ada@example.com; b@example.com')", '["ada@example.com","b@example.com"]'),
)
def emails(value: Any) -> list[str]:
    """The addresses of a list, or of a text with `,` or `;` between them; what is none is left out."""
    parts = cast("list[Any]", value if isinstance(value, list) else re.split(r"[,;]", _string(value)))
    return [found for part in parts if isinstance(part, str) and (found := email(part))]


@function(
    "url(base: text, segment: text|number, ...)",
    "url",
    ("url('https://lms.example.com/', 'courses', `12`)", "https://lms.example.com/courses/12"),
    ("url('https://lms.example.com', `null`)", "null"),
    nulls=True,
)
def url(base: Any, *segments: Any) -> str | None:
    """An address of its parts, each percent-encoded; null if any part is."""
    if base is None:
        return None
    address = _bases[base] if base.__class__ is str else _base(base)
    for segment in segments:
        part = str(segment) if segment.__class__ is int else scalar(segment)
        if part is None:
            return None
        address = f"{address}/{part if segment.__class__ is int else _segments[part]}"
    return address


def _base(text: Any) -> str:
    return (absolute(text) or "").rstrip("/")


def _segment(text: str) -> str:
    if text in (".", ".."):
        raise Unfit("an address with a step upwards")
    return quote(text, safe=_SAFE)


_bases = Remembered(_base, 1_024)
_segments = Remembered(_segment, 4_096)


@function(
    "query(address: text, name: text, value: text|number)",
    "url",
    ("query('https://lms.example.com/view.php', 'id', `12`)", "https://lms.example.com/view.php?id=12"),
    nulls=True,
)
def query(address: Any, name: Any, value: Any) -> str | None:
    """An address with a parameter added to its query; null if a part is."""
    texts = scalar(address), scalar(name), scalar(value)
    if texts[0] is None or texts[1] is None or texts[2] is None:
        return None
    return absolute(f"{texts[0]}{'&' if '?' in texts[0] else '?'}{quote(texts[1], safe='')}={quote(texts[2], safe='')}")


def absolute(value: Any) -> str | None:
    """Take a text as an address for a browser.

    Raises:
        Unfit: It is not absolute, or not http or https.
    """
    if value.__class__ is str and _is_plain_address(value):
        return value  # nearly all of them
    found = clean(_string(value))
    if not found:
        return None
    if not _is_address(found):
        raise Unfit("expected an absolute http or https address")
    return found


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise Unfit("expected a text")
    if len(value) > LONG:
        spend(len(value))
    return value
