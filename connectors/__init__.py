"""Connectors: one module per LMS, each of which knows how to fetch from it."""
