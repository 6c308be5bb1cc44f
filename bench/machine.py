"""The machine and the versions that figures were found on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

import psutil


def described() -> dict[str, object]:
    """What a reader needs to compare with; nothing that names the machine or its user."""
    return {
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_average_at_start": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in ("duckdb", "great-expectations", "dbt-core", "pyarrow")},
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:  # noqa: PTH123
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
