"""Connectors are found by name, wherever they come from; a broken one breaks nothing else."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rollbook.core.connector import Connector, Settings
from rollbook.core.errors import SettingsError, UnknownName
from rollbook.core.registry import GROUP, Registry, find, mapping_file, registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Plug = Callable[[str, str], None]

MAPPINGS = Path(__file__).parents[2] / "mappings"
PLUG = """
from rollbook.core.connector import Connector, Settings
from rollbook.core.registry import register

@register
class Plug(Connector[Settings]):
    name, title, Settings = {name!r}, "Plug", Settings
"""


def made(kind: str, name: str, strategy: str = "", module: str = "acme") -> type[Connector[Any]]:
    """Make a connector class."""
    members = {"name": name, "title": name, "strategy": strategy, "Settings": Settings, "__module__": module}
    return type(kind, (Connector,), members)


def broken() -> dict[str, str]:
    """Tell what is broken, and why."""
    return {module: one.reason for module, one in registry.broken.items()}


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
    assert broken() == {
        "broken_lms": "broken_lms: ModuleNotFoundError: No module named 'no_such_module_anywhere' (broken_lms.py:1)"
    }
    with pytest.raises(UnknownName, match="Could not be loaded: broken_lms: ModuleNotFoundError"):
        registry.find("sumtotal")


def test_a_plug_in_that_takes_a_name_is_reported(plug: Plug) -> None:
    plug("first_lms", PLUG.format(name="acme"))
    plug("second_lms", PLUG.format(name="acme"))

    registry.load(["first_lms", "second_lms"])

    assert registry.find("acme").__module__ == "first_lms"
    assert broken() == {
        "second_lms": "second_lms: two connectors are called 'acme': first_lms.Plug and second_lms.Plug"
    }
    assert registry.broken["second_lms"].hint == "Rename one of them, or uninstall its package."


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
    ("text", "reason"),
    [
        ("1 / 0", "broken_lms: ZeroDivisionError: division by zero (broken_lms.py:1)"),
        ("def", "broken_lms: SyntaxError: invalid syntax (broken_lms.py, line 1)"),
        ("import sys\nsys.exit('bye')", "broken_lms: SystemExit: bye (broken_lms.py:2)"),
        (
            "class Torn(BaseException):\n  pass\nraise Torn('badly')",
            "broken_lms: Torn: badly (broken_lms.py:3)",
        ),
        ("import broken_lms_settings", "broken_lms: ModuleNotFoundError: No module named 'broken_lms_settings' ("),
        ("", "broken_lms: it registers no connector"),
        (PLUG.format(name="half") + "1 / 0", "broken_lms: ZeroDivisionError: division by zero (broken_lms.py:8)"),
        (
            PLUG.format(name="whole"),
            "broken_lms: two connectors are called 'whole': whole_lms.Plug and broken_lms.Plug",
        ),
        (
            PLUG.replace("name, title,", "title, name_,").format(name="x"),
            "broken_lms: the connector broken_lms.Plug has",
        ),
    ],
)
def test_whatever_breaks_in_a_plug_in_nothing_of_it_stays(plug: Plug, text: str, reason: str) -> None:
    plug("whole_lms", PLUG.format(name="whole"))
    plug("broken_lms", text)
    registry.load(["whole_lms", "broken_lms"])

    assert registry.names() == ["whole"]
    assert registry.find("whole").__module__ == "whole_lms"
    assert broken()["broken_lms"].startswith(reason)
    assert registry.broken["broken_lms"].hint


def test_whoever_stops_rollbook_is_heard(plug: Plug) -> None:
    plug("slow_lms", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        registry.load(["slow_lms"])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("nowhere_lms", "there is no module nowhere_lms"),
        ("nowhere_lms.connector:Plug", "there is no module nowhere_lms"),
        ("whole_lms.connector", "there is no module whole_lms.connector"),
        ("whole_lms:Plugg", "whole_lms: AttributeError: module 'whole_lms' has no attribute 'Plugg'"),
        ("", ": ValueError: Empty module name"),
        (".up", ".up: TypeError: the 'package' argument is required to perform a relative import for '.up'"),
    ],
)
def test_an_entry_point_that_points_nowhere_is_reported(
    plug: Plug, monkeypatch: pytest.MonkeyPatch, value: str, reason: str
) -> None:
    points = EntryPoints([EntryPoint("lost", value, GROUP), EntryPoint("whole", "other_lms", GROUP)])
    monkeypatch.setattr("rollbook.core.registry.importlib.metadata.entry_points", points.select)
    plug("whole_lms", PLUG.format(name="acme"))
    plug("other_lms", PLUG.format(name="whole"))
    registry.load()
    [one] = registry.broken.values()

    assert registry.names() == ["whole"]
    assert (one.name, one.hint) == ("lost", "Mend it, or uninstall its package.")
    assert one.reason.startswith(reason)


@pytest.mark.parametrize("metadata", ["Metadata-Version: 2.1\nName: rollbook-acme\nVersion: 1.0\n", ""])
def test_an_installed_package_that_is_broken_is_named(
    plug: Plug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metadata: str
) -> None:
    """Found as `pip` leaves it, beside the built-in connectors; one without metadata, too."""
    monkeypatch.setattr("rollbook.core.registry.importlib.metadata.entry_points", entry_points)
    folder = tmp_path / "rollbook_acme-1.0.dist-info"
    folder.mkdir()
    (folder / "entry_points.txt").write_text(f"[{GROUP}]\nacme = acme_broken_lms\n", encoding="utf-8")
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    plug("acme_broken_lms", "1 / 0")
    registry.load()

    ours = {file.stem for file in MAPPINGS.glob("*.toml")}
    assert ours <= set(registry.names())
    assert "ZeroDivisionError" in broken()["acme_broken_lms"]
    expected = "pip uninstall rollbook-acme" if metadata else "uninstall its package."
    assert registry.broken["acme_broken_lms"].hint.endswith(expected)


@pytest.mark.parametrize("strategy", ["", "fast"])
@pytest.mark.parametrize("first", [True, False])
def test_a_built_in_connector_keeps_its_name(strategy: str, first: bool) -> None:  # noqa: FBT001
    known = Registry()
    ours = made("Canvas", "canvas", module="rollbook.connectors.canvas")
    theirs = made("Plug", "canvas", strategy, module="plug_lms")

    if first:
        known.add(theirs)
        known.add(ours)
        assert "two connectors are called" in known.broken["plug_lms"].reason
    else:
        known.add(ours)
        with pytest.raises(SettingsError, match="two connectors are called 'canvas'"):
            known.add(theirs)

    assert known.classes == {"canvas": {"": ours}}


@pytest.mark.parametrize("imported", [True, False])
def test_a_plug_in_with_a_built_in_name_is_reported(
    plug: Plug,
    monkeypatch: pytest.MonkeyPatch,
    imported: bool,  # noqa: FBT001
) -> None:
    """Whether it comes by the config, or the program has imported it before."""
    points = EntryPoints([EntryPoint("canvas", "rollbook.connectors.canvas", GROUP)])
    monkeypatch.setattr("rollbook.core.registry.importlib.metadata.entry_points", points.select)
    plug("my_canvas_lms", PLUG.format(name="canvas"))
    if imported:
        importlib.import_module("my_canvas_lms")

    assert find("canvas", modules=["my_canvas_lms"]).__module__ == "rollbook.connectors.canvas"
    assert list(broken()) == ["my_canvas_lms"]


def test_a_package_may_import_its_connector_from_a_module_of_its_own(plug: Plug) -> None:
    plug("acme_lms.connector", PLUG.format(name="acme"))
    plug("acme_lms.__init__", "from .connector import Plug")
    registry.load(["acme_lms"])
    again = Registry().load(["acme_lms"])

    assert broken() == {}
    assert "acme" in again.names()


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
