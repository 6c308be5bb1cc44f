"""Leaving root behind for a child process: Postgres refuses to run as root."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

USER = "nobody"
CAP_DAC_READ_SEARCH = 2


def hand_over(path: Path) -> None:
    """Make the unprivileged user own a file or folder, when we are root."""
    account = _account()
    if account is not None:
        os.chown(path, account.pw_uid, account.pw_gid)


def prefix() -> list[str]:
    """The command prefix that leaves root, but still reads below folders of mode 0700 if we may."""
    account = _account()
    if account is None:
        return []
    command = [
        "setpriv",
        f"--reuid={account.pw_uid}",
        f"--regid={account.pw_gid}",
        "--clear-groups",
    ]
    if _holds(CAP_DAC_READ_SEARCH):
        command += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return command


def _account() -> pwd.struct_passwd | None:
    """The user to become; None when we are not root and stay ourselves."""
    return pwd.getpwnam(USER) if os.geteuid() == 0 else None


def _holds(capability: int) -> bool:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    held = next(
        int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff")
    )
    return bool(held >> capability & 1)
