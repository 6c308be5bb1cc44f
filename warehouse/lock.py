"""The writer's lock: one process at a time changes the warehouse, whoever started it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boscard.home import Home
from warehouse.errors import WarehouseBusy


@contextmanager
def writer_lock(home: Home) -> Iterator[None]:
    """Hold the warehouse for writing.

    The kernel frees the lock when its owner dies. Raises WarehouseBusy naming the owner's pid.
    """
    path = lock_path(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode().strip() or "unknown"
            raise WarehouseBusy(
                f"{home.warehouse}: process {owner} is writing the warehouse; try again when it has"
                " finished, or end that process if it hangs"
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def lock_path(home: Home) -> Path:
    return home.warehouse.parent / "writer.lock"
