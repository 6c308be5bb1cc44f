"""The ledger of restatements: every published KPI value that a new publication changes, and why."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from publish.content_hash import canonical
from publish.history import RESTATEMENTS, Record

KEY = ("kpi_id", "period_type", "period_start", "segment_type", "segment")


def restatements(before: pa.Table, now: pa.Table, previous_id: str, record: Record) -> pa.Table:
    """Rows of `kpi.restatements` from the `kpi_values` published before and those of now.

    A value that appears with its period is news, not a restatement. A reason is the first that
    holds: the KPI's definition is another one; the period was still running; days that were missing
    came in; the vendor may still rewrite the period (it was provisional); else it is a correction.
    """
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.register("old_values", before)
        connection.register("new_values", now)
        changed = connection.execute(
            """
            select
                $sequence::bigint as sequence,
                old_values.kpi_id,
                old_values.period_type,
                old_values.period_start,
                old_values.segment_type,
                old_values.segment,
                old_values.value as old_value,
                new_values.value as new_value,
                case
                    when
                        old_values.definition_version
                        is distinct from new_values.definition_version
                        then 'definition change'
                    when old_values.is_running then 'new days'
                    when new_values.data_through is distinct from old_values.data_through
                        then 'late data'
                    when old_values.dq_state = 'provisional' then 'vendor restatement'
                    else 'correction'
                end as reason,
                $previous_id as from_publication_id,
                $publication_id as to_publication_id,
                $as_of_date as as_of_date
            from old_values
            left join new_values using (kpi_id, period_type, period_start, segment_type, segment)
            where old_values.value is distinct from new_values.value
            """,
            {
                "sequence": record.sequence,
                "previous_id": previous_id,
                "publication_id": record.publication_id,
                "as_of_date": record.as_of_date,
            },
        ).to_arrow_table()
    return canonical(changed, RESTATEMENTS)
