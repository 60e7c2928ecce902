"""`rollbook new`: a connector that works, to be changed into one's own."""

from __future__ import annotations

import importlib.util
import keyword
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SettingsError
from ..registry import registry
from ..scaffold import AUTHS, PAGINGS, Draft
from .screen import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .workspace import Workspace

__all__ = ["new"]

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 30
_CONFIG = "rollbook.toml"
_OTHER = "Choose another name (--force takes this one all the same)."


@click.command()
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="D",
    help="Where to write; by default a folder of that name.",
)
@click.option(
    "--auth", type=click.Choice(AUTHS), default=AUTHS[0], show_default=True, help="How requests are signed in."
)
@click.option("--paging", type=click.Choice(PAGINGS), default=PAGINGS[0], show_default=True, help="How lists go on.")
@click.option("--package", is_flag=True, help="Write a package to install and publish, not one module.")
@click.option("--force", is_flag=True, help="Take the name even if something installed has it.")
@click.pass_obj
def new(work: Workspace, name: str, folder: Path | None, auth: str, paging: str, package: bool, force: bool) -> None:  # noqa: FBT001 - click calls it
    """Write a new connector with its mapping, fixtures and tests.

    NAME is in lower case, such as my_lms. What is written reads a made-up LMS and passes its tests as it stands:
    change it step by step into yours. No file is overwritten.
    """
    draft = Draft(_checked(name), auth, paging, package)
    if not force:
        _must_be_free(work, draft)
    folder = folder or Path(name)
    files = draft.files()
    kept = (folder / _CONFIG).exists() and files.pop(_CONFIG, None) is not None
    _write(folder, files)
    click.echo(_told(draft, folder, len(files), config_kept=kept), err=True)


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:_LONGEST].strip("_")
        hint = f" Did you mean {near!r}?" if _NAME.fullmatch(near) else ""
        raise click.BadParameter(
            f"{name!r} is not a name in lower case, with digits and single _ inside, such as my_lms.{hint}"
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name) or name in sys.stdlib_module_names:
        raise click.BadParameter(f"{name!r} is a word of Python's own.")
    return name


def _must_be_free(work: Workspace, draft: Draft) -> None:
    """Refuse a name that an installed connector has, or whose module would hide an installed one."""
    registry.load(work.modules)
    if draft.name in registry.classes:
        raise SettingsError(
            f"there is a connector {draft.name!r} already",
            hint=f"See: rollbook connectors {draft.name}. {_OTHER}",
        )
    found = importlib.util.find_spec(draft.module)
    if found is not None and found.origin is not None:  # else a mere folder of that name
        raise SettingsError(
            f"there is a module {draft.module!r} already: {found.origin}",
            hint=_OTHER,
        )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all of the files, or none."""
    for file in files:
        if (folder / file).exists() or (folder / file).is_symlink():
            raise SettingsError(
                f"{folder / file} is already there: nothing was written", hint="Write to another folder: --dir D."
            )
    made: list[Path] = []
    try:
        for file, text in files.items():
            path = folder / file
            _make_folder(path.parent, made)
            with path.open("x", encoding="utf-8", newline="\n") as stream:
                made.append(path)
                stream.write(text)
    except BaseException:
        for path in reversed(made):
            with suppress(OSError):  # what is told is what went wrong first
                path.rmdir() if path.is_dir() else path.unlink()
        raise


def _make_folder(folder: Path, made: list[Path]) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir()
        made.append(each)


def _told(draft: Draft, folder: Path, number: int, *, config_kept: bool) -> str:
    tests = "tests" if draft.package else "."
    source = f"src/{draft.module}/connector.py" if draft.package else f"{draft.name}.py"
    lines = [f"{folder} has {counted(number, 'new file')}: a connector {draft.name!r} that reads a made-up LMS."]
    if config_kept:
        lines.append(f'{folder / _CONFIG} was left as it is. Add to it: [plugins] modules = ["{draft.name}"]')
    lines += ["", "Prove it as it stands:"]
    if folder.resolve() != Path.cwd():
        lines.append(f"  cd {folder}")
    if draft.package:
        lines.append("  python -m pip install -e '.[test]'")
    lines.append("  python -m pytest")
    if draft.paging != "none":  # else its tests exempt it from a promise, which needs a test-suite
        lines.append(f"or, without a test-suite of your own: rollbook test {tests}")
    lines += [
        "",
        "Then make it yours, the tests beside you:",
        f"  1. {source}: addresses, settings, paging, as documented",
        f"  2. {draft.name}.toml, beside it: what its words and fields mean",
        "  3. fixtures: rollbook record CONNECTION, or answers from the documentation",
        "docs/write-a-connector.md goes through it with an example.",
    ]
    return "\n".join(lines)
