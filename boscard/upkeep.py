"""What keeps an installation from growing without end, and its publication as it was published.

Nothing that a number rests on is removed.

Each part may be called at any time and again: it takes the locks of those whose files it removes.
"""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Final

from boscard import airflow_home
from boscard.clock import Clock
from boscard.home import Home
from boscard.landing import open_landing
from boscard.logs import about
from boscard.night import Night
from boscard.settings import Settings
from ingest.batch import TYPED, Batch
from ingest.compaction import compact
from ingest.errors import Refused
from ingest.index import OPEN_NIGHTS
from ingest.landing import Landing, read_batch, verdict_state
from ingest.plan import Landed
from ingest.registry import SOURCES
from ingest.superseded import superseded

LOG = logging.getLogger(__name__)

COMPACTED_AFTER: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Freed:
    """What one part of the upkeep did to how many, and the bytes that this freed."""

    what: str
    items: int
    bytes: int
    done: str = "removed"

    def __str__(self) -> str:
        return f"{self.what}: {self.items:,} {self.done}, {self.bytes / 1e6:,.1f} MB"


def release_bytes(home: Home, settings: Settings, moment: datetime) -> Freed:
    """Let go the vendor's bytes of batches that newer ones have replaced whole, once old enough.

    Their typed rows, calls and verdicts stay, so every night can still be replayed.
    """
    landing = open_landing(home, settings)
    landing.remove_left_behind()
    before = moment.date() - timedelta(days=settings.upkeep.keep_bytes)
    items = size = 0
    for batch in _replaced(landing, before):
        freed = landing.release(batch, moment)
        if freed:
            items += 1
            size += freed
            with about(batch.manifest):
                LOG.info("released: %d bytes of the vendor", freed)
    return Freed("vendors' bytes", items, size)


def compact_landing(home: Home, settings: Settings, moment: datetime) -> Freed:
    """Press the vendors' bytes of batches that are a week old: they are hardly ever read.

    Raises Refused, when all others are done, for those whose rows are not as landed.
    """
    landing = open_landing(home, settings)
    before = moment.date() - COMPACTED_AFTER
    damaged: list[Refused] = []
    items = size = 0
    for name in landing.names():
        if name.as_of_date >= before:
            continue
        batch = read_batch(name)
        try:
            freed = compact(batch, moment)
        except Refused as error:
            damaged.append(error)
            with about(batch.manifest):
                LOG.error("damaged: %s", error)  # noqa: TRY400 - no trace tells more
            continue
        if freed:
            items += 1
            size += freed
            with about(batch.manifest):
                LOG.info("compacted: %d bytes less", freed)
    if damaged:
        raise Refused(
            f"{len(damaged)} of landing's batches cannot be compacted. {damaged[0].message}",
            damaged[0].next_step,
        )
    return Freed("landing", items, size, "compacted")


def index_landing(home: Home, settings: Settings, moment: datetime) -> str:
    """Note which old batches there are and what the gate said of them, so that no night looks at
    each of them again (ingest.index)."""
    batches = open_landing(home, settings).index(moment.date() - OPEN_NIGHTS)
    return f"landing's index: {batches:,} batches older than {OPEN_NIGHTS.days} nights"


def prune_publications(home: Home, settings: Settings, _: datetime) -> Freed:
    """Remove the files of all but the newest publications, and what a killed one left unfinished.

    The current one always stays, and so does the record of all in `kpi.publications`.
    """
    from publish.publication import prune_files

    if not home.publications.exists():
        return Freed("publications", 0, 0)
    before = _size(home.publications)
    removed = prune_files(home, settings)
    return Freed("publications", len(removed), before - _size(home.publications))


@dataclass(frozen=True, slots=True)
class Checked:
    """How many rows of how many were wrong, and are right now; None where nothing could be said."""

    rows: int | None
    repaired: int = 0

    def __str__(self) -> str:
        if self.rows is None:
            return "publication: not compared, the marts are not those of the current one"
        return (
            f"publication: {self.rows:,} rows compared in three places, {self.repaired:,} put right"
        )


def check_publication(home: Home, settings: Settings, moment: datetime) -> Checked:
    """Compare every row of the current publication, in all places, with the marts it came from.

    A night looks only at the months it changes. Raises WarehouseBusy while one is at the warehouse.
    """
    from publish.publication import recheck
    from warehouse.lock import writer_lock

    if not home.publications.exists():
        return Checked(None)
    company = settings.company
    night = Night(settings, home, Clock.newest(moment, company.zone, company.publication_hour))
    with writer_lock(home):
        done = recheck(home, settings, postgres_url=night.postgres_url())
    if done is None:
        return Checked(None)
    if done.changed_rows:
        LOG.warning("publication: %d rows were not as published; put right", done.changed_rows)
    return Checked(done.record.rows, done.changed_rows)


def checkpoint(home: Home, _: Settings, __: datetime) -> Freed:
    """Write the warehouse's log into its file, and give what was deleted there to new rows.

    Raises WarehouseBusy while a night is at the warehouse.
    """
    from warehouse.connection import connect
    from warehouse.lock import writer_lock

    if not home.warehouse.exists():
        return Freed("warehouse", 0, 0)
    with writer_lock(home):
        before = _size(home.warehouse.parent)
        connection = connect(home.warehouse)
        try:
            connection.execute("force checkpoint").fetchall()
        finally:
            connection.close()
        return Freed("warehouse", 0, max(0, before - _size(home.warehouse.parent)))


def remove_logs(home: Home, settings: Settings, moment: datetime) -> Freed:
    """Remove logs that nobody has written to for long, and folders that this empties."""
    oldest = (moment - timedelta(days=settings.upkeep.keep_logs)).timestamp()
    items = size = 0
    for path in sorted(home.logs.rglob("*"), reverse=True):  # what a folder holds before itself
        if path.is_file() and path.stat().st_mtime < oldest:
            items += 1
            size += path.stat().st_size
            path.unlink()
        elif path.is_dir() and path.stat().st_mtime < oldest and not any(path.iterdir()):
            path.rmdir()
    return Freed("logs", items, size)


def clean_airflow(home: Home, settings: Settings, moment: datetime) -> str:
    """Remove old runs, logs and events from Airflow's database. Raises RuntimeError."""
    if airflow_home.DATABASE not in os.environ and not (home.airflow / "migrated").exists():
        return "Airflow's database: there is none"
    environ = airflow_home.environment(home)
    database = environ[airflow_home.DATABASE_TO_CLEAN]
    if database.startswith("airflow-db-not-allowed"):
        return f"Airflow's database: not cleaned, {airflow_home.DATABASE_TO_CLEAN} is not set"
    # what Airflow gives its tasks in place of its database
    for name in ("AIRFLOW__CORE__SQL_ALCHEMY_CONN", "_AIRFLOW_PROCESS_CONTEXT"):
        environ.pop(name, None)
    oldest = (moment - timedelta(days=settings.upkeep.keep_logs)).isoformat(timespec="seconds")
    command = [airflow_home.airflow_command(), "db", "clean", "--clean-before-timestamp", oldest]
    log = home.logs / "upkeep.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        done = subprocess.run(
            [*command, "--yes", "--skip-archive"],
            env=environ | {airflow_home.DATABASE: database},
            stdout=file,
            stderr=file,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"`airflow db clean` failed: see {log}")
    return "Airflow's database: cleaned"


PARTS: Final[Mapping[str, Callable[[Home, Settings, datetime], Freed | Checked | str]]] = {
    "release_bytes": release_bytes,
    "compact_landing": compact_landing,
    "index_landing": index_landing,
    "check_publication": check_publication,
    "prune_publications": prune_publications,
    "checkpoint": checkpoint,
    "remove_logs": remove_logs,
    "clean_airflow": clean_airflow,
}


def everything(home: Home, settings: Settings, moment: datetime) -> Iterator[str]:
    """A line a part, when it is done; one that fails keeps no other from its work.

    Raises the first error when all had their turn.
    """
    failed: list[Exception] = []
    for name, part in PARTS.items():
        try:
            yield str(part(home, settings, moment))
        except Exception as error:  # noqa: BLE001 - it is raised below
            failed.append(error)
            yield f"{name}: NOT DONE: {error}"
    if failed:
        raise failed[0]


def _replaced(landing: Landing, before: date) -> Iterator[Batch]:
    """Batches of nights before `before` of which no row counts any more."""
    for (source, _, name), group in groupby(landing.batches(), key=_stream):
        states = {batch: verdict_state(batch) for batch in group}
        landed = [
            Landed(
                batch.manifest.window,
                batch.manifest.as_of_date,
                batch.manifest.sequence,
                is_held=state != "passed",
            )
            for batch, state in states.items()
            if state is not None
        ]
        stream = SOURCES[source].streams.get(name)
        gone = set(superseded(stream, landed)) if stream else set()
        for batch, state in states.items():
            is_typed = state != "passed" or batch.folder.has(TYPED)
            is_old = batch.manifest.as_of_date < before
            if batch.manifest.sequence in gone and is_typed and is_old:
                yield batch


def _stream(batch: Batch) -> tuple[str, str, str]:
    return batch.manifest.source, batch.manifest.account, batch.manifest.stream


def _size(folder: Path) -> int:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in paths)
