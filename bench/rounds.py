"""Commands as whole processes, in interleaved rounds: seconds, CPU seconds and peak memory each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
PEER_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"


@dataclass(frozen=True, slots=True)
class Command:
    """One way to do the work. `fresh` is a folder that is there and empty before each run."""

    name: str
    argv: Sequence[str]
    fresh: Path | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One process and its children, as the operating system counted them when they ended.

    `peak_mb` is the largest single process; `told` is the JSON object on its last line of output.
    """

    wall: float
    cpu: float
    peak_mb: float
    told: Mapping[str, Any] = field(default_factory=dict)


class CommandFailed(Exception):
    """A measured command ended with an error; its last words are the message."""


def program(name: str, *arguments: object) -> list[str]:
    """The command line of one of our own programs."""
    return [sys.executable, "-m", f"bench.programs.{name}", *map(str, arguments)]


def peer(name: str, *arguments: object) -> list[str]:
    """The command line of a peer, which runs in an environment of its own."""
    return [str(PEER_PYTHON), str(PROJECT / "bench" / "peers" / f"{name}.py"), *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment of a measured process: with .pyc files, which some machines switch off."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def run(argv: Sequence[str]) -> Run:
    """Run one command to its end. Raises CommandFailed."""
    started = time.perf_counter()
    child = subprocess.Popen(
        argv,
        cwd=PROJECT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert child.stdout is not None
    output = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise CommandFailed(f"{' '.join(argv)} ended with {child.returncode}:\n{output[-2000:]}")
    peak = used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return Run(wall, used.ru_utime + used.ru_stime, peak, _told(output))


def interleaved(commands: Sequence[Command], rounds: int) -> dict[str, list[Run]]:
    """Each command once a round, a round beginning where the one before began its second."""
    runs: dict[str, list[Run]] = {command.name: [] for command in commands}
    for number in range(rounds):
        turn = number % len(commands)
        for command in (*commands[turn:], *commands[:turn]):
            if command.fresh:
                shutil.rmtree(command.fresh, ignore_errors=True)
                command.fresh.mkdir(parents=True)
            runs[command.name].append(run(command.argv))
    return runs


def middle(runs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    return median(map(figure, runs))


def ratio(ours: Sequence[Run], theirs: Sequence[Run], figure: Callable[[Run], float]) -> float:
    """The median of the ratios of the same round."""
    return median(figure(one) / figure(other) for one, other in zip(ours, theirs, strict=True))


def _told(output: str) -> dict[str, Any]:
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
