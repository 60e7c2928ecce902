"""How a function of the mapping language is declared: its signature, what it gives, what it does, examples."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FunctionDoc", "Parameter", "document", "function"]

F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a function."""

    name: str
    kinds: frozenset[str]
    """What it takes: JSON types, or `datetime`, `zone`, `pattern`, `any`."""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FunctionDoc:
    """A function, as mappings call it."""

    name: str
    signature: str
    """`datetime(value: text, zone?: zone)`: `?` may be left out, `...` is any number more."""
    returns: str
    """What it gives: a type of fields, a JSON type, `json` for either, `any` also for date-times."""
    text: str
    """What it does, in a sentence or two."""
    examples: tuple[tuple[str, str], ...]
    """Expressions and what they give."""
    parameters: tuple[Parameter, ...]
    more: bool
    """Whether the last parameter may come again."""
    call: Callable[..., Any] | None
    """What does it; None where the compiler does."""
    quick: str
    """Python that does the most usual case in place, and calls `f_<name>` for the rest; `{0}` is the value."""
    nulls: bool
    """Whether it wants to see a null in its first place; the others give null for it."""

    def arity(self) -> tuple[int, int]:
        """Give the fewest and the most arguments."""
        fewest = sum(not parameter.optional for parameter in self.parameters)
        return fewest - self.more * (fewest > 1), 1_000 if self.more else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """Give the parameter that the argument at a position is for."""
        return self.parameters[min(position, len(self.parameters) - 1)]


_SIGNATURE = re.compile(r"(\w+)\((.*)\)")


def document(
    signature: str,
    returns: str,
    text: str,
    *examples: tuple[str, str],
    call: Callable[..., Any] | None = None,
    quick: str = "",
    nulls: bool = True,
) -> FunctionDoc:
    """Make a function's entry out of its signature."""
    parts = _SIGNATURE.fullmatch(signature)
    assert parts is not None, signature  # noqa: S101 - a mistake in this package
    names = [part.strip() for part in parts[2].split(",")]
    more = names[-1] == "..."
    parameters = tuple(_parameter(name) for name in names if name != "...")
    return FunctionDoc(
        parts[1], signature, returns, " ".join(text.split()), examples, parameters, more, call, quick, nulls
    )


def _parameter(text: str) -> Parameter:
    name, _, kinds = text.partition(":")
    return Parameter(name.strip(" ?"), frozenset(kinds.strip().split("|")), "?" in name)


documented: dict[str, FunctionDoc] = {}
"""What the decorator has seen, by the Python name."""


def function(
    signature: str, returns: str, *examples: tuple[str, str], quick: str = "", nulls: bool = False
) -> Callable[[F], F]:
    """Decorator: make a Python function one of the mapping language."""

    def keep(call: F) -> F:
        documented[call.__name__] = document(
            signature, returns, call.__doc__ or "", *examples, call=call, quick=quick, nulls=nulls
        )
        return call

    return keep
