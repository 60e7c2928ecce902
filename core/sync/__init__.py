"""The sync: from an LMS into the store, or straight to the caller."""

from .engine import Sync, now
from .report import Counts, Report

__all__ = ["Counts", "Report", "Sync", "now"]
