"""The way of a vendor's answers to raw: client, landing, gate, load, with the real code of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from expectations.examiner import Examiner
from expectations.gate import gate
from expectations.rules import Suite
from expectations.suites import SUITES
from expectations.verdict import Verdict
from ingest.auth import Bearer
from ingest.batch import QUARANTINE, Batch, Unit, Window
from ingest.budget import Budget
from ingest.client import Client
from ingest.exchange import Page, Request
from ingest.landing import Landing
from ingest.registry import SOURCES
from ingest.session import Health
from ingest.stream import Stream, raw_table
from tests.expectations.conftest import ACCOUNTS, NIGHT, SETTINGS
from tests.warehouse.landed import KEY
from warehouse.rows import Target, load_rows

_ROWS = {"google_ads": "results", "hubspot": "results", "typeform": "items"}


@dataclass(frozen=True, slots=True)
class Arrived:
    """One batch at the end of its way. `loaded` are raw rows by line."""

    batch: Batch
    lines: list[bytes]
    verdict: Verdict
    loaded: dict[int, dict[str, Any]]
    set_aside: dict[int, dict[str, Any]]


def body_of(source: str, stream: Stream, rows: Sequence[bytes], blank: bytes = b"") -> bytes:
    """An answer as the vendor's protocol shapes it; `blank` stands between all of its tokens."""
    if is_one_row_a_page(source, stream):
        return blank + rows[0] + blank
    listed = (blank + b"," + blank).join(rows)
    around = {
        "google_ads": b'"fieldMask":"a.b","requestId":"r"',
        "hubspot": b'"paging":null,"numErrors":0',
        "typeform": b'"total_items":7,"page_count":1',
    }[source]
    name = _ROWS[source].encode()
    return b"{" + blank + b'"' + name + b'":[' + blank + listed + blank + b"]," + around + b"}"


def is_one_row_a_page(source: str, stream: Stream) -> bool:
    return (source, stream.name) == ("typeform", "forms")


def page_of(source: str, stream: Stream, body: bytes) -> Page:
    """What the client makes of an answer. Raises IngestError where it refuses it."""
    client = Client(
        title=SOURCES[source].title,
        host="https://vendor.test",
        auth=Bearer("secret"),
        budget=Budget({}),
        rules=SOURCES[source].api.rules,
        explain=SOURCES[source].api.explain,
        headers={},
        session=_Wire(body),
        health=Health(),
        sleep=lambda seconds: None,
    )
    rows = None if is_one_row_a_page(source, stream) else _ROWS[source]
    return client.fetch(Request("GET", "/rows", rows=rows, context={"form_id": "form1"}))


def travel(
    source: str,
    stream: Stream,
    pages: Sequence[Page],
    *,
    folder: Path,
    examiner: Examiner,
    raw: duckdb.DuckDBPyConnection,
    suite: Suite,
) -> Arrived:
    """Land the pages as one batch, gate and load it, see what came of it, and undo the load."""
    landing = Landing(folder)
    window = Window(NIGHT, NIGHT) if stream.is_windowed else None
    batch = landing.write(Unit(source, ACCOUNTS[source], stream.name, window), NIGHT, pages)
    with _suite(source, stream, suite):
        verdict = gate(batch, landing=landing, settings=SETTINGS, examiner=examiner)
    loaded: dict[int, dict[str, Any]] = {}
    if verdict.state == "passed":
        raw.begin()
        try:
            load_rows(Target(raw, batch, stream, verdict.rows_loaded, KEY))
            table = f"raw.{raw_table(source, stream.name)}"
            found = raw.execute(f"select * from {table}").to_arrow_table().to_pylist()
            loaded = {row["_line"]: row for row in found}
            assert len(loaded) == len(found) == verdict.rows_loaded
        finally:
            raw.rollback()
    aside = pq.read_table(batch.path / QUARANTINE).to_pylist()
    return Arrived(
        batch=batch,
        lines=landing.read_rows(batch).split(b"\n")[:-1],
        verdict=verdict,
        loaded=loaded,
        set_aside={row["_line"]: row for row in aside},
    )


def row_by_row(source: str, stream: Stream) -> Suite:
    """The stream's suite without what keeps a whole batch back: each row is judged for itself."""
    suite = SUITES[source][stream.name]
    rules = [rule for rule in suite.rules if rule.action in ("observe", "quarantine")]
    return replace(suite, rules=tuple(rules))


@contextmanager
def _suite(source: str, stream: Stream, suite: Suite) -> Iterator[None]:
    usual = SUITES[source][stream.name]
    SUITES[source][stream.name] = suite
    try:
        yield
    finally:
        SUITES[source][stream.name] = usual


class _Wire:
    """A session that answers each call with one body."""

    status_code = 200
    url = "https://vendor.test/rows"

    def __init__(self, body: bytes) -> None:
        self.headers: dict[str, str] = {}
        self.body = body
        self.raw = self

    def request(self, *args: Any, **named: Any) -> Any:
        return self

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def stream(self, size: int, decode_content: bool) -> Iterator[bytes]:
        yield self.body
