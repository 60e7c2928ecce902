from rollbook.core.testing.conformance import conformance_tests

TestConformance = conformance_tests("google_classroom", fixtures="../fixtures/google_classroom")
