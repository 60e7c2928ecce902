"""OneRoster."""

from rollbook.core.testing.conformance import conformance_tests

TestConformance = conformance_tests("oneroster", fixtures="../fixtures/oneroster")
