"""The command line: `rollbook`. Nothing imports it."""

from .group import cli

__all__ = ["cli", "main"]

main = cli
"""What the installed command `rollbook` calls."""
