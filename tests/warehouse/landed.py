"""Gated batches by the contract between the rooms, without a vendor and without the gate."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from boscard.clock import Clock
from boscard.settings import Settings
from expectations.verdict import Profile, Result, Verdict, write_verdict
from ingest.batch import FORMAT, QUARANTINE, TYPED, Batch, Unit, Window
from ingest.exchange import Page
from ingest.landing import Landing
from ingest.registry import SOURCES
from warehouse.personal import HashKey
from warehouse.tables import SQL_TYPES

KEY = HashKey(b"a key for tests, as long as is asked")

Row = Mapping[str, Any]


def land(
    landing: Landing,
    source: str,
    account: str,
    stream: str,
    rows: Sequence[Row],
    *,
    as_of: date,
    window: tuple[date, date] | None = None,
    state: str = "passed",
    quarantined: Sequence[Row] = (),
    results: Sequence[Result] = (),
    gated: bool = True,
) -> Batch:
    """Land `rows` (values by column name) and set the `quarantined` ones aside."""
    body = [json.dumps(row, default=str).encode() for row in (*rows, *quarantined)]
    page = Page(
        rows=body,
        envelope={},
        method="GET",
        url=f"https://vendor.example/{stream}",
        status=200,
        bytes=sum(map(len, body)),
        sha256=hashlib.sha256(b"".join(body)).hexdigest(),
        attempts=1,
        milliseconds=1,
    )
    unit = Unit(source, account, stream, Window(*window) if window else None)
    batch = landing.write(unit, as_of, [page])
    if gated:
        gate(batch, rows, state=state, quarantined=quarantined, results=results)
    return batch


def gate(
    batch: Batch,
    rows: Sequence[Row],
    *,
    state: str = "passed",
    quarantined: Sequence[Row] = (),
    results: Sequence[Result] = (),
) -> None:
    """Write typed.parquet, quarantine.parquet and verdict.json beside a landed batch."""
    stream = SOURCES[batch.manifest.source].streams[batch.manifest.stream]
    held = 0 if state == "passed" else len(rows)
    day = stream.date_column
    if not held:
        kinds = {column.name: SQL_TYPES[column.type] for column in stream.columns}
        lines = [
            [*(_sql_value(row.get(name)) for name in kinds), line, "call.00001"]
            for line, row in enumerate(rows, start=1)
        ]
        _parquet(batch.path / TYPED, {**kinds, "_line": "BIGINT", "_call_id": "VARCHAR"}, lines)
    aside = [
        [
            len(rows) + number,
            json.dumps(row, default=str),
            ["made.up.rule"],
            str(row[day])[:10] if day else None,
            json.dumps(
                {name: row.get(name) for name in stream.key}, default=str, separators=(",", ":")
            ),
        ]
        for number, row in enumerate(quarantined, start=1)
    ]
    kinds = {"_line": "BIGINT", "row": "VARCHAR", "reasons": "VARCHAR[]"}
    kinds |= {"day": "DATE", "key": "VARCHAR"}
    _parquet(batch.path / QUARANTINE, kinds, aside)
    verdict = Verdict(
        format=FORMAT,
        batch_id=batch.manifest.batch_id,
        state=state,
        rows_in=len(rows) + len(quarantined),
        rows_loaded=len(rows) - held,
        rows_superseded=0,
        rows_quarantined=len(quarantined),
        rows_held=held,
        results=tuple(results),
        profile=Profile(rows=len(rows), rows_per_day={}, fields=(), fill={}),
        quarantined_days={},
        gated_at="2026-01-01T00:00:00+00:00",
    )
    write_verdict(batch, verdict)


def a_clock(night: date, settings: Settings) -> Clock:
    company = settings.company
    return Clock(night, company.zone, company.publication_hour)


def ad_day(day: date, campaign: str = "1", account: str = "100", **measures: Any) -> dict[str, Any]:
    """A row of google_ads.campaign_daily."""
    return {
        "account_id": account,
        "currency_code": "EUR",
        "time_zone": "Europe/Berlin",
        "campaign_id": campaign,
        "campaign_name": f"Campaign {campaign}",
        "campaign_status": "ENABLED",
        "channel_type": "SEARCH",
        "report_date": day,
        **measures,
    }


def _parquet(path: Path, kinds: Mapping[str, str], rows: list[list[Any]]) -> None:
    columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"create table rows ({columns})")
        if rows:
            marks = ", ".join("?" for _ in kinds)
            connection.executemany(f"insert into rows values ({marks})", rows)
        connection.execute(f"copy rows to '{path}' (format parquet)")


def _sql_value(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value
