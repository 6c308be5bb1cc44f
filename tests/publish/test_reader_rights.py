from __future__ import annotations

from typing import Any

import psycopg
import pytest

from publish.embedded import Embedded
from publish.login import READER, WRITER
from publish.publication import publish

FORBIDDEN = {
    "write": "insert into kpi.scorecard (node_id) values ('x')",
    "update": "update kpi.scorecard set value = 1",
    "delete": "delete from kpi.scorecard",
    "the tables behind": "select * from published.scorecard",
    "a table of its own": "create table public.mine (x int)",
    "a table in kpi": "create table kpi.mine (x int)",
    "a temporary table": "create temp table mine (x int)",
    "a schema": "create schema mine",
    "a role": "create role mine",
    "a large object": "select lo_create(0)",
    "a file of the server": "select pg_read_file('postgresql.conf')",
    "passwords": "select * from pg_authid",
    "becoming the writer": "set role boscard_writer",
    "the view's definition": "drop view kpi.scorecard",
}


@pytest.fixture
def reader(server: Embedded, installation: Any) -> Any:
    clock = installation.transform()
    url = server.login(WRITER).url
    publish(installation.home, installation.settings, clock, postgres_url=url)
    with psycopg.connect(server.login(READER).url, autocommit=True) as connection:
        yield connection


def test_the_reader_reads_all_of_kpi_and_nothing_else(reader: psycopg.Connection) -> None:
    views = reader.execute(
        "select table_name from information_schema.views where table_schema = 'kpi'"
    ).fetchall()
    assert len(views) == 12
    for (view,) in views:
        reader.execute(f"select * from kpi.{view}").fetchall()
    schemas = reader.execute(
        "select nspname from pg_namespace where has_schema_privilege(nspname, 'usage')"
        " and nspname not in ('pg_catalog', 'information_schema')"
    ).fetchall()
    assert schemas == [("kpi",)]
    allowed = [attempt for attempt, statement in FORBIDDEN.items() if succeeds(reader, statement)]
    assert allowed == []


def succeeds(reader: psycopg.Connection, statement: str) -> bool:
    try:
        reader.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


@pytest.mark.parametrize("database", ["postgres", "template1"])
def test_the_reader_reaches_no_other_database(server: Embedded, database: str) -> None:
    url = server.login(READER).url.rpartition("/")[0]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(f"{url}/{database}")
