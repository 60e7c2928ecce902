"""Expressions as Python source: plain dictionary reads and calls, so that no interpreter runs per record."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC
from typing import TYPE_CHECKING, Any

from . import builtins
from .catalog import FUNCTIONS
from .checks import static
from .dates import named_zone
from .effort import EACH, Remembered, weight
from .mistakes import mistake
from .proof import ORDERS, counts, is_plain, may_raise
from .runtime import UNSURE
from .values import Unfit
from .writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import tzinfo

    from ..native import JSON
    from .functions import FunctionDoc
    from .grammar import Node

__all__ = ["Source"]

BLOCKS = 12
"""The most loops inside each other; Python itself ends at 20."""
WORDS = 256
"""How many words are remembered of each `one_of`: roles and statuses are the same few in every record."""

_CONSTANTS = {"None": None, "True": True, "False": False}


def _is_fixed(node: Node) -> bool:
    return node.type == "literal" or (node.type == "function_expression" and node.value == "setting")


class Source(Writer):
    """Writes expressions.

    Args:
        settings: What `setting(name)` gives.
        zone: The zone of date-times that come without one.
    """

    def __init__(self, settings: Mapping[str, JSON], zone: tzinfo = UTC) -> None:
        super().__init__()
        self.settings = settings
        self.zone = zone
        self._loops = 0
        self._found: dict[Node, str] = {}
        self._choices: dict[tuple[str, ...], str] = {}

    def value(self, node: Node, here: str = "record") -> str:
        """Write what works an expression out, and give the name (or literal) of its value."""
        return getattr(self, f"_{node.type}")(node, here)

    def holds(self, node: Node, here: str = "record") -> str:
        """Write what works a condition out, and give a Python condition."""
        return self._true(self.value(node, here), static(node))

    @staticmethod
    def _true(name: str, type: str) -> str:
        if name in _CONSTANTS:
            return str(name == "True")
        if type in ("truth", "text", "id", "email", "url", "datetime", "list", "object"):
            return name
        return f"({name} or {name} == 0 and {name} is not False)"

    def _put(self, text: str) -> str:
        name = self.fresh()
        self.line(f"{name} = {text}")
        return name

    def _identity(self, _node: Node, here: str) -> str:
        return here

    _current = _identity

    def _field(self, node: Node, here: str) -> str:
        if here in self.paths:
            return self.member((*self.paths[here], node.value))
        return self._put(f"{here}.get({node.value!r}) if isinstance({here}, dict) else None")

    def _subexpression(self, node: Node, here: str) -> str:
        for child in node.children:
            here = self.value(child, here)
        return here

    _pipe = _index_expression = _subexpression

    def _literal(self, node: Node, _here: str) -> str:
        return self.bind(node.value)

    def _index(self, node: Node, here: str) -> str:
        if here in _CONSTANTS:
            return "None"
        index = self.bind(node.value)
        enough = f"len({here}) > {index}" if node.value >= 0 else f"len({here}) >= -{index}"
        return self._put(f"{here}[{index}] if isinstance({here}, list) and {enough} else None")

    def _slice(self, node: Node, here: str) -> str:
        if here in _CONSTANTS:
            return "None"
        return self._put(f"{here}[{self.bind(node.value)}] if isinstance({here}, list) else None")

    def _flatten(self, node: Node, here: str) -> str:
        return self._call("flatten", builtins.flatten, self.value(node.children[0], here))

    def _projection(self, node: Node, here: str) -> str:
        base = self.value(node.children[0], here)
        return self._each(node, f"isinstance({base}, list)", base)

    _filter_projection = _projection

    def _value_projection(self, node: Node, here: str) -> str:
        base = self.value(node.children[0], here)
        return self._each(node, f"isinstance({base}, dict)", f"{base}.values()")

    def _each(self, node: Node, condition: str, items: str) -> str:
        found, item = self.fresh(), self.fresh()
        self.line(f"{found} = None")
        self._loops += 1
        if self._loops > BLOCKS:
            raise mistake(f"more than {BLOCKS} lists inside each other", file=self.file, key=self.field)
        with self.block(f"if {condition}:"):
            self.line(f"{found} = []")
            self.line(f"spend({EACH * sum(map(weight, node.children[1:]))} * len({items}))")
            with self.block(f"for {item} in {items}:"):
                self.line("if meter.left < 0: spend(0)")  # spent by an item before: the others are not tried
                for condition_node in node.children[2:]:
                    with self.block(f"if not {self.holds(condition_node, item)}:"):
                        self.line("continue")
                result = self.value(node.children[1], item)
                with self.block(f"if {result} is not None:"):
                    self.line(f"{found}.append({result})")
        self._loops -= 1
        return found

    def _multi_select_list(self, node: Node, here: str) -> str:
        return self._select(here, lambda: f"[{', '.join(self.value(child, here) for child in node.children)}]")

    def _multi_select_dict(self, node: Node, here: str) -> str:
        def members() -> str:
            pairs = (f"{child.value!r}: {self.value(child.children[0], here)}" for child in node.children)
            return f"{{{', '.join(pairs)}}}"

        return self._select(here, members)

    def _select(self, here: str, write: Callable[[], str]) -> str:
        found = self.fresh()
        self.line(f"{found} = None")
        with self.block(f"if {here} is not None:"):
            self.line(f"{found} = {write()}")
        return found

    def _or_expression(self, node: Node, here: str) -> str:
        return self._either(node, here, "not ")

    def _and_expression(self, node: Node, here: str) -> str:
        return self._either(node, here, "")

    def _either(self, node: Node, here: str, negation: str) -> str:
        left, right = node.children
        found = self._put(self.value(left, here))
        with self.block(f"if {negation}{self._true(found, static(left))}:"):
            self.line(f"{found} = {self.value(right, here)}")
        return found

    def _not_expression(self, node: Node, here: str) -> str:
        return self._put(f"not {self.holds(node.children[0], here)}")

    def _comparator(self, node: Node, here: str) -> str:
        left, right = (self.value(child, here) for child in node.children)
        if node.value in ("eq", "ne"):
            same = self._same(node, left, right)
            return self._put(same if node.value == "eq" else f"not {same}")
        if counts(node):
            pairs = zip((left, right), node.children, strict=True)
            there = " and ".join(f"{name} is not None" for name, child in pairs if child.type != "literal")
            return self._put(f"{left} {ORDERS[node.value]} {right}" + (f" if {there} else None" if there else ""))
        if node.value in ("gt", "gte"):
            left, right = right, left
        order = builtins.less if node.value in ("lt", "gt") else builtins.less_or_equal
        return self._call(order.__name__, order, left, right)

    def _same(self, node: Node, left: str, right: str) -> str:
        for literal, other in (node.children, node.children[::-1]):
            name = left if other is node.children[0] else right
            if literal.type == "literal" and isinstance(literal.value, str):
                return f"({name} == {literal.value!r})"
            if literal.type == "literal" and is_plain(literal.value):
                return f"({name} is {literal.value!r})"
        self.names["equals"] = builtins.equals
        return f"equals({left}, {right})"

    def _call(self, name: str, call: Callable[..., Any], *values: str) -> str:
        self.names[f"f_{name}"] = call
        return self._put(f"f_{name}({', '.join(values)})")

    def _function_expression(self, node: Node, here: str) -> str:
        doc = FUNCTIONS.get(node.value)
        if doc is None:
            values = [self.value(child, here) for child in node.children]
            return self._call(node.value, builtins.builtin(node.value), *values)
        if node.value == "pick" and here == "record" and not may_raise(node):
            return self._once(doc, node)
        if doc.call is None:
            return getattr(self, f"_do_{node.value}")(node, here)
        return self._own(doc, node, here)

    def _once(self, doc: FunctionDoc, node: Node) -> str:
        """Look into a list at the function's start, however many fields ask for the same."""
        if node not in self._found:
            body, indent, done = self.body, self.indent, self.done
            self.body, self.indent, self.done = self.head, 1, {}
            self._found[node] = self._own(doc, node, "record")
            self.body, self.indent, self.done = body, indent, done
        return self._found[node]

    def _own(self, doc: FunctionDoc, node: Node, here: str) -> str:
        values = [self._argument(doc, position, child, here) for position, child in enumerate(node.children)]
        if "zone" in doc.parameters[-1].kinds and len(values) < len(doc.parameters):
            values.append(self.bind(self.zone))
        quick = doc.quick
        if doc.name == "url":
            values = self._fixed_start(doc, node, values)
        if doc.name == "one_of":
            quick = self._fixed_choices(doc, node, values)
        return self.convert(f"f_{doc.name}", doc.call, values, nulls=doc.nulls, quick=quick)

    def _fixed_start(self, doc: FunctionDoc, node: Node, values: list[str]) -> list[str]:
        """Put the parts of an address that are the same for every record together, once."""
        fixed = [self._fixed(name) for name, child in zip(values, node.children, strict=True) if _is_fixed(child)]
        if doc.call is None or len(fixed) < 2 or not all(map(_is_fixed, node.children[: len(fixed)])):  # noqa: PLR2004 - nothing to put together
            return values
        try:
            return [self.bind(doc.call(*fixed)), *values[len(fixed) :]]
        except Unfit:
            return values  # every record will tell

    def _fixed_choices(self, doc: FunctionDoc, node: Node, values: list[str]) -> str:
        """Compare each word once with choices that are the same for every record."""
        call = doc.call
        if call is None or not all(map(_is_fixed, node.children[1:])):
            return ""
        names = tuple(values[1:])
        if names not in self._choices:
            choices = [self._fixed(name) for name in names]
            self._choices[names] = self.bind(Remembered(lambda word: call(word, *choices), WORDS))
        known = self._choices[names]
        return f"{known}[{{0}}] if {{0}}.__class__ is str else f_one_of({', '.join(values)})"

    def _fixed(self, name: str) -> Any:
        return _CONSTANTS[name] if name in _CONSTANTS else self.names[name]

    def _argument(self, doc: FunctionDoc, position: int, child: Node, here: str) -> str:
        if "zone" not in doc.parameter(position).kinds:
            return self.value(child, here)
        if child.type == "literal":
            return self.bind(named_zone(child.value) if child.value else self.zone)
        found = self.value(child, here)
        return self._put(f"{found} or {self.bind(self.zone)}")

    def _expref(self, node: Node, _here: str) -> str:
        name, item = self.fresh(), self.fresh()
        with self.block(f"def {name}({item}):"):
            self.line(f"spend({EACH * weight(node)})")
            self.line(f"return {self.value(node.children[0], item)}")
        return self._call("reference", builtins.reference, name)

    def _do_first(self, node: Node, here: str) -> str:
        *others, last = node.children
        found = self.fresh()
        with ExitStack() as blocks:
            for child in others:
                self.line(f"{found} = {self.value(child, here)}")
                blocks.enter_context(self.block(f"if {found} is None{self._useless(child, found, ' or ')}:"))
            self.line(f"{found} = {self.value(last, here)}")
            if useless := self._useless(last, found):
                with self.block(f"if {useless}:"):
                    self.line(f"{found} = None")
        return found

    @staticmethod
    def _useless(node: Node, name: str, mark: str = "") -> str:
        """Write the condition that a value is blank or a zero date, if it may be."""
        if static(node) not in UNSURE:
            return ""
        unless = f"{name}.__class__ is str and ({name} < '2' or {name} > '~')"
        return f"{mark}{unless} and not usable({name})"

    def _do_when(self, node: Node, here: str) -> str:
        found = self.fresh()
        with self.block(f"if {self.holds(node.children[0], here)}:"):
            self.line(f"{found} = {self.value(node.children[1], here)}")
        with self.block("else:"):
            otherwise = self.value(node.children[2], here) if node.children[2:] else "None"
            self.line(f"{found} = {otherwise}")
        return found

    def _do_setting(self, node: Node, _here: str) -> str:
        value = self.settings.get(node.children[0].value)
        return repr(value) if value is None or isinstance(value, bool) else self.bind(value)

    def _do_past(self, node: Node, here: str) -> str:
        return self._clock("before", node, here)

    def _do_future(self, node: Node, here: str) -> str:
        return self._clock("coming", node, here)

    def _clock(self, name: str, node: Node, here: str) -> str:
        found, moment = self.fresh(), self.value(node.children[0], here)
        with self.block("try:"):
            self.line(f"{found} = {name}({moment}, as_of, ahead)")
        with self.block("except Exception as error:"):
            self.line(f"{found} = note(flaws, {self.field!r}, {moment}, error)")
        return found
