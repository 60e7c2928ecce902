"""What `rollbook new` writes: a connector with its mapping, recordings and tests, as a start for one of your own."""

from .draft import AUTHS, PAGINGS, Draft

__all__ = ["AUTHS", "PAGINGS", "Draft"]
