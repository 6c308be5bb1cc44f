from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest

from publish import publication as module
from publish.candidate import NotTransformedError, read_candidate
from publish.content_hash import canonical, content_hash
from publish.parts import view_hash
from publish.places import Places, current_id
from publish.postgres import MismatchError, Transaction, transaction
from publish.publication import Publication, prune_files, publish
from publish.read import current_record

FIRST, SECOND = date(2026, 5, 20), date(2026, 5, 21)


@pytest.fixture
def run(installation: Any, database: Any) -> Any:
    """Transform a night and publish it to the test's database."""

    def night(day: date = FIRST, **changes: Any) -> Publication:
        clock = installation.transform(day, **changes)
        return publish(
            installation.home, installation.settings, clock, postgres_url=database.writer
        )

    return night


def physical_rows(url: str) -> dict[str, Any]:
    """Every published row's place and writing transaction."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'published' order by 1"
        ).fetchall()
        return {
            name: connection.execute(
                f"select ctid::text, xmin::text from published.{name} order by 1"
            ).fetchall()
            for (name,) in tables
        }


def test_one_hash_in_three_places(run: Any, installation: Any, database: Any) -> None:
    published = run()
    views = read_candidate(installation.home, installation.clock(FIRST)).views
    with transaction(database.reader) as reader:
        postgres = {view.name: view_hash(reader.fetch(view), view) for view in views}
    parquet = {
        view.name: view_hash(
            canonical(pq.read_table(published.parquet / f"{view.name}.parquet"), view), view
        )
        for view in views
    }
    in_file = {}
    with duckdb.connect(str(published.duckdb), read_only=True) as connection:
        for view in views:
            rows = connection.execute(f"select * from kpi.{view.name} order by random()")
            in_file[view.name] = view_hash(canonical(rows.to_arrow_table(), view), view)
    assert content_hash(postgres) == content_hash(parquet) == content_hash(in_file)
    assert content_hash(postgres) == published.content_hash
    with psycopg.connect(database.reader) as connection:
        recorded = connection.execute("select content_hash from kpi.publications").fetchall()
    assert recorded == [(published.content_hash,)]


def test_the_same_night_again_changes_nothing(run: Any, installation: Any, database: Any) -> None:
    first = run()
    before = physical_rows(database.writer)
    files = {path: path.stat().st_mtime_ns for path in installation.home.publications.rglob("*")}
    again = run()
    assert again.record == first.record
    assert again.changed_rows == 0
    assert physical_rows(database.writer) == before
    after = {path: path.stat().st_mtime_ns for path in files}
    unlinked = {path for path in files if not path.is_symlink() and path.is_file()}
    assert {path for path in unlinked if after[path] != files[path]} <= {
        installation.home.publications / ".lock"
    }


def test_only_rows_that_differ_are_written(run: Any, database: Any) -> None:
    run()
    before = physical_rows(database.writer)
    edit = "update marts.fct_ad_performance_daily set clicks = clicks + 1 where campaign_id = 'c2'"
    changed = run(edit=edit)
    assert changed.changes["ad_performance_daily"].updated == 10
    assert changed.changed_rows == 10 + changed.changes["publications"].inserted
    after = physical_rows(database.writer)
    assert after["kpi_values"] == before["kpi_values"]


def test_each_value_stands_beside_its_publication_in_three_places(run: Any, database: Any) -> None:
    """Though its rows are not written anew: another night's id is no difference of a row."""
    first = run(FIRST)
    before = physical_rows(database.writer)["kpi_values"]
    sql = "select distinct publication_id from kpi.kpi_values"
    with psycopg.connect(database.reader) as reader:
        assert reader.execute(sql).fetchall() == [(first.publication_id,)]
        second = run(FIRST, edit="update marts.fct_deals set amount = amount + 1")
        assert second.content_hash != first.content_hash
        assert reader.execute(sql).fetchall() == [(first.publication_id,)]
    third = run(SECOND, edit="update marts.dim_objectives set description = 'Because.'")
    with psycopg.connect(database.reader) as reader:
        assert reader.execute(sql).fetchall() == [(third.publication_id,)]
        assert reader.execute(
            "select distinct publication_id from kpi.scorecard where period_start < '2026-05-01'"
        ).fetchall() == [(third.publication_id,)]
    after = physical_rows(database.writer)["kpi_values"]
    assert 0 < len(set(before) & set(after)) < len(after)
    with duckdb.connect(str(third.duckdb), read_only=True) as connection:
        assert connection.execute(sql).fetchall() == [(third.publication_id,)]
        comment = connection.execute(
            "select comment from duckdb_columns() where table_name = 'scorecard'"
            " and column_name = 'publication_id'"
        ).fetchall()
    assert comment[0][0].startswith("The publication that is read")
    parquet = pq.read_table(third.parquet / "scorecard.parquet")
    assert set(parquet["publication_id"].to_pylist()) == {third.publication_id}
    assert "publication_id" not in pq.read_table(third.parquet / "deals.parquet").column_names


def test_a_next_night_replaces_and_remembers(run: Any, installation: Any, database: Any) -> None:
    first, second = run(FIRST), run(SECOND, factor=1.1)
    assert second.record.previous_publication_id == first.publication_id
    assert current_id(Places(installation.home.publications)) == second.publication_id
    with psycopg.connect(database.reader) as connection:
        ledger = connection.execute(
            "select period_start, reason, round(new_value / old_value * 100) from kpi.restatements"
            " where kpi_id = 'F01' and period_type = 'month' order by 1"
        ).fetchall()
        nights = connection.execute(
            "select as_of_date from kpi.publications order by sequence"
        ).fetchall()
    assert nights == [(FIRST,), (SECOND,)]
    assert ledger[-1] == (date(2026, 5, 1), "new days", 110)
    assert ledger[0] == (date(2025, 10, 1), "correction", 110)
    with duckdb.connect(str(second.duckdb), read_only=True) as connection:
        counted = connection.execute("select count(*) from kpi.restatements").fetchone()
    assert counted == (second.record.restated_values,)


def test_definitions_there_and_back_are_three_publications(run: Any, installation: Any) -> None:
    ids = []
    for seed in ("target 10", "target 12", "target 10"):
        installation.seed = seed
        ids.append(run().publication_id)
    assert ids[0] == ids[2] != ids[1]
    records = Places(installation.home.publications).current_duckdb
    with duckdb.connect(str(records.resolve()), read_only=True) as connection:
        rows = connection.execute(
            "select publication_id from kpi.publications order by sequence"
        ).fetchall()
    assert [row[0] for row in rows] == ids


def test_old_files_are_removed(run: Any, installation: Any) -> None:
    runs = [run(FIRST + timedelta(days=number)) for number in range(3)]
    left = {path.name for path in installation.home.publications.glob("marts_*")}
    assert left == {f"marts_{item.publication_id}.{kind}" for item in runs[1:]
                    for kind in ("duckdb", "parquet")}  # fmt: skip
    publication = installation.settings.publication.model_copy(update={"keep": 1})
    shorter = installation.settings.model_copy(update={"publication": publication})
    assert len(prune_files(installation.home, shorter)) == 2
    assert current_record(installation.home).publication_id == runs[-1].publication_id
    assert prune_files(installation.home, shorter) == []


class Killed(BaseException):
    """Stands for the end of the process."""


STEPS = {
    "before any file": (module, "write_files"),
    "with files, before Postgres": (Transaction, "replace"),
    "before the commit": (Transaction, "append"),
    "with Postgres, before the link": (module, "point_current"),
    "before old files are removed": (module, "prune"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_is_completed_by_a_rerun(
    run: Any, installation: Any, database: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    first = run(FIRST)
    owner, name = STEPS[step]

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, die)
        with pytest.raises(Killed):
            run(SECOND, factor=1.1)
    places = Places(installation.home.publications)
    if step != "before old files are removed":
        assert current_id(places) == first.publication_id
    with psycopg.connect(database.reader) as connection:
        nights = connection.execute(
            "select max(report_date), (select max(as_of_date) from kpi.publications)"
            " from kpi.ad_performance_daily"
        ).fetchone()
    assert nights in ((FIRST, FIRST), (SECOND, SECOND))
    second = run(SECOND, factor=1.1)
    assert current_id(places) == second.publication_id
    with psycopg.connect(database.reader) as connection:
        rows = connection.execute(
            "select sequence, content_hash from kpi.publications order by 1"
        ).fetchall()
        ledger = connection.execute("select count(*) from kpi.restatements").fetchone()
    assert rows == [(1, first.content_hash), (2, second.content_hash)]
    assert ledger == (second.record.restated_values,)
    assert run(SECOND, factor=1.1).changed_rows == 0


def test_a_place_that_gives_back_other_rows_is_not_published(
    run: Any, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(FIRST)
    fetch = Transaction.fetch

    def lossy(self: Transaction, view: Any, months: Any = None) -> Any:
        rows = fetch(self, view, months)
        return rows.slice(1) if view.name == "scorecard" else rows

    monkeypatch.setattr(Transaction, "fetch", lossy)
    with pytest.raises(MismatchError, match="scorecard"):
        run(SECOND)
    with psycopg.connect(database.reader) as connection:
        assert connection.execute("select content_hash from kpi.publications").fetchall() == [
            (first.content_hash,)
        ]


def test_another_nights_marts_are_refused(installation: Any, database: Any) -> None:
    installation.transform(FIRST)
    with pytest.raises(NotTransformedError, match="2026-05-20, not of 2026-05-21"):
        publish(
            installation.home,
            installation.settings,
            installation.clock(SECOND),
            postgres_url=database.writer,
        )


def test_a_reader_sees_one_publication_at_a_time(run: Any, database: Any) -> None:
    published = {run(FIRST).record.as_of_date: True}
    stop, ready, seen, errors = threading.Event(), threading.Event(), [], []

    def poll() -> None:
        try:
            with psycopg.connect(database.reader) as connection:
                while not stop.is_set() or len(seen) < 5:
                    with connection.transaction():
                        told = connection.execute(
                            "select max(as_of_date), max(sequence) from kpi.publications"
                        ).fetchone()
                        rows = connection.execute(
                            "select max(report_date), count(*) from kpi.ad_performance_daily"
                        ).fetchone()
                        values = connection.execute(
                            "select max(period_start) from kpi.kpi_values where period_type = 'day'"
                        ).fetchone()
                    seen.append((told, rows, values))
                    ready.set()
        except psycopg.Error as error:
            errors.append(error)
            ready.set()

    readers = [threading.Thread(target=poll) for _ in range(3)]
    for reader in readers:
        reader.start()
    assert ready.wait(20)
    for number in range(1, 5):
        published[
            run(FIRST + timedelta(days=number), factor=1 + number / 100).record.as_of_date
        ] = True
    stop.set()
    for reader in readers:
        reader.join(20)
    assert not errors
    assert all(
        told[0] == rows[0] == values[0] and rows[1] == 30 and told[0] in published
        for told, rows, values in seen
    )
    assert len({told for told, _, _ in seen}) > 1
