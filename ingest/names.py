"""Which batches there are, by the names of their folders: the names alone say whose a batch is, of
which night and window, so a night's work does not grow with every manifest ever landed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ingest.batch import MANIFEST, VERDICT, Unit, Window
from ingest.errors import Refused


@dataclass(frozen=True, slots=True)
class Name:
    """A batch that has a manifest, as far as its folder's name tells."""

    folder: str
    unit: Unit
    as_of_date: date
    sequence: int

    @property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def is_gated(self) -> bool:
        return os.path.exists(f"{self.folder}/{VERDICT}")  # noqa: PTH110 - a Path costs more

    @property
    def place(self) -> tuple[str, str, str]:
        """Source, account and stream."""
        return self.unit.source, self.unit.account, self.unit.stream


def batch_id(sequence: int, unit: Unit, as_of: date) -> str:
    """The name of a batch's folder; source, account and stream are the folders around it."""
    return f"{sequence:06d}_{night_label(unit, as_of)}"


def night_label(unit: Unit, as_of: date) -> str:
    if unit.window is None:
        return f"{as_of}_all"
    return f"{as_of}_{unit.window.start}_{unit.window.end}"


def names_in(folder: Path, as_of: date | None = None) -> list[Name]:
    """The batches of one stream by sequence, or those of one night.

    Raises Refused for a batch whose name says nothing here.
    """
    source, account, stream = folder.parts[-3:]
    found = []
    for each in _folders(folder):
        number, _, label = each.name.partition("_")
        night, _, days = label.partition("_")
        if as_of is not None and night != as_of.isoformat():
            continue
        if not each.name[:1].isdigit() or not _has_manifest(each):
            continue
        try:
            window = None if days == "all" else _window(days)
            unit = Unit(source, account, stream, window)
            found.append(Name(each.path, unit, date.fromisoformat(night), int(number)))
        except ValueError:
            raise Refused(
                f"{each.path} is not named as this version of Boscard names a batch",
                next_step="use the version that landed it, or a later one",
            ) from None
    return sorted(found, key=lambda name: name.sequence)


def streams_in(
    root: Path, source: str | None, account: str | None, stream: str | None
) -> list[Path]:
    """The folders of streams below a landing, in order of source, account and stream."""
    folders = [root]
    for part in (source, account, stream):
        if part is None:
            inner = [Path(each.path) for folder in folders for each in _folders(folder)]
        else:
            inner = [folder / part for folder in folders]
        folders = sorted(inner)
    return folders


def _folders(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry for entry in entries if entry.is_dir())
    except FileNotFoundError:
        return


def _has_manifest(entry: os.DirEntry[str]) -> bool:
    return os.path.exists(f"{entry.path}/{MANIFEST}")  # noqa: PTH110 - a Path costs more


def _window(days: str) -> Window:
    start, _, end = days.partition("_")
    return Window(date.fromisoformat(start), date.fromisoformat(end))
