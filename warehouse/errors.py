"""What can go wrong in the warehouse, named by what to do about it."""

from __future__ import annotations


class WarehouseBusy(Exception):
    """Another process is writing the warehouse; try again when it has finished."""


class NightRefused(Exception):
    """The night asked for is older than what is loaded; the message says how to see it again."""


class BatchBroken(Exception):
    """A batch's files disagree with each other; gate it again, or land it again."""


class SchemaMismatch(Exception):
    """The warehouse cannot be brought to what is declared where it stands; load it again."""


class NewerWarehouse(Exception):
    """A later Boscard wrote the warehouse; use that one, or load it again with this one."""


class HashKeyChanged(Exception):
    """The warehouse's hashes were made with another key; put it back, or rebuild with this one."""
