"""`rollbook drift`: what the LMS says that the mapping does not know, with an override to paste."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.text import Text

from .screen import counted, plain, say, table
from .stored import stored_run

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from rich.table import Table

    from ..store import Store
    from ..store.fields import NativeField
    from ..store.records import UnknownWord
    from .workspace import Workspace

__all__ = ["drift"]

LOOKED_AT = 10_000
"""Rows in which fields are counted."""


@click.command()
@click.argument("name")
@click.option("--fields", "every", is_flag=True, help="List every native field that the mapping does not read.")
@click.pass_obj
def drift(work: Workspace, name: str, *, every: bool) -> None:
    """List native words and fields that the mapping does not know.

    Words that it has never heard of, and fields that came up after the first full sync, each with a piece of config to
    paste. From the store alone. Of fields only the names are shown, never a value.
    """
    from ..store.fields import new_fields  # noqa: PLC0415 - SQLAlchemy is slow to import
    from ..store.records import unknown_words  # noqa: PLC0415
    from ..sync.unread import all_unread, unread  # noqa: PLC0415
    from .override import fields_override, words_override  # noqa: PLC0415

    _, definition, _ = work.config.mapping(name)
    with work.store() as store:
        stored_run(work, store, name)
        with store.read() as db:
            words = unknown_words(db, name)
            fresh = unread(new_fields(db, name), definition)
            found = all_unread(db, name, definition) if every else fresh
        counts = _counts(store, name) if found else _Counts({}, 0)
    if not every:
        _say_words(name, words, words_override(name, words, definition))
    _say_fields(name, found, fresh if every else None, counts, fields_override(name, found, definition))
    if found or (words and not every):
        click.echo(f"\nThen: rollbook remap {name}")


def _say_words(name: str, words: Sequence[UnknownWord], override: str) -> None:
    if not words:
        say(Text.assemble((f"{plain(name)}: ", "bold"), "the mapping knows every native word"))
        return
    several = counted(len({(one.what, one.value) for one in words}), "native word")
    say(Text.assemble((f"{plain(name)}: ", "bold"), f"{several} that the mapping has never heard of\n"))
    kinds = any(one.kind for one in words)
    shown = table("what", "word", *(["kind"] if kinds else []), "rows", "first seen", "last seen", right=("rows",))
    for one in words:
        kind = [plain(one.kind)] if kinds else []
        days = _day(one.first_seen), _day(one.last_seen)
        shown.add_row(plain(one.what), plain(one.value), *kind, f"{one.count:,}", *days)
    say(shown)
    if override:
        click.echo(f"\nTo give them a meaning, paste this into the config, and choose:\n\n{override}")


def _say_fields(
    name: str,
    found: Sequence[NativeField],
    fresh: Sequence[NativeField] | None,
    counts: _Counts,
    override: str,
) -> None:
    if fresh is None:  # after the words
        said = f"{counted(len(found), 'native field')} came up after the first full sync, and nothing reads"
        told = f"\n{said} {'it' if len(found) == 1 else 'them'}\n"
        none = f"\nNo new native field. All that nothing reads: rollbook drift {name} --fields"
        say(told if found else none)
    else:
        told = f"{counted(len(found), 'native field')} that nothing reads\n"
        none = "the mapping reads every native field"
        say(Text.assemble((f"{plain(name)}: ", "bold"), told if found else none))
    if found:
        say(_table(found, fresh or (), counts))
        click.echo(f"\nTo have them among the custom fields, paste what you want of this:\n\n{override}")


def _table(found: Sequence[NativeField], fresh: Collection[NativeField], counts: _Counts) -> Table:
    kinds = any(one.kind for one in found)
    label = f"in {counts.rows:,} rows" if counts.cut else "rows"
    shown = table("field", *(["kind"] if kinds else []), label, "first seen", "last seen", "", right=(label,))
    for one in found:
        kind = [plain(one.kind)] if kinds else []
        filled = f"{counts.filled.get((one.kind, one.path), 0):,}"
        news = "new" if one in fresh else ""
        shown.add_row(plain(one.path), *kind, filled, _day(one.first_seen), _day(one.last_seen), news)
    return shown


@dataclass(frozen=True, slots=True)
class _Counts:
    """In how many stored rows a field (kind, path) holds something."""

    filled: Mapping[tuple[str, str], int]
    rows: int
    cut: bool = False
    """Whether there are more rows than were looked at."""


def _counts(store: Store, name: str) -> _Counts:
    from collections import Counter  # noqa: PLC0415
    from itertools import islice  # noqa: PLC0415

    from ..native import parse  # noqa: PLC0415
    from ..sync.shapes import filled_paths  # noqa: PLC0415 - slow to import

    filled: Counter[tuple[str, str]] = Counter()
    rows = 0
    for row in islice(store.rows(name), LOOKED_AT + 1):
        if rows == LOOKED_AT:
            return _Counts(filled, rows, cut=True)
        rows += 1
        record = parse(row["remote_data"])
        if isinstance(record, dict):
            filled.update((row["kind"], path) for path in filled_paths(record))
    return _Counts(filled, rows)


def _day(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d}" if time else "-"
