"""Mappings: one TOML file per LMS, each of which says how its native records are translated. Data, no code."""
