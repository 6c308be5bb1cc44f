"""Landing: batches of vendor bytes, each complete once its manifest is there. What a batch says
changes only where a person is taken out of it (expectations.erasure).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import pyarrow as pa

from boscard.atomic import locked, write_whole
from ingest import store
from ingest.batch import (
    CALLS,
    FORMAT,
    MANIFEST,
    RELEASED,
    ROWS,
    VERDICT,
    Batch,
    Call,
    Formatted,
    Manifest,
    Rewrite,
    Unit,
)
from ingest.errors import Refused, Transient
from ingest.exchange import Page
from ingest.index import INDEX, read_index, write_index
from ingest.names import Name, batch_id, last_sequence, names_in, night_label, streams_in
from ingest.store import Folder, LocalFolder

_MANIFEST = msgspec.json.Decoder(Manifest)
_FORMAT = msgspec.json.Decoder(Formatted)
_CALL = msgspec.json.Decoder(Call)

# The folder of a source's nightly reports, beside those of its accounts.
REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is looked at of a verdict here."""

    state: str


_JUDGED = msgspec.json.Decoder(_Judged)


class Landing:
    """All landed batches below `root`: `<source>/<account>/<stream>/<batch_id>/`."""

    def __init__(self, root: Path | Folder) -> None:
        self.root: Folder = LocalFolder(str(root)) if isinstance(root, Path) else root

    def names(
        self,
        source: str | None = None,
        account: str | None = None,
        stream: str | None = None,
        *,
        as_of: date | None = None,
        is_indexed: bool = False,
    ) -> list[Name]:
        """The batches that have a manifest, by source, account, stream and sequence, unopened;
        `as_of`: those of one night. `is_indexed`: those of long ago as the streams' indexes have
        them, which saves looking at each; one that was moved away since is still among them.
        """
        return [
            name
            for folder, place in streams_in(self.root, source, account, stream)
            for name in names_in(folder, place, as_of, read_index(folder) if is_indexed else None)
        ]

    def index(self, before: date) -> int:
        """Write each stream's index anew, of the judged batches of nights before `before`; returns
        how many these are.
        """
        indexed = 0
        for folder, place in streams_in(self.root, None, None, None):
            with store.locked_there(folder.path):
                judged = list(_settled(names_in(folder, place), before))
                write_index(folder, judged)
            indexed += len(judged)
        return indexed

    @contextmanager
    def unindexed(self, batch: Batch) -> Iterator[None]:
        """In the block, where its verdict becomes another one, no index has the batch, or takes it
        up. A batch that nobody has judged yet is in none."""
        manifest = batch.manifest
        folder = self.root / manifest.source / manifest.account / manifest.stream
        if not batch.is_gated and manifest.batch_id > read_index(folder).last:
            yield
            return
        with store.locked_there(folder.path):
            if manifest.batch_id <= read_index(folder).last:
                folder.remove(INDEX)
            yield

    def batches(
        self, source: str | None = None, account: str | None = None, stream: str | None = None
    ) -> list[Batch]:
        """The batches that have a manifest, by source, account, stream and sequence.

        Raises Refused for one that a later Boscard landed in a format not known here.
        """
        return [read_batch(name) for name in self.names(source, account, stream)]

    def rewrites(self, source: str, account: str, stream: str, batch_id: str) -> list[Rewrite]:
        """How a batch was changed since it landed; nothing for one that is not there any more."""
        try:
            manifest = _read_manifest(self.root / source / account / stream / batch_id)
        except FileNotFoundError:
            return []
        return [*manifest.rewritten]

    def read_calls(self, batch: Batch) -> list[Call]:
        return [_CALL.decode(line) for line in _decompressed(batch, CALLS).splitlines()]

    def read_rows(self, batch: Batch) -> bytes:
        """All rows uncompressed, one a line; for looking at a batch, not for loading it."""
        return _decompressed(batch, ROWS)

    def release(self, batch: Batch, at: datetime) -> int:
        """Let the vendor's bytes of a batch go, and note it beside what stays: manifest, calls,
        verdict, typed rows, rows set aside. Returns the bytes freed; 0 where they were gone.
        """
        if not batch.folder.size(ROWS):
            return 0
        with batch.folder.changing(needs=(RELEASED,), makes=(RELEASED, ROWS)):
            size = batch.folder.size(ROWS)
            if size:
                note = {"released_at": at.isoformat(timespec="seconds"), "bytes": size}
                write_whole(batch.path / RELEASED, msgspec.json.encode(note))
                (batch.path / ROWS).unlink(missing_ok=True)
        return size

    def remove_left_behind(self) -> None:
        """Remove what killed runs left of any stream; no reader ever saw it."""
        for folder, _ in streams_in(self.root, None, None, None):
            with store.locked_there(folder.path):
                folder.remove_left_behind()

    def nights_reported(self) -> Iterator[date]:
        """The nights of which a source said that it is done, in no order."""
        for source in self.root.folders():
            for name in (self.root / source / REPORTS).files():
                yield date.fromisoformat(name.removesuffix(".json"))

    def write(self, unit: Unit, as_of: date, pages: Iterable[Page]) -> Batch:
        """Land all pages as one batch, or nothing."""
        with self.draft(unit, as_of) as draft:
            for page in pages:
                draft.add(page)
            return draft.commit()

    def draft(self, unit: Unit, as_of: date) -> Draft:
        """A batch in the making, in a folder that no reader sees; the next batch of its stream
        removes what a killed run left of it.

        Raises Transient where another process is at the same unit.
        """
        folder = self.root
        for part in (unit.source, unit.account, unit.stream):
            if part in ("", ".", "..") or "/" in part:
                raise ValueError(f"{part!r} cannot be the name of a folder")
            folder /= part
        store.make_private(folder.path)
        return Draft(folder, unit, as_of)


class Draft:
    """Rows and calls of one unit until they are committed as a batch, or dropped."""

    def __init__(self, folder: Folder, unit: Unit, as_of: date) -> None:
        self.unit = unit
        self._folder = folder
        self._as_of = as_of
        self._path = folder.path / f".pulling_{night_label(unit, as_of)}"
        with locked(folder.path):  # or a commit beside us takes the folder for one left behind
            store.make_private(self._path)
            self._held = os.open(self._path, os.O_RDONLY)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._held)
                raise Transient(f"another process pulls {self._path.name[9:]} right now") from None
        for left in self._path.iterdir():
            left.unlink()
        self._raw = store.create_private(self._path / ROWS)
        self._stream = pa.CompressedOutputStream(self._raw, "zstd")
        self._digest = hashlib.sha256()
        self._bytes = 0
        self.rows = 0
        self._told: list[int] = []
        self._untold = 0
        self._calls: list[Call] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, page: Page) -> None:
        if page.rows:
            self._stream.write(page.lines)
            self._digest.update(page.lines)
            self._bytes += len(page.lines)
        call = Call(
            call_id="",
            method=page.method,
            url=page.url,
            status=page.status,
            bytes=page.bytes,
            sha256=page.sha256,
            attempts=page.attempts,
            milliseconds=page.milliseconds,
            first_line=self.rows + 1,
            rows=len(page.rows),
            context=dict(page.context),
        )
        self._calls.append(call)
        self.rows += len(page.rows)
        if page.told is None:
            self._untold += len(page.rows)
        else:
            self._told.append(page.told)

    def commit(self) -> Batch:
        """Give the batch its place in the sequence; it exists from here on, whole."""
        self._stream.close()
        store.sync_path(self._path / ROWS)
        with locked(self._folder.path):
            number = last_sequence(self._folder)
            while True:
                number += 1
                batch = self._placed(number) if self._folder.claim(number) else None
                if batch is not None:
                    return batch

    def _placed(self, number: int) -> Batch | None:
        """The batch as the one of this number; None where another took it at the same moment."""
        unit = self.unit
        prefix = f"{unit.source}.{unit.account}.{unit.stream}.{number:06d}"
        calls = [
            msgspec.json.encode(replace(call, call_id=f"{prefix}.{nth:05d}"))
            for nth, call in enumerate(self._calls, start=1)
        ]
        manifest = Manifest(
            format=FORMAT,
            batch_id=batch_id(number, unit, self._as_of),
            source=unit.source,
            account=unit.account,
            stream=unit.stream,
            window=unit.window,
            as_of_date=self._as_of,
            sequence=number,
            rows=self.rows,
            calls=len(calls),
            bytes=self._bytes,
            sha256=self._digest.hexdigest(),
            landed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            rows_told=self._untold + sum(self._told) if self._told else None,
            stored_sha256=file_sha256(self._path / ROWS),
        )
        compressed = pa.compress(b"".join(call + b"\n" for call in calls), "zstd", asbytes=True)
        store.write_private(self._path / CALLS, compressed)
        is_placed = self._folder.place(self._path, manifest.batch_id, encode_manifest(manifest))
        return Batch(self._folder / manifest.batch_id, manifest) if is_placed else None

    def close(self) -> None:
        """Drop what was not committed."""
        if self._held < 0:
            return
        if not self._stream.closed:
            self._stream.close()
        self._raw.close()
        if self._path.exists():
            shutil.rmtree(self._path)
        os.close(self._held)
        self._held = -1


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_batch(name: Name) -> Batch:
    """Raises Refused for one that a later Boscard landed in a format not known here."""
    return Batch(name.folder.unlisted(), _read_manifest(name.folder))


def read_if_there(name: Name) -> Batch | None:
    """None for one that an index has and that was moved away since. Raises as read_batch does."""
    try:
        return read_batch(name)
    except FileNotFoundError:
        return None


def verdict_state(batch: Batch | Name) -> str | None:
    """passed, held or blocked, or None for a batch that no gate has seen."""
    if isinstance(batch, Name) and batch.state is not None:
        return batch.state
    try:
        content = batch.folder.read(VERDICT)
    except FileNotFoundError:
        return None
    return _JUDGED.decode(content).state


def _settled(names: Iterable[Name], before: date) -> Iterator[tuple[str, str]]:
    """Names and states of a stream's batches, up to the first that is too new or not judged."""
    for name in names:
        state = verdict_state(name)
        if state is None or name.as_of_date >= before:
            return
        yield name.folder.name, state


def encode_manifest(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest)) + b"\n"


def decode_manifest(content: bytes, folder: Folder | Path) -> Manifest:
    """Raises Refused for one of a format not known here; `folder` is where it lies."""
    landed = _FORMAT.decode(content).format
    if landed > FORMAT:
        raise Refused(
            f"{folder}/{MANIFEST} is of format {landed} and this version of Boscard knows {FORMAT}",
            next_step="use the version that landed it, or a later one",
        )
    return _MANIFEST.decode(content)


def _read_manifest(folder: Folder) -> Manifest:
    return decode_manifest(folder.read(MANIFEST), folder)


def _decompressed(batch: Batch, name: str) -> bytes:
    content = pa.BufferReader(batch.folder.read(name))
    with pa.CompressedInputStream(content, "zstd") as stream:
        return bytes(stream.read())
