"""Blackboard."""

from __future__ import annotations

from rollbook.core.testing.conformance import conformance_tests

TestConformance = conformance_tests("blackboard", fixtures="../fixtures/blackboard")
