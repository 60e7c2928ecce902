"""Campfire for rollbook."""

from .connector import Campfire, CampfireSettings

__all__ = ["Campfire", "CampfireSettings"]
