"""Which batches there are, by the names of their folders: the names alone say whose a batch is, of
which night and window, so a night's work does not grow with every manifest ever landed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from operator import attrgetter
from typing import NamedTuple

from ingest.batch import MANIFEST, VERDICT, Unit, Window
from ingest.errors import Refused
from ingest.index import Index
from ingest.store import Folder


class Name(NamedTuple):
    """A batch that has a manifest, as far as its folder's name tells.

    `place`: source, account and stream. `state`: its verdict's, where an index tells it; `listed`:
    its folder, where one has been looked at.
    """

    within: Folder
    batch_id: str
    place: tuple[str, str, str]
    as_of_date: date
    sequence: int
    state: str | None = None
    listed: Folder | None = None

    @property
    def folder(self) -> Folder:
        return self.within / self.batch_id if self.listed is None else self.listed

    @property
    def is_gated(self) -> bool:
        return self.state is not None or self.folder.has(VERDICT)

    @property
    def window(self) -> Window | None:
        days = self.batch_id.split("_", 2)[2]
        return None if days == "all" else _window(days)

    @property
    def unit(self) -> Unit:
        return Unit(*self.place, self.window)


def batch_id(sequence: int, unit: Unit, as_of: date) -> str:
    """The name of a batch's folder; source, account and stream are the folders around it."""
    return f"{sequence:06d}_{night_label(unit, as_of)}"


def night_label(unit: Unit, as_of: date) -> str:
    if unit.window is None:
        return f"{as_of}_all"
    return f"{as_of}_{unit.window.start}_{unit.window.end}"


def names_in(
    folder: Folder,
    place: tuple[str, str, str],
    as_of: date | None = None,
    index: Index | None = None,
) -> list[Name]:
    """The batches of one stream, whose `place` this is, by sequence; or those of one night.

    Those in an `index` are as it has them, unseen; of one night all are looked at. Raises Refused
    for a batch whose name says nothing here.
    """
    of_night = f"_{as_of}_"

    def is_of_night(name: str) -> bool:
        return name.find("_") == name.find(of_night) >= 0

    found: list[Name] = []
    after = ""
    if index is not None and as_of is None:
        with suppress(ValueError):  # a damaged index is none
            found = [_name(folder, name, place, state) for name, state in index.states().items()]
            after = index.last
    newer = folder.holding(MANIFEST, is_of_night if as_of else None, after)
    found += [_looked_at(folder, each, place) for each in newer if each.name[:1].isdigit()]
    return sorted(found, key=attrgetter("sequence"))


def _name(
    within: Folder,
    batch_id: str,
    place: tuple[str, str, str],
    state: str | None = None,
    listed: Folder | None = None,
) -> Name:
    number, night, _ = batch_id.split("_", 2)
    return Name(within, batch_id, place, date.fromisoformat(night), int(number), state, listed)


def _looked_at(within: Folder, folder: Folder, place: tuple[str, str, str]) -> Name:
    try:
        found = _name(within, folder.name, place, listed=folder)
        found.window  # noqa: B018 - raises
    except ValueError:
        raise Refused(
            f"{folder} is not named as this version of Boscard names a batch",
            next_step="use the version that landed it, or a later one",
        ) from None
    return found


def last_sequence(folder: Folder) -> int:
    """The number of a stream's newest batch; 0 without one. Few of its folders are looked into."""
    numbers = {name: name.partition("_")[0] for name in folder.folders()}
    numbered = {name: int(number) for name, number in numbers.items() if number.isdigit()}
    for name in sorted(numbered, key=numbered.__getitem__, reverse=True):
        if (folder / name).has(MANIFEST):
            return numbered[name]
    return 0


def streams_in(
    root: Folder, source: str | None, account: str | None, stream: str | None
) -> Iterator[tuple[Folder, tuple[str, str, str]]]:
    """The folders of streams below a landing, in order of source, account and stream."""
    for one in _inner(root, source):
        for two in _inner(root / one, account):
            for three in _inner(root / one / two, stream):
                yield root / one / two / three, (one, two, three)


def _inner(folder: Folder, name: str | None) -> list[str]:
    return sorted(folder.folders()) if name is None else [name]


def _window(days: str) -> Window:
    start, _, end = days.partition("_")
    return Window(date.fromisoformat(start), date.fromisoformat(end))
