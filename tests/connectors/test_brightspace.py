"""D2L Brightspace."""

from rollbook.core.testing.conformance import conformance_tests

TestConformance = conformance_tests("brightspace", fixtures="../fixtures/brightspace")
