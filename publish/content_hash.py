"""One hash for the same rows wherever they are read: DuckDB, Postgres or Parquet.

Rows are brought to seven Arrow types and sorted by key; then each column is hashed as a whole, so
that neither row order, nor chunking, nor a driver's way with numerics can change the result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from publish.contract import ColumnType, View

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "bigint": pa.int64(),
    "decimal": pa.decimal128(18, 6),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamptz": pa.timestamp("us", tz="UTC"),
    "varchar": pa.string(),
    "boolean": pa.bool_(),
}


class NotCanonicalError(Exception):
    """A value that the three places cannot hold alike: not a number, infinite, or a null key."""


def canonical(table: pa.Table, view: View) -> pa.Table:
    """The rows of a view in its own columns and the seven types, ordered by key.

    Negative zero becomes zero. Raises NotCanonicalError for NaN, infinity, NUL and null keys.
    """
    columns = []
    for column in view.columns:
        values = _plain(table.column(column.name))
        try:
            values = values.cast(ARROW_TYPES[column.type])
        except pa.ArrowInvalid as error:
            raise NotCanonicalError(f"{view.name}.{column.name}: {error}") from None
        where = f"{view.name}.{column.name}"
        if column.type == "double":
            if not pc.all(pc.is_finite(values), min_count=0).as_py():
                raise NotCanonicalError(f"{where}: NaN or infinite; a KPI without a value is null")
            values = pc.add(values, 0.0)
        elif column.type == "varchar" and pc.any(pc.match_substring(values, "\0")).as_py():
            raise NotCanonicalError(f"{where}: a NUL character, which Postgres cannot hold")
        if column.name in view.key and values.null_count:
            raise NotCanonicalError(f"{where}: {values.null_count} nulls in a key column")
        columns.append(values)
    plain = pa.table(columns, names=list(view.column_names))
    return plain.sort_by([(name, "ascending") for name in view.key]).combine_chunks()


def table_hash(table: pa.Table, view: View) -> str:
    """SHA-256 over the names, types and values of canonical rows; differs when one cell differs."""
    whole = hashlib.sha256(f"{view.name}\n{table.num_rows}\n".encode())
    for column in view.columns:
        whole.update(f"{column.name} {column.type}\n".encode())
        whole.update(_column_digest(table.column(column.name), column.type))
    return whole.hexdigest()


def content_hash(hashes: Mapping[str, str]) -> str:
    """The hash of a publication from the hashes of its views."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Extension arrays (a driver's numeric) and dictionaries as what they store."""
    if isinstance(values.type, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in values.chunks]
        return pa.chunked_array(chunks, type=values.type.storage_type)
    if pa.types.is_dictionary(values.type):
        return values.cast(values.type.value_type)
    return values


def _column_digest(column: pa.ChunkedArray, kind: ColumnType) -> bytes:
    """Which values are there, then the values themselves with nulls as zero, little-endian."""
    values = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    digest = hashlib.sha256(np.asarray(values.is_valid()).astype("u1").tobytes())
    if kind == "varchar":
        texts = values.cast(pa.large_string()).fill_null("")
        _, ends, data = texts.buffers()
        bounds = np.frombuffer(ends or b"\0" * 8, "<i8")[
            texts.offset : texts.offset + len(texts) + 1
        ]
        digest.update((bounds - bounds[0]).tobytes())
        digest.update(memoryview(data or b"")[bounds[0] : bounds[-1]])
    elif kind == "decimal":
        numbers = values.fill_null(Decimal(0))
        words = np.frombuffer(numbers.buffers()[1] or b"", "<i8").reshape(-1, 2)
        digest.update(words[numbers.offset : numbers.offset + len(numbers)].tobytes())
    elif kind == "double":
        digest.update(np.asarray(values.fill_null(0.0)).astype("<f8").tobytes())
    else:
        whole = values.cast(pa.int32()) if kind == "date" else values
        digest.update(np.asarray(whole.cast(pa.int64()).fill_null(0)).astype("<i8").tobytes())
    return digest.digest()
