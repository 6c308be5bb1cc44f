"""`boscard restore`: an installation from a backup, and the proof that it is the same.

Nothing is put in place before every byte has been read and found to be what was backed up.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from rich.console import Console

import boscard
from boscard.atomic import locked, write_whole
from boscard.backup import (
    FORMAT,
    HOME,
    LIST,
    SETTINGS,
    Backup,
    copy_file,
    make_private,
    read_backup,
)
from boscard.clock import Clock
from boscard.disk import writing
from boscard.home import Home
from boscard.landing import open_landing
from boscard.night import Night
from boscard.replay import nights_landed, print_replay, replay
from boscard.settings import read_settings, settings_path
from publish.places import Places, point_current
from publish.read import current_record
from publish.refill import refill


class RestoreRefused(Exception):
    """The backup cannot be used, or this home is no place for it; nothing was put in place."""


def restore(home: Home, source: Path, console: Console) -> int:
    """Put a backup into an empty home, rebuild its warehouse, fill its Postgres, write its page.

    Whoever was killed in it calls it again: it goes on. Raises RestoreRefused. Returns the exit
    status: 1 when the rebuilt numbers are not those that were published.
    """
    backup = _found(source)
    with writing(home.root, "restore"):
        home.create()
        with locked(home.root):
            staged = home.root / ".restoring"
            if not (staged / LIST).exists():
                _refuse_in_use(home, backup)
                _stage(source, backup, staged)
            elif (staged / LIST).read_bytes() != (source / LIST).read_bytes():
                raise RestoreRefused(
                    f"{home.root}: a restore of another backup was cut short there; call that one"
                    " again, or remove the folder"
                )
            _put_in_place(staged, home, backup)
    console.print(f"restored {len(backup.files):,} files, {backup.size / 1e6:,.1f} MB, all sound")
    status = _revive(home, backup, console)
    shutil.rmtree(staged)
    return status


def _found(source: Path) -> Backup:
    try:
        backup = read_backup(source)
    except msgspec.DecodeError as error:
        raise RestoreRefused(f"{source / LIST} cannot be read: {error}") from None
    if backup is None:
        there = [path.parent.name for path in sorted(source.glob(f"[0-9]*/{LIST}"))]
        known = f"; there are: {', '.join(there)}" if there else ""
        raise RestoreRefused(f"{source}: no whole backup is there{known}")
    if backup.format > FORMAT:
        raise RestoreRefused(
            f"{source} was made by Boscard {backup.version}, this is {boscard.__version__}: "
            "restore it with that version"
        )
    for entry in backup.files:
        if entry.path.startswith("/") or ".." in Path(entry.path).parts:
            raise RestoreRefused(f"{source / LIST} names {entry.path!r}, which is in no home")
    return backup


def _refuse_in_use(home: Home, backup: Backup) -> None:
    taken = [entry.path for entry in backup.files if (home.root / entry.path).exists()]
    if home.warehouse.exists():
        taken.append(str(home.warehouse.relative_to(home.root)))
    if taken:
        raise RestoreRefused(
            f"{home.root} is in use: {taken[0]} is there; set BOSCARD_HOME to an empty folder, or "
            "move this one away"
        )


def _stage(source: Path, backup: Backup, staged: Path) -> None:
    """Copy all of it aside; the list comes last and says that all of it is there and sound."""
    if staged.exists():
        shutil.rmtree(staged)
    staged.mkdir(mode=0o700)
    for entry in backup.files:
        target = staged / HOME / entry.path
        try:
            is_sound = copy_file(source / HOME / entry.path, target) == (entry.bytes, entry.sha256)
        except FileNotFoundError:
            is_sound = False
        if not is_sound:
            shutil.rmtree(staged)
            raise RestoreRefused(
                f"{source}: {entry.path} is missing or not what was backed up; use another backup"
            )
        target.chmod(entry.mode)
    copy_file(source / SETTINGS, staged / SETTINGS)
    write_whole(staged / LIST, (source / LIST).read_bytes())


def _put_in_place(staged: Path, home: Home, backup: Backup) -> None:
    for entry in backup.files:
        path, target = staged / HOME / entry.path, home.root / entry.path
        if path.exists():
            make_private(target.parent)
            path.replace(target)
    if backup.publication_id is not None:
        point_current(Places(home.publications), backup.publication_id)


def _revive(home: Home, backup: Backup, console: Console) -> int:
    """What was not in the backup: warehouse and marts from landing, Postgres and the page."""
    kept = home.root / ".restoring" / SETTINGS
    settings = read_settings(kept)
    if not settings_path().exists() or settings_path().read_bytes() != kept.read_bytes():
        own = home.root / SETTINGS
        copy_file(kept, own)
        console.print(f"  settings      {own}: BOSCARD_SETTINGS must name them", soft_wrap=True)
    if not nights_landed(open_landing(home, settings)):
        return 0
    status = print_replay(replay(home, settings, None, console), console)
    record = current_record(home)
    if record is None:
        return status
    company = settings.company
    clock = Clock(record.as_of_date, company.zone, company.publication_hour)
    night = Night(settings, home, clock)
    rows = refill(home, settings, postgres_url=night.postgres_url())
    done = f"{rows:,} rows" if rows else "knows its publications, left as it is"
    console.print(f"  Postgres      {done}")
    console.print(f"  page          {night.page()}", markup=False, soft_wrap=True)
    if backup.version != boscard.__version__:
        console.print(f"  made by       Boscard {backup.version}; this is {boscard.__version__}")
    return status
