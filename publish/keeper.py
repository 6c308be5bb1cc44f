"""Stops a server when the process that started it ends, however it ends: also by SIGKILL.

It runs as a program in a session of its own and waits until its standard input closes. It imports
nothing of ours, so that it is there at once.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

KEPT = "keeper"
ATTEMPTS = 20
PAUSE_SECONDS = 0.25


def hire(folder: Path, lock: Path, stop: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start a keeper of the server in `folder`: it runs `stop` there, holding `lock`.

    The server is its own to stop as long as nobody takes `folder`/keeper away or hires another.
    """
    token = secrets.token_hex(8)
    (folder / KEPT).write_text(token, encoding="ascii")
    return subprocess.Popen(
        [sys.executable, "-I", __file__, str(folder), str(lock), token, *stop],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={"PATH": os.defpath, "LC_ALL": "C"},
        start_new_session=True,
    )


def is_kept(folder: Path) -> bool:
    """Whether the server in `folder` was started for a while only."""
    return (folder / KEPT).exists()


def dismiss(folder: Path) -> None:
    """The server in `folder` stays: whoever keeps it now will leave it alone."""
    (folder / KEPT).unlink(missing_ok=True)


def main() -> int:
    """Arguments: folder, lock file, token, and the command that stops the server."""
    folder, lock, token, *stop = sys.argv[1:]
    sys.stdin.read()
    known = Path(folder) / KEPT
    with Path(lock).open("w", encoding="ascii") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not known.exists() or known.read_text(encoding="ascii") != token:
            return 0
        for _ in range(ATTEMPTS):  # it may be starting still, if its starter was killed
            if subprocess.run(stop, stdin=subprocess.DEVNULL, check=False).returncode == 0:
                known.unlink()
                return 0
            time.sleep(PAUSE_SECONDS)
    return 1


if __name__ == "__main__":
    sys.exit(main())
