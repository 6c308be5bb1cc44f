"""The index of a stream: its batches of long ago and their verdicts' states, so that a night looks
at the newer ones alone. `upkeep` writes it anew from the batches; without one a night is slower.

What nights older than `OPEN_NIGHTS` left hardly changes. A batch that is judged anew takes its
stream's index away; who removes a verdict by hand removes the index, too, or waits for `upkeep`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from ingest.store import Folder

INDEX: Final = "index.json"
FORMAT: Final = 1
# More than the batches of a stream that the gate compares with, where one comes each night.
OPEN_NIGHTS: Final = timedelta(days=100)
# Far below a million, from which on names do not sort by number.
MOST: Final = 900_000


@dataclass(frozen=True, slots=True)
class Index:
    """`batches`: the names of a stream's first batches, by sequence and none left out; `stopped`:
    the states of those that did not pass."""

    batches: tuple[str, ...] = ()
    stopped: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def last(self) -> str:
        """The name of its newest batch; "" of an empty one."""
        return self.batches[-1] if self.batches else ""

    def states(self) -> dict[str, str]:
        """Each batch's state by its name, in order."""
        return dict.fromkeys(self.batches, "passed") | dict(self.stopped)


_DECODER = msgspec.json.Decoder(Index)


def read_index(stream: Folder) -> Index:
    """An empty one where there is none, or none that this version can read."""
    try:
        found = _DECODER.decode(stream.read(INDEX))
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return Index()
    return found if found.format == FORMAT else Index()


def write_index(stream: Folder, judged: Sequence[tuple[str, str]]) -> None:
    """The index of these batches, names and states by sequence; none for none. The caller holds the
    stream's lock."""
    if not judged or len(judged) > MOST:
        stream.remove(INDEX)
        return
    stopped = {name: state for name, state in judged if state != "passed"}
    stream.write(INDEX, msgspec.json.encode(Index(tuple(name for name, _ in judged), stopped)))
