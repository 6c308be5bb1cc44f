"""The fence around the dialect: what it is for, and that it stands on public names only."""

from __future__ import annotations

import ast
import inspect

import duckdb
import pytest
import sqlalchemy as sa
from duckdb_sqlalchemy import ConnectionWrapper

from expectations import dialect, examiner


@pytest.fixture
def engine():
    dialect.register()
    connection = duckdb.connect()
    return sa.create_engine(dialect.URL, creator=lambda: ConnectionWrapper(connection.cursor()))


def test_rows_can_be_fetched_after_the_connection_is_closed(engine):
    with engine.connect() as connection:
        result = connection.execute(sa.text("select * from range(3)"))
    assert result.fetchall() == [(0,), (1,), (2,)]


def test_without_the_buffer_they_cannot():
    """When this fails, DuckDB's own dialect buffers and ours may go."""
    connection = duckdb.connect()
    plain = sa.create_engine(
        "duckdb:///:memory:", creator=lambda: ConnectionWrapper(connection.cursor())
    )
    with plain.connect() as open_:
        result = open_.execute(sa.text("select * from range(3)"))
    with pytest.raises((sa.exc.ResourceClosedError, AssertionError, IndexError, duckdb.Error)):
        assert result.fetchall() == [(0,), (1,), (2,)]


def test_statements_without_rows_and_errors_pass_through(engine):
    with engine.begin() as connection:
        connection.execute(sa.text("create table t (i integer)"))
        connection.execute(sa.text("insert into t values (1), (2)"))
        assert connection.execute(sa.text("select i from t where i > 5")).fetchall() == []
        assert connection.scalar(sa.text("select count(*) from t")) == 2
        with pytest.raises(sa.exc.ProgrammingError, match="nowhere"):
            connection.execute(sa.text("select nowhere from t"))


@pytest.mark.parametrize("module", [dialect, examiner], ids=["dialect", "examiner"])
def test_only_public_names_are_used(module):
    tree = ast.parse(inspect.getsource(module))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = [*(node.module or "").split("."), *(name.name for name in node.names)]
            assert not [part for part in parts if part.startswith("_") and part != "__future__"]
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            assert node.attr.startswith("__") or getattr(node.value, "id", "") == "self"


def test_nothing_of_great_expectations_is_imported_before_it_is_needed():
    import subprocess
    import sys

    code = (
        "import sys, expectations.gate, expectations.messages, expectations.outbox;"
        "sys.exit('great_expectations' in sys.modules or 'sqlalchemy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_next_batch_is_not_answered_with_the_last_ones_numbers(gatehouse):
    """Great Expectations keeps metrics, and all batches are staged under one name."""
    rows = gatehouse.clean("google_ads", "campaign_daily", 3)
    rows[0]["metrics"]["clicks"] = "-1"
    first = gatehouse.verdict("google_ads", "campaign_daily", rows)
    second = gatehouse.verdict(
        "google_ads", "campaign_daily", gatehouse.clean("google_ads", "campaign_daily", 2)
    )
    found = [
        next(r for r in verdict.results if r.rule == "clicks_not_negative")
        for verdict in (first, second)
    ]
    assert [(r.state, r.n_failed, r.n_total) for r in found] == [("fail", 1, 3), ("pass", 0, 2)]
