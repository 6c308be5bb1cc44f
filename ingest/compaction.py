"""The vendor's rows of a batch in less space: the same bytes, pressed harder than a night can wait.

Level 12 takes a third off what a night writes; 19 would take a twelfth more, at 37 times the CPU.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from boscard.atomic import write_whole
from ingest.batch import MANIFEST, ROWS, Batch
from ingest.errors import Refused
from ingest.landing import decode_manifest, encode_manifest, file_sha256

LEAST: Final = 64 << 10  # bytes of rows: fewer fill the same few blocks of a disk either way
_CODEC: Final = pa.Codec("zstd", compression_level=12)
_CHUNK = 32 << 20


def compact(batch: Batch, at: datetime) -> int:
    """Press the rows of a batch once, and note it in its manifest; returns the bytes freed.

    What the rows say stays as landed, and so does their sha256. The manifest comes last: of a
    killed compaction the rows are known by what they say, and it is done again. Raises Refused
    for rows that are not the ones that were landed; they stay as they are.
    """
    if batch.manifest.compacted_at or batch.manifest.bytes < LEAST or not batch.folder.has(ROWS):
        return 0
    changed = (ROWS, MANIFEST)
    with batch.folder.changing(needs=changed, makes=changed):
        rows = batch.path / ROWS
        manifest = decode_manifest((batch.path / MANIFEST).read_bytes(), batch.path)
        if manifest.compacted_at or not rows.exists():
            return 0
        before = rows.stat().st_size
        pressed = _pressed(rows, manifest.sha256)
        if pressed is None:
            raise Refused(
                f"{batch.folder}/{ROWS} is damaged: its rows are not the ones that were landed",
                "put the file in place again from a backup",
            )
        if len(pressed) < before:
            write_whole(rows, pressed)
        manifest = replace(
            manifest,
            stored_sha256=file_sha256(rows),
            compacted_at=at.isoformat(timespec="seconds"),
        )
        write_whole(batch.path / MANIFEST, encode_manifest(manifest))
        return max(0, before - len(pressed))


def _pressed(rows: Path, sha256: str) -> bytes | None:
    """The same rows, frame by frame and each read back; None where they are not what was landed."""
    frames, digest = [], hashlib.sha256()
    try:
        with pa.CompressedInputStream(pa.OSFile(str(rows)), "zstd") as content:
            while chunk := content.read(_CHUNK):
                frame = _CODEC.compress(chunk, asbytes=True)
                digest.update(_CODEC.decompress(frame, len(chunk)))
                frames.append(frame)
    except OSError as error:
        if error.errno is not None:  # the machine's fault, not the file's
            raise
        return None
    return b"".join(frames) if digest.hexdigest() == sha256 else None
