"""From what marketing vendors know to a balanced scorecard that says how sound each number is."""

from __future__ import annotations

__version__ = "0.1.0"
