"""One publication: the night's candidate in files, then Postgres, then behind the `current` links.

The three places are not atomic together; a rerun completes what a crash left, and changes nothing
where nothing is missing.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish.candidate import Candidate, read_candidate
from publish.connection import writer_url
from publish.files import Places, point_current, prune, read_duckdb, write_files
from publish.history import (
    HISTORY,
    PUBLICATIONS,
    RESTATEMENTS,
    Record,
    newest,
    record_rows,
    rows_of,
)
from publish.postgres import Changes, Transaction, transaction
from publish.restatements import restatements
from publish.schema import prepare

KPI_VALUES = "kpi_values"


@dataclass(frozen=True, slots=True)
class Publication:
    """What was published. `changes` are the rows written to Postgres, by view."""

    record: Record
    changes: Mapping[str, Changes]
    duckdb: Path
    parquet: Path

    @property
    def publication_id(self) -> str:
        return self.record.publication_id

    @property
    def content_hash(self) -> str:
        return self.record.content_hash

    @property
    def changed_rows(self) -> int:
        return sum(changes.total for changes in self.changes.values())


def publish(
    home: Home, settings: Settings, clock: Clock, *, postgres_url: str | None = None
) -> Publication:
    """Publish the night's marts in all three places.

    `postgres_url` is the writer's URL of a server of one's own; without it the embedded server
    serves, started for as long as needed. Raises before anything changes when the marts are another
    night's or cannot be published; MismatchError when a place gives back other rows than it got.
    """
    places = Places(home.publications)
    with publishing(home), writer_url(home, settings, postgres_url) as url:
        candidate = read_candidate(home, clock)
        prepare(url, (*candidate.views, *HISTORY))
        with transaction(url) as database:
            record, history = _history(database, candidate)
            tables = {**candidate.tables, **history}
            facts = {**asdict(record), "company": settings.company.name}
            write_files(places, record.publication_id, (*candidate.views, *HISTORY), tables, facts)
            changes = {
                view.name: database.replace(view, candidate.tables[view.name])
                for view in candidate.views
            }
            for view in HISTORY:
                changes[view.name] = Changes(inserted=database.append(view, history[view.name]))
        point_current(places, record.publication_id)
        published = history[PUBLICATIONS.name].column("publication_id").to_pylist()
        prune(places, published[::-1], settings.publication.keep)
    return Publication(
        record,
        changes,
        places.duckdb(record.publication_id),
        places.parquet(record.publication_id),
    )


def prune_files(home: Home, settings: Settings) -> list[str]:
    """Remove the files of all but the `keep` newest publications, and those of unfinished ones.

    Returns the names of what was removed. Waits for a publication that is being made.
    """
    places = Places(home.publications)
    with publishing(home):
        if not places.current_duckdb.exists():
            return []
        known = read_duckdb(places.current_duckdb, [PUBLICATIONS])[PUBLICATIONS.name]
        published = known.sort_by("sequence").column("publication_id").to_pylist()
        return prune(places, published[::-1], settings.publication.keep)


def _history(database: Transaction, candidate: Candidate) -> tuple[Record, dict[str, pa.Table]]:
    """This publication's record, and all history including it. A rerun finds its own record."""
    known = {view.name: database.fetch(view) for view in HISTORY}
    current = newest(known[PUBLICATIONS.name])
    if (
        current is not None
        and current.publication_id == candidate.publication_id
        and current.content_hash == candidate.content_hash
    ):
        return current, known
    record = Record(
        sequence=1 if current is None else current.sequence + 1,
        publication_id=candidate.publication_id,
        previous_publication_id=None if current is None else current.publication_id,
        as_of_date=candidate.as_of_date,
        content_hash=candidate.content_hash,
        definitions_hash=candidate.definitions_hash,
        batches_hash=candidate.batches_hash,
        rows=candidate.rows,
        restated_values=0,
        published_at=datetime.now(UTC),
    )
    changed = _restatements(database, candidate, current, record)
    record = Record(**{**asdict(record), "restated_values": changed.num_rows})
    added = {PUBLICATIONS.name: record_rows(record), RESTATEMENTS.name: changed}
    return record, {name: pa.concat_tables([known[name], added[name]]) for name in known}


def _restatements(
    database: Transaction, candidate: Candidate, current: Record | None, record: Record
) -> pa.Table:
    values = next((view for view in candidate.views if view.name == KPI_VALUES), None)
    if current is None or values is None:
        return rows_of(RESTATEMENTS, [])
    now = candidate.tables[KPI_VALUES]
    return restatements(database.fetch(values), now, current.publication_id, record)


@contextmanager
def publishing(home: Home) -> Iterator[None]:
    """Wait for, and hold, the right to change a home's publications."""
    home.publications.mkdir(parents=True, exist_ok=True)
    with (home.publications / ".lock").open("w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
