"""What landing holds: units of work, batches, manifests, calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.store import Folder

# Of a batch's folder. What an older reader may overlook (a field more, a file more) leaves it.
FORMAT = 1
ROWS = "rows.ndjson.zst"
CALLS = "calls.ndjson.zst"
MANIFEST = "manifest.json"
TYPED = "typed.parquet"
QUARANTINE = "quarantine.parquet"
NOTED = "noted.parquet"
VERDICT = "verdict.json"
RELEASED = "released.json"


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """Whole days in the account's own time zone, both ends included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"a window ends on or after its start: {self.start}..{self.end}")


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of work. `window` is None for complete lists."""

    source: str
    account: str
    stream: str
    window: Window | None


@dataclass(frozen=True, slots=True)
class Call:
    """One API call as it stands in calls.ndjson.zst.

    Rows `first_line` to `first_line + rows - 1` came from it. `url` is without secrets; `context`
    is what the rows do not repeat (a form's id); `sha256` is of the body.
    """

    call_id: str
    method: str
    url: str
    status: int
    bytes: int
    sha256: str
    attempts: int
    milliseconds: int
    first_line: int
    rows: int
    context: dict[str, str]


@dataclass(frozen=True, slots=True)
class Formatted:
    """What is looked at first of a manifest, for a later format may have other fields."""

    format: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What of a person was taken out of a batch (`boscard forget`): in how many rows, when and by
    whom. `sha256` is that of the rows before.
    """

    at: str
    by: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json, written last and at once: a batch without one does not exist.

    `sequence` counts the batches of one (source, account, stream) from 1; replay follows it.
    `sha256` and `bytes` are of the uncompressed rows, `stored_sha256` of their file, which is read
    sooner; None where it was landed before that was kept. `rows_told`: how many rows there are by
    the vendor's own count; None where it tells none. `rewritten`: the only changes to what a batch
    says. `compacted_at`: when its rows were pressed harder (ingest.compaction).
    """

    format: int
    batch_id: str
    source: str
    account: str
    stream: str
    window: Window | None
    as_of_date: date
    sequence: int
    rows: int
    calls: int
    bytes: int
    sha256: str
    landed_at: str
    rows_told: int | None = None
    rewritten: tuple[Rewrite, ...] = ()
    stored_sha256: str | None = None
    compacted_at: str | None = None

    @property
    def unit(self) -> Unit:
        return Unit(self.source, self.account, self.stream, self.window)


@dataclass(frozen=True, slots=True)
class Batch:
    """A landed batch: its folder and its manifest."""

    folder: Folder
    manifest: Manifest

    @property
    def path(self) -> Path:
        """Where its files are read and written: inside `folder.reading` and `folder.changing`."""
        return self.folder.path

    @property
    def is_gated(self) -> bool:
        return self.folder.has(VERDICT)


Json = dict[str, Any]
