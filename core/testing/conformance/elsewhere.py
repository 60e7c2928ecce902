"""Partitions in another process: this module is run by itself, with a job as JSON in its input."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...connector import Partition
from ...errors import RollbookError
from ..case import load_case
from .readings import read_partition
from .trial import Trial

if TYPE_CHECKING:
    from types import ModuleType

    from ...connector import Connector

__all__ = ["read_elsewhere"]

PATIENCE = 300


@cache
def read_elsewhere(trials: tuple[Trial, ...]) -> dict[str, list[list[str]] | str]:
    """Read the partitions of cases in one fresh process, which knows of them only what travels as JSON.

    Returns:
        By the case's name: the native records of each partition as text, or why they could not be read.
    """
    jobs = {trial.name: job for trial in trials if (job := _job(trial))}
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", __spec__.name if __spec__ else __name__],
        input=json.dumps({"path": [place for place in sys.path if place], "jobs": list(jobs.values())}),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"},  # texts hash otherwise than here
    )
    if done.returncode:
        return dict.fromkeys(jobs, done.stderr.strip().rpartition("\n")[2])
    return dict(zip(jobs, cast("list[list[list[str]] | str]", json.loads(done.stdout)), strict=True))


def _job(trial: Trial) -> dict[str, Any] | None:
    """Describe what is to be read; None for a case that cannot even be listed, or whose contexts are no JSON."""
    kind = trial.kind
    try:
        partitions = [asdict(one) for one in trial.listing]
        json.dumps(partitions)
    except (AssertionError, TypeError, ValueError):
        return None
    return {
        "module": kind.__module__,
        "file": getattr(sys.modules[kind.__module__], "__file__", None),
        "class": kind.__qualname__,
        "case": str(trial.case.har.absolute()),
        "partitions": partitions,
    }


def main() -> None:
    """Do the jobs that stand in the input, and print the records."""
    told: dict[str, Any] = json.load(sys.stdin)
    sys.path += [place for place in told["path"] if place not in sys.path]
    found: list[list[list[str]] | str] = []
    for job in told["jobs"]:
        kind: type[Connector[Any]] = attrgetter(job["class"])(_module(job["module"], job["file"]))
        partitions = [Partition(**one) for one in job["partitions"]]
        try:
            found.append(asyncio.run(_read(Trial(load_case(Path(job["case"])), {kind.strategy: kind}), partitions)))
        except RollbookError as error:
            found.append(f"{type(error).__name__}: {error}")
    sys.stdout.write(json.dumps(found))


async def _read(trial: Trial, partitions: list[Partition]) -> list[list[str]]:
    """Read partitions, the last one first."""
    lms, found = trial.lms(), list[list[str]]()
    async with trial.opened(lms) as connection:
        for one in reversed(partitions):
            read = await read_partition(connection, one, lms)
            found.append([text for page in read.texts for text in page])
    return found[::-1]


def _module(name: str, file: str | None) -> ModuleType:
    """Import a module: by its name, or, if that is one a test runner made up, by its file."""
    path = Path(file) if file else None
    parts = name.split(".")
    if path and [*path.with_suffix("").parts[-len(parts) :]] == parts:
        sys.path.append(str(path.parents[len(parts) - 1]))  # where the first of its packages stands
    with suppress(ImportError):
        return importlib.import_module(name)
    if path is None:
        raise ImportError(name)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main()
