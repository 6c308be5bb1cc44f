"""The sandbox as a child process, for a night that runs its DAGs in processes of their own."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from boscard.home import PROJECT

READY = "sandbox ready at "
SECONDS_TO_START = 180
SECONDS_TO_STOP = 10


class SandboxError(Exception):
    """The sandbox did not start; the message has its last words."""


@contextmanager
def started(
    night: date,
    *,
    log: Path,
    port: int = 0,
    scenario: str = "quiet",
    has_limits: bool = True,
    options: Sequence[str] = (),
) -> Iterator[str]:
    """The base URL of a sandbox in a child process, which ends with the context or with this
    process.

    Seed, scale and start are those of the settings file where `options` name no others. What it
    writes to stderr goes to `log`.
    Raises SandboxError.
    """
    command = [sys.executable, "-m", "sandbox", "serve", "--attached", "--date", night.isoformat()]
    command += ["--port", str(port), "--scenario", scenario, *options]
    if not has_limits:
        command.append("--no-limits")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        child = subprocess.Popen(
            command,
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield _base_url(child, log)
        finally:
            _stop(child)


def _base_url(child: subprocess.Popen[str], log: Path) -> str:
    watch = threading.Timer(SECONDS_TO_START, child.kill)
    watch.start()
    try:
        line = child.stdout.readline() if child.stdout else ""
    finally:
        watch.cancel()
    if not line.startswith(READY):
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise SandboxError(
            f"the sandbox did not start: {words[-1] if words else 'it said nothing'}; see {log}"
        )
    return line.removeprefix(READY).split()[0]


def _stop(child: subprocess.Popen[str]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe:
            pipe.close()
    child.terminate()
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
