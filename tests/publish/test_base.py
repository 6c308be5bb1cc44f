"""A publication upon the one before it: as from scratch, and no more work than the change."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
from pandas.testing import assert_frame_equal

from boscard.home import Home
from publish import files
from publish.base import changed_months
from publish.candidate import read_candidate
from publish.content_hash import content_hash
from publish.contract import Column, View
from publish.files import read_duckdb, read_parquet
from publish.history import HISTORY
from publish.login import WRITER
from publish.parts import UNDATED, view_hash
from publish.places import MANIFEST
from publish.postgres import Transaction, transaction
from publish.publication import Publication, publish, recheck
from publish.read import read
from tests.end_to_end.nights import rows_of
from tests.publish.conftest import Database, Installation

NIGHT = date(2026, 5, 20)
EDITS = (
    "update marts.fct_ad_performance_daily set clicks = clicks + 1 where campaign_id = 'c2'",
    "delete from marts.fct_kpi_values where period_start < '2026-01-01'",
    "update marts.fct_kpi_values set value = -value where period_start = '2026-02-01'",
    "insert into marts.fct_deals select * replace ('new' as deal_id) from marts.fct_deals limit 1",
    "delete from marts.fct_scorecard where node_id = 'L07'",
    "delete from marts.fct_data_quality",
    "update marts.dim_objectives set description = 'Because.'",
)

Run = Callable[..., Publication]


def published(installation: Installation, database: Database, day: date, **how: Any) -> Publication:
    clock = installation.transform(day, **how)
    return publish(installation.home, installation.settings, clock, postgres_url=database.writer)


@pytest.fixture
def run(installation: Installation, database: Database) -> Run:
    return lambda day=NIGHT, **how: published(installation, database, day, **how)


NUMBERS = View(
    "numbers",
    "main.numbers",
    ("day",),
    (Column("day", "date", ""), Column("a", "bigint", ""), Column("b", "bigint", "")),
    "",
)


@pytest.mark.parametrize(
    ("published", "now", "changed"),
    [
        pytest.param([(1, 1), (2, 2)], [(2, 2), (1, 1)], False, id="another order"),
        pytest.param([(1, 1)], [(1, 1), (1, 1)], True, id="a row twice"),
        pytest.param([(1, 1), (1, 1)], [(2, 2), (2, 2)], True, id="other rows, each twice"),
        pytest.param([(1, 2), (3, 4)], [(1, 4), (3, 2)], True, id="values exchanged"),
        pytest.param([(1, 2)], [(2, 1)], True, id="columns exchanged"),
        pytest.param([(1, 0)], [(1, None)], True, id="nothing for nought"),
        pytest.param([], [(1, 1)], True, id="a month that was not there"),
        pytest.param([(1, 1)], [], True, id="a month that is gone"),
    ],
)
def test_a_month_is_known_by_all_of_its_rows(
    published: list[tuple[int, int]], now: list[tuple[int, int]], changed: bool
) -> None:
    with duckdb.connect() as warehouse:
        warehouse.execute("attach ':memory:' as base; create schema base.kpi")
        for table, rows in (("main.numbers", now), ("base.kpi.numbers", published)):
            warehouse.execute(f"create table {table} (day date, a bigint, b bigint)")
            for month, values in ((5, [(7, 7)]), (6, rows)):
                for a, b in values:
                    warehouse.execute(
                        f"insert into {table} values (?, ?, ?)", [date(2026, month, 3), a, b]
                    )
        assert changed_months(warehouse, NUMBERS) == (("2026-06-01",) if changed else ())


def test_a_row_of_noughts_counts() -> None:
    """To DuckDB their hashes are nought, too."""
    noughts = replace(NUMBERS, key=("a",), columns=NUMBERS.columns[1:])
    with duckdb.connect() as warehouse:
        warehouse.execute("attach ':memory:' as base; create schema base.kpi")
        warehouse.execute("create table main.numbers as select 0 as a, 0 as b from range(2)")
        warehouse.execute("create table base.kpi.numbers as select 0 as a, 0 as b")
        assert changed_months(warehouse, noughts) == (UNDATED,)


def hashes(publication: Publication, database: Database, views: tuple[View, ...]) -> list[Any]:
    """Each place's hash of every view, read whole."""
    in_duckdb = read_duckdb(publication.duckdb, views)
    with transaction(database.reader) as reader:
        return [
            {view.name: view_hash(reader.fetch(view), view) for view in views},
            {view.name: view_hash(in_duckdb[view.name], view) for view in views},
            {view.name: view_hash(read_parquet(publication.parquet, view), view) for view in views},
        ]


def all_places_agree(
    publication: Publication, installation: Installation, database: Database
) -> None:
    """Each view of each place, read whole, with the others and with what was recorded."""
    clock = installation.clock(publication.record.as_of_date)
    views = read_candidate(installation.home, clock).views
    postgres, in_duckdb, parquet = hashes(publication, database, (*views, *HISTORY))
    assert postgres == in_duckdb == parquet
    assert content_hash({v.name: postgres[v.name] for v in views}) == publication.content_hash
    told = json.loads((publication.parquet / MANIFEST).read_text("utf-8"))["views"]
    assert {name: view["sha256"] for name, view in told.items()} == postgres


def test_night_upon_night_is_as_from_scratch(
    run: Run, installation: Installation, database: Database, tmp_path: Path
) -> None:
    for number, edit in enumerate(EDITS):
        last = run(NIGHT + timedelta(days=2 * number), edit=edit, factor=1 + number % 3 / 10)
    all_places_agree(last, installation, database)
    night = last.record.as_of_date

    other = Installation(Home(tmp_path / "other"), installation.settings)
    name = f"test_{secrets.token_hex(4)}"
    with psycopg.connect(database.admin, autocommit=True) as connection:
        connection.execute(f"create database {name} owner {WRITER}")
    elsewhere = Database(name, *(
        url.replace(database.name, name)
        for url in (database.writer, database.reader, database.admin)
    ))  # fmt: skip
    scratch = published(
        other, elsewhere, night, edit=EDITS[-1], factor=1 + (len(EDITS) - 1) % 3 / 10
    )
    assert scratch.content_hash == last.content_hash
    all_places_agree(scratch, other, elsewhere)
    told, anew = (
        json.loads((item.parquet / MANIFEST).read_text("utf-8"))["views"]
        for item in (last, scratch)
    )
    history = {view.name for view in HISTORY}
    for name in told.keys() - history:  # in the same order, too
        one, two = (rows_of(read(name, home)) for home in (installation.home, other.home))
        assert_frame_equal(one, two)
    assert {name: told[name] for name in told.keys() - history} == {
        name: anew[name] for name in anew.keys() - history
    }


def test_only_months_that_differ_are_read_and_written(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run()
    asked = {}
    fetch = Transaction.fetch

    def noting(self: Transaction, view: View, months: Any = None) -> Any:
        rows = fetch(self, view, months)
        asked.setdefault(view.name, []).append((months, rows.num_rows))
        return rows

    monkeypatch.setattr(Transaction, "fetch", noting)
    edit = "update marts.fct_kpi_values set value = 1 where period_start = '2026-02-01'"
    second = run(edit=edit)
    assert {months for months, _ in asked.pop("kpi_values")} == {("2026-02-01",)}
    assert {name for name, reads in asked.items() if any(rows for _, rows in reads)} == {
        "publications"
    }
    assert second.changed_rows == second.changes["kpi_values"].updated + 1 + (
        second.record.restated_values
    )
    assert first.publication_id == second.publication_id


def test_files_of_views_that_did_not_change_are_shared(run: Run) -> None:
    first = run()
    second = run(NIGHT + timedelta(days=1))

    def inode(publication: Publication, view: str) -> int:
        return (publication.parquet / f"{view}.parquet").stat().st_ino

    assert inode(first, "objectives") == inode(second, "objectives")
    assert inode(first, "ad_performance_daily") != inode(second, "ad_performance_daily")
    assert inode(first, "scorecard") != inode(second, "scorecard")  # names its publication


def test_rows_that_postgres_lost_come_back_the_same_night(
    run: Run, installation: Installation, database: Database
) -> None:
    run()
    with psycopg.connect(database.writer) as connection:
        lost = connection.execute(
            "delete from published.kpi_values where period_start < '2026-01-01'"
        ).rowcount
    second = run(NIGHT + timedelta(days=1))
    assert second.changes["kpi_values"].inserted > lost > 0
    all_places_agree(second, installation, database)


def test_what_was_tampered_with_is_put_right_by_the_upkeep(
    run: Run, database: Database, installation: Installation
) -> None:
    first = run()
    with psycopg.connect(database.writer) as connection:
        connection.execute(
            "update published.kpi_values set value = 7 where period_start < '2026-01-01'"
        )
    parquet = first.parquet / "deals.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table deals as select * from '{parquet}' limit 1")
        connection.execute(f"copy deals to '{parquet}' (format parquet)")

    def rechecked() -> Publication | None:
        return recheck(installation.home, installation.settings, postgres_url=database.writer)

    again = rechecked()
    assert again is not None
    assert again.record == first.record
    assert again.changes["kpi_values"].updated > 0
    assert again.content_hash == first.content_hash
    all_places_agree(again, installation, database)
    inodes = {path: path.stat().st_ino for path in installation.home.publications.rglob("*")}
    once_more = rechecked()
    assert once_more is not None
    assert once_more.changed_rows == 0
    assert inodes == {path: path.stat().st_ino for path in inodes}
    installation.transform(edit=EDITS[0])
    assert rechecked() is None


def test_a_changed_row_of_the_base_is_found_and_put_right(
    run: Run, database: Database, installation: Installation
) -> None:
    first = run()
    first.duckdb.chmod(0o644)
    with duckdb.connect(str(first.duckdb)) as connection:
        connection.execute("update kpi.kpi_values set value = 7 where period_start < '2026-01-01'")
        connection.execute("delete from kpi.objectives")
    second = run(NIGHT + timedelta(days=1))
    all_places_agree(second, installation, database)


@pytest.mark.parametrize("lost", ["manifest.json", "deals.parquet", "torn", "old"])
def test_without_a_whole_base_all_is_written(
    run: Run, installation: Installation, lost: str
) -> None:
    folder = run().parquet
    manifest = folder / MANIFEST
    if lost == "torn":
        manifest.write_text(manifest.read_text("utf-8")[:100], "utf-8")
    elif lost == "old":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text("utf-8")), "layout": 0}))
    else:
        (folder / lost).unlink()
    clock = installation.transform(NIGHT + timedelta(days=1))
    assert read_candidate(installation.home, clock).base is None
    second = run(NIGHT + timedelta(days=1))
    assert read_candidate(installation.home, clock).base is not None
    assert second.record.sequence == 2


@pytest.mark.parametrize("step", ["_write_parquet", "_to_disk"])
def test_other_rows_under_the_same_id_and_killed_between_the_files(
    run: Run,
    installation: Installation,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    first = run()

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(files, step, die)
        with pytest.raises(KeyboardInterrupt):
            run(edit=EDITS[2])
    second = run(edit=EDITS[2])
    assert second.publication_id == first.publication_id
    assert second.content_hash != first.content_hash
    all_places_agree(second, installation, database)


def test_a_new_description_is_no_base(run: Run, installation: Installation) -> None:
    first = run()
    clock = installation.transform()
    candidate = read_candidate(installation.home, clock)
    assert candidate.base is not None
    assert all(change.is_empty for change in candidate.slices.values())
    path = installation.home.dbt_target / "manifest.json"
    path.write_text(path.read_text("utf-8").replace("what clicks says", "how many clicks"), "utf-8")
    assert read_candidate(installation.home, clock).base is None
    assert read_candidate(installation.home, clock).content_hash == first.content_hash


def test_a_restored_older_server_is_brought_up_whole(
    run: Run, database: Database, installation: Installation
) -> None:
    first = run()
    run(NIGHT + timedelta(days=1))
    with psycopg.connect(database.writer) as connection:  # as if it had missed the second night
        connection.execute("delete from published.publications where sequence = 2")
        connection.execute("delete from published.restatements where sequence = 2")
    third = run(NIGHT + timedelta(days=2), factor=1.1)
    assert third.record.previous_publication_id == first.publication_id
    all_places_agree(third, installation, database)
