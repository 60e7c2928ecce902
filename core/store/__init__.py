"""The store: unified enrollments in SQLite (or, later, PostgreSQL), and what a sync must remember."""

from .database import PRIVATE
from .store import Store

__all__ = ["PRIVATE", "Store"]
