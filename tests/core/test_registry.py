"""Connectors are found by name, wherever they come from; a broken one breaks nothing else."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint, EntryPoints
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connector import Connector
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.core.registry import GROUP, Registry, find, mapping_file, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Plug = Callable[[str, str], None]

PLUG = """
from rollbook.core.connector import Connector, Settings
from rollbook.core.registry import register

@register
class Plug(Connector[Settings]):
    name, title, Settings = {name!r}, "Plug", Settings
"""


def made(kind: str, name: str, strategy: str = "") -> type[Connector[Any]]:
    """Make a connector class."""
    return type(kind, (Connector,), {"name": name, "title": name, "strategy": strategy, "__module__": "acme"})


@pytest.fixture
def plug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plug]:
    """Write a module that can be imported; nothing else is installed, and nothing stays afterwards."""
    monkeypatch.setattr(registry, "classes", {})
    monkeypatch.setattr(registry, "broken", {})
    monkeypatch.setattr("rollbook.core.registry.importlib.metadata.entry_points", EntryPoints().select)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    written: set[str] = set()

    def write(module: str, text: str) -> None:
        file = tmp_path / f"{module.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        sys.modules.pop(module, None)
        written.add(module.partition(".")[0])

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in written]:
        del sys.modules[name]


def test_two_connectors_of_one_name_are_both_named() -> None:
    known = Registry()
    known.add(made("Canvas", "canvas"))

    with pytest.raises(SettingsError, match="two connectors are called 'canvas'") as caught:
        known.add(made("Other", "canvas"))

    assert caught.value.message.endswith(": acme.Canvas and acme.Other")
    assert known.find("canvas").__name__ == "Canvas"


def test_a_module_may_be_imported_again() -> None:
    known, again = Registry(), made("Canvas", "canvas")
    known.add(made("Canvas", "canvas"))
    known.add(again)

    assert known.find("canvas") is again


def test_the_first_strategy_is_the_default() -> None:
    known, rest, bulk = Registry(), made("Rest", "docebo", "rest"), made("Bulk", "docebo", "bulk")
    known.add(rest)
    known.add(bulk)

    assert known.find("docebo") is rest
    assert known.find("docebo", "bulk") is bulk
    with pytest.raises(UnknownName, match="unknown strategy of docebo 'bluk'\nDid you mean 'bulk'"):
        known.find("docebo", "bluk")


def test_an_unknown_name_suggests_the_nearest() -> None:
    known = Registry()
    known.add(made("Canvas", "canvas"))

    with pytest.raises(UnknownName, match="unknown connector 'canvsa'\nDid you mean 'canvas'"):
        known.find("canvsa")
    with pytest.raises(UnknownName, match="Known: canvas"):
        known.find("sumtotal")


def test_a_broken_plug_in_is_reported_and_breaks_nothing_else(plug: Plug) -> None:
    plug("broken_lms", "import no_such_module_anywhere")
    plug("whole_lms", PLUG.format(name="whole"))

    registry.load(["broken_lms", "whole_lms"])

    assert registry.names() == ["whole"]
    assert registry.broken == {
        "broken_lms": "broken_lms: ModuleNotFoundError: No module named 'no_such_module_anywhere'"
    }
    with pytest.raises(UnknownName, match="Could not be loaded: broken_lms: ModuleNotFoundError"):
        registry.find("sumtotal")


def test_a_plug_in_that_takes_a_name_is_reported(plug: Plug) -> None:
    plug("first_lms", PLUG.format(name="acme"))
    plug("second_lms", PLUG.format(name="acme"))

    registry.load(["first_lms", "second_lms"])

    assert registry.find("acme").__module__ == "first_lms"
    assert "first_lms.Plug and second_lms.Plug" in registry.broken["second_lms"]


def test_a_mended_plug_in_is_no_longer_reported(plug: Plug) -> None:
    plug("mended_lms", "1 / 0")
    registry.load(["mended_lms"])
    plug("mended_lms", PLUG.format(name="mended") + "# mended\n")
    registry.load(["mended_lms"])

    assert registry.broken == {}
    assert registry.names() == ["mended"]


def test_an_installed_connector_is_found_by_its_entry_point_alone(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    points = EntryPoints(
        [EntryPoint("installed", "installed_lms", GROUP), EntryPoint("broken", "broken_lms:Plug", GROUP)]
    )
    monkeypatch.setattr("rollbook.core.registry.importlib.metadata.entry_points", points.select)
    plug("installed_lms", PLUG.format(name="installed"))
    plug("broken_lms", "1 / 0")

    assert find("installed").__module__ == "installed_lms"
    assert registry.broken == {}
    with pytest.raises(SettingsError, match="'broken' cannot be loaded: broken_lms: ZeroDivisionError"):
        find("broken")


@pytest.mark.parametrize(
    ("module", "mapping"),
    [
        ("alone_lms", "acme.toml"),
        ("acme_lms.connector", "acme_lms/acme.toml"),
        ("acme_lms.connectors.acme", "acme_lms/mappings/acme.toml"),
    ],
)
def test_a_mapping_is_found_beside_its_connector(plug: Plug, tmp_path: Path, module: str, mapping: str) -> None:
    plug(module, PLUG.format(name="acme"))
    (tmp_path / mapping).parent.mkdir(exist_ok=True)
    (tmp_path / mapping).write_text("# found", encoding="utf-8")

    assert mapping_file(find("acme", modules=[module])).read_text() == "# found"


@pytest.mark.parametrize("module", ["alone_lms", "acme_lms.connector", "acme_lms.connectors.acme"])
def test_a_missing_mapping_is_told_with_its_place(plug: Plug, module: str) -> None:
    plug(module, PLUG.format(name="acme"))

    with pytest.raises(SettingsError, match=f"has no mapping file acme.toml\nPut it beside the module {module}"):
        mapping_file(find("acme", modules=[module]))
