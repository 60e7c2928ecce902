"""Who reads the same enrollments side by side, what each needs, and the environments that hold it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import venv
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from serving import HERE
from whole import workspace

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rollbook-bench"
DONE = "installed.txt"
LOOK = """import sys; from importlib.metadata import version
print(*(f"{name} {version(name)}" for name in sys.argv[1:]), sep=", ")"""


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of reading them."""

    name: str
    does: str
    """What becomes of the records."""
    file: str = ""
    needs: tuple[str, ...] = ()
    """Packages, for an environment of its own; none for rollbook, which is installed where the benchmark runs."""
    stores: str = ""
    """The SQLite file that it leaves."""

    def command(self, work: Path, address: str, folder: Path) -> list[str | Path]:
        """Give the command that reads all enrollments of an address, in a folder of its own."""
        if not self.needs:
            return workspace(folder, "canvas", base_url=address)
        return [python_of(work / self.name), HERE / self.file, address, folder / self.stores]

    def rows(self, folder: Path) -> int | None:
        """Count what it stored; None for one that only prints."""
        if not self.stores:
            return None
        with closing(sqlite3.connect(folder / self.stores)) as db:
            return db.execute("SELECT count(*) FROM enrollments").fetchone()[0]


CONTENDERS = (
    Contender("rollbook", "one schema, SQLite", stores="rollbook.db"),
    Contender(
        "script",
        "one schema, SQLite",
        "script.py",
        (f"httpx=={version('httpx')}", f"pydantic=={version('pydantic')}", "orjson"),
        "script.db",
    ),
    Contender("singer-sdk", "native records, printed", "peers/singer_tap.py", ("singer-sdk",)),
    Contender("airbyte-cdk", "native records, printed", "peers/airbyte_source.py", ("airbyte-cdk",)),
    Contender("dlt", "native records, SQLite", "peers/dlt_pipeline.py", ("dlt[sqlalchemy]",), "peer.db"),
)


def python_of(place: Path) -> Path:
    """Give the Python of an environment."""
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def install(contender: Contender, work: Path) -> str:
    """Make the environment that a contender needs, unless it is there, and give the versions in it.

    Raises:
        subprocess.CalledProcessError: A package cannot be had.
    """
    if not contender.needs:
        return f"rollbook {version('rollbook')}"
    place, wanted = work / contender.name, " ".join(contender.needs)
    done = place / DONE
    if not done.exists() or done.read_text() != wanted:
        print(f"installing {wanted} into {place}", file=sys.stderr, flush=True)
        venv.create(place, with_pip=True, clear=True)
        pip = [python_of(place), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *contender.needs], check=True, stderr=subprocess.DEVNULL)  # noqa: S603 - named above
        done.write_text(wanted)
    names = [need.partition("==")[0].partition("[")[0] for need in contender.needs]
    return subprocess.run(  # noqa: S603 - ourselves
        [python_of(place), "-c", LOOK, *names], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
