"""`boscard replay`: a night from landing alone, compared with what was published of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from boscard.clock import Clock
from boscard.hash_key import hash_key
from boscard.home import Home
from boscard.landing import open_landing
from boscard.settings import Settings
from ingest.landing import Landing
from publish.candidate import Candidate, read_candidate
from publish.history import Record
from publish.read import record_of_night
from warehouse.lock import writer_lock
from warehouse.replay import Rebuilt, rebuild, swap_in
from warehouse.transform import transform


class ReplayFailed(Exception):
    """The night could not be rebuilt; the warehouse is as it was before."""


@dataclass(frozen=True, slots=True)
class Replay:
    """One rebuilt night. `published` is that night's newest publication, where there is one."""

    night: date
    rebuilt: Rebuilt
    candidate: Candidate
    published: Record | None
    warehouse: Path

    @property
    def is_reproduced(self) -> bool | None:
        """The publication's content hash again; None where nothing comparable was published."""
        record = self.published
        if record is None:
            return None
        if record.content_hash == self.candidate.content_hash:
            return True
        return None if self.differing_inputs else False

    @property
    def differing_inputs(self) -> list[str]:
        """What has changed since the publication, so that another hash is no surprise."""
        if self.published is None:
            return []
        changed = []
        if self.published.definitions_hash != self.candidate.definitions_hash:
            changed.append("definitions (seeds, models, settings)")
        if self.published.batches_hash != self.candidate.batches_hash:
            changed.append("the batches of that night")
        return changed


def replay(home: Home, settings: Settings, night: date | None, console: Console) -> Replay:
    """Rebuild raw, ops and marts of a night from landing.

    Without `night` it is the newest one, and the rebuilt file takes the warehouse's place, under
    the writer's lock, once all of it is built. An earlier night is left in a folder below
    `home.replays`, and the warehouse is not touched. Raises ReplayFailed where nothing has landed
    or dbt stops, WarehouseBusy while a night is at the warehouse.
    """
    landing = open_landing(home, settings)
    nights = nights_landed(landing)
    company = settings.company
    wanted = [day for day in nights if night is None or day <= night]
    if not wanted or night not in (None, wanted[-1]):
        known = f"{nights[0]} to {nights[-1]}" if nights else "none"
        raise ReplayFailed(f"{landing.root}: no such night has landed there; nights: {known}")
    clocks = [Clock(day, company.zone, company.publication_hour) for day in wanted]
    scratch = Home(home.replays / str(wanted[-1]))
    with _held(home, is_held=night is None), console.status("replaying") as status:

        def tell(day: date) -> None:
            status.update(f"loading the night of {day}, the last is {wanted[-1]}")

        rebuilt = rebuild(home, scratch, settings, clocks, hash_key(home, settings), tell)
        status.update(f"transforming the night of {wanted[-1]}")
        _transform(scratch, settings, clocks[-1])
        candidate = read_candidate(scratch, clocks[-1])
        if night is None:
            swap_in(home, scratch)
    return Replay(
        night=wanted[-1],
        rebuilt=rebuilt,
        candidate=candidate,
        published=record_of_night(wanted[-1], home),
        warehouse=home.warehouse if night is None else scratch.warehouse,
    )


def nights_landed(landing: Landing) -> list[date]:
    """The nights of which landing knows, in order: by their batches, or by a source's report."""
    nights = {name.as_of_date for name in landing.names()}
    return sorted(nights | {*landing.nights_reported()})


def print_replay(done: Replay, console: Console) -> int:
    """Say what was rebuilt and how it compares; returns the exit status."""
    rebuilt = done.rebuilt
    console.print(
        f"replayed the night of {done.night}: nights {rebuilt.nights:,}, "
        f"batches {rebuilt.batches:,}, rows {rebuilt.rows:,}"
    )
    if rebuilt.ungated:
        console.print(f"  not gated     {rebuilt.ungated:,} batches, left out")
    console.print(f"  warehouse     {done.warehouse}", soft_wrap=True)
    console.print(f"  content hash  {done.candidate.content_hash}")
    if done.published is None:
        console.print("  published     never, so there is nothing to compare with")
        return 0
    name = done.published.publication_id
    if done.is_reproduced:
        console.print(f"  published     {name}: [green]the same to the last row[/]")
    elif done.is_reproduced is None:
        changed = " and ".join(done.differing_inputs)
        console.print(
            f"  published     {name}: other rows, for {changed} changed since", soft_wrap=True
        )
    else:
        console.print(
            f"  published     {name}: [red]other rows[/] from the same definitions and batches",
            soft_wrap=True,
        )
        return 1
    return 0


@contextmanager
def _held(home: Home, *, is_held: bool) -> Iterator[None]:
    """The warehouse's lock from the first batch to the swap, or a night in between were lost."""
    if not is_held:
        yield
        return
    with writer_lock(home):
        yield


def _transform(scratch: Home, settings: Settings, clock: Clock) -> None:
    """One dbt build. A data test that fails is the audit's to judge, as on the night itself."""
    report = transform(scratch, settings, clock)
    broken = [f"{node.name}: {node.message}" for node in report.failures if node.status != "fail"]
    if report.error and not report.nodes:
        broken.append(report.error)
    if broken:
        raise ReplayFailed(
            f"dbt did not build the night of {clock.as_of_date}: {'; '.join(broken)}; its log is "
            f"in {scratch.logs}, the warehouse is as it was"
        )
