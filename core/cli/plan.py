"""`rollbook plan`: what a full sync costs, before it is begun."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click
from rich.text import Text

from ..errors import RollbookError
from .screen import counted, facts, moment, plain, say, span

if TYPE_CHECKING:
    from ..connection import Connection
    from ..sync.estimate import Earlier, Forecast, Quota
    from .workspace import Workspace

__all__ = ["plan"]

_PER = {1.0: "a second", 60.0: "a minute", 3_600.0: "an hour", 86_400.0: "a day"}
_NOTICED = 0.1
"""Seconds; what is shorter is not worth a word."""


@click.command()
@click.argument("name")
@click.pass_obj
def plan(work: Workspace, name: str) -> None:
    """Tell how many requests a full sync takes, and how long.

    Asks the LMS a few cheap questions (ten requests or so) and reads no enrollment. Exact where the LMS tells how much
    there is, else a lower bound.
    """
    from ..sync.estimate import earlier  # noqa: PLC0415 - SQLAlchemy is slow to import

    connection = work.open(name)
    with work.store() as store, store.read() as db:
        last = earlier(db, name)
    try:
        forecast = asyncio.run(_asked(connection))
    except RollbookError as error:
        raise error.at(f"connection {name!r}") from None
    found = forecast.estimate
    takes = f"takes {'' if found.exact else 'at least '}{counted(found.requests, 'request')}"
    say(
        Text.assemble((plain(name), "bold"), ": a full sync ", (takes, "bold"), f" to {connection.connector.title}"),
        facts(
            [
                ("counted", plain(found.basis)),
                ("time", _time(forecast)),
                *(("quota", _quota(quota, connection.settings.max_wait)) for quota in forecast.quotas if quota.stops),
                ("last time", _earlier(last)),
                ("asked", f"{counted(forecast.asked, 'request')} to find this out"),
            ]
        ),
    )


async def _asked(connection: Connection) -> Forecast:
    from ..sync.estimate import estimate  # noqa: PLC0415 - as above

    async with connection:
        return await estimate(connection)


def _time(forecast: Forecast) -> str:
    quota = forecast.tightest
    if quota and quota.seconds >= forecast.answering:
        return f"at least {span(quota.seconds)}, at {_rate(quota)}"
    if forecast.answering < _NOTICED:
        return "no time to speak of"
    answers = f"{forecast.pace:.2g} s" if forecast.pace < 1 else span(forecast.pace)
    about = f"{'about' if forecast.estimate.exact else 'at least'} {span(forecast.answering)}"
    return f"{about}, {forecast.at_once} at once, if each takes {answers} as just now"


def _quota(quota: Quota, max_wait: float) -> str:
    times = {1: "once", 2: "twice"}.get(quota.stops, f"{quota.stops:,} times")
    return (
        f"{_rate(quota)}: the sync stops {times} when that is spent, since it waits for no more than {span(max_wait)}. "
        f"Start it again {span(quota.per)} after it began, and it goes on; or let it wait by itself: "
        f"max_wait = {quota.per:g}"
    )


def _rate(quota: Quota) -> str:
    return f"{counted(quota.requests, 'request')} {_PER.get(quota.per, f'in {quota.per:g} s')}"


def _earlier(last: Earlier | None) -> str:
    if last is None:
        return ""
    took = span((last.finished_at - last.started_at).total_seconds())
    partial = ", and was partial" if last.outcome == "partial" else ""
    return f"{counted(last.requests, 'request')} in {took}, on {moment(last.started_at)}{partial}"
