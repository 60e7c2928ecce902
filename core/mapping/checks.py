"""What is known of an expression before any record: the type it gives, wrong arguments, and JMESPath's traps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import builtins
from .catalog import FUNCTIONS
from .dates import named_zone, shape
from .effort import bounded
from .mistakes import mistake, unknown
from .values import Unfit, json_type

if TYPE_CHECKING:
    from ..errors import MappingError
    from .functions import FunctionDoc, Parameter
    from .grammar import Node

__all__ = ["Checker", "static"]

_TEXTS = frozenset(("text", "id", "email", "url"))
_NUMBERS = frozenset(("number", "seconds"))
_LITERALS = {"boolean": "truth"}
_MOMENT = frozenset(("datetime",))
_KINDS = {"id": "text", "email": "text", "url": "text", "seconds": "number", "truth": "boolean"}

_ACCESS = ("subexpression", "index_expression", "projection", "filter_projection", "value_projection", "flatten")

ACCEPTED = {
    "text": _TEXTS,
    "id": frozenset(("text", "id")),
    "email": frozenset(("text", "email", "list")),
    "url": frozenset(("text", "url")),
    "datetime": frozenset(("datetime",)),
    "number": _NUMBERS,
    "percent": _NUMBERS,
    "seconds": _NUMBERS,
    "count": _NUMBERS,
    "truth": frozenset(("truth",)),
    "word": frozenset((*_TEXTS, "truth", "number")),
}
"""The static types that a field of each type takes, beside `json`, `any` and `null`."""

_ADVICE = {
    "text": "text(...) or html(...)",
    "id": "id(...)",
    "email": "email(...)",
    "url": "url(...)",
    "datetime": "datetime(...), end_of_day(...), epoch(...), epoch_ms(...) or local_datetime(...)",
    "number": "number(...), percent(...) or ratio(...)",
    "percent": "percent(...), fraction(...) or ratio(...)",
    "seconds": "seconds(...), minutes(...) or duration(...)",
    "count": "number(...)",
    "truth": "truth(...) or a comparison",
    "word": "text(...)",
}


def static(node: Node) -> str:  # noqa: PLR0911 - one line a node type
    """Name the type that an expression gives: `json` is anything a record holds, `any` also what functions make."""
    match node.type:
        case "field" | "identity" | "current":
            return "json"
        case "literal":
            name = json_type(node.value)
            return _LITERALS.get(name, name)
        case "subexpression" | "pipe" | "index_expression":
            last = static(node.children[-1])
            return "any" if last == "json" and any(_makes(child) for child in node.children[:-1]) else last
        case "comparator" | "not_expression":
            return "truth"
        case "or_expression" | "and_expression":
            return _union(map(static, node.children))
        case "multi_select_dict":
            return "object"
        case "function_expression":
            return _given(node)
        case "index":
            return "json"
        case _:
            return "list"


def _given(node: Node) -> str:
    if node.value == "first":
        return _union(map(static, node.children))
    if node.value == "when":
        return _union(map(static, node.children[1:]))
    doc = FUNCTIONS.get(node.value)
    return doc.returns if doc else builtins.RETURNS.get(node.value, "any")


def _makes(node: Node) -> bool:
    return any(inner.type == "function_expression" and inner.value in FUNCTIONS for inner in node.walk())


def _union(types: Any) -> str:
    found = set(types) - {"null"}
    if len(found) <= 1:
        return found.pop() if found else "null"
    for family, name in ((_TEXTS, "text"), (_NUMBERS, "number")):
        if found <= family:
            return name
    return "any"


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks one expression of a mapping.

    Args:
        file: The file it stands in.
        key: Its key.
        type: The type of the field it fills; None for conditions and custom fields.
        clock: Whether it may look at the time.
    """

    file: str
    key: str
    type: str | None = None
    clock: bool = True

    def check(self, node: Node) -> list[str]:
        """Check the whole of an expression.

        Returns:
            What is allowed but probably not meant.

        Raises:
            MappingError: An unknown function, a wrong argument, a trap.
        """
        self.calls(node)
        bounded(node, self.file, self.key)
        warnings = [
            warning for inner in node.walk() if inner.type == "comparator" for warning in self._comparison(inner)
        ]
        for inner in node.walk():
            if inner.type in _ACCESS and inner.children and inner.children[0].type == "not_expression":
                raise self.error("! takes only the name after it: !a.b is (!a).b", inner.children[0], "Write !(a.b).")
        if self.type is not None:
            self._fits(node, self.type)
            self._traps(node, condition=False)
        return warnings

    def calls(self, node: Node) -> None:
        """Check functions and their arguments, in this node and below: all that is wrong outside of mappings too."""
        if node.type == "expref":
            raise self.error("an &expression is only an argument of a function")
        for inner in node.walk():
            if inner.type != "function_expression" and any(child.type == "expref" for child in inner.children):
                raise self.error("an &expression is only an argument of a function")
            if inner.type == "function_expression":
                self._call(inner)

    def error(self, message: str, node: Node | None = None, hint: str = "") -> MappingError:
        """Make the error for a mistake at a node."""
        return mistake(message, file=self.file, key=self.key, start=node.start if node else None, hint=hint)

    def _call(self, node: Node) -> None:
        doc = FUNCTIONS.get(node.value)
        if doc is None and node.value not in builtins.RETURNS:
            names = [*FUNCTIONS, *builtins.RETURNS]
            raise unknown("function", node.value, names, file=self.file, key=self.key, start=node.start)
        fewest, most = doc.arity() if doc else builtins.arity(node.value)
        if not fewest <= len(node.children) <= most:
            wanted = doc.signature if doc else f"{fewest} argument{'s' * (fewest != 1)}"
            raise self.error(f"{node.value}() has {len(node.children)} arguments", node, f"Expected {wanted}.")
        for position, child in enumerate(node.children):
            wants_expression = doc is None and builtins.is_expression(node.value, position)
            if (child.type == "expref") != wants_expression:
                raise self.error(f"{node.value}() takes {'an' if wants_expression else 'no'} &expression here", node)
            if doc:
                self._argument(doc, doc.parameter(position), child, node)

    def _argument(self, doc: FunctionDoc, parameter: Parameter, child: Node, node: Node) -> None:
        if doc.name in ("past", "future") and not self.clock:
            raise self.error(f"{doc.name}() cannot be used here: the answer must be the same at any time", node)
        if doc.name == "setting" and not (child.type == "literal" and isinstance(child.value, str)):
            raise self.error("setting() takes the setting's name as 'text'", node)
        if parameter.kinds & {"zone", "pattern"}:
            self._named(parameter, child, node)
            return
        given = static(child)
        given = _KINDS.get(given, given)
        if given in ("any", "null") or "any" in parameter.kinds or given in parameter.kinds:
            return
        if given == "json" and parameter.kinds != _MOMENT:
            return
        hint = f"It is {doc.signature}."
        if "datetime" in parameter.kinds:
            hint += f" Write {_ADVICE['datetime']}."
        raise self.error(
            f"{doc.name}() is given {'a bare value' if given == 'json' else given} as its {parameter.name}", node, hint
        )

    def _named(self, parameter: Parameter, child: Node, node: Node) -> None:
        if child.type != "literal":
            if "pattern" in parameter.kinds:
                raise self.error("the pattern must be written out as 'text'", node)
            return
        try:
            if child.value is not None:
                (shape if "pattern" in parameter.kinds else named_zone)(child.value)
        except (Unfit, TypeError, AttributeError) as reason:
            said = str(reason) if isinstance(reason, Unfit) else "expected a text"
            raise self.error(f"the {parameter.name} {child.value!r}: {said}", child) from None

    def _comparison(self, node: Node) -> list[str]:
        for one, other in (node.children, node.children[::-1]):
            if static(one) == "json" and static(other) == "number":
                if node.value in ("eq", "ne"):
                    place = f"{self.file}, {self.key}, column {(node.start or 0) + 1}"
                    return [f"{place}: a bare value is never equal to a number if it comes as text; write number(...)"]
                hint = 'A number that comes as text ("35") would break it: write number(...) around the value.'
                raise self.error("a bare value is compared with a number", node, hint)
        return []

    def _fits(self, node: Node, type: str) -> None:
        given = static(node)
        bare = given in ("json", "any", "null") and not (type == "datetime" and given == "json")
        if node.type == "and_expression" and type not in ("truth", "word"):
            raise self.error("a && b gives false, not null, where a does not hold", node, "Write when(a, b).")
        if not bare and given not in ACCEPTED[type]:
            what = "a bare value" if given == "json" else given
            raise self.error(f"expected {type}, but the expression gives {what}", hint=f"Write {_ADVICE[type]}.")

    def _traps(self, node: Node, *, condition: bool) -> None:
        if node.type == "function_expression" and node.value == "to_string" and self.type in (*_TEXTS, "word"):
            raise self.error(
                "to_string() makes the text 'null' of a missing value", node, "Write text(...) or id(...)."
            )
        if (
            node.type == "or_expression"
            and not condition
            and self.type in ("id", "truth", *_NUMBERS, "percent", "count")
        ):
            types = {static(child) for child in node.children}
            if types != {"truth"} and not types & {"list", "object"}:
                raise self.error(
                    '|| passes over 0, false and ""; "0" and "false" count as true', node, "Write first(a, b)."
                )
        for position, child in enumerate(node.children):
            inner = (
                node.type in ("comparator", "not_expression", "and_expression")
                or (node.type == "filter_projection" and position == 2)  # noqa: PLR2004 - its condition
                or (node.type == "function_expression" and node.value == "when" and position == 0)
            )
            self._traps(child, condition=condition or inner)
