"""Movement limits: settled values that change much, and lost rows, stop the publication."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from boscard.home import Home
from publish import figures
from publish.candidate import Candidate
from publish.contract import View, quoted_text
from publish.places import MANIFEST, Places

RELATIVE_LIMIT = 0.25
POINTS_LIMIT = 15.0
ROWS_LIMIT = 0.2
LEAST_ROWS = 100


def movements(home: Home, candidate: Candidate, currency: str) -> list[str]:
    """The company's monthly and quarterly values that were verified in the current publication and
    would move beyond the limits: a quarter of themselves, or 15 points where points are the unit.

    A new definition may move anything. Without a publication before, nothing moves.
    """
    current = Places(home.publications).current_duckdb.resolve()
    values = next((view for view in candidate.views if view.name == "kpi_values"), None)
    if not current.exists() or values is None:
        return []
    return [
        f"{name} of {figures.period(start, kind)} from {figures.figure(old, unit, currency)} "
        f"to {figures.figure(new, unit, currency)}"
        for name, unit, kind, start, old, new in _moved(current, home.warehouse, values)
    ]


def shrunken(home: Home, candidate: Candidate) -> list[str]:
    """Views that would lose more than a fifth of their rows against the current publication."""
    manifest = Places(home.publications).current_parquet / MANIFEST
    if not manifest.exists():
        return []
    before = json.loads(manifest.read_text(encoding="utf-8"))["views"]
    return [
        f"{name} has {rows} rows, {before[name]['rows']} are published"
        for name, rows in candidate.rows.items()
        if name in before
        and before[name]["rows"] >= LEAST_ROWS
        and rows < before[name]["rows"] * (1 - ROWS_LIMIT)
    ]


def _moved(current: Path, warehouse: Path, values: View) -> list[tuple]:  # type: ignore[type-arg]
    with duckdb.connect(str(current), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {quoted_text(str(warehouse))} as warehouse (read_only)")
        return connection.execute(
            f"""
            select definitions.name, definitions.unit, before.period_type, before.period_start,
                before.value, now.value
            from kpi.kpi_values as before
            inner join kpi.kpi_definitions as definitions
                on before.kpi_id = definitions.kpi_id and definitions.is_current
            left join warehouse.{values.relation} as now
                on before.kpi_id = now.kpi_id
                and before.period_type = now.period_type
                and before.period_start = now.period_start
                and before.segment_type = now.segment_type
                and before.segment = now.segment
            where before.segment_type = 'company'
                and before.period_type in ('month', 'quarter')
                and not before.is_running
                and before.dq_state = 'verified'
                and before.value is not null
                and now.definition_version is not distinct from before.definition_version
                and (
                    now.value is null
                    or case
                        when definitions.unit = 'points'
                            then abs(now.value - before.value) > $points
                        else abs(now.value - before.value) > $relative * abs(before.value)
                    end
                )
            order by definitions.name, before.period_type, before.period_start
            """,  # noqa: S608
            {"points": POINTS_LIMIT, "relative": RELATIVE_LIMIT},
        ).fetchall()
