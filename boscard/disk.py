"""A full disk and a folder that must not be written to, told so that a person knows what to do."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

REMEDIES: Mapping[int, str] = {
    errno.ENOSPC: "make room there",
    errno.EDQUOT: "make room there, or have the quota raised",
    errno.EFBIG: "lift the limit on the size of a file (ulimit -f)",
    errno.EROFS: "make that disk writable",
    errno.EACCES: "let this user write there",
    errno.EPERM: "let this user write there",
}
PROBE_BYTES = 1 << 20


class CannotWrite(Exception):
    """The disk is full or the folder closed; the message says where, and what to do."""

    def __init__(self, folder: Path, doing: str, said: str, remedy: str) -> None:
        free = ""
        with suppress(OSError):
            free = f" ({shutil.disk_usage(folder).free / 1e6:,.0f} MB are free)"
        super().__init__(
            f"{folder}: {doing} could not write there{free}: {said}. Next step: {remedy}, or set "
            "BOSCARD_HOME to a copy elsewhere, and run the night again: it goes on where it stopped"
        )


@contextmanager
def writing(folder: Path, doing: str) -> Iterator[None]:
    """Below `folder`, `doing` writes in the block. Raises CannotWrite for whatever a library makes
    of a full disk or a closed folder; other errors pass, and those that name a next step."""
    try:
        yield
    except CannotWrite:
        raise
    except Exception as error:
        if not hasattr(error, "next_step"):
            complain(folder, doing, str(error), error)
        raise


def complain(folder: Path, doing: str, said: str, cause: Exception | None = None) -> None:
    """Raise CannotWrite where `said`, an error's text, is of a full disk or a closed folder."""
    for line in said.splitlines():
        for code, remedy in REMEDIES.items():
            if os.strerror(code) in line:
                raise CannotWrite(folder, doing, line.strip(), remedy) from cause


def probe(folder: Path) -> None:
    """Raises CannotWrite unless a little can be written in `folder`."""
    path = folder / f".probe-{os.getpid()}"
    with writing(folder, "a trial"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            path.write_bytes(bytes(PROBE_BYTES))
        finally:
            path.unlink(missing_ok=True)
