"""The vendor's rows of a batch in less space: the same bytes, pressed harder than a night can wait.

Level 12 takes a third off what a night writes; 19 would take a twelfth more, at 37 times the CPU.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import pyarrow as pa

from boscard.atomic import write_whole
from ingest.batch import MANIFEST, ROWS, Batch
from ingest.landing import decode_manifest, encode_manifest, file_sha256

LEAST: Final = 64 << 10  # bytes of rows: fewer fill the same few blocks of a disk either way
_CODEC: Final = pa.Codec("zstd", compression_level=12)
_CHUNK = 32 << 20


def compact(batch: Batch, at: datetime) -> int:
    """Press the rows of a batch once, and note it in its manifest; returns the bytes freed.

    What the rows say stays as landed, and so does their sha256. The manifest comes last: of a
    killed compaction the rows are known by what they say, and it is done again.
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
        pressed = _pressed(rows)
        if len(pressed) < before:
            write_whole(rows, pressed)
        manifest = replace(
            manifest,
            stored_sha256=file_sha256(rows),
            compacted_at=at.isoformat(timespec="seconds"),
        )
        write_whole(batch.path / MANIFEST, encode_manifest(manifest))
        return max(0, before - len(pressed))


def _pressed(rows: Path) -> bytes:
    frames = []
    with pa.CompressedInputStream(pa.OSFile(str(rows)), "zstd") as content:
        while chunk := content.read(_CHUNK):
            frames.append(_CODEC.compress(chunk, asbytes=True))
    return b"".join(frames)
