"""What nights before the first one would have left in landing and warehouse, had they been run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

import duckdb
import msgspec
import pandas as pd

from expectations.verdict import read_verdict, write_verdict
from ingest.batch import MANIFEST, VERDICT, Batch, Window
from ingest.index import OPEN_NIGHTS
from ingest.landing import Landing, read_batch
from ingest.names import batch_id, last_sequence
from ingest.store import LocalFolder

PULLED_AGAIN = timedelta(days=30)


@contextmanager
def numbered_after(days: int) -> Iterator[None]:
    """In the block a stream's first batch gets the number that follows those of so many nights."""
    with patch("ingest.landing.last_sequence", lambda stream: last_sequence(stream) or days - 1):
        yield


def remember_nights(warehouse: Path, days: int) -> None:
    """Checks and states of each night before, like those of the newest batch of each stream."""
    newest = "qualify batch_id = max(batch_id) over (partition by source, account, stream)"
    with duckdb.connect(str(warehouse)) as connection:
        for table, wanted in {"check_results": newest, "stream_status": ""}.items():
            connection.execute(
                f"insert into ops.{table} by name"
                " select night.* replace (night.as_of_date - before.n::integer as as_of_date)"
                f" from (from ops.{table} {wanted}) as night, range(1, {days}) as before(n)"
                " order by as_of_date"
            )


def remember_batches(landing: Landing, warehouse: Path, days: int) -> None:
    """A batch of each stream and night before, that went on: manifest and verdict, as upkeep leaves
    it, and its line in the warehouse; and the index of those of long ago.
    """
    earlier: list[Batch] = []
    for _, names in groupby(landing.names(), key=lambda name: name.place):
        newest = read_batch(list(names)[-1])
        earlier += [_land(newest, before, days) for before in range(1, days)]
        _judge(newest, earlier[len(earlier) - days + 1 :])
    lines = pd.DataFrame([_line(batch) for batch in earlier])
    with duckdb.connect(str(warehouse)) as connection:
        connection.register("lines", lines)
        connection.execute(
            "insert into ops.loaded_batches by name"
            " select lines.*, newest.* exclude (batch_id, source, account, stream, window_start,"
            " window_end, as_of_date, sequence) from lines join (select distinct on"
            " (source, account, stream) * from ops.loaded_batches"
            " order by source, account, stream, sequence desc) as newest"
            " using (source, account, stream)"
        )
    landing.index(max(batch.manifest.as_of_date for batch in earlier) - OPEN_NIGHTS)


def _land(newest: Batch, before: int, days: int) -> Batch:
    manifest = newest.manifest
    night = manifest.as_of_date - timedelta(days=before)
    window = Window(night - PULLED_AGAIN, night) if manifest.window else None
    sequence = days - before
    name = batch_id(sequence, replace(manifest.unit, window=window), night)
    manifest = replace(manifest, batch_id=name, window=window, as_of_date=night, sequence=sequence)
    folder = newest.path.with_name(name)
    folder.mkdir(mode=0o700)
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    return Batch(LocalFolder(str(folder)), manifest)


def _judge(newest: Batch, earlier: list[Batch]) -> None:
    """One verdict for all of a stream, of as many days as a night pulls again."""
    verdict = read_verdict(newest)
    assert verdict is not None
    rows_per_day = dict([*verdict.profile.rows_per_day.items()][-PULLED_AGAIN.days :])
    profile = replace(verdict.profile, rows_per_day=rows_per_day)
    first, *others = earlier
    write_verdict(first, replace(verdict, profile=profile))
    for batch in others:
        os.link(first.path / VERDICT, batch.path / VERDICT)


def _line(batch: Batch) -> dict[str, object]:
    manifest = batch.manifest
    return {
        "batch_id": manifest.batch_id,
        "source": manifest.source,
        "account": manifest.account,
        "stream": manifest.stream,
        "window_start": manifest.window.start if manifest.window else None,
        "window_end": manifest.window.end if manifest.window else None,
        "as_of_date": manifest.as_of_date,
        "sequence": manifest.sequence,
    }
