"""The README says only what is true today."""

from __future__ import annotations

import asyncio
import os
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rollbook.core import connect
from rollbook.core.cli import cli
from rollbook.core.settings import load_config
from rollbook.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pytest

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_python_example_runs_against_the_sandbox(capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox("talentlms") as sandbox:
        settings: dict[str, Any] = dict(sandbox.settings)

        def sandboxed(connector: str, *, domain: str, api_key: str) -> connect:
            assert (domain, api_key) == ("acme", "...")
            return connect(connector, domain=domain, **settings)

        code = block("python").replace("from rollbook.core import connect\n", "").replace('"45:12"', "first")
        scope: dict[str, Any] = {"connect": sandboxed, "first": asyncio.run(_some_id(settings))}
        exec("async def example():\n" + textwrap.indent(code, "    "), scope)  # noqa: S102 - our own README
        example: Callable[[], Coroutine[None, None, None]] = scope["example"]
        asyncio.run(example())

    assert "completed" in capsys.readouterr().out


async def _some_id(settings: dict[str, Any]) -> str:
    async with connect("talentlms", **settings) as lms:
        async for one in lms.enrollments():
            return one.id
    raise AssertionError("the sandbox has no enrollment")


def test_the_configuration_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "rollbook.toml"
    config.write_text(block("toml"), encoding="utf-8")
    os.chmod(config, 0o600)  # noqa: PTH101 - the shorter one
    monkeypatch.setenv("TALENTLMS_API_KEY", "made-up")

    opened = load_config(config).open("acme")

    assert "custom_fields.cost_center" in "".join(str(entry.key) for entry in opened.definition.kinds[""].entries())
    asyncio.run(opened.aclose())


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"`rollbook (\w+)", README.read_text(encoding="utf-8")))

    assert named
    assert named <= set(cli.list_commands(None))  # type: ignore[arg-type]


def test_both_commands_of_the_first_screen_set_everything_up() -> None:
    commands = re.findall(r"^python3 .*$", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert [re.split(r"\.venv/bin/", one)[-1] for one in commands] == [
        "rollbook demo",
        "pytest --quiet --numprocesses auto --dist worksteal",
    ]
