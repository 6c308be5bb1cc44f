"""The load: every gated batch enters the warehouse once, in one transaction with its record."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from boscard.clock import Clock
from boscard.home import Home
from boscard.landing import open_landing
from boscard.logs import about
from boscard.settings import Settings
from expectations.verdict import Verdict, read_verdict
from ingest.batch import CALLS, NOTED, QUARANTINE, TYPED, VERDICT, Batch
from ingest.landing import read_if_there
from ingest.names import Name
from ingest.registry import SOURCES
from warehouse.connection import connect, transaction
from warehouse.errors import NightRefused
from warehouse.facts import record_batch
from warehouse.lock import writer_lock
from warehouse.personal import HashKey, keep_key
from warehouse.retold import is_late, retell, turn
from warehouse.rows import Target, load_rows
from warehouse.status import StreamStatus, record_status, stream_statuses
from warehouse.tables import ensure_tables

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What one load did. `held` batches are recorded and kept out of the raw tables."""

    loaded: tuple[Batch, ...]
    held: tuple[Batch, ...]
    ungated: tuple[Batch, ...]
    rows: int
    statuses: tuple[StreamStatus, ...]
    migrations: tuple[str, ...]


def load(home: Home, settings: Settings, clock: Clock, key: HashKey) -> LoadReport:
    """Load all gated batches up to this night that are not loaded yet, in the order of sequence.

    Personal columns enter as hashes with `key`. Loading again changes nothing. Raises NightRefused
    for a night older than the newest loaded, HashKeyChanged for another key than the warehouse
    was loaded with, WarehouseBusy while another process writes, BatchBroken where a batch's files
    disagree.
    """
    with writer_lock(home):
        names = open_landing(home, settings).names(is_indexed=True)
        connection = connect(home.warehouse)
        try:
            return load_night(connection, names, settings, clock, key)
        finally:
            connection.close()


def load_night(
    connection: duckdb.DuckDBPyConnection,
    names: Sequence[Name],
    settings: Settings,
    clock: Clock,
    key: HashKey,
) -> LoadReport:
    """Load those of `names` that are gated, not after this night and not loaded yet.

    No file is opened of one that passed and is loaded: no gate judges it again. The caller holds
    the writer's lock. Raises as `load` does.
    """
    migrations = ensure_tables(connection)
    _refuse_older_night(connection, clock)
    keep_key(connection, key)
    known = _known(connection)
    loaded: list[Batch] = []
    held: list[Batch] = []
    ungated: list[Batch] = []
    rows = 0
    new = [name for name in names if name.as_of_date <= clock.as_of_date and _is_new(name, known)]
    for name in sorted(new, key=turn):
        batch = read_if_there(name)
        if batch is None:
            continue
        verdict = read_verdict(batch)
        if verdict is None:
            ungated.append(batch)
            continue
        if verdict.state == known.get((*name.place, name.sequence)):
            continue
        with (
            batch.folder.reading(TYPED, QUARANTINE, NOTED, VERDICT, CALLS),
            transaction(connection),
            about(batch.manifest),
        ):
            _load_batch(connection, batch, verdict, key)
            if verdict.state == "passed" and is_late(connection, name):
                retell(connection, name, sorted(names, key=turn), key)
            LOG.info("loaded: %d rows", verdict.rows_loaded)
        (loaded if verdict.state == "passed" else held).append(batch)
        rows += verdict.rows_loaded
    statuses = stream_statuses(connection, settings, clock)
    with transaction(connection):
        record_status(connection, statuses, clock)
    return LoadReport(
        loaded=tuple(loaded),
        held=tuple(held),
        ungated=tuple(ungated),
        rows=rows,
        statuses=tuple(statuses),
        migrations=tuple(migrations),
    )


def _load_batch(
    connection: duckdb.DuckDBPyConnection, batch: Batch, verdict: Verdict, key: HashKey
) -> None:
    """Data and the note that this batch is loaded, within the caller's transaction."""
    if verdict.state == "passed":
        stream = SOURCES[batch.manifest.source].streams[batch.manifest.stream]
        load_rows(Target(connection, batch, stream, verdict.rows_loaded, key))
    record_batch(connection, batch, verdict)


def _refuse_older_night(connection: duckdb.DuckDBPyConnection, clock: Clock) -> None:
    newest = connection.execute(
        "select max(as_of_date) from ("
        " select as_of_date from ops.loaded_batches"
        " union all select as_of_date from ops.stream_status)"
    ).fetchall()[0][0]
    if newest is not None and newest > clock.as_of_date:
        raise NightRefused(
            f"the night of {clock.as_of_date} is older than what is loaded, {newest}; read that"
            f" night from its publication, or rebuild it: boscard replay --date {clock.as_of_date}"
        )


def _is_new(name: Name, known: Mapping[tuple[str, str, str, int], str]) -> bool:
    """Not recorded, or kept back when it was: then its verdict may be another one by now."""
    recorded = known.get((*name.place, name.sequence))
    return recorded is None or recorded not in ("passed", name.state)


def _known(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str, int], str]:
    """The verdict under which each batch was recorded; a held batch that passes later is loaded."""
    rows = connection.execute(
        "select source, account, stream, sequence, state from ops.loaded_batches"
    ).fetchall()
    return {(row[0], row[1], row[2], row[3]): row[4] for row in rows}
