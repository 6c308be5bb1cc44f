"""Files that are there whole or not at all, whatever ends the process that writes them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A private file (0600) to write, which takes the place of `path` when all of it is there.

    It always has the same name, so a killed writer's is written over and none is left: the caller
    sees to it that there is one writer at a time.
    """
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Put a whole file in place of `path`: a reader sees the old one or the new one."""
    with replacing(path) as part:
        part.write_bytes(content)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait for, and hold, the lock of a folder; the kernel frees it when its owner dies."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
