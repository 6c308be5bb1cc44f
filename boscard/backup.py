"""`boscard backup`: all that cannot be had again, in a folder that is there whole or not at all.

Left out is what is rebuilt: the warehouse and landing's index from landing, Postgres' tables from
the publication.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import boscard
from boscard import airflow_home
from boscard.atomic import locked, write_whole
from boscard.disk import writing
from boscard.home import Home
from boscard.settings import read_settings, settings_path
from ingest.batch import MANIFEST
from ingest.index import INDEX

FORMAT = 1
LIST = "backup.json"
HOME = "home"
SETTINGS = "boscard.toml"
AIRFLOW_DATABASE = "airflow/airflow.db"
LEFT_OUT = {
    *("warehouse", "dbt", "replays", "site", "logs", "services.json", "postgres", "airflow"),
    *("scratch", "spilled"),
}
KEPT_OF_THESE = ("airflow/secrets", "postgres/passwords", "postgres/port")
TRIES = 5
_CHUNK = 1 << 20


class BackupFailed(Exception):
    """No backup was made; those that are there stay."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a backup, by its path below the home."""

    path: str
    bytes: int
    sha256: str
    mode: int


@dataclass(frozen=True, slots=True)
class Backup:
    """backup.json, written last: a folder without one is no backup."""

    format: int
    version: str
    made_at: str
    publication_id: str | None
    content_hash: str | None
    files: tuple[Entry, ...]

    @property
    def size(self) -> int:
        return sum(entry.bytes for entry in self.files)


def back_up(home: Home, to: Path, moment: datetime | None = None) -> tuple[Path, Backup]:
    """Make a backup below `to`, also while a night is at work, which at most waits to publish.

    Publications are copied before landing, so that landing holds all that they rest on. Raises
    BackupFailed, and CannotWrite on a full disk.
    """
    if not home.landing.exists() and read_settings().landing.url is None:
        raise BackupFailed(f"{home.root}: nothing has landed there, so there is nothing to back up")
    to = to.absolute()
    if to.is_relative_to(home.root):
        raise BackupFailed(f"{to} lies in {home.root} itself; name a folder on another disk")
    made_at = moment or datetime.now(UTC)
    with writing(to, "backup"):
        make_private(to)
        with locked(to):
            return _make(home, to, made_at)


def not_in_it(backup: Backup) -> list[str]:
    """What this installation keeps elsewhere, and a restore will need."""
    paths = {entry.path for entry in backup.files}
    needed = []
    if place := read_settings().landing.url:
        needed.append(f"landing, which lies in {place}: the versions that its bucket keeps")
    if "secrets/hash_key" not in paths:
        needed.append("the connection boscard_hash_key, and those of vendors: your secret store")
    if airflow_home.DATABASE in os.environ:
        needed.append("Airflow's database, with rotated refresh tokens: its server's own dump")
    return needed


def read_backup(folder: Path) -> Backup | None:
    """What a backup holds; None where there is none, or one that was cut short."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=Backup)
    except (FileNotFoundError, NotADirectoryError):
        return None


def copy_file(path: Path, to: Path) -> tuple[int, str]:
    """Copy the bytes of a file; how many they are, and their SHA-256."""
    make_private(to.parent)
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as source, open(to, "wb", opener=_private) as target:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return size, digest.hexdigest()


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, open to their owner only."""
    if not folder.exists():
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _make(home: Home, to: Path, made_at: datetime) -> tuple[Path, Backup]:
    from publish.publication import publishing
    from publish.read import current_record

    final = to / f"{made_at:%Y%m%dT%H%M%SZ}"
    if final.exists():
        raise BackupFailed(f"{final} is there already; a second later it has another name")
    part = to / ".backup.part"
    if part.exists():
        shutil.rmtree(part)  # what a killed backup left
    part.mkdir(mode=0o700)
    copy_file(settings_path(), part / SETTINGS)
    entries: list[Entry] = []
    with publishing(home) if home.publications.exists() else nullcontext():
        record = current_record(home)
        entries += _copied(home.root, home.publications, part / HOME)
    for unit in _units(home):
        entries += _copied(home.root, unit, part / HOME)
    entries += _airflow_database(home, part / HOME)
    backup = Backup(
        format=FORMAT,
        version=boscard.__version__,
        made_at=made_at.isoformat(timespec="seconds"),
        publication_id=record.publication_id if record else None,
        content_hash=record.content_hash if record else None,
        files=tuple(entries),
    )
    os.sync()
    write_whole(part / LIST, msgspec.json.format(msgspec.json.encode(backup), indent=1))
    part.rename(final)
    return final, backup


def _units(home: Home) -> Iterator[Path]:
    """What is copied as one, save publications: a batch, or a file or folder of the home."""
    done = {home.landing.name, home.publications.name}
    for path in sorted(home.root.iterdir()):
        if path.name not in LEFT_OUT | done:
            yield path
    for name in KEPT_OF_THESE:
        yield home.root / name
    for path in sorted(home.landing.glob("*/*/*")):
        for unit in sorted(path.iterdir()) if path.is_dir() else [path]:
            if (unit.is_file() and unit.name != INDEX) or (unit / MANIFEST).exists():
                yield unit


def _copied(root: Path, unit: Path, to: Path) -> list[Entry]:
    """A file or folder as it was at one moment: copied again if it changed on the way.

    A folder's lock is held: whoever rewrites a batch, or posts a message, waits.
    """
    for _ in range(TRIES):
        before = _state(unit)
        target = to / unit.relative_to(root)
        if target.is_dir():
            shutil.rmtree(target)
        with suppress(FileNotFoundError), locked(unit) if unit.is_dir() else nullcontext():
            entries = [_entry(root, path, to) for path in before]
            if _state(unit) == before:
                return entries
    raise BackupFailed(f"{unit} changed while it was copied, {TRIES} times; try again")


def _entry(root: Path, path: Path, to: Path) -> Entry:
    name = path.relative_to(root)
    size, sha256 = copy_file(path, to / name)
    return Entry(str(name), size, sha256, path.stat().st_mode & 0o777)


def _state(unit: Path) -> dict[Path, tuple[int, int, int]]:
    """The finished files of a unit, by what tells one from another that took its place."""
    paths = [unit, *sorted(unit.rglob("*"))]
    found = {}
    for path in paths:
        names = path.relative_to(unit.parent).parts
        if any(name.startswith(".") or name.endswith((".part", ".lock")) for name in names):
            continue
        try:
            seen = path.lstat()
        except FileNotFoundError:
            continue
        if path.is_file() and not path.is_symlink():
            found[path] = (seen.st_size, seen.st_mtime_ns, seen.st_ino)
    return found


def _airflow_database(home: Home, to: Path) -> list[Entry]:
    """Airflow's own file, which keeps rotated refresh tokens, by SQLite's backup of a live one."""
    path, copy = home.root / AIRFLOW_DATABASE, to / AIRFLOW_DATABASE
    if airflow_home.DATABASE in os.environ or not path.exists():
        return []
    make_private(copy.parent)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(copy)) as copied:
        live.backup(copied)
    copy.chmod(0o600)
    digest = hashlib.sha256(copy.read_bytes()).hexdigest()
    return [Entry(AIRFLOW_DATABASE, copy.stat().st_size, digest, 0o600)]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
