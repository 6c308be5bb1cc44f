"""`boscard forget`: a person is taken out of landing and the warehouse; what stays says nothing of
them.

What is to be done is written down before the first change, so that a killed one can be finished.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

import msgspec

from boscard.home import Home
from boscard.landing import open_landing
from boscard.person import find, sources_with_people
from boscard.settings import Settings
from expectations.erasure import erase
from ingest.batch import CALLS, Batch, Manifest
from ingest.landing import Landing
from ingest.registry import SOURCES
from ingest.store import remove_unheld
from publish.connection import writer_url
from publish.mentions import in_files, in_postgres
from warehouse.connection import connect, transaction
from warehouse.erasure import erase_rows
from warehouse.lock import writer_lock

TASK: Final = "forgetting.json"
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+")


class CannotForgetError(Exception):
    """Nobody was forgotten; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """The lines of one batch in which something of the person stands."""

    source: str
    account: str
    stream: str
    batch_id: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """All that is to be done for one person, as it is written down in landing until it is done."""

    email: str
    by: str
    at: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased, or would be. `still`: where the address stands all the same."""

    parts: tuple[Part, ...]
    rows_in_warehouse: int
    replays: int
    still: tuple[str, ...]


def forget(
    home: Home,
    settings: Settings,
    email: str,
    *,
    by: str,
    postgres_url: str | None = None,
    is_dry: bool = False,
) -> Forgotten:
    """Erase a person, known by an e-mail address, wherever a night keeps something of them.

    One that was killed is finished first. With `is_dry` nothing is changed. Raises
    CannotForgetError for what is no address, WarehouseBusy while another process writes.
    """
    address = email.strip().lower()
    if not _ADDRESS.fullmatch(address):
        raise CannotForgetError(f"{email!r} is no e-mail address")
    with writer_lock(home):
        if is_dry:
            return Forgotten(_parts(find(open_landing(home, settings), address)), 0, 0, ())
        landing = open_landing(home, settings)
        finished = _finish(home, landing)
        landing.remove_left_behind()
        remove_unheld(home.spilled)
        task = Task(
            email=address,
            by=by,
            at=datetime.now(UTC).isoformat(),
            parts=_parts(find(landing, address)),
        )
        if task.parts:
            landing.root.write(TASK, msgspec.json.encode(task))
        rows, replays = _finish(home, landing)
    still = (*_in_landing(landing, address), *in_files(home, address))
    if postgres_url is not None or home.postgres.exists():
        with writer_url(home, settings, postgres_url) as url:
            still = (*still, *in_postgres(url, address))
    return Forgotten(task.parts, rows + finished[0], replays + finished[1], still)


def sentences(done: Forgotten, settings: Settings, *, is_dry: bool) -> list[str]:
    """What was erased, what was not, and what is left to people, a line each."""
    lines = []
    for place in dict.fromkeys((part.source, part.account, part.stream) for part in done.parts):
        batches = [p for p in done.parts if (p.source, p.account, p.stream) == place]
        rows = sum(len(part.lines) for part in batches)
        lines.append(f"landing    {' '.join(place)}: rows {rows:,}, batches {len(batches):,}")
    if not done.parts:
        lines.append("landing    nothing of this person is there (any more)")
    if is_dry:
        return [*lines, "nothing was changed: without --dry-run these rows are erased"]
    lines.append(f"warehouse  rows {done.rows_in_warehouse:,}")
    if done.replays:
        lines.append(
            f"replays    removed {done.replays:,}: `boscard replay --date` builds them again"
        )
    lines += [f"still in   {place}" for place in done.still]
    if not done.still:
        lines.append("searched   publications, page, messages, logs: the address is nowhere")
    with_people = [name for name in sources_with_people() if name in settings.sources]
    vendors = ", ".join(SOURCES[name].title for name in with_people)
    lines.append(f"not here   {vendors}: erase the person there too, or they land again")
    if settings.landing.url is not None:
        lines.append(
            f"not here   earlier versions of objects in {settings.landing.url}: let them expire"
        )
    lines += [
        "not here   backups, and copies that people made: erase or replace those made before",
        "not here   logs outside of the home (a container's, a collector's): they rotate",
        "not here   Airflow's database, where it is on a server: `boscard upkeep` cleans it",
    ]
    return lines


def _parts(found: dict[Batch, list[int]]) -> tuple[Part, ...]:
    return tuple(
        Part(of.source, of.account, of.stream, of.batch_id, tuple(lines))
        for of, lines in ((batch.manifest, lines) for batch, lines in found.items())
    )


def _finish(home: Home, landing: Landing) -> tuple[int, int]:
    """Do what is written down, as often as it takes; rows of the warehouse, and replays removed."""
    try:
        task = msgspec.json.decode(landing.root.read(TASK), type=Task)
    except FileNotFoundError:
        return 0, 0
    parts = {(part.source, part.account, part.stream, part.batch_id): part for part in task.parts}
    found = []
    for batch in landing.batches():
        of = batch.manifest
        part = parts.get((of.source, of.account, of.stream, of.batch_id))
        if part is not None:
            stream = SOURCES[of.source].streams[of.stream]
            erase(batch, stream, part.lines, task.email, task.by, task.at)
            found.append((of, part.lines))
    rows = _erase_loaded(home, found, task.email)
    replays = [folder for folder in home.replays.glob("*") if folder.is_dir()]
    for folder in replays:
        shutil.rmtree(folder)
    landing.root.remove(TASK)
    return rows, len(replays)


def _erase_loaded(home: Home, erased: list[tuple[Manifest, tuple[int, ...]]], email: str) -> int:
    if not home.warehouse.exists():
        return 0
    connection = connect(home.warehouse)
    try:
        with transaction(connection):
            rows = sum(erase_rows(connection, of, lines, email) for of, lines in erased)
        connection.execute("force checkpoint").fetchall()
    finally:
        connection.close()
    return rows


def _in_landing(landing: Landing, email: str) -> list[str]:
    """What is not a batch's rows: reports, verdicts, manifests, the addresses that were called."""
    mentions = [
        where
        for where, content in landing.root.documents(".json")
        if email.encode() in content.lower()
    ]
    for batch in landing.batches():
        urls = (unquote(call.url).lower() for call in landing.read_calls(batch))
        if any(email in url for url in urls):
            mentions.append(f"{batch.folder}/{CALLS}")
    return mentions
