"""An older warehouse is brought up in place or told to be rebuilt; a newer one is refused."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.connection import transaction
from warehouse.errors import NewerWarehouse, SchemaMismatch
from warehouse.migrations import STEPS, Step, format_of, migrate
from warehouse.tables import ensure_tables

NEWEST = STEPS[-1].number


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        ensure_tables(connection)
        yield connection


def applied(connection):
    rows = connection.execute("select format, what from ops.formats order by format").fetchall()
    return [tuple(row) for row in rows]


def renaming(then=lambda connection: None):
    def apply(connection):
        connection.execute("alter table raw.google_ads__ads rename ad_type to kind").fetchall()
        then(connection)

    return (*STEPS, Step(NEWEST + 1, "ads have a kind", apply))


def kinds(connection):
    described = connection.execute("describe raw.google_ads__ads").fetchall()
    return {row[0] for row in described} & {"ad_type", "kind"}


def test_steps_are_numbered_without_a_gap():
    assert [step.number for step in STEPS] == list(range(1, NEWEST + 1))


def test_a_new_warehouse_is_of_the_newest_format_and_takes_no_step(connection):
    assert applied(connection) == [(step.number, step.what) for step in STEPS]
    assert migrate(connection) == []


def test_an_older_warehouse_takes_each_missing_step_once(connection):
    steps = renaming()
    assert migrate(connection, steps) == [steps[-1]]
    assert kinds(connection) == {"kind"}
    assert applied(connection)[-1] == (NEWEST + 1, "ads have a kind")
    assert migrate(connection, steps) == []


def test_a_step_that_is_cut_short_leaves_the_warehouse_as_it_was(connection):
    def killed(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), transaction(connection):
        migrate(connection, renaming(killed))
    assert kinds(connection) == {"ad_type"}
    assert format_of(connection) == NEWEST


def test_a_newer_warehouse_is_refused_and_not_touched(connection):
    connection.execute("insert into ops.formats values (99, 'of tomorrow', now())")
    connection.execute("drop table ops.noted")
    with pytest.raises(NewerWarehouse, match=r"format 99 .* knows \d+: use .* boscard replay"):
        ensure_tables(connection)
    tables = connection.execute("select table_name from duckdb_tables()").fetchall()
    assert ("noted",) not in tables


def test_a_warehouse_with_people_in_clear_text_is_to_be_rebuilt(connection):
    for table in ("formats", "hash_key", "day_totals"):
        connection.execute(f"drop table ops.{table}")
    with pytest.raises(SchemaMismatch, match=r"format 1, .* clear text .*: boscard replay"):
        ensure_tables(connection)


def test_a_warehouse_that_kept_no_past_is_to_be_rebuilt(connection):
    connection.execute("drop schema past cascade")
    connection.execute("delete from ops.formats where format = 3")
    with pytest.raises(SchemaMismatch, match=r"format 2, .* before they changed.* boscard replay"):
        ensure_tables(connection)


def test_one_without_a_number_that_has_what_the_newest_brought_goes_on(connection):
    connection.execute("drop table ops.formats")
    assert ensure_tables(connection) == []
    assert format_of(connection) == NEWEST
