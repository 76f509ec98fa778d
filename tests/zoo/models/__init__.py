"""Architectures of the literature, written from their papers, with random weights: what speed-up must cope with.

The ones with a published parameter count must have it exactly."""

from .catalog import CATALOG, Entry, build

__all__ = ["CATALOG", "Entry", "build"]
