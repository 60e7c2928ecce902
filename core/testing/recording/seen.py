"""What a reading sees: everything that the API is asked for, and what the connector makes of it."""

from __future__ import annotations

import asyncio
import re
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from ...api import AsyncLms, Lms
from ...connection import open_connection
from ...errors import AuthError, RateLimited, RollbookError, Unsupported, VendorError
from ...http import Sample, no_waits
from ..replay import found_by
from .foreign import Player
from .keys import is_person_word
from .recorder import Cuts, Recorder, Taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

__all__ = ["Seen", "Source", "outline", "see"]

_FETCHED, _TRIED = 3, 6
"""So many enrollments are also read singly; so many are tried for it."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is recorded: a connection, as the config has it."""

    name: str
    connector: str
    values: Mapping[str, Any] = field(repr=False)
    """Its settings, secrets as plain text."""
    mapping: Mapping[str, object] = field(default_factory=dict[str, object])
    modules: tuple[str, ...] = ()
    vault: str | None = None


@dataclass(slots=True)
class Seen:
    """What a reading gave, as it was."""

    taken: list[Taken]
    """The exchanges."""
    cuts: Cuts
    """What the sample dropped of them."""
    found: dict[str, Any]
    """The unified result, as `read_case` gives one."""
    fetched: list[str]
    """Ids of enrollments that were read singly, too, and came out the same."""
    notes: list[str]
    """What is worth telling."""


class _Network(httpx.AsyncBaseTransport):
    """The network as a client without a transport of its own reaches it: by proxies of the environment, too."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._client = self._client or httpx.AsyncClient()
        return await self._client.send(request, stream=True, auth=None, follow_redirects=False)

    async def aclose(self) -> None:
        if self._client:
            await self._client.aclose()


def see(source: Source, transport: httpx.AsyncBaseTransport | None, sample: Mapping[str, int], as_of: datetime) -> Seen:
    """Read everything, then what a check and single readings ask for beside it.

    Args:
        source: The connection.
        transport: In place of the network; a `Player` for a HAR file.
        sample: The most `pages` of each list, and `items` of each page.
        as_of: The instant that statuses are told for.

    Raises:
        RollbookError: The LMS could not be read.
    """
    player = transport if isinstance(transport, Player) else None
    cuts = Cuts()
    recorder = Recorder(transport or _Network())
    with no_waits() if player else nullcontext():
        connection = open_connection(
            source.name,
            source.connector,
            {**source.values, "concurrency": 1},  # in the same order as a replay
            override=source.mapping or None,
            modules=source.modules,
            vault=source.vault,
            transport=recorder,
            sample=Sample(sample.get("pages", 0), sample.get("items", 0), cuts),
        )
    lms = Lms(AsyncLms(connection, lambda: as_of), asyncio.Runner())
    try:
        found = _found(lms, player)
        notes: list[str] = []
        recorder.use = "check"
        _extra(lms.check, player, notes, "the check")
        recorder.use = "fetch"
        fetched = _fetch(lms, found, player, notes)
    finally:
        lms.close()
    if player:
        notes.append(
            f"{len(player.used)} of {len(player.taken)} answers of the HAR file were of use; only they are kept"
        )
    return Seen(_once(recorder.taken, player), cuts, found, fetched, notes)


def _found(lms: Lms, player: Player | None) -> dict[str, Any]:
    try:
        found = found_by(lms)
    except AssertionError as error:
        if player and player.missing:
            raise _not_enough(player) from None
        if isinstance(error.__context__, RollbookError):
            raise error.__context__ from None
        raise
    if player and player.missing:
        raise _not_enough(player)
    return found


def _extra(ask: Callable[[], object], player: Player | None, notes: list[str], what: str) -> bool:
    """Ask for something beside the reading; what the LMS or a HAR file does not have is told, and is no failure."""
    missing = len(player.missing) if player else 0
    try:
        ask()
    except Unsupported:
        return False
    except RollbookError as error:
        if player and len(player.missing) > missing:
            notes.append(f"the HAR file has no answers for {what}")
        elif isinstance(error, (AuthError, RateLimited, VendorError)):
            raise
        else:
            notes.append(f"{what} was not possible ({type(error).__name__}), so it is not in the recording")
        return False
    return not player or len(player.missing) == missing


def _fetch(lms: Lms, found: Mapping[str, Any], player: Player | None, notes: list[str]) -> list[str]:
    """Read a few enrollments singly: of different statuses, and such that give what the list gave."""
    by_status: dict[str, list[dict[str, Any]]] = {}
    for one in found["enrollments"]:
        by_status.setdefault(one["status"], []).append(one)
    rows = [one for turn in range(2) for some in by_status.values() for one in some[turn : turn + 1]]
    fetched: list[str] = []
    for one in rows[:_TRIED]:
        said: list[str] = []
        single: list[dict[str, Any]] = []
        good = _extra(
            lambda one=one, single=single: single.append(lms.enrollment(one["id"]).model_dump(mode="json")),
            player,
            said,
            "a single enrollment",
        )
        if not good:
            notes += [note for note in said if note not in notes]
        elif single == [one]:
            fetched.append(one["id"])
        if len(fetched) == _FETCHED:
            break
    return fetched


def _once(taken: list[Taken], player: Player | None) -> list[Taken]:
    """Leave out what a check or a single reading asked for again, and what a HAR file had no answer to."""
    lacking = {str(request.url) for request, _ in player.missing} if player else set[str]()
    kept: list[Taken] = []
    keys = {one.key for one in taken if one.use == "read"}
    for one in taken:
        if one.use != "read" and (one.key in keys or one.url in lacking):
            continue
        keys.add(one.key)
        kept.append(one)
    return kept


def _not_enough(player: Player) -> RollbookError:
    lines: list[str] = []
    for request, near in player.missing[:5]:
        lines.append(f"  missing: {request.method} {outline(request.url.path)}" + _names(request.url.params.keys()))
        if near:
            parts = httpx.URL(near.url)
            lines.append(f"  nearest: {near.method} {outline(parts.path)}{_names(parts.params.keys())}")
    more = f"\n  ... and {len(player.missing) - 5} more" if len(player.missing) > 5 else ""  # noqa: PLR2004
    return RollbookError("the HAR file is not enough to read this connection", hint="\n".join([*lines]) + more)


def outline(path: str) -> str:
    """Write a path with nothing in it that may be somebody's: an id, an address, a login."""
    out: list[str] = []
    for segment in path.split("/"):
        hidden = not re.fullmatch(r"[A-Za-z_.-]*|v\d+", segment) or (out and is_person_word(out[-1]))
        out.append(re.sub(r"[^:,]+(?=,|$)", "...", segment) if hidden and segment else segment)
    return "/".join(out)


def _names(names: Iterable[str]) -> str:
    shown = ", ".join(dict.fromkeys(names))
    return f" ({shown})" if shown else ""
