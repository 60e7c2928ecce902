"""Mapping records: from what an LMS said to an enrollment of the unified schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .results import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from ..native import NativeRecord
    from .results import Mapped, Skipped

__all__ = ["Normalizer"]


class Normalizer:
    """Maps the records of one connection. Pure: no clock, no request; it never raises over what a record holds.

    Made by `compile`; its arguments are its own business.
    """

    __slots__ = ("_identify", "_map", "digest")

    def __init__(self, digest: str, kinds: Mapping[str, tuple[Callable[..., Any], Callable[..., Any]]]) -> None:
        self.digest = digest
        """Changes with the mapping and with every setting that it reads; the same in every process."""
        self._identify = {kind: identify for kind, (identify, _) in kinds.items()}
        self._map = {kind: map for kind, (_, map) in kinds.items()}

    def identify(self, record: NativeRecord, kind: str = "") -> str | Rejected:
        """Give the unified id of a record, or of a part of one, before joins and fold.

        Args:
            record: The native record, or the part.
            kind: Its kind; an unknown one follows the mapping of all.
        """
        if not isinstance(record, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - a vendor's list may hold anything
            return Rejected("not an object", None)
        return (self._identify.get(kind) or self._identify[""])(record)

    def normalize(
        self, record: NativeRecord, *, kind: str = "", as_of: datetime, remote_data: NativeRecord | None = None
    ) -> Mapped | Skipped | Rejected:
        """Map a record.

        Args:
            record: The native record, folded, with everything that is joined to it.
            kind: Its kind; an unknown one follows the mapping of all.
            as_of: The time that deadlines are held against, aware.
            remote_data: What stands in the enrollment as `remote_data`, if not the record itself; it is not copied.
        """
        if as_of.tzinfo is None:
            raise ValueError("as_of must be an aware date-time")
        if not isinstance(record, dict):  # pyright: ignore[reportUnnecessaryIsInstance] - a vendor's list may hold anything
            return Rejected("not an object", None)
        map = self._map.get(kind) or self._map[""]
        return map(record, as_of, record if remote_data is None else remote_data)
