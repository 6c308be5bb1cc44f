"""What rows said before a night changed them, of streams whose vendors send records that change.

A vendor shows a record as it is now. What a past night saw of it is the oldest row of `past` with
its key and a later `_until`, or, where there is none, the row that stands in `raw`.
"""

# ruff: noqa: S608 - tables and columns in the statements are named by the source registry

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from ingest.batch import Manifest
from ingest.stream import Stream, raw_table


@contextmanager
def remembering(
    connection: duckdb.DuckDBPyConnection, batch: Manifest, stream: Stream, touched: str = "true"
) -> Iterator[None]:
    """Keep what those rows of `stream` were that the block changes, adds or removes.

    `touched` is the SQL for the rows of raw as `present` that it may concern. Of several changes in
    one night the first counts: what the night before saw. Nothing is kept of rows that the first
    night of a stream brings: no night saw them missing.
    """
    if not stream.remembered:
        yield
        return
    name = raw_table(batch.source, stream.name)
    said = [*stream.remembered, "_is_deleted"]
    columns = ", ".join(f'"{column}"' for column in (*stream.key, *said, "_batch_id", "_line"))
    standing = (
        f"select {columns} from raw.{name} as present"
        f" where present._account = $account and ({touched})"
    )
    account = {"account": batch.account}
    connection.execute(
        f"create or replace temporary table as_it_was as {standing}", account
    ).fetchall()
    yield
    keys = ", ".join(f'"{key}"' for key in stream.key)
    same_key = " and ".join(f'known."{key}" = changes."{key}"' for key in stream.key)
    before, after = (
        "(" + ", ".join(f'{table}."{column}"' for column in said) + ")"
        for table in ("as_it_was", "as_it_is")
    )
    kept = ", ".join(
        f'as_it_was."{column}"' for column in (*stream.remembered, "_batch_id", "_line")
    )
    connection.execute(
        f"""
        insert into past.{name} by name
        with changes as (
            select {keys}, {kept}, coalesce(as_it_was._is_deleted, false) as _is_deleted,
                as_it_was._batch_id is not null as _was_there,
                $account as _account, cast($night as date) as _until
            from as_it_was
            full join ({standing}) as as_it_is using ({keys})
            where as_it_was._batch_id is null or as_it_is._batch_id is null
                or {before} is distinct from {after}
        )
        from changes
        where (_was_there or exists (
                from ops.loaded_batches as earlier
                where earlier.source = $source and earlier.account = $account
                    and earlier.stream = $stream and earlier.state = 'passed'
                    and earlier.as_of_date < cast($night as date)
            ))
            and not exists (
                from past.{name} as known
                where known._account = changes._account and known._until = changes._until
                    and {same_key}
            )
        order by {keys}
        """,
        {
            **account,
            "source": batch.source,
            "stream": stream.name,
            "night": batch.as_of_date,
        },
    ).fetchall()
    connection.execute("drop table as_it_was").fetchall()
