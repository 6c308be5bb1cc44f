from __future__ import annotations

import duckdb
import pytest

from ingest.registry import SOURCES
from warehouse.errors import SchemaMismatch
from warehouse.tables import declared_tables, ensure_tables


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def columns(connection, table):
    rows = connection.execute(f"describe {table}").fetchall()
    return {row[0]: row[1] for row in rows}


def test_every_stream_has_its_table_before_any_vendor_answered(connection) -> None:
    ensure_tables(connection)
    streams = [f"raw.{s.name}__{n}" for s in SOURCES.values() for n in s.streams]
    assert streams
    for table in streams:
        assert "_call_id" in columns(connection, table)
    contacts = columns(connection, "raw.hubspot__contacts")
    assert contacts["created_at"] == "TIMESTAMP WITH TIME ZONE"
    assert columns(connection, "raw.hubspot__deals")["amount"] == "DECIMAL(18,6)"


def test_a_second_call_does_nothing(connection) -> None:
    assert len(ensure_tables(connection)) == len(declared_tables())
    assert ensure_tables(connection) == []


def test_a_new_column_is_added_to_a_full_table_and_recorded(connection) -> None:
    ensure_tables(connection)
    connection.execute("alter table raw.google_ads__ads drop column ad_type")
    connection.execute("insert into raw.google_ads__ads (ad_id) values ('7')")
    added = ensure_tables(connection)
    assert added == ['alter table raw.google_ads__ads add column "ad_type" VARCHAR']
    rows = connection.execute("select ad_id, ad_type from raw.google_ads__ads").fetchall()
    assert rows == [("7", None)]
    newest = connection.execute(
        "select statement from ops.migrations order by number desc limit 1"
    ).fetchall()
    assert newest == [(added[0],)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("add column gone varchar", id="a column no longer declared"),
        pytest.param("alter column level type varchar", id="another type"),
    ],
)
def test_what_cannot_be_widened_is_refused_with_the_way_out(connection, change) -> None:
    ensure_tables(connection)
    connection.execute(f"alter table raw.google_ads__customers {change}")
    with pytest.raises(SchemaMismatch, match=r"raw\.google_ads__customers\..* boscard replay"):
        ensure_tables(connection)
