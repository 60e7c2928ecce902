"""What is known of an expression before any record: that nothing in it raises, and that the schema takes its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .catalog import FUNCTIONS
from .checks import static

if TYPE_CHECKING:
    from .grammar import Node

__all__ = ["ORDERS", "counts", "is_plain", "may_raise", "proven"]

_MADE = frozenset(("id", "text", "email", "url", "datetime", "seconds", "truth", "number"))
_OTHERS = frozenset(("earliest", "latest"))
"""What gives a date-time that it was given, wherever it came from."""
_QUIET = frozenset(
    (
        *("field", "identity", "current", "literal", "index", "subexpression", "index_expression", "pipe"),
        *("or_expression", "and_expression", "not_expression", "function_expression"),
    )
)
"""What raises nothing itself."""
ORDERS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
"""Comparisons of numbers, as Python writes them."""


def may_raise(node: Node) -> bool:
    """Tell whether working a node out may raise, as JMESPath's own functions and loops do: then only inside a guard."""
    return not all(map(_is_quiet, node.walk()))


def _is_quiet(node: Node) -> bool:
    if node.type == "comparator":
        plain = any(child.type == "literal" and is_plain(child.value) for child in node.children)
        return counts(node) or (node.value in ("eq", "ne") and plain)
    return node.type in _QUIET and (node.type != "function_expression" or node.value in FUNCTIONS)


def is_plain(value: Any) -> bool:
    """Tell whether a literal is compared by one Python operator: a text, true, false or null."""
    return value is None or isinstance(value, (str, bool))


def counts(node: Node) -> bool:
    """Tell whether a comparison is of two numbers for certain, either of which may be null."""
    return node.value in ORDERS and all(
        static(child) in ("number", "seconds") and proven(child) for child in node.children
    )


def proven(node: Node) -> bool:  # noqa: PLR0911 - one line a node type
    """Tell whether a value is null or made by one of our own functions: clean texts, instants in UTC, whole seconds.

    What JMESPath's functions give is of the right type, too, but a text may hold characters that no schema takes.
    """
    match node.type:
        case "comparator" | "not_expression":
            return True
        case "or_expression" | "and_expression":
            return all(map(proven, node.children))
        case "subexpression" | "pipe":
            return proven(node.children[-1])
        case "literal":
            return not isinstance(node.value, str) or node.value.isascii()
        case "function_expression":
            if node.value in ("first", "when"):
                return all(map(proven, node.children[node.value == "when" :]))
            doc = FUNCTIONS.get(node.value)
            return doc is not None and (doc.returns in _MADE or doc.name == "emails") and doc.name not in _OTHERS
        case _:
            return False
