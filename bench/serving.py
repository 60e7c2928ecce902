"""A server of made-up pages in a process of its own, and what it counted."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent


class Counted(NamedTuple):
    """What a server was asked since the last look."""

    requests: int
    at_once: int
    """The most that were under way at once."""


@contextmanager
def serving(rows: int, latency: float = 0.0, *, server: str = "canvas_server.py") -> Generator[str]:
    """Run a server, and give its address."""
    command = [sys.executable, str(HERE / server), str(rows), "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def counted(address: str) -> Counted:
    """Ask a server of ours what it counted, and let it begin anew."""
    with urlopen(f"{address}/counted") as answer:  # noqa: S310 - a server of ours, on loopback
        found = json.load(answer)
    return Counted(found["requests"], found["at_once"])
