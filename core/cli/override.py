"""Pieces of `rollbook.toml` to paste: meanings for unknown words, custom fields for what nothing reads."""

from __future__ import annotations

import json
import re
import textwrap
from typing import TYPE_CHECKING

from ..mapping.fields import FIELDS
from ..schema import Status
from .screen import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ..mapping import Definition
    from ..mapping.definition import Watch
    from ..store.fields import NativeField
    from ..store.records import UnknownWord

__all__ = ["fields_override", "key", "names", "text", "words_override"]

MISSING = "(missing)"
"""What stands for a word that is not there."""
CUT = 80
"""Signs of a word that are kept; a longer one is not known whole."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PART = re.compile(r'"(?:\\.|[^"\\])*"|\w+')
_VAGUE = frozenset(
    (
        *("code", "count", "date", "description", "email", "kind", "name", "state", "status", "time", "title", "type"),
        *("created", "created_on", "end_at", "end_date", "start_at", "start_date", "updated", "updated_on", "url"),
        *("value", *(part for field in FIELDS for part in field.split("."))),
    )
)
"""Names that say too little without what they are of."""
_CORE = ("native_status", "access_ends_at", "valid_until", "closed_at", "previously_completed_at")
"""Custom fields that core adds by itself."""


def words_override(connection: str, words: Sequence[UnknownWord], definition: Definition) -> str:
    """Write an override for words that a mapping has never heard of: statuses to choose, other words to let through."""
    tables: list[str] = []
    statuses = {one.value.lower(): one.value for one in reversed(words) if one.what == "status"}  # case does not count
    if statuses:
        choices = f"Each is one of: {', '.join(Status)}"
        comment = textwrap.wrap(choices, 78, initial_indent="# ", subsequent_indent="# ")
        tables.append(
            "\n".join([_header(connection, "status", "values"), *comment, *_choices(reversed(statuses.values()))])
        )
    watched: dict[tuple[str, str], list[str]] = {}
    for one in words:
        if one.what != "status":
            watched.setdefault((one.what, _place(definition, one.kind, one.what)), []).append(one.value)
    for (what, kind), values in watched.items():
        if watch := _watch(definition, kind, what):
            tables.append("\n".join(_known(connection, watch, kind, list(dict.fromkeys(values)))))
    return "\n\n".join(tables)


def _choices(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield f"{text(word)} = {text('...')}" if _is_whole(word) else f"# not to be had as a key: {plain(word)}"


def _known(connection: str, watch: Watch, kind: str, words: Sequence[str]) -> Iterator[str]:
    yield _header(connection, *(["kind", kind] if kind else []), "drift", watch.name)
    if MISSING in words:
        yield "# It may be missing"
        yield "missing = false"
    new = [word for word in words if word != MISSING and _is_whole(word)]
    if new:
        yield from textwrap.wrap(
            f"These words are taken as they are: {plain(', '.join(new))}. If such records are not learners', leave "
            "this out and write a skip",
            78,
            initial_indent="# ",
            subsequent_indent="# ",
        )
        yield f"known = [{', '.join(map(text, [*sorted(watch.known), *new]))}]"


def _is_whole(word: str) -> bool:
    return len(word) < CUT and not any("\ud800" <= sign <= "\udfff" for sign in word)


def _place(definition: Definition, kind: str, what: str) -> str:
    """Tell where an override of a watch has to stand: with its kind, if that watches in its own way."""
    own = _watch(definition, kind, what)
    return kind if own is not None and own != _watch(definition, "", what) else ""


def _watch(definition: Definition, kind: str, what: str) -> Watch | None:
    shape = definition.kinds.get(kind) or definition.kinds[""]
    return next((watch for watch in shape.watches if watch.name == what), None)


def fields_override(connection: str, found: Iterable[NativeField], definition: Definition) -> str:
    """Write an override that makes native fields custom fields."""
    by_kind: dict[str, list[str]] = {}
    for one in found:
        by_kind.setdefault(one.kind if one.kind in definition.kinds else "", []).append(one.path)
    tables: list[str] = []
    for kind, paths in by_kind.items():
        shape = definition.kinds[kind]
        lines = [_header(connection, *(["kind", kind] if kind else []), "custom_fields")]
        for path, name in names(dict.fromkeys(paths), {*shape.custom_fields, *shape.off, *_CORE}).items():
            lines.append(f"{key(name)} = {text(path)}")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def names(paths: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Name a custom field for each path: its last word in snake case, with others before it if that says too little."""
    used, found = set(taken), dict[str, str]()
    for path in paths:
        words = [word for part in _PART.findall(path) if (word := _snake(part))] or ["value"]
        choices = ["_".join(words[-length:]) for length in range(1, len(words) + 1)]
        name = next((name for name in choices if name not in used | _VAGUE), choices[-1])
        number, base = 2, name
        while name in used:
            name, number = f"{base}_{number}", number + 1
        used.add(name)
        found[path] = name
    return found


def _snake(part: str) -> str:
    name = json.loads(part) if part.startswith('"') else part
    return re.sub(r"\W+", "_", _HUMP.sub("_", name)).strip("_").lower()


def _header(connection: str, *path: str) -> str:
    return f"[{'.'.join(key(name) for name in ('connections', connection, 'mapping', 'course_enrollment', *path))}]"


def key(name: str) -> str:
    """Write a name as a TOML key, quoted where it must be."""
    return name if _BARE.fullmatch(name) else text(name)


def text(value: str) -> str:
    """Write a text as a TOML string; what is not printable is escaped, half a surrogate pair is replaced."""
    if '"' in value and "'" not in value and value.isprintable():
        return f"'{value}'"
    return f'"{"".join(_escaped(sign) for sign in value)}"'


def _escaped(sign: str) -> str:
    if sign in ('"', "\\"):
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    if "\ud800" <= sign <= "\udfff":  # TOML has no way to write it
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\u{ord(sign):04X}" if ord(sign) <= 0xFFFF else f"\\U{ord(sign):08X}"  # noqa: PLR2004 - four digits end there
