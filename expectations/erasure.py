"""A person taken out of a landed batch: in the vendor's rows, the typed rows and those set aside.

What is said of them becomes null; keys, dates, counts and scores stay, and so does every line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from boscard.atomic import replacing, write_whole
from expectations.lines import read_lines
from ingest.batch import MANIFEST, QUARANTINE, ROWS, TYPED, Batch, Rewrite
from ingest.landing import decode_manifest, encode_manifest, file_sha256
from ingest.stream import Column, Stream

FORGOTTEN: Final = "forgotten"
_NOTHING: Final = b"null"
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Kept:
    """Which leaves of a JSON value stay: all (`is_whole`), or those of members or of elements."""

    is_whole: bool = False
    members: dict[str, Kept] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: Collection[Column]) -> Kept:
        """What stays of a vendor's row: the columns that are described and say nothing of anybody.

        What a stream does not describe may be anything, so it goes.
        """
        tree = cls()
        for column in columns:
            if column.personal is None and not column.path.startswith("@"):
                _put(tree, column.path, of_column(column))
        return tree


def of_column(column: Column) -> Kept:
    """What stays of a column's value: the leaves that the warehouse holds."""
    if column.kept is None:
        return Kept(is_whole=True)
    tree = Kept()
    for path in column.kept:
        _put(tree, path, Kept(is_whole=True))
    return tree


def _put(tree: Kept, path: str, kept: Kept) -> None:
    *parents, leaf = path.split(".")
    for parent in parents:
        tree = tree.members.setdefault(parent, Kept())
    tree.members[leaf] = kept


def mention(email: str) -> re.Pattern[str]:
    """Where an address stands in text, and not as a part of a longer one."""
    return re.compile(rf"(?<![\w.+%-]){re.escape(email)}(?![\w-]|\.\w)", re.IGNORECASE)


def without(raw: bytes, kept: Kept, address: re.Pattern[str]) -> bytes:
    """JSON with null in place of each leaf that does not stay; of lists all elements are alike.

    The address goes from what stays, too. What cannot be read becomes null whole.
    """
    if kept.is_whole:
        return unnamed(raw.decode("utf-8", "replace"), address).encode()
    try:
        match raw[:1]:
            case b"{":
                members = _OBJECT.decode(raw).items()
                return msgspec.json.encode(
                    {
                        name: msgspec.Raw(
                            without(_raw(value), kept.members.get(name, Kept()), address)
                        )
                        for name, value in members
                    }
                )
            case b"[":
                elements = _LIST.decode(raw)
                return msgspec.json.encode(
                    [msgspec.Raw(without(_raw(value), kept, address)) for value in elements]
                )
    except msgspec.DecodeError:
        pass
    return _NOTHING


def _raw(value: msgspec.Raw) -> bytes:
    return bytes(value).strip()


def unnamed(text: str, address: re.Pattern[str]) -> str:
    return address.sub(FORGOTTEN, text)


def erase(
    batch: Batch, stream: Stream, lines: Collection[int], email: str, by: str, at: str
) -> None:
    """Take what is personal out of these lines of a batch, and note that in its manifest.

    The manifest comes last, so that a killed erasure is done again; one with the same `at` that is
    noted is not.
    """
    address = mention(email)
    changed = (TYPED, QUARANTINE, ROWS, MANIFEST)
    with batch.folder.changing(needs=changed, makes=changed):
        manifest = decode_manifest((batch.path / MANIFEST).read_bytes(), batch.path)
        if any(note.at == at for note in manifest.rewritten):
            return
        theirs = set(lines)
        for left in batch.path.glob(".*"):  # of a killed gate
            left.unlink()
        _erase_typed(batch, stream, theirs, address)
        _erase_quarantine(batch, stream, theirs, address)
        note = Rewrite(at, by, len(lines), manifest.sha256)
        manifest = replace(manifest, rewritten=(*manifest.rewritten, note))
        if (batch.path / ROWS).exists():
            digest, size = _erase_rows(batch, stream, theirs, address)
            stored = file_sha256(batch.path / ROWS)
            manifest = replace(
                manifest, sha256=digest, bytes=size, stored_sha256=stored, compacted_at=None
            )
        write_whole(batch.path / MANIFEST, encode_manifest(manifest))


def _erase_rows(
    batch: Batch, stream: Stream, lines: set[int], address: re.Pattern[str]
) -> tuple[str, int]:
    """The new sha256 and bytes of the vendor's rows."""
    kept = Kept.of(stream.columns)
    digest, size, number = hashlib.sha256(), 0, 0
    with (
        replacing(batch.path / ROWS) as part,
        pa.OSFile(str(part), "wb") as file,
        pa.CompressedOutputStream(file, "zstd") as out,
    ):
        for some in read_lines(batch.path / ROWS):
            written = []
            for line in some:
                number += 1
                written.append(without(line, kept, address) if number in lines else line)
            content = b"".join(line + b"\n" for line in written)
            digest.update(content)
            size += len(content)
            out.write(content)
    return digest.hexdigest(), size


def _erase_typed(batch: Batch, stream: Stream, lines: set[int], address: re.Pattern[str]) -> None:
    path = batch.path / TYPED
    if not path.exists():
        return
    rows = pq.read_table(path)
    numbers = rows.column("_line").combine_chunks()
    is_theirs = pc.is_in(numbers, pa.array(sorted(lines), pa.int64()))
    for column in stream.columns:
        if column.type not in ("text", "json") or column.name not in rows.column_names:
            continue
        place = rows.schema.get_field_index(column.name)
        values = rows.column(place).combine_chunks()
        new = [erased(column, text, address) for text in values.filter(is_theirs).to_pylist()]
        changed = pc.replace_with_mask(values, is_theirs, pa.array(new, values.type))
        rows = rows.set_column(place, rows.schema.field(place), changed)
    with replacing(path) as part:
        pq.write_table(rows, part, compression="zstd")


def erased(column: Column, value: str | None, address: re.Pattern[str]) -> str | None:
    """A typed text as it stands when its person is forgotten."""
    if value is None or column.personal is not None:
        return None
    if column.kept is not None:
        return without(value.encode(), of_column(column), address).decode()
    return unnamed(value, address)


def _erase_quarantine(
    batch: Batch, stream: Stream, lines: set[int], address: re.Pattern[str]
) -> None:
    path = batch.path / QUARANTINE
    if not path.exists():
        return
    table = pq.read_table(path)
    rows: list[dict[str, Any]] = table.to_pylist()
    kept = Kept.of(stream.columns)
    for row in rows:
        if row["_line"] in lines:
            row["row"] = without(row["row"].encode(), kept, address).decode()
            row["key"] = row["key"] and unnamed(row["key"], address)
    with replacing(path) as part:
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), part, compression="zstd")
