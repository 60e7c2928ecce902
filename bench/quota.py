"""The requests of a full sync, beside the fewest that the vendor's API allows for the same tenant.

    python bench/quota.py [PEOPLE]

Canvas and TalentLMS are the sandbox, Docebo and Moodle transports of the same kind; nothing leaves this process. The
fewest are worked out from what the tenant holds, by the vendor's largest pages, for the same fields.
"""

from __future__ import annotations

import asyncio
import sys

from machine import machine
from rollbook.core.http import no_waits
from rollbook.core.store import PRIVATE, Store
from tenants import cases, sync

GOAL = 1.1


async def main(size: int) -> None:
    """Read each, and print."""
    print(f"{'':<20}{'rows':>8}{'requests':>10}{'least':>8}{'ratio':>8}   (goal: {GOAL}; {machine()})")
    for case in await cases(size):
        before = case.asked()
        with Store(PRIVATE) as store:
            report = await sync(case, store)
        asked = case.asked() - before
        ratio = asked / case.least
        print(f"{case.name:<20}{report.live:>8,}{asked:>10,}{case.least:>8,}{ratio:>8.2f}   {case.why}", flush=True)


if __name__ == "__main__":
    with no_waits():
        asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 1_000))
