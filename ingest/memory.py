"""What the C library does with memory that was freed."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_TOP_PAD = -2  # M_TOP_PAD of malloc.h


def keep_freed_memory() -> None:
    """Let the C library keep 64 MB of what one page leaves for the next: given back to the kernel
    it is cleared again for each page, a sixth of what a pull costs. Other libraries than glibc
    know nothing of it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_TOP_PAD, 64 << 20)
