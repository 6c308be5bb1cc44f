"""What is remembered across nights: each publication, and each published KPI value that changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from publish.content_hash import ARROW_TYPES
from publish.contract import Column, ColumnType, View


@dataclass(frozen=True, slots=True)
class Record:
    """One row of `kpi.publications`."""

    sequence: int
    publication_id: str
    previous_publication_id: str | None
    as_of_date: date
    content_hash: str
    definitions_hash: str
    batches_hash: str
    rows: int
    restated_values: int
    published_at: datetime


def _columns(described: Mapping[str, tuple[ColumnType, str]]) -> tuple[Column, ...]:
    return tuple(Column(name, kind, text) for name, (kind, text) in described.items())


PUBLICATIONS = View(
    name="publications",
    relation="",
    key=("sequence",),
    columns=_columns(
        {
            "sequence": ("bigint", "Counts the publications; the highest is the current one."),
            "publication_id": (
                "varchar",
                "Digest of the night, the definitions and the loaded batches; names the files.",
            ),
            "previous_publication_id": ("varchar", "The publication this one replaced."),
            "as_of_date": ("date", "The night: data through this day."),
            "content_hash": (
                "varchar",
                "SHA-256 of all published rows, the same in Postgres, DuckDB and Parquet.",
            ),
            "definitions_hash": ("varchar", "SHA-256 of seeds, models and macros behind the rows."),
            "batches_hash": ("varchar", "SHA-256 of the list of batches that had been loaded."),
            "rows": ("bigint", "Published rows, all views together."),
            "restated_values": ("bigint", "KPI values that differ from the publication before."),
            "published_at": ("timestamptz", "When it was first published, by the machine's clock."),
        }
    ),
    description="One row a publication: which night, which data and definitions, which hash.",
)

RESTATEMENTS = View(
    name="restatements",
    relation="",
    key=("sequence", "kpi_id", "period_type", "period_start", "segment_type", "segment"),
    columns=_columns(
        {
            "sequence": ("bigint", "The publication (kpi.publications.sequence) that changed it."),
            "kpi_id": ("varchar", "The KPI."),
            "period_type": ("varchar", "day, week, month or quarter."),
            "period_start": ("date", "First day of the period."),
            "segment_type": ("varchar", "company, channel or campaign."),
            "segment": ("varchar", "Which channel or campaign; the company itself otherwise."),
            "old_value": ("double", "The value published before; null when there was none."),
            "new_value": ("double", "The value published now; null when there is none any more."),
            "reason": (
                "varchar",
                "definition change, new days, late data, vendor restatement or correction.",
            ),
            "from_publication_id": ("varchar", "The publication that showed the old value."),
            "to_publication_id": ("varchar", "The publication that shows the new value."),
            "as_of_date": ("date", "The night of the publication that changed it."),
        }
    ),
    description="The ledger of changed KPI values: what was shown, what is shown now, and why.",
)

HISTORY = (PUBLICATIONS, RESTATEMENTS)


def rows_of(view: View, records: list[dict[str, Any]]) -> pa.Table:
    """Records as an Arrow table in the columns and types of a view."""
    schema = pa.schema([(column.name, ARROW_TYPES[column.type]) for column in view.columns])
    return pa.Table.from_pylist(records, schema=schema)


def record_rows(record: Record) -> pa.Table:
    return rows_of(PUBLICATIONS, [asdict(record)])


def newest(publications: pa.Table) -> Record | None:
    """The current publication of a table of publications."""
    rows = publications.to_pylist()
    return Record(**max(rows, key=lambda row: row["sequence"])) if rows else None
