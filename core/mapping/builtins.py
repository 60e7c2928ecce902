"""JMESPath's own functions: the library's, behind quicker ways for what mappings use most."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .effort import spend, spend_on
from .values import is_number

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RETURNS", "arity", "builtin", "equals", "flatten", "is_expression", "less", "less_or_equal", "true"]

RETURNS = {
    "abs": "number",
    "avg": "number",
    "ceil": "number",
    "contains": "truth",
    "ends_with": "truth",
    "floor": "number",
    "join": "text",
    "keys": "list",
    "length": "number",
    "map": "list",
    "max": "json",
    "max_by": "json",
    "merge": "object",
    "min": "json",
    "min_by": "json",
    "not_null": "any",
    "reverse": "json",
    "sort": "list",
    "sort_by": "list",
    "starts_with": "truth",
    "sum": "number",
    "to_array": "list",
    "to_number": "number",
    "to_string": "text",
    "type": "text",
    "values": "list",
}
"""What each gives."""

_FUNCTIONS: Any = import_module("jmespath.functions").Functions  # it ships no types
_TABLE: dict[str, Any] = _FUNCTIONS.FUNCTION_TABLE
_LIBRARY: Any = _FUNCTIONS()
_equals: Any = import_module("jmespath.visitor")._equals  # what == means  # noqa: SLF001 - its ==, and no other


class _Expression:
    """An `&expression`, as the library's functions take it: they look at the name of this class."""

    expression = None

    def __init__(self, call: Callable[[Any], Any]) -> None:
        self.call = call

    def visit(self, _node: None, value: Any) -> Any:
        return self.call(value)


reference = _Expression


def arity(name: str) -> tuple[int, int]:
    """Give the fewest and the most arguments of a built-in function."""
    signature = _TABLE[name]["signature"]
    return len(signature), 1_000 if signature[-1].get("variadic") else len(signature)


def is_expression(name: str, position: int) -> bool:
    """Tell whether an argument of a built-in function is an `&expression`."""
    signature = _TABLE[name]["signature"]
    return "expref" in signature[min(position, len(signature) - 1)]["types"]


def builtin(name: str) -> Callable[..., Any]:
    """Give a built-in function; it raises where the interpreter would."""
    quick = _QUICK.get(name)

    def call(*values: Any) -> Any:
        spend(1)
        for value in values:
            spend_on(value)
        found = _LIBRARY.call_function(name, list(values))
        spend_on(found)
        return found

    if quick is None:
        return call

    def quicker(*values: Any) -> Any:
        spend_on(values[0])
        found = quick(*values)
        spend_on(found)
        return call(*values) if found is None else found

    return quicker


def _contains(subject: Any, search: Any) -> bool | None:
    return (
        search in subject
        if isinstance(subject, list) or (isinstance(subject, str) and isinstance(search, str))
        else None
    )


def _length(value: Any) -> int | None:
    return len(value) if isinstance(value, (str, list, dict)) else None  # pyright: ignore[reportUnknownArgumentType] - the size only


def _starts_with(value: Any, start: Any) -> bool | None:
    return value.startswith(start) if isinstance(value, str) and isinstance(start, str) else None


def _ends_with(value: Any, end: Any) -> bool | None:
    return value.endswith(end) if isinstance(value, str) and isinstance(end, str) else None


def _join(mark: Any, parts: Any) -> str | None:
    texts: list[str] = parts
    try:
        return mark.join(texts) if isinstance(mark, str) and isinstance(parts, list) else None
    except TypeError:
        return None


# each gives None where the library has to say what happens
_QUICK: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "ends_with": _ends_with,
    "join": _join,
    "length": _length,
    "starts_with": _starts_with,
}


def true(value: Any) -> bool:
    """Tell whether JMESPath takes a value as true: not null, false, or an empty text, list or object. 0 is true."""
    return bool(value) or (is_number(value) and value == 0)


def equals(left: Any, right: Any) -> bool:
    """Compare as JMESPath does: 0 and 1 are not false and true."""
    return bool(_equals(left, right))


def less(left: Any, right: Any) -> bool | None:
    """Compare numbers, texts or date-times; null where JMESPath has no order."""
    return left < right if _ordered(left) and _ordered(right) else None


def less_or_equal(left: Any, right: Any) -> bool | None:
    """Compare numbers, texts or date-times; null where JMESPath has no order."""
    return left <= right if _ordered(left) and _ordered(right) else None


def _ordered(value: Any) -> bool:
    return isinstance(value, str) or is_number(value) or isinstance(value, datetime)


def flatten(value: Any) -> list[Any] | None:
    """Put the items of the inner lists into the outer one."""
    items: list[Any] = value
    if not isinstance(value, list):
        return None
    flat: list[Any] = []
    spend(len(items))
    for item in items:
        if isinstance(item, list):
            spend_on(item)
            flat += item
        else:
            flat.append(item)
    return flat
