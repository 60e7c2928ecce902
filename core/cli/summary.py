"""The summary of a run: what changed, and what a person should look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from .screen import OUTCOMES, counted, facts, listed, plain, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from ..sync import Report

__all__ = ["drift_text", "new_fields_text", "summary"]

_SHOWN = 5
"""How many partitions are named before the rest is only counted."""


def summary(report: Report) -> RenderableType:
    """Write a finished run for people; only what there is to tell."""
    return Group(_title(report), facts(_facts(report)))


def _title(report: Report) -> Text:
    outcome = report.outcome or "interrupted"
    took = (report.finished_at - report.started_at).total_seconds() if report.finished_at else 0.0
    resumed = ", taken up where it had stopped" if report.resumed else ""
    return Text.assemble(
        (f"{plain(report.connection)}: ", "bold"),
        (outcome, f"bold {OUTCOMES[outcome]}"),
        f" ({report.mode}, {span(took)}{resumed})",
    )


def _facts(report: Report) -> list[tuple[str, str]]:
    counts = report.counts
    return [
        ("rows", f"{report.live:,}: {_changes(report)}"),
        ("partitions", listed(report.partitions) if set(report.partitions) != {"complete"} else ""),
        ("duplicates", f"{counted(counts.duplicates, 'record')} came more than once" if counts.duplicates else ""),
        ("skipped", listed(counts.skipped)),
        ("requests", _requests(report)),
        ("flaws", f"{listed(report.flaws)} (values that could not be converted: null)" if report.flaws else ""),
        ("drift", drift_text(report.drift)),
        ("new fields", new_fields_text(report.new_fields)),
        ("rejected", f"{counts.rejected:,}; see: rollbook rejected {report.connection}" if counts.rejected else ""),
        *_troubles(report),
        ("see", f"rollbook drift {report.connection}" if report.drift or report.new_fields else ""),
    ]


def _changes(report: Report) -> str:
    counts = report.counts
    changes = [f"{counts.new:,} new", f"{counts.changed:,} changed", f"{counts.unchanged:,} unchanged"]
    changes.append(f"{counts.removed:,} removed")
    if counts.remapped:
        changes.append(f"{counts.remapped:,} mapped again")
    return ", ".join(changes)


def _requests(report: Report) -> str:
    counts = report.counts
    retries = counted(counts.retries, "retry", "retries")
    waited = f", waited {span(counts.waited)}" if counts.waited >= 0.1 else ""  # noqa: PLR2004 - a tenth of a second
    return f"{counts.requests:,}, {retries}{waited}"


def _troubles(report: Report) -> list[tuple[str, str]]:
    held = (
        f"{counted(report.removals_held, 'row')} that the LMS no longer gives. So many at once usually mean a lost "
        "permission or a filter, so they stay. If it is right, run it again with --allow-removals"
    )
    forbidden = _named(report.forbidden)
    totals = {key: f"the LMS says {said:,}, and gave {gave:,}" for key, said, gave in report.totals}
    return [
        ("kept", held if report.removals_held else ""),
        ("forbidden", f"{forbidden}. Their rows are kept" if forbidden else ""),
        ("failed", f"{_named(report.failures)}. Run it again" if report.failures else ""),
        ("totals", _named(totals)),
        ("error", plain(report.error)),
    ]


def _named(partitions: Mapping[str, str]) -> str:
    """Name a few partitions with what is wrong with them, and count the rest."""
    first = list(partitions.items())[:_SHOWN]
    texts = [f"{plain(key)} ({plain(text)})" if text else plain(key) for key, text in first]
    if len(partitions) > len(first):
        texts.append(f"and {len(partitions) - len(first):,} more")
    return "; ".join(texts)


def drift_text(drift: Mapping[tuple[str, str], int]) -> str:
    """Write the native words that the mapping has never heard of, the most frequent first."""
    order: Sequence[tuple[tuple[str, str], int]] = sorted(drift.items(), key=lambda one: (-one[1], one[0]))
    texts = [f"{what} {plain(word)!r} in {counted(count, 'row')}" for (what, word), count in order[:_SHOWN]]
    if len(order) > _SHOWN:
        texts.append(f"and {len(order) - _SHOWN:,} more")
    return ", ".join(texts)


def new_fields_text(paths: Sequence[str]) -> str:
    """Name native fields that came up after the first full sync and that the mapping does not read."""
    texts = [plain(path) for path in paths[:_SHOWN]]
    if len(paths) > _SHOWN:
        texts.append(f"and {len(paths) - _SHOWN:,} more")
    return ", ".join(texts)
