"""Secrets that an installation makes for itself: once, in a file that only its owner can read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from boscard.atomic import locked, write_whole


def made_once(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, mode 0600; made there whole if there is none, by one process only."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(path.parent):
            if not path.exists():
                write_whole(path, make().encode("ascii"))
    return path.read_text(encoding="ascii")
