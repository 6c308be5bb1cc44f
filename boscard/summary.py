"""What a night ends with: what was published, what is wrong, and where to look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from boscard.disk import CannotWrite, probe

if TYPE_CHECKING:
    from boscard.night import Night
    from boscard.nightly import DagOutcome

PUBLISHED, NOT_PUBLISHED, INCOMPLETE = 0, 1, 3


def print_summary(
    night: Night, outcomes: Sequence[DagOutcome], took: timedelta, console: Console
) -> int:
    """Print the night's end; returns the exit status."""
    publication = night.published()
    complaints = [*_trouble(night), *night.complaints()]
    console.print()
    if publication is None:
        console.print(f"[bold red]not published[/] after {took.total_seconds():.0f} s")
    else:
        kind = (
            "[bold yellow]published, not complete[/]" if complaints else "[bold green]published[/]"
        )
        console.print(f"{kind} in {took.total_seconds():.0f} s: {publication.publication_id}")
        console.print(f"  content hash  {publication.content_hash}")
        console.print(f"  scorecard     {night.home.site / 'index.html'}", markup=False)
        console.print(f"  DuckDB        {night.home.publications / 'current.duckdb'}", markup=False)
        console.print(
            f"  Parquet       {night.home.publications / 'current.parquet'}", markup=False
        )
        console.print("  Postgres      schema kpi: `boscard up`, then `boscard url`")
    for complaint in complaints:
        console.print(f"  [red]•[/] {escape(complaint)}")
    for outcome in outcomes:
        if outcome.state != "success":
            tasks = f" ({', '.join(outcome.failed_tasks)})" if outcome.failed_tasks else ""
            console.print(f"  {outcome.dag_id} {outcome.state}{tasks}: {outcome.log}", markup=False)
    if publication is None:
        return NOT_PUBLISHED
    return INCOMPLETE if complaints else PUBLISHED


def _trouble(night: Night) -> list[str]:
    try:
        probe(night.home.root)
    except CannotWrite as error:
        return [str(error)]
    return []
