"""Loading a mapping: TOML, merged with an override key by key, checked whole before any record comes."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..native import digest
from .definition import Definition
from .effort import HEAVIEST, weight
from .mistakes import mistake, unknown
from .shape import ShapeReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .definition import Shape
    from .shape import Tree

__all__ = ["load"]

ENGINE = 1
"""Raised when the same mapping gives another result than before, so that stored rows are mapped again."""
LARGEST = 1_000_000
"""The most characters of a mapping file."""
DEEPEST = 12
"""How deep tables may lie inside each other; no key of a mapping is deeper than six."""
MOST = 3_000
"""The most keys of a mapping and its override."""


def load(
    text_or_tables: str | Mapping[str, object],
    *,
    file: str = "mapping.toml",
    override: Mapping[str, object] | None = None,
    override_file: str = "rollbook.toml",
) -> Definition:
    """Load a mapping.

    Args:
        text_or_tables: The TOML, or what `tomllib` made of it.
        file: Its name, for messages.
        override: A connection's fragment, with `course_enrollment` at its top; merged key by key.
        override_file: Where the fragment stands, for messages.

    Raises:
        MappingError: Anything that is wrong, with file, key, column and the known choices.
    """
    tables = _tables(text_or_tables, file)
    for name in tables:
        if name not in ("connector", "course_enrollment"):
            raise unknown("key", name, ("connector", "course_enrollment"), file=file)
    connector = tables.get("connector")
    if not isinstance(connector, str) or not connector:
        raise mistake(
            "a mapping says which connector it is for", file=file, hint='Write connector = "name" at its top.'
        )
    tree = _wrapped(tables.get("course_enrollment"), file, ())
    if override:
        tree = _merged(tree, _override(override, override_file), ())
    if sum(1 for _ in _leaves(tree)) > MOST:
        raise mistake(f"more than {MOST} keys", file=file)
    kinds = tree.pop("kind", {})
    if not isinstance(kinds, dict):
        raise mistake("expected a table of kinds", file=kinds.file, key="kind")
    warnings: list[str] = []
    shapes = _shapes(tree, kinds, file, warnings)
    if sum(weight(entry.node) for one in shapes.values() for entry in one.entries()) > HEAVIEST:
        raise mistake(f"all expressions together have more than {HEAVIEST} parts", file=file)
    return Definition(
        connector,
        file,
        digest(json.dumps([ENGINE, connector, _plain(tree), _plain(kinds)])),
        MappingProxyType(shapes),
        tuple(dict.fromkeys(warnings)),
    )


def _shapes(tree: Tree, kinds: Tree, file: str, warnings: list[str]) -> dict[str, Shape]:
    shapes = {"": ShapeReader(tree, file, warnings).read()}
    for name, special in kinds.items():
        if isinstance(special, Leaf):
            if special.value is not False:
                raise mistake("expected a table", file=special.file, key=f"kind.{name}")
            continue
        if "kind" in special:
            raise mistake("a kind has no kinds of its own", file=file, key=f"kind.{name}.kind")
        shapes[name] = ShapeReader(_merged(tree, special, ()), file, warnings).read()
    return shapes


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of a mapping that is no table, with the file it stands in."""

    value: Any
    file: str


def _tables(source: str | Mapping[str, object], file: str) -> Mapping[str, object]:
    if not isinstance(source, str):
        return source
    if len(source) > LARGEST:
        raise mistake(f"the mapping is longer than {LARGEST} characters", file=file)
    try:
        return tomllib.loads(source)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        said = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise mistake(f"no valid TOML: {said[:200]}", file=file) from None


def _wrapped(value: Any, file: str, path: tuple[str, ...]) -> Tree:
    items: dict[str, Any] = value
    if not isinstance(value, dict):
        raise mistake("expected a table", file=file, key=".".join(path) or "course_enrollment")
    if len(path) > DEEPEST:
        raise mistake("tables nested too deeply", file=file, key=".".join(path))
    tree: Tree = {}
    for name, item in items.items():
        key = name.strip().lower() if path[-2:] == ("status", "values") else name
        if key in tree:
            raise mistake(
                f"{name!r} is there twice: native words are compared without regard to case",
                file=file,
                key=".".join(path),
            )
        tree[key] = _wrapped(item, file, (*path, name)) if isinstance(item, dict) else Leaf(item, file)
    return tree


def _override(tables: Mapping[str, object], file: str) -> Tree:
    for name in tables:
        if name != "course_enrollment":
            raise unknown("key", name, ("course_enrollment",), file=file, key="mapping")
    tree = _wrapped(tables.get("course_enrollment", {}), file, ())
    kinds = tree.get("kind", {})
    for place, part in (("", tree), *(kinds.items() if isinstance(kinds, dict) else ())):
        if isinstance(part, dict) and "id" in part:
            key = f"kind.{place}.id" if place else "id"
            raise mistake("the id cannot be overridden: stored rows are found by it", file=file, key=key)
    return tree


def _merged(base: Tree, over: Tree, path: tuple[str, ...]) -> Tree:
    tree: Tree = {}
    if path[-2:] == ("status", "rules"):
        tree.update({name: item for name, item in over.items() if name not in base})  # new rules go first
    tree.update(base)
    for name, item in over.items():
        old = tree.get(name)
        if isinstance(old, dict) and isinstance(item, dict):
            tree[name] = _merged(old, item, (*path, name))
        elif isinstance(old, dict) and isinstance(item, Leaf) and item.value is not False:
            raise mistake("expected a table, or false to take it out", file=item.file, key=".".join((*path, name)))
        else:
            tree[name] = item
    return tree


def _leaves(tree: Tree) -> Iterator[Leaf]:
    for item in tree.values():
        if isinstance(item, dict):
            yield from _leaves(item)
        else:
            yield item


def _plain(tree: Any) -> Any:
    items: dict[str, Any] = tree
    if isinstance(tree, dict):
        return [[name, _plain(item)] for name, item in items.items()]
    value: Any = tree.value
    return value if isinstance(value, (str, bool, int, list)) else str(value)  # pyright: ignore[reportUnknownVariableType] - TOML
