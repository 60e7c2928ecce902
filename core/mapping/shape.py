"""Reading the merged tables of a mapping into a `Shape`, with every key and expression checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from ..schema import Status
from .checks import Checker
from .definition import Entry, Ladder, Rule, Shape, Watch
from .fields import FIELDS, PARTS
from .grammar import parse
from .mistakes import mistake, unknown
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from .load import Leaf

    Tree: TypeAlias = "dict[str, Leaf | Tree]"

__all__ = ["ShapeReader"]

_OWN = ("keep", "skip", "drift", "status", "custom_fields", "kind")
_STATUS = ("source", "values", "rules", "default", "valid_until", "access_ends_at", "pass_mark")
_NAME = re.compile(r"[\w-]{1,80}")


class ShapeReader:
    """Reads the tables of one kind.

    Args:
        tree: The merged tables.
        file: The mapping's file, for what is missing.
        warnings: Takes what is allowed but probably not meant.
    """

    def __init__(self, tree: Tree, file: str, warnings: list[str]) -> None:
        self.tree = tree
        self.file = file
        self.warnings = warnings

    def read(self) -> Shape:
        """Read and check everything.

        Raises:
            MappingError: The first mistake.
        """
        self._known(self.tree, (*(name.partition(".")[0] for name in FIELDS), "urls", *_OWN), "", "field")
        for name, members in PARTS.items():
            self._known(self._table(name), members, f"{name}.", "field")
        fields = {key: entry for key, kind in FIELDS.items() if (entry := self._entry(key, kind, clock=key != "id"))}
        if "id" not in fields:
            raise mistake("a mapping needs an id", file=self.file, key="id", hint='Write id = "id(...)".')
        if any(node.type == "function_expression" and node.value == "first" for node in fields["id"].node.walk()):
            raise mistake("an id has one form, never chosen row by row", file=fields["id"].file, key="id")
        custom = self._table("custom_fields")
        return Shape(
            fields,
            self._entries("user.emails", "email"),
            self._entries("urls", "url"),
            self._entries("custom_fields", None),
            frozenset(name for name, item in custom.items() if not isinstance(item, dict) and item.value is False),
            self._entry("keep", None, clock=False),
            self._entries("skip", None, clock=False) if self._named("skip") else {},
            tuple(self._watches()),
            self._ladder(),
        )

    def _at(self, key: str) -> Leaf | Tree | None:
        here: Any = self.tree
        for name in key.split("."):
            table: dict[str, Any] = here
            here = table.get(name) if isinstance(here, dict) else None
        return cast("Leaf | Tree | None", here)

    def _table(self, key: str) -> Tree:
        found = self._at(key)
        if isinstance(found, dict):
            return found
        if found is not None and found.value is not False:
            raise mistake("expected a table", file=found.file, key=key)
        return {}

    def _named(self, key: str) -> Tree:
        table = self._table(key)
        for name in table:
            if not _NAME.fullmatch(name):
                raise mistake("a name is made of letters, digits, _ and -", file=self.file, key=f"{key}.{name[:80]!r}")
        return table

    def _known(self, table: Tree, known: Iterable[str], prefix: str, what: str) -> None:
        known = tuple(dict.fromkeys(known))
        for name, item in table.items():
            if name not in known:
                file = next(_files(item), self.file)
                raise unknown(
                    what, f"{prefix}{name}", (f"{prefix}{choice}" for choice in known), file=file, key=f"{prefix}{name}"
                )

    def _entries(self, key: str, type: str | None, *, clock: bool = True) -> dict[str, Entry]:
        found = {
            name: self._expression(item, f"{key}.{name}", type, clock=clock) for name, item in self._table(key).items()
        }
        return {name: entry for name, entry in found.items() if entry}

    def _entry(self, key: str, type: str | None, *, clock: bool = True) -> Entry | None:
        item = self._at(key)
        return None if item is None else self._expression(item, key, type, clock=clock)

    def _expression(self, item: Leaf | Tree, key: str, type: str | None, *, clock: bool = True) -> Entry | None:
        if isinstance(item, dict):
            raise mistake("expected an expression, not a table", file=next(_files(item), self.file), key=key)
        value, file = item.value, item.file
        if value is False:
            return None
        if key == "status.pass_mark" and isinstance(value, (int, float)) and not isinstance(value, bool):
            value = f"`{value}`"
        if not isinstance(value, str):
            raise mistake("expected an expression as text, or false for not available", file=file, key=key)
        node = parse(value, file=file, key=key)
        self.warnings += Checker(file, key, type, clock=clock).check(node)
        source = Source({})
        source.file, source.field = file, key
        source.value(node)  # what cannot be compiled is found now
        return Entry(key, value, file, node)

    def _watches(self) -> Iterator[Watch]:
        for name in self._named("drift"):
            key = f"drift.{name}"
            table = self._table(key)
            if not table:
                continue
            self._known(table, ("source", "known", "missing"), f"{key}.", "key")
            source = self._entry(f"{key}.source", "word", clock=False)
            known = self._value(f"{key}.known", list)
            if source is None or known is None or not all(isinstance(word, str) for word in known):
                raise mistake(
                    "expected a source, and a list of known words", file=next(_files(table), self.file), key=key
                )
            words = frozenset(str(word).strip().lower() for word in known)
            yield Watch(name, source, words, missing=bool(self._value(f"{key}.missing", bool)))

    def _value(self, key: str, kind: type) -> Any:
        found = self._at(key)
        if found is None:
            return None
        if isinstance(found, dict) or not isinstance(found.value, kind):
            raise mistake(f"expected a {kind.__name__}", file=next(_files(found), self.file), key=key)
        return found.value

    def _ladder(self) -> Ladder:
        self._known(self._table("status"), _STATUS, "status.", "key")
        source = self._entry("status.source", "word")
        values = {
            name: self._status(f"status.values.{name}", item) for name, item in self._table("status.values").items()
        }
        if values and source is None:
            raise mistake("a table of values needs a source", file=self.file, key="status.values")
        default = self._at("status.default")
        mark = self._at("status.pass_mark")
        return Ladder(
            source,
            {name: status for name, status in values.items() if status},
            tuple(self._rules()),
            (self._status("status.default", default) if default is not None else None) or Status.UNKNOWN,
            self._entry("status.valid_until", "datetime"),
            self._entry("status.access_ends_at", "datetime"),
            self._entry("status.pass_mark", "number") if mark is not None else _PASS_MARK,
        )

    def _rules(self) -> Iterator[Rule]:
        for name, item in self._named("status.rules").items():
            key = f"status.rules.{name}"
            if not isinstance(item, dict) and item.value is False:
                continue
            table = self._table(key)
            self._known(table, ("when", "then"), f"{key}.", "key")
            when = self._entry(f"{key}.when", None)
            then = self._status(f"{key}.then", table["then"]) if "then" in table else None
            if when is None or then is None:
                raise mistake(
                    "a rule has a condition `when` and a status `then`", file=next(_files(item), self.file), key=key
                )
            yield Rule(name, when, then)

    def _status(self, key: str, item: Leaf | Tree) -> Status | None:
        if not isinstance(item, dict) and item.value is False:
            return None
        if isinstance(item, dict) or not isinstance(item.value, str):
            raise mistake("expected a status", file=next(_files(item), self.file), key=key)
        try:
            return Status(item.value)
        except ValueError:
            raise unknown("status", item.value, [status.value for status in Status], file=item.file, key=key) from None


_PASS_MARK = Entry("status.pass_mark", "setting('pass_mark')", "", parse("setting('pass_mark')"))


def _files(item: Any) -> Iterator[str]:
    tables: dict[str, Any] = item
    if isinstance(item, dict):
        for inner in tables.values():
            yield from _files(inner)
    elif item is not None:
        yield item.file
