"""Landing: immutable batches of vendor bytes, each complete once its manifest is there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec
import pyarrow as pa

from boscard.atomic import locked
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
from ingest.names import Name, batch_id, names_in, night_label, streams_in

_MANIFEST = msgspec.json.Decoder(Manifest)
_FORMAT = msgspec.json.Decoder(Formatted)
_CALL = msgspec.json.Decoder(Call)


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is looked at of a verdict here."""

    state: str


_JUDGED = msgspec.json.Decoder(_Judged)


class Landing:
    """All landed batches below `root`: `<source>/<account>/<stream>/<batch_id>/`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(
        self,
        source: str | None = None,
        account: str | None = None,
        stream: str | None = None,
        *,
        as_of: date | None = None,
    ) -> list[Name]:
        """The batches that have a manifest, by source, account, stream and sequence, unopened;
        `as_of`: those of one night.
        """
        folders = streams_in(self.root, source, account, stream)
        return [name for folder in folders for name in names_in(folder, as_of)]

    def batches(
        self, source: str | None = None, account: str | None = None, stream: str | None = None
    ) -> list[Batch]:
        """The batches that have a manifest, by source, account, stream and sequence.

        Raises Refused for one that a later Boscard landed in a format not known here.
        """
        return [read_batch(name) for name in self.names(source, account, stream)]

    def rewrites(self, source: str, account: str, stream: str, batch_id: str) -> list[Rewrite]:
        """How a batch was changed since it landed; nothing for one that is not there any more."""
        path = self.root / source / account / stream / batch_id / MANIFEST
        return [*_read_manifest(path).rewritten] if path.exists() else []

    def read_calls(self, batch: Batch) -> list[Call]:
        content = _decompress(batch.path / CALLS)
        return [_CALL.decode(line) for line in content.splitlines()]

    def read_rows(self, batch: Batch) -> bytes:
        """All rows uncompressed, one a line; for looking at a batch, not for loading it."""
        return _decompress(batch.path / ROWS)

    def release(self, batch: Batch, at: datetime) -> int:
        """Let the vendor's bytes of a batch go, and note it beside what stays: manifest, calls,
        verdict, typed rows, rows set aside. Returns the bytes freed; 0 where they were gone.
        """
        rows = batch.path / ROWS
        if not rows.exists():
            return 0
        size = rows.stat().st_size
        note = {"released_at": at.isoformat(timespec="seconds"), "bytes": size}
        _write_private(batch.path / RELEASED, msgspec.json.encode(note))
        rows.unlink()
        _sync_path(batch.path)
        return size

    def remove_left_behind(self) -> None:
        """Remove what killed runs left of any stream; no reader ever saw it."""
        for folder in {path.parent for path in self.root.glob("*/*/*/*")}:
            with locked(folder):
                for left in _left_behind(folder):
                    shutil.rmtree(left)

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
        return Draft(self._stream_folder(unit), unit, as_of)

    def _stream_folder(self, unit: Unit) -> Path:
        folder = self.root
        _make_private(folder)
        for part in (unit.source, unit.account, unit.stream):
            if part in ("", ".", "..") or "/" in part:
                raise ValueError(f"{part!r} cannot be the name of a folder")
            folder /= part
            _make_private(folder)
        return folder


class Draft:
    """Rows and calls of one unit until they are committed as a batch, or dropped."""

    def __init__(self, folder: Path, unit: Unit, as_of: date) -> None:
        self.unit = unit
        self._folder = folder
        self._as_of = as_of
        self._path = folder / f".pulling_{night_label(unit, as_of)}"
        with locked(folder):  # or a commit beside us takes the folder for one left behind
            _make_private(self._path)
            self._held = os.open(self._path, os.O_RDONLY)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._held)
                raise Transient(f"another process pulls {self._path.name[9:]} right now") from None
        for left in self._path.iterdir():
            left.unlink()
        self._raw = _create_private(self._path / ROWS)
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
        _sync_path(self._path / ROWS)
        with locked(self._folder):
            sequence = 1 + max((name.sequence for name in names_in(self._folder)), default=0)
            unit = self.unit
            prefix = f"{unit.source}.{unit.account}.{unit.stream}.{sequence:06d}"
            calls = [
                msgspec.json.encode(replace(call, call_id=f"{prefix}.{number:05d}"))
                for number, call in enumerate(self._calls, start=1)
            ]
            manifest = Manifest(
                format=FORMAT,
                batch_id=batch_id(sequence, unit, self._as_of),
                source=unit.source,
                account=unit.account,
                stream=unit.stream,
                window=unit.window,
                as_of_date=self._as_of,
                sequence=sequence,
                rows=self.rows,
                calls=len(calls),
                bytes=self._bytes,
                sha256=self._digest.hexdigest(),
                landed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                rows_told=self._untold + sum(self._told) if self._told else None,
            )
            compressed = pa.compress(b"".join(call + b"\n" for call in calls), "zstd", asbytes=True)
            _write_private(self._path / CALLS, compressed)
            for left in _left_behind(self._folder):
                shutil.rmtree(left)
            final = self._folder / manifest.batch_id
            self._path.rename(final)
            part = final / f".{MANIFEST}"
            _write_private(part, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
            part.rename(final / MANIFEST)
            _sync_path(final)
            _sync_path(self._folder)
        return Batch(final, manifest)

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


def read_batch(name: Name) -> Batch:
    """Raises Refused for one that a later Boscard landed in a format not known here."""
    return Batch(name.path, _read_manifest(name.path / MANIFEST))


def verdict_state(batch: Batch | Name) -> str | None:
    """passed, held or blocked, or None for a batch that no gate has seen."""
    try:
        content = (batch.path / VERDICT).read_bytes()
    except FileNotFoundError:
        return None
    return _JUDGED.decode(content).state


def _read_manifest(path: Path) -> Manifest:
    content = path.read_bytes()
    landed = _FORMAT.decode(content).format
    if landed > FORMAT:
        raise Refused(
            f"{path} is of format {landed} and this version of Boscard knows {FORMAT}",
            next_step="use the version that landed it, or a later one",
        )
    return _MANIFEST.decode(content)


def _left_behind(folder: Path) -> list[Path]:
    """What killed runs left: batches without a manifest, and drafts that nobody holds."""
    half = [path for path in folder.glob("[0-9]*") if not (path / MANIFEST).exists()]
    return half + [path for path in folder.glob(".pulling_*") if not _is_held(path)]


def _is_held(path: Path) -> bool:
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _make_private(folder: Path) -> None:
    if not folder.parent.exists():
        _make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)


def _create_private(path: Path) -> Any:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with _create_private(path) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_path(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _decompress(path: Path) -> bytes:
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
        return bytes(stream.read())
