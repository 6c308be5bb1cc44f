"""Root's privileges given up (capabilities(7)), so that the modes of files bind it as anybody."""

from __future__ import annotations

import ctypes

VERSION_3 = 0x20080522
THIS_PROCESS = 0
NO_CAPABILITIES = (0,) * 6  # effective, permitted and inheritable, each in two words


def give_up_privileges() -> None:
    """Of this thread and all that it starts, for good. Raises OSError where that fails."""
    header = (ctypes.c_uint32 * 2)(VERSION_3, THIS_PROCESS)
    sets = (ctypes.c_uint32 * 6)(*NO_CAPABILITIES)
    if ctypes.CDLL(None, use_errno=True).capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
