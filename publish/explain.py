"""`boscard explain`: a published value walked back to the API calls behind it."""

from __future__ import annotations

from typing import Any

import duckdb

from boscard.home import Home
from boscard.landing import open_landing
from boscard.settings import Settings
from publish.explanation import Definition, Explanation, StreamRows, Value
from publish.grounds import Grounds
from publish.lineage import CannotExplainError, links, warehouse
from publish.period import Period
from publish.read import current_record, read
from publish.walk import Walk

VALUE = (
    "value", "numerator", "denominator", "no_data_reason", "data_through", "dq_state", "dq_reason",
    "may_move_by",
)  # fmt: skip


def explain(
    home: Home, settings: Settings, kpi_id: str, period: Period, segment: str = "company"
) -> Explanation:
    """Walk a value back. Raises CannotExplainError where there is no such value."""
    with warehouse(home) as connection:
        built = _built(connection, kpi_id, period, segment)
        segment_type = built["segment_type"]
        value, note = _value(home, built)
        definition = _definition(connection, kpi_id, period)
        through = built["data_through"]
        is_shown = value.no_data_reason not in ("not loaded", "too early", "suppressed")
        last = min(period.end, through) if is_shown and through else None
        landing = open_landing(home, settings)
        walk = Walk(connection, landing, settings.company.time_zone, period.start, last)
        found: list[StreamRows] = []
        needed = [link for link in links(connection) if link.kpi_id == kpi_id]
        for link in needed:
            found += walk.rows_of(link, segment_type, segment)
        if not needed:
            found = walk.checks()
        days = walk.days(kpi_id, segment_type, segment)
    return Explanation(
        kpi_id=kpi_id,
        definition=definition,
        currency=settings.company.reporting_currency,
        period=period,
        segment_type=segment_type,
        segment=segment,
        value=value,
        note=note,
        days=days,
        streams=found,
    )


def _definition(connection: duckdb.DuckDBPyConnection, kpi_id: str, period: Period) -> Definition:
    """The version that holds for the period, or the first where the period is older than all."""
    [row] = connection.execute(
        "select version, name, unit, formula, numerator, denominator from seeds.kpi_definitions"
        " where kpi_id = ? order by valid_from <= ? desc,"
        " abs(date_diff('day', valid_from, ?)) limit 1",
        [kpi_id, period.start, period.start],
    ).fetchall()
    parameters = connection.execute(
        "select rtrim(description, '.') || ': ' || format('{:g}', value::double)"
        " from seeds.kpi_parameters where kpi_id = ? and valid_from <= ?"
        " qualify row_number() over (partition by parameter order by valid_from desc) = 1"
        " order by parameter",
        [kpi_id, period.start],
    ).fetchall()
    version, name, unit, formula, above, below = row
    return Definition(version, name, unit, formula, above, below, [each for (each,) in parameters])


def _built(
    connection: duckdb.DuckDBPyConnection, kpi_id: str, period: Period, segment: str
) -> dict[str, Any]:
    rows = connection.execute(
        "select * from marts.fct_kpi_values"
        " where kpi_id = ? and period_type = ? and period_start = ? order by segment_type, segment",
        [kpi_id, period.type, period.start],
    )
    columns = [column[0] for column in rows.description or ()]
    found = [dict(zip(columns, row, strict=True)) for row in rows.fetchall()]
    for row in found:
        if row["segment"] == segment:
            return {"period": period, **row}
    if found:
        known = ", ".join(str(row["segment"]) for row in found)
        raise CannotExplainError(f"{kpi_id} {period.name}: no segment {segment!r}; {known}")
    names = connection.execute(
        "select distinct kpi_id from marts.fct_kpi_values order by 1"
    ).fetchall()
    raise CannotExplainError(
        f"{kpi_id} has no {period.type} {period.name}; KPIs are "
        f"{', '.join(name for (name,) in names)}, and periods those of the company's history"
    )


def _value(home: Home, built: dict[str, Any]) -> tuple[Value, str | None]:
    """The published value, and a note where the warehouse has moved on from it."""
    grounds = Grounds(
        built["coverage"],
        built["rows_coverage"],
        built["accounts_present"],
        built["accounts_expected"],
        built["reconciliation_difference"],
    )
    ours = {part: built[part] for part in VALUE} | {"grounds": grounds}
    record = current_record(home)
    if record is None:
        return Value(None, **ours), "nothing is published yet: this is the warehouse's value"
    rows = read("kpi_values", home)
    period = built["period"]
    row = rows[
        (rows["kpi_id"] == built["kpi_id"])
        & (rows["period_type"] == period.type)
        & (rows["period_start"].dt.date == period.start)
        & (rows["segment_type"] == built["segment_type"])
        & (rows["segment"] == built["segment"])
    ]
    if row.empty:
        return Value(None, **ours), "not published yet: this is the warehouse's value"
    published = row["value"].astype(object).where(row["value"].notna(), None).iloc[0]
    if published != ours["value"]:
        return (
            Value(None, **ours),
            f"{record.publication_id} published {published}; this is the warehouse's value, which "
            "has moved on",
        )
    return Value(record.publication_id, **ours), None
