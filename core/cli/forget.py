"""`rollbook forget`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .screen import counted
from .stored import stored_run

if TYPE_CHECKING:
    from ..store.forget import Forgotten
    from .workspace import Workspace

__all__ = ["forget"]


@click.command()
@click.argument("name", metavar="CONNECTION")
@click.option("--user", required=True, metavar="ID", help="The learner's id: user_id in the table.")
@click.option("--keep-out", is_flag=True, help="Later syncs skip this person, too; only a mark of the id is kept.")
@click.pass_obj
def forget(work: Workspace, name: str, *, user: str, keep_out: bool) -> None:
    """Take one person out of the store.

    Deletes the learner's rows, their parts, findings and rejected records, and writes the database anew, so that no
    trace is left in its free pages or its log. Backups, exports and recordings are yours to look through.
    """
    from ..mapping.person import person_of  # noqa: PLC0415
    from ..store.forget import forget as delete  # noqa: PLC0415 - SQLAlchemy is slow to import
    from ..store.forget import kept_out, wipe  # noqa: PLC0415
    from ..sync import now  # noqa: PLC0415
    from ..sync.keeping import Keeping  # noqa: PLC0415

    _, definition, settings = work.config.mapping(name)
    with work.store() as store:
        stored_run(work, store, name)
        with store.held(name):
            with store.read() as db:
                keeping = Keeping(name, vault=work.config.vault(), forgotten=kept_out(db, name))
            mark = keeping.mark(user) if keep_out else None
            with store.write() as db:
                told = delete(db, name, user, person_of(definition, settings), now(), mark)
            wipe(store)
    click.echo(_told(name, told, keep_out=keep_out))


def _told(name: str, told: Forgotten, *, keep_out: bool) -> str:
    gone = [counted(told.rows, "row")]
    gone += [counted(told.parts, "part")] if told.parts else []
    gone += [counted(told.rejected, "rejected record")] if told.rejected else []
    found = told.rows or told.parts or told.rejected
    lines = [f"{name}: {', '.join(gone)} deleted" if found else f"{name}: nothing is stored of a learner with this id"]
    if told.assigned:
        lines.append(
            f"  {counted(told.assigned, 'row')} of others name the person as the one who assigned them; they stay"
        )
    if told.interrupted:
        lines.append("  the interrupted run is given up: the next sync begins anew")
    if keep_out:
        lines.append("  later syncs skip this person, as long as rollbook.vault is there; they count it as forgotten")
    else:
        lines.append("  if the LMS still has this person, the next sync brings them back; --keep-out prevents that")
    return "\n".join(lines)
