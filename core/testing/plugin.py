"""The pytest plug-in: recordings as fixtures. Installed with rollbook, found by pytest itself."""

from __future__ import annotations
