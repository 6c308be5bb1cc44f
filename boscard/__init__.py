"""Boscard: a nightly pipeline from what marketing vendors know to a balanced scorecard that says how sound it is."""

from __future__ import annotations

__version__ = "0.1.0"
