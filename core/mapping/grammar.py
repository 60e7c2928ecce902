"""JMESPath's grammar: the jmespath library parses, and its tree becomes a typed one that knows where nodes stand."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from jmespath.exceptions import JMESPathError  # pyright: ignore[reportMissingTypeStubs] - it ships no types

from .mistakes import mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LONGEST", "Node", "parse"]

LONGEST = 4_000
"""The most characters of an expression."""
DEEPEST = 60
"""How deep an expression may be nested."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of an expression. Two are equal if they mean the same, wherever they stand."""

    type: str
    """As the library calls it: `field`, `subexpression`, `comparator`, `function_expression` ..."""
    children: tuple[Node, ...]
    identity: str
    """The value, such that true and 1 are not the same."""
    value: Any = field(compare=False)
    """Name of a field or function, a literal, an index, the operator, or a slice."""
    start: int | None = field(compare=False)
    """Where it stands in the expression, from 0, for operators, functions and fields."""

    def walk(self) -> Iterator[Node]:
        """Give this node and every one below."""
        yield self
        for child in self.children:
            yield from child.walk()


_Library: Any = import_module("jmespath.parser").Parser  # it ships no types


_NOTED = {
    "_token_led_and": -1,
    "_token_led_lparen": -2,
    "_token_led_or": -1,
    "_token_nud_literal": -1,
    "_token_nud_not": -1,
    "_token_nud_unquoted_identifier": -1,
    "_parse_comparator": -1,
}
"""Steps of the library's parser, with how far back the token stands that names their node."""


def _noting(step: str, back: int) -> Callable[..., Any]:
    original: Any = getattr(_Library, step)

    def noting(self: Any, *arguments: Any) -> Any:
        start = self._lookahead_token(back)["start"]
        node = original(self, *arguments)
        node.setdefault("start", start)
        return node

    return noting


_Parser: Any = type("_Parser", (_Library,), {step: _noting(step, back) for step, back in _NOTED.items()})


def parse(text: str, *, file: str = "", key: str = "") -> Node:
    """Parse an expression.

    Raises:
        MappingError: Bad syntax, with the column; or too long, or nested too deeply.
    """
    if len(text) > LONGEST:
        raise mistake(f"the expression is longer than {LONGEST} characters", file=file, key=key)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a literal that is no JSON: the library would take it as a text
            tree = _Parser()._do_parse(text).parsed  # noqa: SLF001 - past its cache
    except (PendingDeprecationWarning, DeprecationWarning):
        start = text.find("`")
        raise mistake(
            "a literal between ` is no JSON", file=file, key=key, start=start, hint="Write texts as 'text'."
        ) from None
    except RecursionError:
        raise mistake("the expression is nested too deeply", file=file, key=key) from None
    except JMESPathError as error:
        start = getattr(error, "lexer_position", getattr(error, "lex_position", 0))
        reason = getattr(error, "msg", None) or "an empty expression"
        raise mistake(f"bad syntax: {_first_line(reason, error, text)}", file=file, key=key, start=start) from None
    return _typed(tree, DEEPEST, file, key)


def _first_line(reason: str, error: JMESPathError, text: str) -> str:
    if type(error).__name__ == "IncompleteExpressionError":
        return "the expression ends too early"
    if reason == "Invalid jmespath expression":
        start = getattr(error, "lex_position", 0)
        return f"unexpected {text[start : start + 1] or 'end'!r}"
    return reason[:1].lower() + reason[1:120]


def _typed(tree: dict[str, Any], room: int, file: str, key: str) -> Node:
    if room == 0:
        raise mistake(f"the expression is nested more than {DEEPEST} levels deep", file=file, key=key)
    kind: str = tree["type"]
    value = tree.get("value")
    children: list[Any] = tree["children"]
    if kind == "slice":
        value, children = slice(*children), []
    if kind == "comparator" and value not in _COMPARATORS:
        raise mistake(f"unknown operator {value!r}", file=file, key=key)
    nodes = tuple(_typed(child, room - 1, file, key) for child in children)
    return Node(kind, nodes, repr(value), value, tree.get("start"))


_COMPARATORS = frozenset(("eq", "ne", "lt", "lte", "gt", "gte"))
