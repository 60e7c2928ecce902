"""Many small connections in one `rollbook sync --all`: is what runs at once bounded, and is nothing left?

    python bench/connections.py 100 1000              # four at once
    python bench/connections.py 100 --jobs 16
    python bench/connections.py 100 --latency 0.05    # an LMS that takes 50 ms to answer

All of them read one sandbox on loopback, in a process of its own; the command runs in another, which is watched from
outside: its most file handles, threads and memory while it runs. What is left is counted in that process at its end.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

PROC = Path("/proc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=[100])
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that the LMS takes for each answer")
    parser.add_argument("--serving", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--syncing", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serving:
        serve(given.latency)
    elif given.syncing:
        sync(given.jobs)
    else:
        for size in given.sizes:
            print(measured(size, given.jobs, given.latency), flush=True)


def measured(size: int, jobs: int, latency: float) -> str:
    with tempfile.TemporaryDirectory() as folder, serving(latency) as settings:
        table = f'connector = "canvas"\nbase_url = "{settings["base_url"]}"\naccess_token = {{ env = "TOKEN" }}\n'
        config = "\n".join(f"[connections.c{number:05d}]\n{table}" for number in range(size))
        (Path(folder) / "rollbook.toml").write_text(config, encoding="utf-8")
        begun = time.perf_counter()
        command = [sys.executable, str(Path(__file__).absolute()), "--syncing", "--jobs", str(jobs)]
        env = {**os.environ, "TOKEN": settings["access_token"]}
        with (
            open(f"{folder}/out", "w+", encoding="utf-8") as out,  # noqa: PTH123 - read again below
            open(f"{folder}/err", "w+", encoding="utf-8") as err,  # noqa: PTH123
            subprocess.Popen(command, cwd=folder, stdout=out, stderr=err, env=env) as process,  # noqa: S603 - ourselves
        ):
            most = watched(process)
            out.seek(0)
            err.seek(0)
            left, said = json.loads(out.read()), err.read().splitlines()[-1]
        seconds = time.perf_counter() - begun
    return "\n".join(
        (
            f"{said} (exit status {left['status']})",
            f"  time      {seconds:.1f} s, {size / seconds:.1f} connections/s; {jobs} at once, {latency:g} s latency",
            f"  most      {most['handles']} handles, {most['threads']} threads, {most['memory']:.0f} MiB",
            f"  left      {left['handles']} handles, {left['threads']} threads, {left['locks']} lock files",
            f"  machine   {os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}",
        )
    )


def watched(process: subprocess.Popen[Any]) -> dict[str, float]:
    """Look at a process until it ends, and give the most of what it had."""
    most = {"handles": 0.0, "threads": 0.0, "memory": 0.0}
    place = PROC / str(process.pid)
    while process.poll() is None:
        try:
            status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            memory = int(status["VmRSS"].split()[0]) / 1024
            now = {"handles": len(list((place / "fd").iterdir())), "threads": int(status["Threads"]), "memory": memory}
            most = {name: max(most[name], now[name]) for name in most}
        except (OSError, KeyError):
            break  # it has just ended, or this system has no /proc
        time.sleep(0.02)
    process.wait()
    return {name: int(value) if name != "memory" else value for name, value in most.items()}


@contextmanager
def serving(latency: float) -> Generator[dict[str, str]]:
    """Run the sandbox in a process of its own, and give a connection's settings."""
    command = [sys.executable, __file__, "--serving", "--latency", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ourselves
        assert process.stdout
        yield json.loads(process.stdout.readline())
        process.terminate()


def serve(latency: float) -> None:
    from rollbook.sandbox import Fault, Quota, Sandbox, Tenant  # noqa: PLC0415 - only in its own process

    faults = [Fault(what="slow", seconds=latency, times=None)] if latency else []
    with Sandbox("canvas", tenant=Tenant(size=6, courses=1), quota=Quota(10**9, 10.0), faults=faults) as sandbox:
        print(json.dumps(sandbox.settings), flush=True)
        threading.Event().wait()


def sync(jobs: int) -> None:
    from rollbook.core.cli import cli  # noqa: PLC0415 - only in the process that is watched

    before = handles()
    try:
        cli(["sync", "--all", "--jobs", str(jobs)])
    except SystemExit as ended:
        left = {"status": ended.code, "handles": handles() - before, "threads": threading.active_count() - 1}
        print(json.dumps({**left, "locks": len(list(Path().glob("*.lock")))}))


def handles() -> int:
    here = PROC / "self" / "fd"
    return len(list(here.iterdir())) if here.exists() else 0


if __name__ == "__main__":
    main()
