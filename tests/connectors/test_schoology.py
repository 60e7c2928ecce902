"""Schoology."""

from rollbook.core.testing.conformance import conformance_tests

TestConformance = conformance_tests("schoology", fixtures="../fixtures/schoology")
