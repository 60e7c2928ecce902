"""Folding: one native record out of the parts that several pages or windows brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import ContractError
from ..mapping import Rejected
from ..native import parse
from .reading import unforeseen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..connector import Connector
    from ..native import NativeRecord


def fold_parts(
    connector: type[Connector[Any]], parts: Mapping[str, Sequence[tuple[str, str]]]
) -> tuple[dict[str, list[tuple[str, NativeRecord]]], list[tuple[Rejected, NativeRecord]]]:
    """Fold the stored parts (kind, native text; sorted by part key) of enrollments.

    Returns:
        The native records by kind (the last part's), and the parts of those that could not be folded, as
        rejected records.
    """
    folded: dict[str, list[tuple[str, NativeRecord]]] = {}
    rejected: list[tuple[Rejected, NativeRecord]] = []
    for id, found in parts.items():
        natives = [record for _, text in found if isinstance(record := parse(text), dict)]
        try:
            record = connector.fold(natives)
        except Exception as error:  # noqa: BLE001 - a fold may fail in any way; its parts are kept with the reason
            reason = error.message if isinstance(error, ContractError) else unforeseen(error).message
            rejected.append((Rejected(f"folding failed: {reason}", id), {"parts": list(natives)}))
        else:
            folded.setdefault(found[-1][0], []).append((id, record))
    return folded, rejected
