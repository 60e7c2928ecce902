"""The page about testing mappings is followed as it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def test_the_page_can_be_followed_from_an_empty_folder(walk: Callable[..., Any]) -> None:
    done = walk("test-a-mapping.md")
    expected = json.loads((done.folder / "fixtures" / "tenant.expected.json").read_text(encoding="utf-8"))

    assert ["status", "cancelled", 1] in expected["drift"]
    assert sum(line.startswith("pytest ") for line in done.made) == 5
