"""What the tests of the mapping room share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from rollbook.core.mapping import Mapped, compile, load

if TYPE_CHECKING:
    from rollbook.core.mapping import Rejected, Skipped

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)


class Mapper(Protocol):
    """Maps one record by a mapping that is written in the test."""

    def __call__(
        self,
        body: str,
        record: Any,
        *,
        as_of: datetime = AS_OF,
        override: dict[str, Any] | None = None,
        kind: str = "",
        **settings: Any,
    ) -> Any: ...


def _outcome(
    body: str,
    record: Any,
    *,
    as_of: datetime = AS_OF,
    override: dict[str, Any] | None = None,
    kind: str = "",
    **settings: Any,
) -> Mapped | Skipped | Rejected:
    text = f'connector = "demo"\n[course_enrollment]\nid = "id(id)"\n{body}'
    definition = load(text, file="demo.toml", override=override)
    return compile(definition, {"timezone": "UTC", "pass_mark": None, **settings}).normalize(
        record, kind=kind, as_of=as_of
    )


def _mapped(*args: Any, **settings: Any) -> Mapped:
    result = _outcome(*args, **settings)
    assert isinstance(result, Mapped), result
    return result


@pytest.fixture
def outcome() -> Mapper:
    """Map a record, whatever becomes of it."""
    return _outcome


@pytest.fixture
def mapped() -> Mapper:
    """Map a record that becomes an enrollment."""
    return _mapped
