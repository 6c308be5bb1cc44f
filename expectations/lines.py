"""The landed lines as bytes: counted, sampled, picked, and sifted where some are broken."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ingest.batch import Manifest
from ingest.landing import file_sha256

SAMPLE = 500
_CHUNK = 4 << 20
_LONGEST = 33_500_000  # bytes; DuckDB stops at a line of 32 MiB
_NEWLINE, _OPENS_OBJECT = b"\n{"


@dataclass(frozen=True, slots=True)
class Lines:
    """One pass over a file of rows. `is_suspect`: some line cannot be an object in JSON."""

    rows: int
    is_suspect: bool
    sample: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no row of its stream, and why."""

    line: int
    why: str


class _Object(dict[str, Any]):
    """A JSON object that remembers the keys it was given twice."""

    repeated: tuple[str, ...] = ()


def read_lines(path: Path) -> Iterator[list[bytes]]:
    """The lines of a zstd file in groups, without their newline."""
    left = b""
    for chunk in _chunks(path):
        *lines, left = (left + chunk).split(b"\n")
        yield lines
    if left:
        yield [left]


def _chunks(path: Path) -> Iterator[bytes]:
    with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def survey(path: Path, rows: int) -> Lines:
    """Look at each line once; `rows` is how many to expect, by which the sample is spread.

    Lines are found in whole chunks by numpy: an object a line would cost four times as much.
    """
    step = max(1, rows // SAMPLE)
    sample: list[bytes] = []
    count = 0
    is_suspect = False
    left = b""  # of the line in which the last chunk ended
    for chunk in _chunks(path):
        octets = np.frombuffer(chunk, np.uint8)
        ends = np.flatnonzero(octets == _NEWLINE)
        starts = ends[:-1] + 1 if chunk.endswith(b"\n") else ends + 1
        is_suspect = (
            is_suspect
            or (not left and octets[0] != _OPENS_OBJECT)
            or bool((octets[starts] != _OPENS_OBJECT).any())
        )
        for place in range(-count % step, len(ends), step):
            if place:
                sample.append(chunk[ends[place - 1] + 1 : ends[place]])
            else:
                sample.append(left + chunk[: ends[0]])
        left = chunk[ends[-1] + 1 :] if len(ends) else left + chunk
        count += len(ends)
    if left:
        sample += [left] if count % step == 0 else []
        count += 1
    return Lines(count, is_suspect, tuple(sample))


def are_as_landed(path: Path, manifest: Manifest) -> bool:
    """Whether the rows are the ones that were landed: what they say counts, and a file that is
    known says it soonest.
    """
    if file_sha256(path) == manifest.stored_sha256:
        return True
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest() == manifest.sha256


def pick(path: Path, wanted: Iterable[int]) -> Iterator[tuple[int, bytes]]:
    """The lines with these numbers (from 1), in order."""
    numbers = sorted(set(wanted))
    position = first = 0
    for lines in read_lines(path):
        while position < len(numbers) and numbers[position] - first <= len(lines):
            yield numbers[position], lines[numbers[position] - first - 1]
            position += 1
        if position == len(numbers):
            return
        first += len(lines)


def sift(path: Path, paths: Iterable[str], readable: Path) -> list[Unreadable]:
    """Write a plain copy to `readable`, with `{}` for each unreadable line; say which those are.

    `paths` are the dotted paths that will be read: what lies on the way to them must be objects.
    """
    parents = sorted({path.rpartition(".")[0] for path in paths} - {""})
    found: list[Unreadable] = []
    number = 0
    with readable.open("wb") as out:
        for lines in read_lines(path):
            for line in lines:
                number += 1
                why = complaint(line, parents)
                if why:
                    found.append(Unreadable(number, why))
                out.write((b"{}" if why else line) + b"\n")
    return found


def complaint(line: bytes, parents: Iterable[str]) -> str | None:
    """Why a line is no row: too long, not JSON, no object, a key twice, no object where one
    belongs."""
    if len(line) > _LONGEST:
        return "it is longer than 33.5 MB"
    try:
        row = json.loads(line.decode("utf-8"), object_pairs_hook=_object)
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    except UnicodeEncodeError:
        return "it has half a character"
    except (ValueError, RecursionError):
        return "it is not JSON"
    if not isinstance(row, _Object):
        return "it is not an object"
    for parent in ("", *parents):
        node: Any = row
        for key in parent.split(".") if parent else ():
            node = node.get(key) if isinstance(node, _Object) else None
        if node is not None and not isinstance(node, _Object):
            return f"{parent} is not an object"
        if isinstance(node, _Object) and node.repeated:
            return f"{node.repeated[0]} is there twice"
    return None


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        made.repeated = tuple(sorted({key for key in keys if keys.count(key) > 1}))
    return made


@dataclass(slots=True)
class Fields:
    """The dotted paths of a sample of rows; what is inside lists is not followed."""

    paths: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, sample: Iterable[bytes]) -> Fields:
        fields = cls()
        for line in sample:
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                continue
            fields.add(row, "")
        return fields

    def add(self, node: Any, prefix: str) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                if isinstance(value, dict) and value:
                    self.add(value, f"{prefix}{key}.")
                else:
                    self.paths.add(f"{prefix}{key}")
