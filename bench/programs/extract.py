"""Boscard's own path from a vendor's pages to typed rows in the warehouse: pull, gate, load."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench.ad_rows import ACCOUNT, LAST_DAY, Report
from bench.programs.installation import clock, settings
from boscard.home import Home
from expectations.gate import gate_source
from expectations.suites import SUITES
from ingest.batch import Unit, Window
from ingest.connections import Connection
from ingest.landing import Landing
from ingest.pull import pull_unit
from ingest.tokens import FileTokens
from warehouse.load import load
from warehouse.personal import HashKey


def main() -> None:
    """extract URL FOLDER DAYS ADS with-rules|without-rules"""
    url, folder, days, ads, rules = sys.argv[1:]
    report = Report(int(days), int(ads))
    if rules == "without-rules":
        SUITES["google_ads"]["ad_daily"] = replace(SUITES["google_ads"]["ad_daily"], rules=())
    chosen, home = settings(report.first_day), Home(Path(folder))
    landing = Landing(home.landing)
    seconds = {"import": time.process_time()}
    pull_unit(
        Unit("google_ads", ACCOUNT, "ad_daily", Window(report.first_day, LAST_DAY)),
        settings=chosen,
        clock=clock(chosen),
        landing=landing,
        connection=Connection(url, password="measured"),
        tokens=FileTokens(home.tokens),
    )
    seconds["pull"] = time.process_time()
    [verdict] = gate_source("google_ads", landing=landing, settings=chosen, spilled=home.spilled)
    seconds["gate"] = time.process_time()
    loaded = load(home, chosen, clock(chosen), HashKey(b"measured"))
    seconds["load"] = time.process_time()
    assert verdict.state == "passed", verdict
    assert loaded.rows == report.rows, loaded
    print(json.dumps({"rows": loaded.rows, "cpu_until": seconds}))


if __name__ == "__main__":
    main()
