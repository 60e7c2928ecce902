"""Write what the documentation says of connectors: `python docs/generate.py`; with `--check`, tell what is stale.

It is made of code, mappings and recordings, and stands between two markers; what stands around them is written by
hand. A connector that has no page yet is given one. `reference.py` tells what connectors are made with.
"""  # noqa: INP001 - a program

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import click
from book import ROOT, Book
from reference import reference
from rollbook.core.cli.description import settings_of
from rollbook.core.connector import Connector, Settings
from rollbook.core.coverage import BY_SETTING, Coverage
from rollbook.core.schema import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from rollbook.core.coverage import Reading
    from rollbook.core.mapping import Entry

OVERVIEW = ROOT / "docs" / "connectors.md"
REFERENCE = ROOT / "docs" / "reference.md"
BEGIN, END = "<!-- generated: do not edit by hand -->", "<!-- end -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
ACROSS = 8
"""The most connectors that stand side by side in a table."""
NONE = "-"
REMOVALS = {"partition": "once its part was read in full", "run": "once all was read in full", "never": "no"}


class _Plain(Connector[Settings]):
    """A connector that has no settings of its own."""

    Settings = Settings


def main() -> None:
    """Write every page that is stale; with `--check`, only name them, and exit with 1 if there is any."""
    is_check = "--check" in sys.argv[1:]
    stale = [(page, text) for page, text in pages() if not page.exists() or page.read_text(encoding="utf-8") != text]
    for page, text in stale:
        click.echo(f"{'stale' if is_check else 'written'}: {page.relative_to(ROOT)}")
        if not is_check:
            page.write_text(text, encoding="utf-8")
    sys.exit(1 if stale and is_check else 0)


def pages() -> Iterator[tuple[Path, str]]:
    """Give every page with the text that it should have."""
    books = [Book(module.stem) for module in sorted((ROOT / "connectors").glob("[!_]*.py"))]
    yield OVERVIEW, _filled(OVERVIEW.read_text(encoding="utf-8"), overview(books), OVERVIEW)
    yield REFERENCE, _filled(REFERENCE.read_text(encoding="utf-8"), reference(), REFERENCE)
    for book in books:
        page = ROOT / "docs" / "connectors" / f"{book.name}.md"
        text = page.read_text(encoding="utf-8") if page.exists() else skeleton(book)
        yield page, _filled(text, own_page(book), page)


def _filled(text: str, generated: Iterable[str], page: Path) -> str:
    if len(BLOCK.findall(text)) != 1:
        raise click.ClickException(f"{page}: expected {BEGIN} and {END}, once")
    block = "\n".join((BEGIN, "", *generated, "", END))
    return BLOCK.sub(lambda _: block, text)


def overview(books: Sequence[Book]) -> Iterator[str]:
    """Write the tables of all connectors: fields, statuses, and how they are read."""
    yield from ("## Fields", "")
    fields = list(books[0].readings[0].fields())
    yield from _compared("field", fields, books, lambda reading, field: reading.field(field).value)
    yield from ("", "## Statuses", "")
    yield from _compared("status", [status.value for status in Status], books, _told)
    yield from ("", "\\* only with the setting `pass_mark`.", "", "## How they are read", "")
    columns = ("connector", "signs in with", "limits kept", "strategies", "only changes", "removals", "recordings")
    yield from _table(columns, map(_facts, books))
    yield from ("", "## Settings of every connector", "")
    yield from _settings(settings_of([_Plain]))


def _told(reading: Reading, status: str) -> str:
    ways = reading.ways(Status(status))
    mark = "\\*" if set(ways) == {BY_SETTING} else ""
    return f"{reading.status(Status(status)).value}{mark}"


def _compared(
    what: str, rows: Sequence[str], books: Sequence[Book], tell: Callable[[Reading, str], str]
) -> Iterator[str]:
    """Write rows against connectors, a few connectors in each table."""
    for start in range(0, len(books), ACROSS):
        group = books[start : start + ACROSS]
        cells = ((f"`{row}`", *(_merged(tell(one, row) for one in book.readings) for book in group)) for row in rows)
        yield from ([""] if start else [])
        yield from _table((what, *map(_heading, group)), cells)


def _link(book: Book) -> str:
    return f"[`{book.name}`](connectors/{book.name}.md)"


def _heading(book: Book) -> str:
    return "<br>".join(filter(None, (_link(book), " / ".join(book.labels))))


def _merged(told: Iterable[str]) -> str:
    """Give one word where all ways of reading agree, else one for each."""
    shown = [NONE if one == Coverage.NEVER.value else one for one in told]
    return shown[0] if len(set(shown)) == 1 else " / ".join(shown)


def _facts(book: Book) -> tuple[str, ...]:
    strategies = book.about["strategies"]
    changing = [one["name"] for one in strategies if one["incremental"]]
    origins = [origin for _, origin, _ in book.recordings]
    return (
        _link(book),
        book.signing,
        "; ".join(book.about["limits"]) or "none known",
        ", ".join(f"`{one['name']}`" for one in strategies if one["name"]) or "one",
        "no" if not changing else "yes" if len(changing) == len(strategies) else f"`{'`, `'.join(changing)}`",
        " / ".join(sorted({REMOVALS[one["removals"]] for one in strategies})),
        ", ".join(f"{origins.count(origin)} {origin}" for origin in sorted(set(origins))) or "none",
    )


def own_page(book: Book) -> Iterator[str]:
    """Write the generated part of a connector's page."""
    read_by = ["read by"] if book.labels[1:] else []
    yield from ("## Settings", "")
    yield from _settings(one for one in book.about["settings"] if not one["common"])
    common = ", ".join(f"`{one['name']}`" for one in book.about["settings"] if one["common"])
    yield from ("", f"And [those of every connector](../connectors.md#settings-of-every-connector): {common}.")
    yield from ("", "## Limits and strategies", "")
    yield from (f"Limits kept: {'; '.join(book.about['limits']) or 'none known'}.", "")
    yield from _table(("strategy", "", "only changes", "removals noticed"), map(_strategy, book.strategies.values()))
    yield from ("", "## Fields", "")
    yield from _table(("field", *read_by, "", "made of"), _fields(book))
    yield from ("", "`remote_data` is what the LMS sent. In `custom_fields`, beside what every connector adds:", "")
    yield from _table(("custom field", *read_by, "", "made of"), _custom_fields(book))
    yield from ("", "## Statuses", "")
    yield from _table(("status", *read_by, "", "made of"), _statuses(book))
    yield from ("", "Where these come from, and who is left out:", "")
    yield from _table(("", *read_by, "made of"), _conditions(book))
    if notes := list(book.notes()):
        yield from ("", "## Judged and inferred in the mapping", "")
        yield from (f"- `{key}`: {text}" for key, text in notes)
    yield from ("", "## Recordings", "")
    rows = ((f"`{name}`", origin, str(count)) for name, origin, count in book.recordings)
    yield from _table(("recording", "origin", "enrollments"), rows)


def _settings(settings: Iterable[dict[str, Any]]) -> Iterator[str]:
    rows = (
        (f"`{one['name']}`", _default(one), f"{one['meaning']}{' **Secret.**' if one['secret'] else ''}")
        for one in settings
    )
    yield from _table(("setting", "default", "meaning"), rows)


def _default(setting: dict[str, Any]) -> str:
    if setting["required"]:
        return "required"
    value = setting["default"]
    return "" if value in (None, "") else code(json.dumps(value).strip('"'))


def _strategy(kind: type[Connector[Any]]) -> tuple[str, ...]:
    text = (kind.__doc__ or "").strip().partition("\n")[0]
    name = f"`{kind.strategy}`" if kind.strategy else "the only one"
    return name, text, "yes" if kind.incremental else "no", REMOVALS[kind.removals]


def _rows(book: Book, name: str, tell: Callable[[Reading], tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    """Give a row for each different answer of the ways of reading."""
    told = [tell(reading) for reading in book.readings]
    for answer in dict.fromkeys(told):
        readers = [f"`{label}`" for label, other in zip(book.labels, told, strict=True) if other == answer]
        shown = "" if len(readers) == len(told) else ", ".join(readers)
        yield (name, *([shown] if book.labels[1:] else []), *answer)


def _entry(reading: Reading, entry: Entry | None) -> tuple[str, str]:
    return (reading.entry(entry).value, code(entry.text)) if entry else (NONE, "")


def _fields(book: Book) -> Iterator[tuple[str, ...]]:
    for field in book.readings[0].fields():
        if field in ("status", "custom_fields", "remote_data"):
            continue  # they have tables of their own
        for key in dict.fromkeys(key for reading in book.readings for key in reading.entries(field)) or (field,):

            def tell(reading: Reading, field: str = field, key: str = key) -> tuple[str, str]:
                return _entry(reading, reading.entries(field).get(key))

            yield from _rows(book, f"`{key}`", tell)


def _custom_fields(book: Book) -> Iterator[tuple[str, ...]]:
    for key in dict.fromkeys(key for reading in book.readings for key in reading.shape.custom_fields):

        def tell(reading: Reading, key: str = key) -> tuple[str, str]:
            return _entry(reading, reading.shape.custom_fields.get(key))

        yield from _rows(book, f"`{key}`", tell)


def _statuses(book: Book) -> Iterator[tuple[str, ...]]:
    for status in Status:

        def tell(reading: Reading, status: Status = status) -> tuple[str, str]:
            return _merged([reading.status(status).value]), ", ".join(reading.ways(status))

        yield from _rows(book, f"`{status.value}`", tell)


def _conditions(book: Book) -> Iterator[tuple[str, ...]]:
    """Give what the words, rules and dates of the statuses are made of, and who is left out."""

    def all_of(reading: Reading) -> dict[str, Entry]:
        ladder, shape = reading.shape.ladder, reading.shape
        found = {"word": ladder.source}
        found |= {f"rule `{rule.name}` gives `{rule.then.value}`": rule.when for rule in ladder.rules}
        found |= {"`access_ends_at`": ladder.access_ends_at, "`valid_until`": ladder.valid_until}
        found |= {f"left out: `{name}`": entry for name, entry in shape.skip.items()}
        found |= {"kept only": shape.keep}
        return {name: entry for name, entry in found.items() if entry}

    for key in dict.fromkeys(key for reading in book.readings for key in all_of(reading)):

        def tell(reading: Reading, key: str = key) -> tuple[str]:
            entry = all_of(reading).get(key)
            return (code(entry.text) if entry else NONE,)

        yield from _rows(book, key, tell)


def skeleton(book: Book) -> str:
    """Begin the page of a connector that has none."""
    parts = (
        f"# {book.default.title}",
        "What is read, through which API, of which versions.",
        "## Credentials",
        "Who makes them, where in the product, and with which permissions; what is missing without each of these.",
        f'```toml\n[connections.acme]\nconnector = "{book.name}"\n```',
        f"{BEGIN}\n{END}",
        "## More about settings and limits",
        "What they do here, and what the LMS does when a limit is reached.",
        "## What the API cannot tell",
        "Fields, statuses, removals.",
        "## Judged and inferred in the code",
        "What the mapping decides stands above.",
        "## Sources",
        "The vendor's documents.",
    )
    return "\n\n".join(parts) + "\n"


def code(text: str) -> str:
    """Write code into a table; it may hold backticks and bars."""
    marks = "``" if "`" in text else "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{marks}{space}{text}{space}{marks}".replace("|", "\\|")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"| {' | '.join('---' for _ in columns)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()
