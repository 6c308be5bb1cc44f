"""Thirty days replaced in a history of ad rows: by the load, and by a bare delete and insert."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import timedelta
from pathlib import Path

import duckdb

from bench.ad_rows import ACCOUNT, LAST_DAY
from bench.programs.installation import clock, settings
from ingest.batch import QUARANTINE, TYPED, Batch, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing

TABLE = "raw.google_ads__ad_daily"
MONTH = 30
WINDOW = Window(LAST_DAY - timedelta(days=MONTH - 1), LAST_DAY)
ROWS = """
    select '4185550101' as account_id, 'EUR' as currency_code, 'Europe/Berlin' as time_zone,
        (20400000000 + ad // 100)::varchar as campaign_id,
        (151000000000 + ad // 10)::varchar as ad_group_id, (667000000000 + ad)::varchar as ad_id,
        (day::timestamp)::date as report_date, 20 + hash(ad, day) % 20000 as impressions,
        hash(ad, day) % 1000 as clicks, hash(day, ad) % 100000000 as cost_micros,
        (hash(ad, day) % 100000 / 1000)::decimal(18, 6) as conversions,
        (hash(day, ad) % 100000 / 10)::decimal(18, 6) as conversions_value
    from range(date '{start}', date '{end}' + interval 1 day, interval 1 day) as days(day),
        range({ads}) as ads(ad)
    order by day, ad
"""


def seed(root: Path, days: int, ads: int, batches: int) -> None:
    """A warehouse with the history, and batches that each bring the last thirty days anew."""
    from warehouse.connection import connect
    from warehouse.tables import ensure_tables

    connection = connect(root / "warehouse.duckdb")
    ensure_tables(connection)
    start = LAST_DAY - timedelta(days=days - 1)
    for first in range(0, days, MONTH):  # all of it in one statement takes 15 GB to sort
        last = min(first + MONTH, days) - 1
        rows = ROWS.format(
            start=start + timedelta(days=first), end=start + timedelta(days=last), ads=ads
        )
        connection.execute(
            f"insert into {TABLE} by name select *, '{ACCOUNT}' as _account, '000000_history' as"
            f" _batch_id, 0 as _sequence, row_number() over () as _line, 'history' as _call_id,"
            f" false as _is_deleted from ({rows})"
        )
    landing = Landing(root / "landing")
    unit = Unit("google_ads", ACCOUNT, "ad_daily", WINDOW)
    for _ in range(batches):
        page = Page(
            rows=[b"{}"], url="https://vendor.example/ad_daily", sha256=hashlib.sha256().hexdigest()
        )
        _gate(connection, landing.write(unit, LAST_DAY, [page]), ads)
    connection.close()


def _gate(connection: duckdb.DuckDBPyConnection, batch: Batch, ads: int) -> None:
    """What the gate would have written of a sound batch."""
    from expectations.output import write_kept_back
    from expectations.verdict import FORMAT, Profile, Verdict, write_verdict

    rows = ROWS.format(start=WINDOW.start, end=WINDOW.end, ads=ads)
    connection.execute(
        f"copy (select *, row_number() over () as _line, 'call' as _call_id from ({rows}))"
        f" to '{batch.path / TYPED}' (format parquet, compression zstd)"
    )
    typed = batch.path / TYPED
    aside = typed.with_name("aside")
    typed.rename(aside)
    write_kept_back(batch)
    aside.rename(typed)
    assert (batch.path / QUARANTINE).exists()
    count = MONTH * ads
    write_verdict(
        batch,
        Verdict(
            format=FORMAT,
            batch_id=batch.manifest.batch_id,
            state="passed",
            rows_in=count,
            rows_loaded=count,
            rows_superseded=0,
            rows_quarantined=0,
            rows_held=0,
            results=(),
            profile=Profile(count, {}, (), {}),
            quarantined_days={},
            gated_at="",
        ),
    )


def ours(root: Path, number: int) -> int:
    from warehouse.connection import connect
    from warehouse.load import load_night
    from warehouse.personal import HashKey

    chosen = settings(WINDOW.start)
    name = Landing(root / "landing").names()[number]
    connection = connect(root / "warehouse.duckdb")
    report = load_night(connection, [name], chosen, clock(chosen), HashKey(b"measured"))
    connection.close()
    return report.rows


def bare(root: Path, number: int) -> int:
    batch = Landing(root / "landing").batches()[number]
    connection = duckdb.connect(str(root / "warehouse.duckdb"))
    connection.begin()
    connection.execute(
        f"delete from {TABLE} where _account = ? and report_date between ? and ?",
        [ACCOUNT, WINDOW.start, WINDOW.end],
    ).fetchall()
    inserted = connection.execute(
        f"insert into {TABLE} by name select *, ? as _account, ? as _batch_id, ? as _sequence,"
        " false as _is_deleted from read_parquet(?)",
        [ACCOUNT, batch.manifest.batch_id, batch.manifest.sequence, str(batch.path / TYPED)],
    ).fetchall()
    connection.commit()
    connection.close()
    return int(inserted[0][0])


def main() -> None:
    """window seed FOLDER DAYS ADS BATCHES | window ours|bare FOLDER NUMBER"""
    what, root = sys.argv[1], Path(sys.argv[2])
    numbers = list(map(int, sys.argv[3:]))
    if what == "seed":
        seed(root, *numbers)
    else:
        print(json.dumps({"rows": (ours if what == "ours" else bare)(root, *numbers)}))


if __name__ == "__main__":
    main()
