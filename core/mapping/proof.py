"""What is known of an expression's value before any record: whether the schema takes it for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .catalog import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .grammar import Node

__all__ = ["proven", "writable"]

_MADE = frozenset(("id", "text", "email", "url", "datetime", "seconds", "truth", "number"))
_OTHERS = frozenset(("earliest", "latest"))
"""What gives a date-time that it was given, wherever it came from."""


def proven(node: Node) -> bool:
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
            return not isinstance(node.value, str) or writable([node.value])
        case "function_expression":
            if node.value in ("first", "when"):
                return all(map(proven, node.children[node.value == "when" :]))
            doc = FUNCTIONS.get(node.value)
            return doc is not None and (doc.returns in _MADE or doc.name == "emails") and doc.name not in _OTHERS
        case _:
            return False


def writable(texts: Iterable[str]) -> bool:
    """Tell whether texts hold nothing but characters: no half of a pair."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True
