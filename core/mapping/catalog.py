"""The functions of the mapping language: a closed set, each typed, total on null, documented."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from . import amounts, dates, durations, lists, texts
from .functions import FunctionDoc, document, documented

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FUNCTIONS", "functions_table"]

_MODULES = amounts, dates, durations, lists, texts  # each declares its own when it is imported

_COMPILED = (
    document(
        "first(value: any, ...)",
        "any",
        "The first value that is not null, not a blank text and not a zero date; keeps 0 and false.",
        ("first(`null`, '', '0000-00-00', `0`, 'x')", "0"),
    ),
    document(
        "when(condition: any, value: any, otherwise?: any)",
        "any",
        "The value if the condition holds, else the other one, or null. Only the one that is given is worked out.",
        ("when('a' == 'a', 'yes', 'no')", "yes"),
        ("when(`false`, 'yes')", "null"),
    ),
    document(
        "setting(name: text)",
        "json",
        "A setting of the connection that is no secret.",
        ("setting('timezone')", "UTC"),
    ),
    document(
        "past(moment: datetime)",
        "truth",
        "Whether the moment is before now (the `as_of` of the reading); false for null.",
    ),
    document(
        "future(moment: datetime)",
        "truth",
        "Whether the moment is still to come: not yet past; false for null.",
    ),
)

FUNCTIONS: Mapping[str, FunctionDoc] = MappingProxyType(
    {doc.name: doc for doc in sorted((*_COMPILED, *documented.values()), key=lambda doc: doc.name)}
)
"""Every function by name."""


def functions_table() -> str:
    """Write the functions as the Markdown table of docs/mappings.md."""
    lines = ["| function | gives | |", "| --- | --- | --- |"]
    for doc in FUNCTIONS.values():
        examples = " ".join(f"`{_cell(expression)}` is `{_cell(result)}`." for expression, result in doc.examples)
        lines.append(f"| `{_cell(doc.signature)}` | {doc.returns} | {f'{_cell(doc.text)} {examples}'.strip()} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
