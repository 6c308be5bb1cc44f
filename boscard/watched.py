"""What a night tells the process that watches it: lines in the file that `PROGRESS` names."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.progress import Lines, Progress, Quiet

PROGRESS: Final = "BOSCARD_PROGRESS"


def say(words: str) -> None:
    """A line for it; nothing where nobody watches, or the disk is full."""
    path = os.environ.get(PROGRESS)
    if path:
        with suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{words}\n")


def pull_progress() -> Progress:
    """Lines for it while units are pulled."""
    path = os.environ.get(PROGRESS)
    return Lines(Path(path).open("a", encoding="utf-8")) if path else Quiet()
