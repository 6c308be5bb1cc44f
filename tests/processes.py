"""Which processes belong to an installation, whoever started them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil


def processes_of(root: Path) -> list[psutil.Process]:
    """The processes that know the home, by environment or command line."""
    found = []
    for process in psutil.process_iter():
        try:
            known = [*process.cmdline(), *process.environ().values(), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(root) in word for word in known):
            found.append(process)
    return found


def processes_below(root: Path) -> list[str]:
    """Their command lines; of one that ends meanwhile there is none."""
    found = []
    for process in processes_of(root):
        with suppress(psutil.NoSuchProcess):
            found.append(" ".join(process.cmdline()))
    return found
