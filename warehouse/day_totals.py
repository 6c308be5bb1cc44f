"""What a batch of days sums up to, by day and measure: the vendor's totals of that night.

Read from the batch itself, so that the order of loading changes nothing.
"""

# ruff: noqa: S608 - the columns in the statement are named by the source registry

from __future__ import annotations

import duckdb

from ingest.batch import TYPED, Batch
from ingest.registry import SOURCES
from ingest.stream import Column


def record_day_totals(connection: duckdb.DuckDBPyConnection, batch: Batch) -> None:
    """Write ops.day_totals of a batch that passed; only streams of days have such totals.

    A vendor leaves out what is zero, so a day with rows has a total for every measure.
    """
    manifest = batch.manifest
    stream = SOURCES[manifest.source].streams[manifest.stream]
    if stream.load != "window":
        return
    path = str(batch.path / TYPED)
    described = connection.execute("describe select * from read_parquet(?)", [path]).fetchall()
    present = {row[0] for row in described}
    measures = [
        column
        for column in stream.columns
        if column.type in ("bigint", "decimal", "double")
        and column.name not in stream.key
        and column.name in present
    ]
    if not measures:
        return
    sums = ", ".join(f'coalesce({_exact_sum(column)}, 0) as "{column.name}"' for column in measures)
    listed = ", ".join(f'"{column.name}"' for column in measures)
    connection.execute(
        f"""
        insert into ops.day_totals
        select ?, ?, ?, ?, cast(? as date), cast(? as bigint), day, measure, amount
        from (
            unpivot (
                select "{stream.date_column}" as day, {sums}
                from read_parquet(?)
                group by day
            )
            on {listed} into name measure value amount
        )
        order by day, measure
        """,
        [
            manifest.source,
            manifest.account,
            manifest.stream,
            manifest.batch_id,
            manifest.as_of_date,
            manifest.sequence,
            path,
        ],
    ).fetchall()


def _exact_sum(column: Column) -> str:
    """Sums of whole numbers and decimals are exact; doubles are rounded before, one by one."""
    if column.type == "double":
        return f'sum(cast("{column.name}" as decimal(38, 6)))'
    return f'cast(sum("{column.name}") as decimal(38, 6))'
