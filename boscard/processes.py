"""Processes that outlive the command which started them: what runs, started how, and its end.

Each is the leader of a session of its own, so that what it started is found also after it was
killed: Airflow's scheduler leaves its workers behind.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from boscard.home import PROJECT

SECONDS_TO_STOP = 20.0


@dataclass(frozen=True, slots=True)
class Service:
    """A process that was started. `created` tells it from a later process with the same pid."""

    name: str
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            is_ours = abs(process.create_time() - self.created) < 1
            return process if is_ours and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def session(self) -> list[psutil.Process]:
        """It and all it started, as far as they live; also where it has ended itself."""
        if self.process() is None and _is_taken(self.pid):
            return []  # its number was given anew, so nothing of its session was left
        found = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                is_alive = process.status() != psutil.STATUS_ZOMBIE
                if is_alive and os.getsid(process.pid) == self.pid:
                    found.append(process)
        return found


def start(name: str, command: Sequence[str], environ: Mapping[str, str], log: Path) -> Service:
    """Start a command that writes to a log."""
    with log.open("ab") as file:
        child = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    return Service(name, child.pid, psutil.Process(child.pid).create_time())


def stop(services: Iterable[Service]) -> None:
    """End each service with all it started: asked first, killed after twenty seconds."""
    processes = [process for service in services for process in service.session()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=SECONDS_TO_STOP)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def read(path: Path) -> list[Service]:
    """The services noted in a file; none where there is no file."""
    if not path.exists():
        return []
    return [Service(**service) for service in json.loads(path.read_text(encoding="utf-8"))]


def note(path: Path, services: Sequence[Service]) -> None:
    """Note services in a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps([asdict(service) for service in services]), encoding="utf-8")
    part.replace(path)


def _is_taken(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
