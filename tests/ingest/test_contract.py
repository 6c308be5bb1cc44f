"""What every source and stream keeps to, by its being registered; then each is pulled for real.

A new source is tested here without a line: its description for consistency, and its streams
against the sandbox.
"""

from __future__ import annotations

import msgspec
import pytest

from ingest.paginators import MOST_PAGES
from ingest.registry import SOURCES
from ingest.sources.ads.google_ads import RESOURCES

STREAMS = [
    pytest.param(source, stream, id=f"{source.name}.{stream.name}")
    for source in SOURCES.values()
    for stream in source.streams.values()
]


@pytest.mark.parametrize(("source", "stream"), STREAMS)
class TestDescription:
    def test_names_are_unique_and_fit_a_table(self, source, stream):
        names = [column.name for column in stream.columns]
        assert len(names) == len(set(names))
        assert all(name.isidentifier() and name == name.lower() for name in names)
        assert not any(name.startswith("_") for name in names)

    def test_keys_are_required_columns(self, source, stream):
        assert stream.key
        assert all(stream.column(name).required for name in stream.key)

    def test_days_of_a_window_are_a_required_column(self, source, stream):
        if stream.load in ("window", "responses"):
            assert stream.date_column is not None
            column = stream.column(stream.date_column)
            assert column.required
            assert column.type in ("date", "timestamp")
        if stream.load == "window":
            assert stream.date_column in stream.key

    def test_only_windowed_streams_restate(self, source, stream):
        assert stream.is_windowed or stream.restatement_days == 0
        assert stream.window_days >= 1

    def test_deletes_are_seen(self, source, stream):
        """Changes come with the archived ones marked; lists are complete."""
        if stream.load == "changes":
            assert stream.column("is_archived").path == "archived"

    def test_names_and_addresses_of_people_are_declared(self, source, stream):
        words = ("email", "first_name", "last_name", "phone", "click_id", "network")
        for column in stream.columns:
            if any(word in column.name for word in words):
                assert column.personal, column.name


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
class TestSource:
    def test_a_source_is_listed_by_its_own_name(self, source):
        assert SOURCES[source.name] is source
        assert all(name == stream.name for name, stream in source.streams.items())
        assert source.base_url.startswith("https://")
        assert source.concurrency >= 1

    def test_every_refusal_names_a_next_step(self, source):
        for rule in source.api.rules:
            needs_person = rule.raises.__name__ in ("Refused", "Skipped")
            assert bool(rule.next_step) == needs_person, rule.message


def test_every_report_of_google_ads_has_a_resource():
    assert set(RESOURCES) == set(SOURCES["google_ads"].streams)


def test_the_cap_of_pages_is_above_any_list():
    assert MOST_PAGES * 50 >= 1_000_000


def test_every_unit_lands_and_none_is_left(nights):
    for pulled, left, checks in nights.done:
        assert [str(one.error) for one in pulled if one.error] == []
        assert left == []
        assert [str(check) for check in checks if not check.is_ok] == []


@pytest.mark.parametrize(("source", "stream"), STREAMS)
class TestPulled:
    def test_rows_land_and_calls_cover_every_line(self, nights, source, stream):
        landing = nights.landing
        batches = landing.batches(source.name, stream=stream.name)
        assert {batch.manifest.as_of_date for batch in batches} == {
            clock.as_of_date for clock in nights.clocks[:: stream.every_days]
        }
        assert sum(batch.manifest.rows for batch in batches) > 0
        for batch in batches:
            lines = landing.read_rows(batch).splitlines()
            calls = landing.read_calls(batch)
            assert len(lines) == batch.manifest.rows
            assert len(calls) == batch.manifest.calls > 0
            assert [
                line
                for call in calls
                for line in range(call.first_line, call.first_line + call.rows)
            ] == list(range(1, len(lines) + 1))
            assert all(call.status in (200, 207) and len(call.sha256) == 64 for call in calls)

    def test_every_column_is_found_in_some_row_and_required_ones_in_all(
        self, nights, source, stream
    ):
        landing = nights.landing
        batches = landing.batches(source.name, stream=stream.name)
        seen = set()
        for batch in batches:
            lines = landing.read_rows(batch).splitlines()
            for call in landing.read_calls(batch):
                for line in lines[call.first_line - 1 :][: call.rows]:
                    row = msgspec.json.decode(line)
                    for column in stream.columns:
                        if value_at(row, column.path, call.context) is not None:
                            seen.add(column.name)
                        else:
                            assert not column.required, (column.name, line)
        assert {column.name for column in stream.columns} - seen == set()

    def test_days_are_within_the_window(self, nights, source, stream):
        if stream.load != "window":
            return
        landing = nights.landing
        path = stream.column(stream.date_column).path
        for batch in landing.batches(source.name, stream=stream.name):
            window = batch.manifest.window
            for line in landing.read_rows(batch).splitlines():
                day = value_at(msgspec.json.decode(line), path, {})
                assert window.start.isoformat() <= day <= window.end.isoformat()


def value_at(row, path, context):
    if path.startswith("@"):
        return context.get(path[1:])
    for part in path.split("."):
        row = row.get(part) if isinstance(row, dict) else None
    return row
