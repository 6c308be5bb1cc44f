"""Batches of one account for tests of the load, and what the load made of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb

from boscard.home import Home
from expectations.verdict import Result
from tests.warehouse.landed import land

NIGHT = date(2025, 10, 20)
OCTOBER = (date(2025, 10, 1), NIGHT)
ADS = "select campaign_id, report_date, clicks from raw.google_ads__campaign_daily order by all"


def day(number: int) -> date:
    return date(2025, 10, number)


def ads(landing, rows, *, first=1, last=20, account="100", as_of=NIGHT, **more):
    rows = [row | {"account_id": account} for row in rows]
    window = (day(first), day(last))
    return land(
        landing,
        "google_ads",
        account,
        "campaign_daily",
        rows,
        as_of=as_of,
        window=window,
        **more,
    )


def campaigns(landing, ids, *, account="100", as_of=NIGHT, quarantined=(), **more):
    def row(campaign):
        return {"account_id": account, "campaign_id": campaign, "campaign_name": f"c{campaign}"}

    return land(
        landing,
        "google_ads",
        account,
        "campaigns",
        [row(campaign) for campaign in ids],
        as_of=as_of,
        quarantined=[row(campaign) for campaign in quarantined],
        **more,
    )


def contacts(landing, rows, *, as_of=NIGHT, **more):
    window = (day(1), as_of)
    return land(landing, "hubspot", "300", "contacts", rows, as_of=as_of, window=window, **more)


def contact(contact_id: str, stage: str, *, archived: bool = False) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "lifecycle_stage": stage,
        "is_archived": archived,
        "created_at": "2025-10-01T08:00:00Z",
        "updated_at": "2025-10-02T08:00:00Z",
    }


def a_result() -> Result:
    return Result(
        check_id="google_ads.campaign_daily.made_up",
        rule="made_up",
        severity="warning",
        action="quarantine",
        state="fail",
        observed="2",
        expected="none",
        n_failed=2,
        n_total=3,
        sample=("x",),
        sentence="Two rows are wrong.",
    )


def everything(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """The content of every raw and ops table, save when a migration was applied."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('raw', 'past', 'ops') order by 1"
        ).fetchall()
        return {
            table: connection.execute(f"select * from {table} order by all").fetchall()
            for (table,) in tables
        }
