"""One dashboard reader: asks Postgres as `kpi_reader`, waits a little, asks the next thing."""

from __future__ import annotations

import json
import sys
import time
from itertools import cycle
from pathlib import Path

import psycopg

from boscard.home import Home
from publish.embedded import Embedded

PAUSE = 0.1  # seconds between two questions, or eight readers would be a load test
QUERIES = (
    "select * from kpi.scorecard where period_type = 'month' and period_start ="
    " (select max(period_start) from kpi.scorecard where period_type = 'month')",
    "select period_start, value, target, band, dq_state from kpi.kpi_values where kpi_id = 'F04'"
    " and segment_type = 'company' and period_type = 'day' order by period_start",
    "select v.segment, v.period_start, v.value, d.name from kpi.kpi_values v join"
    " kpi.kpi_definitions d on d.kpi_id = v.kpi_id and d.is_current where v.segment_type ="
    " 'channel' and v.period_type = 'month' order by v.kpi_id, v.period_start",
    "select channel, campaign_name, sum(spend) as spend, sum(clicks) as clicks from"
    " kpi.ad_performance_daily where report_date > (select max(report_date) - 90 from"
    " kpi.ad_performance_daily) group by channel, campaign_name order by spend desc",
    "select source, stream, severity, count(*) from kpi.data_quality where state = 'fail'"
    " group by source, stream, severity",
)


def main() -> None:
    """reader ROOT STOP: reads until STOP is there; tells when it asked and how long it took."""
    url = Embedded(Home(Path(sys.argv[1]) / "var").postgres).login().url
    waited: list[tuple[float, float]] = []
    stop = Path(sys.argv[2])
    with psycopg.connect(url, autocommit=True) as connection:
        for query in cycle(QUERIES):
            if stop.exists():
                break
            started = time.time()
            connection.execute(query).fetchall()
            waited.append((started, time.time() - started))
            time.sleep(PAUSE)
    print(json.dumps({"waited": waited}))


if __name__ == "__main__":
    main()
