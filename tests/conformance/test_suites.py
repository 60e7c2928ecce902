"""Connectors that keep every promise: one with joins and totals, one that folds parts, and the hostile one."""

from __future__ import annotations

from guild_lms import Guild
from hostile_lms import Hostile
from rollbook.core.testing.conformance import conformance_tests
from windows_lms import Windows

TestGuild = conformance_tests(Guild, "fixtures/guild")
TestHostile = conformance_tests(Hostile, "fixtures/hostile")
TestWindows = conformance_tests(Windows, "fixtures/windows")
