"""A small company's sandbox for the vendors' SDKs, run in the project's own environment.

It writes one line of JSON, base URL, connections and the Google Ads queries that our client sends,
then serves until its standard input ends.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import date

from boscard.clock import Clock
from boscard.settings import read_settings
from ingest.batch import Window
from ingest.sources.ads import google_ads
from sandbox.company import Company
from sandbox.connections import connections, private_connection
from sandbox.limits import Limits
from sandbox.server import Sandbox, serving

START, NIGHT = date(2026, 10, 16), date(2026, 11, 4)


def main() -> None:
    settings = read_settings()
    company = settings.company
    sandbox = Sandbox(
        Company(seed=7, start=START, scale=0.05, time_zone=company.time_zone),
        Clock(NIGHT, company.zone, company.publication_hour),
        limits=replace(Limits.none(), google_ads_page_rows=40),
    )
    queries = {
        stream.name: {
            "query": google_ads.gaql(stream, Window(START, NIGHT) if stream.date_column else None),
            "scope": stream.scope,
        }
        for stream in google_ads.STREAMS
    }
    accounts = [one.account for one in settings.accounts if one.source == "google_ads"]
    with serving(sandbox) as base_url:
        offered = {
            "base_url": base_url,
            "connections": connections(base_url),
            "hubspot_private": private_connection(base_url, "hubspot")["password"],
            "accounts": accounts,
            "queries": queries,
        }
        sys.stdout.write(json.dumps(offered) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
