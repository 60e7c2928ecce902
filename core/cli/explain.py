"""`rollbook explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .instant import instant

if TYPE_CHECKING:
    from datetime import datetime

    from ..mapping.explanation import Explanation
    from .origin import Origin
    from .workspace import Workspace

__all__ = ["explain"]


@click.command()
@click.argument("name", metavar="CONNECTION")
@click.argument("id")
@click.option(
    "--fixture",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Take the record from a recording (tenant.har.json), not from the store; then a connector's name will do.",
)
@click.option("--as-of", metavar="TIME", callback=instant, help="Explain it for this time, not for now.")
@click.option(
    "--format", "kind", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How it is told."
)
@click.pass_obj
def explain(work: Workspace, name: str, id: str, *, file: Path | None, as_of: datetime | None, kind: str) -> None:
    """Tell where every value of one enrollment came from.

    From what is stored, by today's mapping; nothing is asked of the LMS and no secret is needed. Rejected records are
    explained, too; ID is - for those that have none.
    """
    from ..mapping.explain import Explainer  # noqa: PLC0415 - slow to import
    from .origin import recorded, stored  # noqa: PLC0415

    origins = recorded(work, name, id, file, as_of) if file else stored(work, name, id, as_of)
    for number, one in enumerate(origins):
        explanation = Explainer(one.meaning.definition, one.meaning.settings).explain(
            one.record, kind=one.kind, as_of=one.as_of
        )
        if kind == "json":
            click.echo(_json(explanation, one))
            continue
        from .story import story  # noqa: PLC0415 - rich is slow to import

        if number:
            click.echo()
        story(explanation, one)


def _json(explanation: Explanation, origin: Origin) -> str:
    from dataclasses import asdict  # noqa: PLC0415

    from ..native import dump  # noqa: PLC0415
    from .formats import strict  # noqa: PLC0415

    whole: dict[str, Any] = {
        "place": origin.place,
        "notes": list(origin.notes),
        "stored_status": origin.status,
        "parts": list(origin.parts),
        "joins": [asdict(one) for one in origin.joins()],
        **explanation.as_json(),
        "record": origin.record,
    }
    return json.dumps(json.loads(strict(dump(whole))), indent=2)
