"""The gate over a landed batch, and the same by hand in SQL: typed, twelve rules, Parquet."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

from bench.ad_rows import ACCOUNT, LAST_DAY, Report
from ingest.batch import ROWS, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing

RULES = (
    "account_id_present", "ad_id_present", "report_date_present", "one_row_a_key", "own_account",
    "measures_present", "impressions_not_negative", "clicks_not_negative",
    "cost_micros_not_negative", "conversions_not_negative", "clicks_within_impressions",
    "within_window",
)  # fmt: skip

BY_HAND = """
    create table typed as
    select
        customer.id as account_id, customer.currencyCode as currency_code,
        customer.timeZone as time_zone, campaign.id as campaign_id, adGroup.id as ad_group_id,
        adGroupAd.ad.id as ad_id, try_cast(segments.date as date) as report_date,
        try_cast(metrics.impressions as bigint) as impressions,
        try_cast(metrics.clicks as bigint) as clicks,
        try_cast(metrics.costMicros as bigint) as cost_micros,
        try_cast(metrics.conversions as decimal(18, 6)) as conversions,
        try_cast(metrics.conversionsValue as decimal(18, 6)) as conversions_value
    from read_json(
        $path, format = 'newline_delimited', compression = 'zstd',
        columns = {
            customer: 'struct(id varchar, "currencyCode" varchar, "timeZone" varchar)',
            campaign: 'struct(id varchar)', "adGroup": 'struct(id varchar)',
            "adGroupAd": 'struct(ad struct(id varchar))', segments: 'struct(date varchar)',
            metrics: 'struct(impressions varchar, clicks varchar, "costMicros" varchar,
                conversions varchar, "conversionsValue" varchar)'
        }
    )
"""
TWELVE = """
    select
        count(*) filter (where account_id is null), count(*) filter (where ad_id is null),
        count(*) filter (where report_date is null), count(*) filter (where account_id <> $account),
        count(*) filter (where impressions is null or clicks is null or cost_micros is null
            or conversions is null or conversions_value is null),
        count(*) filter (where impressions < 0), count(*) filter (where clicks < 0),
        count(*) filter (where cost_micros < 0), count(*) filter (where conversions < 0),
        count(*) filter (where clicks > impressions),
        count(*) filter (where report_date not between $start and $end),
        (
            select count(*)
            from (
                select 1 from typed
                group by account_id, ad_group_id, ad_id, report_date
                having count(*) > 1
            )
        )
    from typed
"""


def land(root: Path, report: Report) -> None:
    pages = (Page(rows=rows, url="https://vendor.example/ad_daily") for rows in report.pages())
    unit = Unit("google_ads", ACCOUNT, "ad_daily", Window(report.first_day, LAST_DAY))
    Landing(root).write(unit, LAST_DAY, pages)


def ours(root: Path) -> int:
    from bench.programs.installation import settings
    from expectations.examiner import Examiner
    from expectations.gate import gate
    from expectations.suites import SUITES

    suite = SUITES["google_ads"]["ad_daily"]
    SUITES["google_ads"]["ad_daily"] = replace(suite, rules=tuple(map(suite.rule, RULES)))
    landing = Landing(root)
    (batch,) = landing.batches()
    assert batch.manifest.window is not None
    with Examiner(batch.path / "spilled") as examiner:
        verdict = gate(
            batch,
            landing=landing,
            settings=settings(batch.manifest.window.start),
            examiner=examiner,
            again=True,
        )
    assert verdict.state == "passed", verdict
    assert [result.state for result in verdict.results] == ["pass"] * len(RULES), verdict
    return verdict.rows_loaded


def by_hand(root: Path) -> int:
    import duckdb

    (batch,) = Landing(root).batches()
    window = batch.manifest.window
    assert window is not None
    connection = duckdb.connect()
    connection.execute("set memory_limit = '1GB'")
    connection.execute("set temp_directory = $path", {"path": str(batch.path / "spilled")})
    connection.execute(BY_HAND, {"path": str(batch.path / ROWS)})
    found = connection.execute(
        TWELVE, {"account": ACCOUNT, "start": window.start, "end": window.end}
    ).fetchall()
    assert found == [(0,) * len(RULES)], found
    written = batch.path / "by_hand.parquet"
    connection.execute(f"copy typed to '{written}' (format parquet, compression zstd)")
    return int(connection.execute("select count(*) from typed").fetchall()[0][0])


def main() -> None:
    """gate land FOLDER DAYS ADS | gate ours|by-hand FOLDER"""
    what, root = sys.argv[1], Path(sys.argv[2])
    if what == "land":
        land(root, Report(*map(int, sys.argv[3:])))
    else:
        print(json.dumps({"rows": ours(root) if what == "ours" else by_hand(root)}))


if __name__ == "__main__":
    main()
