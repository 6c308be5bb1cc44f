"""What of a person enters the warehouse: keyed hashes (HMAC-SHA256), and of JSON the leaves that a
stream names. Clear text stays in landing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ingest.stream import Column
from warehouse.errors import HashKeyChanged

PADS = "(select $inner::blob as inner_pad, $outer::blob as outer_pad)"

_BLOCK = 64  # bytes: the block of SHA-256
_BLANKS = "concat(' ', chr(9), chr(10), chr(12), chr(13), chr(160))"
_NORMAL = {"email": "lower({0})", "text": "{0}"}


@dataclass(frozen=True, slots=True)
class HashKey:
    """The key of all hashes of one warehouse. Its repr does not show it."""

    value: bytes = field(repr=False)

    @property
    def pads(self) -> dict[str, bytes]:
        """The parameters of a statement with `PADS`: the key in the two paddings of RFC 2104."""
        key = hashlib.sha256(self.value).digest() if len(self.value) > _BLOCK else self.value
        whole = key.ljust(_BLOCK, b"\0")
        return {
            "inner": bytes(byte ^ 0x36 for byte in whole),
            "outer": bytes(byte ^ 0x5C for byte in whole),
        }

    @property
    def fingerprint(self) -> str:
        """By which a warehouse knows its key again."""
        return hmac.new(self.value, b"boscard hash key", "sha256").hexdigest()[:16]


def stored(column: Column, value: str) -> str:
    """The SQL for what is stored of a column whose typed value is the expression `value`.

    It stands in a statement that reads from `PADS` too, so that the key is in no SQL text.
    Personal text is trimmed, an e-mail address in small letters too, so that two vendors' ways to
    write it give one hash; blank text is NULL. Of a list of objects the `kept` leaves go on; what
    is no list is NULL.
    """
    if column.personal is not None:
        trimmed = f"trim(nfc_normalize({value}), {_BLANKS})"
        return _hashed(f"nullif({_NORMAL[column.personal].format(trimmed)}, '')")
    if column.kept is not None:
        return f"cast(json_transform({value}, '{_skeleton(column.kept)}') as json)::varchar"
    return value


def keep_key(connection: duckdb.DuckDBPyConnection, key: HashKey) -> None:
    """Note the key's fingerprint in a new warehouse.

    Raises HashKeyChanged where rows were loaded under another key, or under none.
    """
    known = connection.execute("select fingerprint from ops.hash_key").fetchall()
    if known == [(key.fingerprint,)]:
        return
    if known or connection.execute("select 1 from ops.loaded_batches limit 1").fetchall():
        raise HashKeyChanged(
            "the warehouse holds hashes of personal data that were made with another key; put the"
            " key back, or rebuild the warehouse from landing with this one: boscard replay"
        )
    connection.execute("insert into ops.hash_key values (?)", [key.fingerprint]).fetchall()


def _hashed(text: str) -> str:
    return f"sha256(outer_pad || unhex(sha256(inner_pad || encode({text}))))"


def _skeleton(paths: Sequence[str]) -> str:
    """The shape that json_transform takes, for a list of objects with these dotted paths."""
    tree: dict[str, Any] = {}
    for path in paths:
        *parents, leaf = path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = "JSON"

    def text(node: Any) -> str:
        if isinstance(node, str):
            return f'"{node}"'
        return "{" + ", ".join(f'"{name}": {text(node[name])}' for name in node) + "}"

    return f"[{text(tree)}]"
