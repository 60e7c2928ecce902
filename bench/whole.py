"""Running a command and measuring its whole process, from start to exit, by the system's own accounts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

ROLLBOOK = Path(sys.executable).with_name("rollbook")
"""The command, in the environment that runs the benchmark."""


class Whole(NamedTuple):
    """What a process took."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of processors, the system's share included."""
    peak: float
    """The most memory, in MiB."""


def measured(command: Sequence[str | Path], folder: Path, *, token: str = "made-up") -> Whole:  # noqa: S107 - opens nothing
    """Run a command in a folder; what it prints goes into the file `said` there.

    Raises:
        RuntimeError: It failed; with the end of what it said.
    """
    env = {**os.environ, "TOKEN": token, "PYTHONWARNINGS": "ignore"}
    with (folder / "said").open("w+b") as said:
        begun = time.perf_counter()
        process = subprocess.Popen(list(map(str, command)), cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=said)  # noqa: S603 - our own
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"exit status {process.returncode}: {said.read()[-600:].decode(errors='replace')}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Whole(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * unit / 2**20)


def workspace(folder: Path, connector: str, **settings: str | int) -> list[str | Path]:
    """Make a rollbook configuration in a folder, and give the command that syncs it; its token is in TOKEN."""
    lines = [
        f"{name} = {value!r}" if isinstance(value, int) else f'{name} = "{value}"' for name, value in settings.items()
    ]
    text = "\n".join(["[connections.bench]", f'connector = "{connector}"', *lines])
    (folder / "rollbook.toml").write_text(f'{text}\naccess_token = {{ env = "TOKEN" }}\n', encoding="utf-8")
    return [ROLLBOOK, "sync", "bench"]
