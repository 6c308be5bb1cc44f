"""Replay: the warehouse of a night rebuilt from landing alone, in a file of its own.

The batches enter night by night, as they were loaded, and every night leaves its stream status.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from boscard.clock import Clock
from boscard.home import Home
from boscard.landing import open_landing
from boscard.settings import Settings
from ingest.names import Name
from warehouse.connection import connect
from warehouse.load import load_night
from warehouse.lock import writer_lock
from warehouse.personal import HashKey


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuilt warehouse holds. `ungated` batches are landed, and no gate has seen them."""

    nights: int
    batches: int
    rows: int
    ungated: int


def rebuild(
    home: Home,
    scratch: Home,
    settings: Settings,
    clocks: Sequence[Clock],
    key: HashKey,
    tell: Callable[[date], None],
) -> Rebuilt:
    """Load what lies in `home`'s landing into a new warehouse of `scratch`, a night after another.

    Personal columns enter as hashes with `key`, which need not be the one of earlier nights.

    `clocks` are the nights in order; batches after the last are left out. What an earlier replay
    left in `scratch` is removed first. Raises WarehouseBusy while another process writes there.
    """
    by_night: dict[date, list[Name]] = {}
    for name in open_landing(home, settings).names():
        by_night.setdefault(name.as_of_date, []).append(name)
    batches = rows = ungated = 0
    scratch.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with writer_lock(scratch):
        _remove_warehouse(scratch)
        connection = connect(scratch.warehouse)
        try:
            for clock in clocks:
                tell(clock.as_of_date)
                landed = by_night.get(clock.as_of_date, [])
                report = load_night(connection, landed, settings, clock, key)
                batches += len(report.loaded) + len(report.held)
                ungated += len(report.ungated)
                rows += report.rows
        finally:
            connection.close()
    return Rebuilt(nights=len(clocks), batches=batches, rows=rows, ungated=ungated)


def swap_in(home: Home, scratch: Home) -> None:
    """Put the rebuilt and transformed warehouse in the place of `home`'s, then drop the scratch.

    The caller holds the writer's lock of `home`. The old file stays whole until the new one has its
    name; a crash in between leaves marts that say they have to be transformed again.
    """
    home.warehouse.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    home.dbt_target.mkdir(parents=True, exist_ok=True)
    (home.dbt_target / "run_results.json").unlink(missing_ok=True)
    # DuckDB would play the log of the old file into the new one.
    _log(home).unlink(missing_ok=True)
    scratch.warehouse.replace(home.warehouse)
    for name in ("manifest.json", "run_results.json"):
        (scratch.dbt_target / name).replace(home.dbt_target / name)
    shutil.rmtree(scratch.root)


def _remove_warehouse(home: Home) -> None:
    home.warehouse.unlink(missing_ok=True)
    _log(home).unlink(missing_ok=True)


def _log(home: Home) -> Path:
    return home.warehouse.with_name(home.warehouse.name + ".wal")
