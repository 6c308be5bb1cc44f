"""Which KPIs rest on a stream, in words, from the same definitions that dbt computes them by."""

from __future__ import annotations

import csv
from pathlib import Path

from boscard.home import PROJECT
from ingest.registry import SOURCES

SEEDS = PROJECT / "dbt_project" / "seeds"


def resting_on(source: str, *streams: str, seeds: Path = SEEDS) -> str:
    """The KPIs counted from any of the streams, by name as last defined; in general words where the
    definitions cannot be read, since a message is told in any case."""
    everything = f"the KPIs of {SOURCES[source].title}"
    try:
        counted = {
            row["kpi_id"]
            for row in _rows(seeds / "kpi_sources.csv")
            if row["source"] == source and row["stream"] in streams
        }
        versions = sorted(_rows(seeds / "kpi_definitions.csv"), key=lambda row: row["valid_from"])
        names = {row["kpi_id"]: row["name"] for row in versions if row["kpi_id"] in counted}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return everything
    if not counted:
        return f"no KPI is counted from it; it describes what {everything} count"
    if set(names) != counted or not all(names.values()):
        return everything
    *others, last = [names[kpi] for kpi in sorted(names)]
    return f"{', '.join(others)} and {last}" if others else last


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
