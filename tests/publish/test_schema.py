from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest

from publish import schema
from publish.contract import Column, View
from publish.history import PUBLICATIONS
from publish.schema import SchemaError, prepare

VIEW = View(
    "x",
    "",
    ("id",),
    (Column("id", "varchar", "Which one; it's a key."), Column("amount", "decimal", "How much.")),
    "What it is.",
)
WIDER = replace(
    VIEW, columns=(VIEW.columns[0], Column("since", "timestamptz", "Since when."), VIEW.columns[1])
)


def test_a_normal_night_runs_no_ddl(database: Any) -> None:
    assert prepare(database.writer, [VIEW])
    assert prepare(database.writer, [VIEW]) == []


def test_views_and_columns_carry_their_descriptions(database: Any) -> None:
    prepare(database.writer, [VIEW])
    prepare(database.writer, [replace(VIEW, description="Another text.")])
    with psycopg.connect(database.reader) as connection:
        rows = connection.execute(
            "select obj_description('kpi.x'::regclass), col_description('kpi.x'::regclass, 1),"
            " col_description('kpi.x'::regclass, 2)"
        ).fetchone()
    assert rows == ("Another text.", "Which one; it's a key.", "How much.")


def test_a_new_column_is_added_and_peoples_own_things_stay(database: Any) -> None:
    prepare(database.writer, [VIEW])
    with psycopg.connect(database.admin) as connection:
        connection.execute("create schema analysts")
        connection.execute("create view analysts.mine as select id, amount from kpi.x")
        connection.execute(f"create role analyst_{database.name}")
        connection.execute(f"grant select on kpi.x to analyst_{database.name}")
        connection.execute("insert into published.x values ('a', 1.5)")
    prepare(database.writer, [WIDER])
    with psycopg.connect(database.admin) as connection:
        assert connection.execute("select * from analysts.mine").fetchall() == [("a", 1.5)]
        assert connection.execute("select id, amount, since from kpi.x").fetchall() == [
            ("a", 1.5, None)
        ]
        granted = connection.execute(
            f"select has_table_privilege('analyst_{database.name}', 'kpi.x', 'select')"
        ).fetchone()
    assert granted == (True,)
    assert prepare(database.writer, [WIDER]) == []


def test_a_view_may_begin_to_name_its_publication_and_still_grow(database: Any) -> None:
    stamped = replace(VIEW, names_publication=True)
    prepare(database.writer, [VIEW, PUBLICATIONS])
    prepare(database.writer, [stamped, PUBLICATIONS])
    prepare(database.writer, [replace(WIDER, names_publication=True), PUBLICATIONS])
    assert prepare(database.writer, [replace(WIDER, names_publication=True), PUBLICATIONS]) == []
    with psycopg.connect(database.admin) as connection:
        connection.execute("insert into published.x values ('a', 1.5)")
        for number, name in enumerate(("old", "new"), start=1):
            connection.execute(
                "insert into published.publications (sequence, publication_id) values (%s, %s)",
                [number, name],
            )
        found = connection.execute("select * from kpi.x")
        assert [column.name for column in found.description or ()] == [
            "id", "amount", "publication_id", "since"
        ]  # fmt: skip
        assert found.fetchall() == [("a", 1.5, "new", None)]


@pytest.mark.parametrize(
    ("views", "message"),
    [
        ([replace(VIEW, columns=VIEW.columns[:1])], "amount was published as .* and is gone"),
        (
            [replace(VIEW, columns=(VIEW.columns[0], Column("amount", "double", "x")))],
            "now double precision",
        ),
        ([replace(VIEW, key=("id", "amount"))], "a new grain needs a new view"),
        ([], "no longer offered"),
    ],
    ids=["a column is gone", "a type changed", "the grain changed", "a view is gone"],
)
def test_what_is_not_an_addition_is_refused(database: Any, views: list[View], message: str) -> None:
    prepare(database.writer, [VIEW])
    with pytest.raises(SchemaError, match=message):
        prepare(database.writer, views)


def test_ddl_gives_up_before_it_blocks_readers(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "LOCK_TIMEOUT", "50ms")
    monkeypatch.setattr(schema, "PAUSE_SECONDS", 0.0)
    prepare(database.writer, [VIEW])
    with psycopg.connect(database.reader, application_name="a dashboard") as idle:
        idle.execute("select * from kpi.x").fetchall()
        with pytest.raises(SchemaError, match="kpi_reader a dashboard"):
            prepare(database.writer, [WIDER])
        assert idle.execute("select count(*) from kpi.x").fetchone() == (0,)
    prepare(database.writer, [WIDER])


def test_a_missing_right_is_named_with_its_statement(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "READER", "somebody_else")
    with pytest.raises(SchemaError, match="create role somebody_else"):
        prepare(database.writer, [VIEW])
