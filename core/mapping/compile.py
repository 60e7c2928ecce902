"""Compiling a definition: one Python function per kind, made of its expressions."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..native import digest, dump
from .body import Body, source_of
from .checks import Checker
from .effort import bounded
from .grammar import parse
from .mistakes import unknown
from .normalizer import Normalizer
from .source import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..native import JSON
    from .definition import Definition, Shape

__all__ = ["compile", "compile_expression"]

_DEFAULTS = ("timezone", "pass_mark")  # every connection has them; core reads them where a mapping does not


def compile(definition: Definition, settings: Mapping[str, JSON] | None = None) -> Normalizer:
    """Make a definition ready to map records.

    Args:
        definition: What `load` gave.
        settings: The connection's settings that are no secrets; without any, `setting(name)` gives null.

    Raises:
        MappingError: It reads a setting that the connection does not have.
    """
    given = dict(settings or {})
    read = definition.settings()
    for name, entry in read.items():
        if given and name not in given and name not in _DEFAULTS:
            raise unknown("setting", name, given, file=entry.file, key=entry.key)
    seen = {name: given.get(name) for name in sorted({*read, *_DEFAULTS})}
    if (kept := given.get("remote_data", "full")) != "full":
        seen["remote_data"] = kept  # rows are stored by other rules: as if another mapping had made them
    return _made(_Order(digest(definition.digest + dump(seen)), id(definition), definition, given))


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be compiled: once for all connections with one definition, and the same of the settings it reads."""

    digest: str
    which: int
    """The definition's identity; what is kept holds on to it."""
    definition: Definition = field(compare=False)
    settings: Mapping[str, JSON] = field(compare=False)


@lru_cache(maxsize=64)
def _made(order: _Order) -> Normalizer:
    shapes, settings = order.definition.kinds.items(), order.settings
    kinds = {kind: (_identifier(shape, settings), _mapper(shape, settings)) for kind, shape in shapes}
    return Normalizer(order.digest, kinds)


def compile_expression(text: str, *, file: str = "", key: str = "") -> Callable[[JSON], Any]:
    """Compile one expression: a function from a record to its value, null where JMESPath's interpreter would raise.

    Raises:
        MappingError: Bad syntax, an unknown function, a wrong argument, or a look at the time.
    """
    node = parse(text, file=file, key=key)
    Checker(file, key, clock=False).calls(node)
    bounded(node, file, key)
    source = Source({"timezone": "UTC"})
    source.file, source.field = file, key
    source.line("result = None")
    with source.guarded("result"):
        source.line(f"result = {source.value(node)}")
    source.line("return result")
    return source.compiled("expression", "record")


def _identifier(shape: Shape, settings: Mapping[str, JSON]) -> Callable[..., Any]:
    body = Body(source_of(settings), shape)
    body.identity()
    body.source.line("return id")
    return body.source.compiled("identify", "record")


def _mapper(shape: Shape, settings: Mapping[str, JSON]) -> Callable[..., Any]:
    body = Body(source_of(settings), shape)
    body.steps()
    return body.source.compiled("normalize", "record, as_of, remote_data")
