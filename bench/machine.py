"""The machine and the versions that figures were found on."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil


def described() -> dict[str, object]:
    """What a reader needs to compare with; nothing that names the machine or its user."""
    return {
        "commit": _commit(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_average_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "great-expectations", "dbt-core", "pyarrow")},
    }


def _commit() -> str:
    """Of the code that was measured; with a plus where files were changed since."""
    asked = ["git", "describe", "--always", "--abbrev=7", "--dirty=+"]
    try:
        return subprocess.run(
            asked, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:  # noqa: PTH123
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
