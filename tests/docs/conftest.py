"""Pages that are followed by a test: every file and every command in them, in their order."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(
    r"^(?:\*\*`(?P<file>[^`\n]+)`\*\*\n\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
REST = "..."
"""Stands for any lines of output, or for any part of a line."""
STATUS = re.compile(r"\(exit status (\d+)\)")


@dataclass(slots=True)
class Command:
    """A command with what the page says that it prints, and its exit status."""

    line: str
    prints: list[str] = field(default_factory=list[str])
    status: int = 0


@dataclass(slots=True)
class Walk:
    """Follows a page in a folder of its own, with the rollbook under test."""

    page: str
    folder: Path
    amend: Callable[[str, str], str] = lambda _, text: text
    """Changes a file's text before it is written: `amend(path, text)`."""
    made: list[str] = field(default_factory=list[str])
    """The commands that were run."""
    env: dict[str, str] = field(default_factory=dict[str, str])

    def follow(self) -> None:
        """Write each file and run each command of the page."""
        text = (DOCS / self.page).read_text(encoding="utf-8")
        self.env |= os.environ
        self.env |= {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "80"}
        for block in BLOCK.finditer(text):
            if block["file"] and block["language"] == "diff":
                self._change(block["file"], block["text"])
            elif block["file"]:
                self._write(block["file"], block["text"])
            elif block["language"] == "console":
                for command in _commands(block["text"]):
                    self._run(command)

    def _write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.amend(path, text), encoding="utf-8")

    def _change(self, path: str, diff: str) -> None:
        """Change a file that was written before; the parts of the change stand between lines of `@@`."""
        text = (self.folder / path).read_text(encoding="utf-8")
        for part in diff.split("@@\n"):
            lines = part.splitlines()
            old, new = ("".join(f"{line[1:]}\n" for line in lines if line[:1] != sign) for sign in "+-")

            assert text.count(old) == 1, f"{self.page}: not once in {path}:\n{old}"
            text = text.replace(old, new)
        (self.folder / path).write_text(text, encoding="utf-8")

    def _run(self, command: Command) -> None:
        words = shlex.split(command.line)
        match words:
            case ["pip", "install", *_]:
                return  # what is under test is installed, and a test fetches nothing
            case ["cd", folder]:
                self.folder /= folder
                return
            case ["export", assignment]:
                self.env |= dict([assignment.split("=", 1)])
                return
            case _:
                pass
        ran = subprocess.run(  # noqa: S603 - the page's own commands
            words, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        self.made.append(command.line)
        told = f"{self.page}: $ {command.line}\n{ran.stdout}\n{ran.stderr}"

        assert command.status == ran.returncode, told
        assert _holds(ran.stdout + ran.stderr, command.prints), f"{told}\nexpected:\n" + "\n".join(command.prints)


def _commands(text: str) -> list[Command]:
    found: list[Command] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:]))
        elif status := STATUS.fullmatch(line):
            found[-1].status = int(status[1])
        else:
            found[-1].prints.append(line)
    return found


def _holds(printed: str, expected: list[str]) -> bool:
    """Tell whether the lines were printed in this order, one right after the other where no `...` stands between."""
    lines, place, is_free = [line.rstrip() for line in printed.splitlines()], 0, True
    for line in (line.rstrip() for line in expected):
        if line == REST:
            is_free = True
            continue
        shape = re.compile(".*".join(map(re.escape, line.split(REST))))
        places = [at for at in range(place, len(lines)) if shape.fullmatch(lines[at])]
        if not places or (not is_free and places[0] != place):
            return False
        place, is_free = places[0] + 1, False
    return True


@pytest.fixture
def walk(tmp_path: Path) -> Callable[..., Walk]:
    """Follow a page: `walk("write-a-connector.md", amend)`."""

    def follow(page: str, amend: Callable[[str, str], str] = lambda _, text: text) -> Walk:
        made = Walk(page, tmp_path, amend)
        made.follow()
        return made

    return follow
