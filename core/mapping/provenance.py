"""What the value of an expression is made of: the paths that stand in it, and those that only decide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from .grammar import Node

__all__ = ["Path", "Provenance", "provenance"]

Path: TypeAlias = "tuple[str, ...]"
"""Names from the record inwards: `("enrollment", "user", "name")`; what is inside a list is named as its items are."""

_BRANCHES = frozenset(("comparator", "and_expression", "or_expression", "not_expression"))
_CLOCK = frozenset(("past", "future"))


@dataclass(slots=True)
class Provenance:
    """What an expression's value comes from."""

    values: set[Path] = field(default_factory=set[Path])
    """What stands in its result, converted or not."""
    conditions: set[Path] = field(default_factory=set[Path])
    """What decides: conditions of `when` and of filters."""
    settings: set[str] = field(default_factory=set[str])
    """The connection's settings."""
    branches: bool = False
    """Whether anything is compared, filtered or decided."""

    @property
    def paths(self) -> set[Path]:
        """Everything that it takes from the record."""
        return self.values | self.conditions


def provenance(node: Node) -> Provenance:
    """Tell what a value is made of.

    The key that `pick` or `picks` looks for is no part of what it finds, and not counted. Where `when` gives a literal,
    its condition is what the value is made of.
    """
    found = Provenance()
    _Walk(found).take(node, (), found.values)
    return found


class _Walk:
    """Walks an expression. `here` is the path that the current node is applied to; None for a value that was made."""

    def __init__(self, found: Provenance) -> None:
        self.found = found

    def take(self, node: Node, here: Path | None, into: set[Path]) -> None:
        """Count what a node gives."""
        path = self.path(node, here, into)
        if path is not None:
            into.add(path)

    def path(self, node: Node, here: Path | None, into: set[Path]) -> Path | None:
        """Give the path that a node is, None if it makes a value: then what it reads has been counted."""
        match node.type:
            case "identity" | "current" | "index" | "slice":
                path = here
            case "field":
                path = None if here is None else (*here, str(node.value))
            case "subexpression" | "pipe" | "index_expression":
                path = self._chain(node.children, here, into)
            case "flatten":
                path = self.path(node.children[0], here, into)
            case "projection" | "value_projection" | "filter_projection":
                path = self._projection(node, here, into)
            case "function_expression":
                path = self._function(node, here, into)
            case _:
                path = None
                self.found.branches |= node.type in _BRANCHES
                for child in node.children:
                    self.take(child, here, into)
        return path

    def _chain(self, children: tuple[Node, ...], here: Path | None, into: set[Path]) -> Path | None:
        for child in children:
            here = self.path(child, here, into)
        return here

    def _projection(self, node: Node, here: Path | None, into: set[Path]) -> Path | None:
        base = self.path(node.children[0], here, into)
        for condition in node.children[2:]:
            self.found.branches = True
            self.take(condition, base, self.found.conditions)
        return self.path(node.children[1], base, into)

    def _function(self, node: Node, here: Path | None, into: set[Path]) -> Path | None:
        name, children = node.value, node.children
        if name == "setting":
            self.found.settings.add(str(children[0].value))
            return None
        if name in {"pick", "picks"}:
            return self.path(children[0], here, into)
        if name == "when":
            self.found.branches = True
            self.take(children[0], here, self.found.conditions)
            if not any(child.type == "literal" for child in children[1:]):
                children = children[1:]
        self.found.branches |= name in _CLOCK
        for child in children:
            self.take(child, here, into)
        return None
