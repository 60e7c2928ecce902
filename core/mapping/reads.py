"""What an expression reads: the places of a native record that it looks at, and what stands there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .body import source_of
from .grammar import Node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ..native import JSON

__all__ = ["reader", "reads", "shown", "stands"]

_STEPS = frozenset(("field", "identity", "current", "index", "slice", "literal"))
_CHAINS = frozenset(("subexpression", "index_expression", "pipe"))
_LISTS = frozenset(("projection", "value_projection", "filter_projection", "flatten"))
_SCOPES = (*_CHAINS, "projection", "value_projection", "filter_projection")
_NAME = re.compile(r"[A-Za-z_]\w*")


def reads(node: Node) -> dict[str, Node]:
    """Give the places that an expression looks at, by their text, each as an expression of its own.

    What is looked at inside a list is given as a list of what its items hold: `epoch(time)` of every
    `criteria[?done]` reads `criteria[?].time` and `criteria[*].done`.
    """
    return {shown(place): place for place in _reads(_paired(node))}


def reader(places: Mapping[str, Node], settings: Mapping[str, JSON]) -> Callable[[Any], dict[str, Any]]:
    """Compile a function that gives what stands in the places of a record; null where there is nothing."""
    source = source_of(settings)
    source.line("found = {}")
    for text, node in places.items():
        name = source.fresh()
        with source.guarded(name):
            source.line(f"{name} = {source.value(node)}")
        source.line(f"found[{text!r}] = {name}")
    source.line("return found")
    return source.compiled("read", "record")


def stands(record: Any, node: Node, value: Any) -> bool:
    """Tell whether anything stands in a place, be it null: to who looks for a mistake, missing is not the same."""
    names = _plain(node)
    if value is not None or not names:
        return value is not None
    for name in names:
        if not isinstance(record, dict) or name not in record:
            return False
        record = record[name]  # pyright: ignore[reportUnknownVariableType] - JSON
    return True


def _paired(node: Node) -> Node:
    """Write a chain of many steps as steps of two: `a.b.c` is `(a.b).c`."""
    children = tuple(map(_paired, node.children))
    if node.type not in _CHAINS:
        return Node(node.type, children, node.identity, node.value, node.start)
    left, *rest = children
    for right in rest:
        left = Node(node.type, (left, right), node.identity, node.value, node.start)
    return left


def _plain(node: Node) -> list[str]:
    """Give the names of a path that has nothing but names; empty for any other."""
    if node.type == "field":
        return [node.value]
    if node.type == "subexpression":
        parts = [_plain(child) for child in node.children]
        return [name for part in parts for name in part] if all(parts) else []
    return []


def _is_place(node: Node) -> bool:
    if node.type == "function_expression":
        return node.value in ("pick", "picks", "starting") and _is_place(node.children[0])
    if node.type in _CHAINS or node.type in _LISTS:
        return all(_is_place(child) for child in node.children[:2])
    return node.type in _STEPS and node.type != "literal"


def _reads(node: Node) -> Iterator[Node]:
    if _is_place(node):
        yield node
        yield from _inside(node)
    elif node.type in _SCOPES:
        left = node.children[0]
        if _is_place(left):
            yield from _inside(node)
            yield from (_joined(node, place) for place in _reads(node.children[1]))
        else:
            yield from _each(node.children[:1])
    elif node.type == "function_expression" and node.value == "setting":
        yield node
    elif node.type != "expref":  # what it looks at is told with the list that it is used on
        yield from _each(node.children)


def _each(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield from _reads(node)


def _inside(node: Node) -> Iterator[Node]:
    """Give what a place looks at to be found: conditions of filters, and values that `pick` and `picks` look for."""
    if node.type == "function_expression":
        yield from _inside(node.children[0])
        yield from _each(node.children[2:])
    elif node.type in _SCOPES or node.type == "flatten":
        yield from _inside(node.children[0])
        items = _node("projection", node.children[0], node)
        for condition in node.children[2:]:
            yield from (place if _is_fixed(place) else _joined(items, place) for place in _reads(condition))
        for right in node.children[1:2]:
            if _is_place(right):
                yield from (_joined(node, place) for place in _inside(right))


def _is_fixed(place: Node) -> bool:
    return place.type == "function_expression" and place.value == "setting"


def _joined(scope: Node, place: Node) -> Node:
    """Give a place that is meant from a scope on, from the record on."""
    if _is_fixed(place):
        return place
    return Node(scope.type, (scope.children[0], place, *scope.children[2:]), scope.identity, scope.value, scope.start)


def _node(type: str, left: Node, right: Node) -> Node:
    return Node(type, (left, right), repr(None), None, None)


def shown(node: Node) -> str:  # noqa: PLR0911 - one line a node type
    """Write a place as text, much as a mapping would."""
    match node.type:
        case "field":
            return node.value if _NAME.fullmatch(node.value) else f'"{node.value}"'
        case "identity" | "current":
            return "@"
        case "index":
            return f"[{node.value}]"
        case "slice":
            ends = (node.value.start, node.value.stop)
            return f"[{':'.join('' if end is None else str(end) for end in ends)}]"
        case "literal":
            return f"{node.value}"
        case "function_expression":
            return _called(node)
        case "flatten":
            return f"{_start(node.children[0])}[]"
        case _:
            return _chain(node)


def _called(node: Node) -> str:
    if node.value in ("pick", "picks"):
        key = node.children[1]
        wanted = next(map(shown, _reads(node.children[2])), None) or shown(node.children[2])
        return f"{shown(node.children[0])}[{shown(key)}={wanted}]"
    if node.value == "starting":
        return f"{shown(node.children[0])}.{shown(node.children[1])}*"
    return f"{node.value}('{node.children[0].value}')" if node.value == "setting" else f"{node.value}(...)"


def _start(node: Node) -> str:
    return "" if node.type in ("identity", "current") else shown(node)


def _is_listed(node: Node) -> bool:
    """Tell whether the text of a place says already that it is a list: `a[]`, `a[1:3]`."""
    return node.type == "flatten" or any(child.type == "slice" for child in node.children[1:])


def _chain(node: Node) -> str:
    left, right = _start(node.children[0]), node.children[1]
    match node.type:
        case "projection":
            left = left if _is_listed(node.children[0]) else f"{left}[*]"
        case "filter_projection":
            left = f"{left}[?]"
        case "value_projection":
            left = f"{left}.*" if left else "*"
        case _:
            pass
    if right.type in ("identity", "current"):
        return left
    text = shown(right)
    return f"{left}{text}" if not left or text.startswith("[") else f"{left}.{text}"
