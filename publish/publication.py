"""One publication: the night's candidate in files, then Postgres, then behind the `current` links.

The three places are not atomic together; a rerun completes what a crash left, and changes nothing
where nothing is missing.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from boscard.clock import Clock
from boscard.home import Home
from boscard.settings import Settings
from publish.base import Base
from publish.candidate import Candidate, NotTransformedError, read_candidate
from publish.connection import writer_url
from publish.content_hash import NotCanonicalError, canonical
from publish.contract import ContractError, View
from publish.files import read_duckdb, write_files
from publish.history import (
    HISTORY,
    PUBLICATIONS,
    RESTATEMENTS,
    Record,
    newest,
    record_rows,
    rows_of,
)
from publish.parts import Slice, merged, months_of
from publish.places import Places, point_current, prune
from publish.postgres import Changes, Transaction, transaction
from publish.read import current_record
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
    home: Home,
    settings: Settings,
    clock: Clock,
    *,
    postgres_url: str | None = None,
    whole: bool = False,
) -> Publication:
    """Publish the night's marts in all three places.

    What did not change since the publication that stands is not read or written again; `whole`: all
    rows of all places are compared, and those that are wrong are put right. `postgres_url` is the
    writer's URL of a server of one's own; without it the embedded server serves, started for as
    long as needed. Raises before anything changes when the marts are another night's or cannot be
    published; MismatchError when a place gives back other rows than it got.
    """
    places = Places(home.publications)
    with publishing(home), writer_url(home, settings, postgres_url) as url:
        candidate = read_candidate(home, clock, whole=whole)
        views = (*candidate.views, *HISTORY)
        prepare(url, views)
        with transaction(url) as database:
            current = newest(database.fetch(PUBLICATIONS))
            if candidate.base is not None and not _stands(database, current, candidate):
                candidate = read_candidate(home, clock, whole=True)
            record, history = _history(database, current, candidate)
            base = candidate.base
            slices, parts = {**candidate.slices}, {**candidate.parts}
            for view in HISTORY:
                slices[view.name] = _with_history(database, view, history[view.name], base)
                before = base.parts[view.name] if base else {}
                parts[view.name] = merged(before, view, slices[view.name])
            facts = {**asdict(record), "company": settings.company.name}
            write_files(places, record.publication_id, views, slices, parts, facts, base)
            changes = {
                view.name: database.replace(view, slices[view.name]) for view in candidate.views
            }
            for view in HISTORY:
                changes[view.name] = Changes(inserted=database.append(view, history[view.name]))
            known = database.fetch(PUBLICATIONS).column("publication_id").to_pylist()
        point_current(places, record.publication_id)
        prune(places, known[::-1], settings.publication.keep)
    return Publication(
        record,
        changes,
        places.duckdb(record.publication_id),
        places.parquet(record.publication_id),
    )


def recheck(
    home: Home, settings: Settings, *, postgres_url: str | None = None
) -> Publication | None:
    """Compare all rows of the current publication in all places with the marts, and put them right.

    None where that cannot be: nothing is published yet, or the marts are others by now (of a night
    that was not published, of new definitions), and so no judge.
    """
    record = current_record(home)
    if record is None:
        return None
    company = settings.company
    clock = Clock(record.as_of_date, company.zone, company.publication_hour)
    try:
        candidate = read_candidate(home, clock)
    except (NotTransformedError, ContractError, NotCanonicalError):
        return None
    if (candidate.publication_id, candidate.content_hash) != (
        record.publication_id,
        record.content_hash,
    ):
        return None
    return publish(home, settings, clock, postgres_url=postgres_url, whole=True)


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


def _stands(database: Transaction, current: Record | None, candidate: Candidate) -> bool:
    """Is what Postgres shows the candidate's base, and are there as many rows of each view?"""
    base = candidate.base
    if base is None or current is None:
        return False
    return (current.publication_id, current.content_hash) == (
        base.publication_id,
        base.content_hash,
    ) and all(database.count(view) == base.rows(view) for view in (*candidate.views, *HISTORY))


def _history(
    database: Transaction, current: Record | None, candidate: Candidate
) -> tuple[Record, dict[str, pa.Table]]:
    """This publication's record, and what history gains by it: nothing by a rerun."""
    if (
        current is not None
        and current.publication_id == candidate.publication_id
        and current.content_hash == candidate.content_hash
    ):
        return current, {view.name: rows_of(view, []) for view in HISTORY}
    record = Record(
        sequence=1 if current is None else current.sequence + 1,
        publication_id=candidate.publication_id,
        previous_publication_id=None if current is None else current.publication_id,
        as_of_date=candidate.as_of_date,
        content_hash=candidate.content_hash,
        definitions_hash=candidate.definitions_hash,
        batches_hash=candidate.batches_hash,
        rows=sum(candidate.rows.values()),
        restated_values=0,
        published_at=datetime.now(UTC),
    )
    changed = _restatements(database, candidate, current, record)
    record = replace(record, restated_values=changed.num_rows)
    return record, {PUBLICATIONS.name: record_rows(record), RESTATEMENTS.name: changed}


def _restatements(
    database: Transaction, candidate: Candidate, current: Record | None, record: Record
) -> pa.Table:
    values = next((view for view in candidate.views if view.name == KPI_VALUES), None)
    if current is None or values is None:
        return rows_of(RESTATEMENTS, [])
    now = candidate.slices[KPI_VALUES]
    before = database.fetch(values, now.months)
    return restatements(before, now.rows, current.publication_id, record)


def _with_history(database: Transaction, view: View, added: pa.Table, base: Base | None) -> Slice:
    """What is remembered, and what this publication adds: of the months it adds to, with a base."""
    months = None
    if base is not None:
        months = months_of(added, view) if added.num_rows else ()
    known = database.fetch(view, months)
    return Slice(months, canonical(pa.concat_tables([known, added]), view))


@contextmanager
def publishing(home: Home) -> Iterator[None]:
    """Wait for, and hold, the right to change a home's publications."""
    home.publications.mkdir(parents=True, exist_ok=True)
    with (home.publications / ".lock").open("w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
