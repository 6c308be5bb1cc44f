"""Which landed rows are a person's: by e-mail address, and by the ids that lead on from there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import msgspec

from expectations.erasure import Kept, erased, mention, without
from expectations.lines import read_lines
from ingest.batch import ROWS, TYPED, Batch
from ingest.landing import Landing
from ingest.registry import SOURCES
from ingest.stream import Named, Stream

Name = tuple[Named, str]
_IDS_IN_JSON: Final = re.compile(r'"(?:toObjectId|id)"\s*:\s*"?([^",}\s]+)')
_BETWEEN_IDS: Final = re.compile(r"[;,\s]+")


@dataclass(frozen=True, slots=True)
class Seen:
    """A landed row that may be the person's. `is_erased`: nothing of it has to go."""

    line: int
    names: frozenset[Name]
    has_email: bool
    has_mention: bool
    is_erased: bool


@dataclass(frozen=True, slots=True)
class Person:
    """How a person is known: the address, and the ids found so far."""

    email: str
    names: frozenset[Name] = frozenset()

    def is_in(self, row: Seen) -> bool:
        return row.has_email or row.has_mention or bool(self.names & row.names)

    def leads_to(self, stream: Stream, row: Seen) -> frozenset[Name]:
        """The ids that a row of the person adds.

        Their own record: all of its ids (contacts merged into one are one person). A row that
        names them: what else it names, but no other person; and from there it goes no further.
        """
        is_named = bool(self.names & row.names)
        if any(column.personal == "email" for column in stream.columns):
            return row.names if row.has_email or is_named else frozenset()
        if any(kind == "contact" for kind, _ in self.names & row.names):
            return frozenset(name for name in row.names if name[0] == "deal")
        return frozenset()


def find(landing: Landing, email: str) -> dict[Batch, list[int]]:
    """The lines of each batch in which something of the person is still to be erased."""
    batches = [
        (batch, SOURCES[batch.manifest.source].streams[batch.manifest.stream])
        for source in sources_with_people()
        for batch in landing.batches(source)
        if batch.manifest.stream in SOURCES[source].streams
    ]
    person = Person(email.strip().lower())
    with duckdb.connect() as connection:
        while True:
            known = person.names
            found: dict[Batch, list[int]] = {}
            for batch, stream in batches:
                for row in _rows(batch, stream, person, connection):
                    if not person.is_in(row):
                        continue
                    known |= person.leads_to(stream, row)
                    if not row.is_erased:
                        found.setdefault(batch, []).append(row.line)
            if known == person.names:
                return {batch: sorted(set(lines)) for batch, lines in found.items()}
            person = Person(person.email, known)


def sources_with_people() -> list[str]:
    """The sources that send something of people."""
    return [
        source.name
        for source in SOURCES.values()
        if any(
            column.personal or column.kept or column.names
            for stream in source.streams.values()
            for column in stream.columns
        )
    ]


def _rows(
    batch: Batch, stream: Stream, person: Person, connection: duckdb.DuckDBPyConnection
) -> Iterator[Seen]:
    """Rows that may be the person's, some of them twice: as the vendor sent them, and as typed
    (all that is left of a batch whose bytes were let go)."""
    with batch.folder.reading(TYPED, ROWS):
        if (batch.path / TYPED).exists():
            yield from _typed(batch, stream, person, connection)
        if (batch.path / ROWS).exists():
            yield from _sent(batch, stream, person)


def _sent(batch: Batch, stream: Stream, person: Person) -> Iterator[Seen]:
    address = mention(person.email)
    kept = Kept.of(stream.columns)
    ids = "|".join(re.escape(one) for _, one in sorted(person.names))
    pattern = address.pattern + (rf"|(?<!\w)(?:{ids})(?!\w)" if ids else "")
    quick = re.compile(pattern.encode(), re.IGNORECASE)
    number = 0
    for lines in read_lines(batch.path / ROWS):
        for line in lines:
            number += 1
            if not quick.search(line):
                continue
            row: Any = None
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                row = msgspec.json.decode(line)
            values = {column.name: _at(row, column.path) for column in stream.columns}
            yield _seen(
                number,
                stream,
                values,
                person,
                has_mention=bool(address.search(line.decode("utf-8", "replace"))),
                is_erased=without(line, kept, address) == line,
            )


def _typed(
    batch: Batch, stream: Stream, person: Person, connection: duckdb.DuckDBPyConnection
) -> Iterator[Seen]:
    path = str(batch.path / TYPED)
    address = mention(person.email)
    columns = {column.name: column for column in stream.columns if column.type in ("text", "json")}
    there = connection.execute("describe select * from read_parquet(?)", [path]).fetchall()
    names = [name for (name, *_) in there if name in columns]
    listed = "".join(f', "{name}"' for name in names)
    may_be = " or ".join(f'contains(lower("{name}"), $email)' for name in names)
    known = "".join(
        f""" or regexp_extract_all("{name}", '[^\\s;,":{{}}\\[\\]]+') && $ids::varchar[]"""
        for name in names
        if columns[name].names
    )
    rows = connection.execute(
        f"select _line{listed} from read_parquet($path) where {may_be}{known}",  # noqa: S608
        {
            "path": path,
            "email": person.email,
            **({"ids": [one for _, one in person.names]} if known else {}),
        },
    ).fetchall()
    for line, *texts in rows:
        values = dict(zip(names, texts, strict=True))
        yield _seen(
            line,
            stream,
            values,
            person,
            has_mention=any(address.search(text) for text in texts if text),
            is_erased=all(
                erased(columns[name], text, address) == text for name, text in values.items()
            ),
        )


def _seen(
    line: int,
    stream: Stream,
    values: Mapping[str, str | None],
    person: Person,
    *,
    has_mention: bool,
    is_erased: bool,
) -> Seen:
    found: set[Name] = set()
    has_email = False
    for column in stream.columns:
        text = values.get(column.name)
        if text and column.names is not None:
            ids = (_IDS_IN_JSON.findall if column.type == "json" else _BETWEEN_IDS.split)(text)
            found |= {(column.names, one) for one in ids if one}
        if text and column.personal == "email":
            has_email = has_email or text.strip().lower() == person.email
    return Seen(line, frozenset(found), has_email, has_mention, is_erased)


def _at(row: Any, path: str) -> str | None:
    for key in path.split("."):
        row = row.get(key) if isinstance(row, dict) else None
    if row is None or isinstance(row, str):
        return row
    return msgspec.json.encode(row).decode()
