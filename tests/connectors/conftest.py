"""Connectors are tried without waiting for the quotas that they keep to."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _time_passes_at_once(no_waits: object) -> None:  # pyright: ignore[reportUnusedFunction] - pytest's
    """Let no connection wait."""
