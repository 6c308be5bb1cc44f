"""What can go wrong in the warehouse, named by what to do about it."""

from __future__ import annotations


class WarehouseBusy(Exception):
    """Another process is writing the warehouse; try again when it has finished."""


class NightRefused(Exception):
    """The night asked for is older than what is loaded; the message says how to see it again."""


class BatchBroken(Exception):
    """A batch's files disagree with each other; gate it again, or land it again."""


class SchemaMismatch(Exception):
    """A table cannot be brought to its declared shape by adding columns; load it again."""


class HashKeyChanged(Exception):
    """The warehouse's hashes were made with another key; put it back, or rebuild with this one."""
