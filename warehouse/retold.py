"""What records were before, told anew where a batch is let through after later ones were loaded.

Replay loads it in its turn, and the past must be the same by either way.
"""

# ruff: noqa: S608 - tables in the statements are named by the source registry

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb

from ingest.batch import QUARANTINE, TYPED
from ingest.landing import read_if_there
from ingest.names import Name
from ingest.registry import SOURCES
from ingest.stream import Stream, raw_table
from warehouse.personal import HashKey
from warehouse.rows import Target, load_rows
from warehouse.tables import ensure_tables, past_columns_of


def turn(name: Name) -> tuple[date, bool, int]:
    """Night after night, and in each first the records, then the lists of which are still there."""
    source, _, stream_name = name.place
    stream = SOURCES[source].streams[stream_name]
    return name.as_of_date, stream.sweeps is not None, name.sequence


def is_late(connection: duckdb.DuckDBPyConnection, name: Name) -> bool:
    """Whether a batch of the same records, whose turn comes later, is loaded."""
    source, account, stream = name.place
    records, lists = _streams(name)
    if not records.remembered:
        return False
    found = connection.execute(
        "select 1 from ops.loaded_batches"
        " where source = $source and account = $account and state = 'passed'"
        " and (stream = $records or list_contains($lists, stream))"
        " and (as_of_date, stream != $records, sequence)"
        " > (cast($night as date), cast($is_list as boolean), cast($sequence as bigint)) limit 1",
        {
            "source": source,
            "account": account,
            "records": records.name,
            "lists": lists,
            "night": name.as_of_date,
            "is_list": stream != records.name,
            "sequence": name.sequence,
        },
    ).fetchall()
    return bool(found)


def retell(
    connection: duckdb.DuckDBPyConnection, late: Name, names: Sequence[Name], key: HashKey
) -> None:
    """Tell the past of a late batch's records anew, within the caller's transaction.

    Those of `names` that are loaded enter a scratch database in their turn (they come so), and its
    past takes the place of the warehouse's.
    """
    source, account, _ = late.place
    stream, lists = _streams(late)
    rows = connection.execute(
        "select stream, sequence, rows_loaded from ops.loaded_batches"
        " where source = ? and account = ? and state = 'passed'",
        [source, account],
    ).fetchall()
    loaded = {(row[0], row[1]): int(row[2]) for row in rows if row[0] in (stream.name, *lists)}
    table = raw_table(source, stream.name)
    columns = ", ".join(f'"{column}"' for column in past_columns_of(stream))
    with duckdb.connect() as scratch:
        scratch.execute("set TimeZone = 'UTC'").fetchall()
        ensure_tables(scratch)
        for name in names:
            *reached_by, stream_name = name.place
            count = loaded.get((stream_name, name.sequence))
            if count is None or reached_by != [source, account]:
                continue
            of = SOURCES[source].streams[stream_name]
            batch = read_if_there(name)
            if batch is None:
                continue
            with batch.folder.reading(TYPED, QUARANTINE):
                load_rows(Target(scratch, batch, of, count, key))
            scratch.execute(
                "insert into ops.loaded_batches by name select ? as source, ? as account,"
                " ? as stream, cast(? as date) as as_of_date, cast(? as bigint) as sequence,"
                " 'passed' as state",
                [*name.place, name.as_of_date, name.sequence],
            ).fetchall()
        told = scratch.execute(f"select {columns} from past.{table}").to_arrow_table()
    connection.execute(f"delete from past.{table} where _account = ?", [account]).fetchall()
    connection.register("told", told)
    connection.execute(f"insert into past.{table} select {columns} from told").fetchall()
    connection.unregister("told")


def _streams(name: Name) -> tuple[Stream, list[str]]:
    """The stream of the records that a batch brings or lists, and the streams that list them."""
    source, _, stream_name = name.place
    streams = SOURCES[source].streams
    stream = streams[stream_name]
    records = streams[stream.sweeps] if stream.sweeps else stream
    return records, [each.name for each in streams.values() if each.sweeps == records.name]
