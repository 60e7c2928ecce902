"""Whose a native record is, by the mapping, and nothing else of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .body import Body, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..native import JSON
    from .definition import Definition, Shape

__all__ = ["person_of"]


def person_of(definition: Definition, settings: Mapping[str, JSON]) -> Callable[[Any, str], str | None]:
    """Give a function from a native record and its kind to the learner's id; None where it does not say.

    Args:
        definition: The connection's mapping.
        settings: The connection's settings that are no secrets.
    """
    kinds = {kind: _reader(shape, settings) for kind, shape in definition.kinds.items()}

    def person(record: Any, kind: str) -> str | None:
        if not isinstance(record, dict):
            return None
        return (kinds.get(kind) or kinds[""])(record)

    return person


def _reader(shape: Shape, settings: Mapping[str, JSON]) -> Callable[..., Any]:
    body = Body(source_of(settings), shape)
    body.source.line(f"return {body.take(shape.fields.get('user.id'), 'id')}")
    return body.source.compiled("person", "record")
