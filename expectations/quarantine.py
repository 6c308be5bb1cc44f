"""The rows set aside, over all landed batches: which, why, and the vendor's bytes of each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pyarrow.parquet as pq

from expectations.verdict import read_verdict
from ingest.batch import QUARANTINE, Batch
from ingest.landing import Landing


class NoSuchRowError(LookupError):
    """No row with this name is set aside; the message says how to find the right one."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """One row: its batch and line, the ids of the checks it failed, what it says of itself.

    `columns`: the columns whose values are not what they should be. `key` is JSON text, None for a
    line that could not be read. `row` is the vendor's row as it came, personal data included.
    """

    batch: Batch
    line: int
    reasons: tuple[str, ...]
    columns: tuple[str, ...]
    day: date | None
    key: str | None
    row: str

    @property
    def name(self) -> str:
        """`<source>.<account>.<stream>.<sequence>.<line>`: what `find` takes."""
        of = self.batch.manifest
        return f"{of.source}.{of.account}.{of.stream}.{of.sequence:06d}.{self.line}"


def rows_set_aside(
    landing: Landing,
    source: str | None = None,
    account: str | None = None,
    stream: str | None = None,
) -> Iterator[SetAside]:
    """Rows set aside, by source, account, stream, sequence and line. Ungated batches have none."""
    for batch in landing.batches(source, account, stream):
        verdict = read_verdict(batch)
        if verdict and verdict.rows_quarantined:
            yield from _read(batch)


def find(landing: Landing, name: str) -> SetAside:
    """The row with this name. Raises NoSuchRowError."""
    of, _, line = name.rpartition(".")
    place, _, sequence = of.rpartition(".")
    place, _, stream = place.rpartition(".")
    source, _, account = place.partition(".")
    if source and account and stream and sequence.isdigit() and line.isdigit():
        for batch in landing.batches(source, account, stream):
            if batch.manifest.sequence == int(sequence) and batch.is_gated:
                for row in _read(batch):
                    if row.name == name:
                        return row
    raise NoSuchRowError(
        f"no row {name!r} is set aside; `boscard quarantine list` shows those that are"
    )


def _read(batch: Batch) -> Iterator[SetAside]:
    with batch.folder.reading(QUARANTINE):
        rows = pq.read_table(batch.path / QUARANTINE).to_pylist()
    for row in rows:
        yield SetAside(
            batch=batch,
            line=row["_line"],
            reasons=tuple(row["reasons"]),
            columns=tuple(row["columns"]),
            day=row["day"],
            key=row["key"],
            row=row["row"],
        )
