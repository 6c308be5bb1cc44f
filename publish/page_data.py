"""What the page shows, read from the current publication: nothing is computed here but wording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb

from boscard.home import Home
from publish.places import Places

Row = dict[str, Any]

MONTHS, QUARTERS, DAYS, CAMPAIGN_DAYS = 13, 5, 60, 30

QUERIES = {
    "publication": "select * from kpi.publications order by sequence desc limit 1",
    "nodes": """
        select *
        from kpi.scorecard
        where period_type = 'month'
        qualify period_start = max(period_start) over ()
        order by weight desc, node_id
    """,
    "quarters": """
        select *
        from kpi.scorecard
        where period_type = 'quarter' and node_type = 'kpi'
        qualify period_start = max(period_start) over ()
    """,
    "scores": """
        select node_type, node_id, period_start, score
        from kpi.scorecard
        where period_type = 'month' and node_type in ('company', 'perspective')
        order by period_start
    """,
    "values": """
        select kpi_id, period_type, period_start, value
        from kpi.kpi_values
        where segment_type = 'company' and period_type in ('day', 'month', 'quarter') and is_mature
        order by period_start
    """,
    "shown": """
        select v.kpi_id, v.period_type, v.n, v.is_low_confidence, v.margin, v.pace
        from kpi.scorecard as s
        inner join kpi.kpi_values as v
            on s.node_id = v.kpi_id and s.period_type = v.period_type
            and s.value_period_start = v.period_start and v.segment_type = 'company'
        where s.node_type = 'kpi'
        qualify s.period_start = max(s.period_start) over (partition by s.period_type)
    """,
    "young": """
        select kpi_id, period_type, period_start, value, is_running, matures_on
        from kpi.kpi_values
        where segment_type = 'company' and period_type in ('month', 'quarter')
            and not is_mature and value is not null
        qualify period_start = max(period_start) over (partition by period_type)
    """,
    "definitions": "select * from kpi.kpi_definitions where is_current order by kpi_id",
    "parameters": "select * from kpi.kpi_parameters order by kpi_id, parameter, valid_from",
    "objectives": """
        select *
        from kpi.objectives
        where is_current and perspective_id is not null
        order by perspective_position, objective_id
    """,
    "streams": """
        select source, account_name, stream, stream_state, data_through, days_behind
        from kpi.data_quality
        where as_of_date = ? and rule = 'loaded_through'
        order by source, account_name, stream
    """,
    "failures": """
        select source, account_name, check_id, action, sentence
        from kpi.data_quality
        where as_of_date = ? and rule != 'loaded_through' and state in ('fail', 'error')
            and severity != 'info'
        order by source, account_name, check_id
    """,
    "restated": """
        select r.*, d.name, d.unit
        from kpi.restatements as r
        inner join kpi.kpi_definitions as d on r.kpi_id = d.kpi_id and d.is_current
        where r.sequence = (select max(sequence) from kpi.publications)
            and r.segment_type = 'company' and r.period_type = 'month' and r.reason != 'new days'
        order by r.period_start desc, r.kpi_id
    """,
    "campaigns": f"""
        select
            campaign_id,
            max_by(campaign_name, report_date) as campaign_name,
            max_by(channel, report_date) as channel,
            sum(spend)::double as spend,
            sum(clicks)::bigint as clicks,
            sum(conversions)::double as conversions,
            sum(conversions_value)::double / nullif(sum(spend), 0)::double as return
        from kpi.ad_performance_daily
        where report_date > ?::date - {CAMPAIGN_DAYS}
        group by account_id, campaign_id
        order by spend desc, campaign_id
    """,  # noqa: S608
}
NIGHTLY = ("streams", "failures", "campaigns")


@dataclass(frozen=True, slots=True)
class PageData:
    """Rows by query, as dictionaries, and the night they belong to."""

    as_of_date: date
    rows: dict[str, list[Row]]

    def __getitem__(self, name: str) -> list[Row]:
        return self.rows[name]

    def node(self, node_type: str) -> list[Row]:
        return [row for row in self["nodes"] if row["node_type"] == node_type]


def read_page_data(home: Home) -> PageData:
    """Everything the page shows, from one publication."""
    with _current(home) as connection:
        publication = _rows(connection, QUERIES["publication"], [])
        night: date = publication[0]["as_of_date"]
        rows = {
            name: _rows(connection, query, [night] if name in NIGHTLY else [])
            for name, query in QUERIES.items()
        }
    return PageData(night, rows)


@contextmanager
def _current(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    path = Places(home.publications).current_duckdb.resolve()
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: list[object]) -> list[Row]:
    result = connection.execute(query, values)
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
