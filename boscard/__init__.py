"""From what marketing vendors know to a balanced scorecard that says how sound each number is.

`boscard.read("scorecard")` gives a published view as a pandas DataFrame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publish.read import read

__all__ = ["__version__", "read"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`read` is found when asked for: it needs DuckDB and pandas, which a DAG must not import."""
    if name == "read":
        from publish.read import read

        return read
    raise AttributeError(f"module 'boscard' has no attribute {name!r}")
