from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from boscard.home import Home
from expectations.verdict import Result
from ingest.batch import NOTED, TYPED
from ingest.landing import Landing
from tests.warehouse.landed import KEY, a_clock, ad_day, gate, land
from warehouse import load as load_module
from warehouse.errors import BatchBroken, NightRefused
from warehouse.load import load

NIGHT = date(2025, 10, 20)
OCTOBER = (date(2025, 10, 1), NIGHT)
ADS = "select campaign_id, report_date, clicks from raw.google_ads__campaign_daily order by all"


def day(number: int) -> date:
    return date(2025, 10, number)


def ads(landing, rows, *, first=1, last=20, account="100", as_of=NIGHT, **more):
    rows = [row | {"account_id": account} for row in rows]
    window = (day(first), day(last))
    return land(
        landing,
        "google_ads",
        account,
        "campaign_daily",
        rows,
        as_of=as_of,
        window=window,
        **more,
    )


def campaigns(landing, ids, *, account="100", as_of=NIGHT, quarantined=(), **more):
    def row(campaign):
        return {"account_id": account, "campaign_id": campaign, "campaign_name": f"c{campaign}"}

    return land(
        landing,
        "google_ads",
        account,
        "campaigns",
        [row(campaign) for campaign in ids],
        as_of=as_of,
        quarantined=[row(campaign) for campaign in quarantined],
        **more,
    )


def contacts(landing, rows, *, as_of=NIGHT, **more):
    window = (day(1), as_of)
    return land(landing, "hubspot", "300", "contacts", rows, as_of=as_of, window=window, **more)


class TestWindow:
    def test_its_days_are_replaced_and_others_stay(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(n), clicks=1) for n in range(1, 21)])
        ads(landing, [ad_day(day(18), clicks=7)], first=18)
        load_night()
        found = query(ADS)
        assert [row[1].day for row in found] == list(range(1, 19))
        assert found[-1] == ("1", day(18), 7)

    def test_another_account_is_left_alone(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3), clicks=1)], account="200")
        ads(landing, [ad_day(day(3), clicks=2)])
        load_night()
        ads(landing, [])
        load_night()
        assert query(ADS) == [("1", day(3), 1)]

    def test_rows_enter_in_the_order_of_days(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(n)) for n in (9, 2, 14, 5)])
        load_night()
        rows = query("select report_date from raw.google_ads__campaign_daily")
        assert [row[0].day for row in rows] == [2, 5, 9, 14]

    def test_an_older_batch_that_passes_late_brings_only_what_no_newer_one_covers(
        self, landing, load_night, query
    ) -> None:
        rows = [ad_day(day(n), clicks=1) for n in range(1, 6)]
        late = ads(landing, rows, last=5, state="held")
        ads(landing, [ad_day(day(4), clicks=9)], first=4, last=5)
        load_night()
        assert query(ADS) == [("1", day(4), 9)]
        gate(late, [row | {"account_id": "100"} for row in rows])
        load_night()
        assert [(row[1].day, row[2]) for row in query(ADS)] == [(1, 1), (2, 1), (3, 1), (4, 9)]

    def test_a_row_outside_its_window_is_refused(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(9))], last=5)
        with pytest.raises(BatchBroken, match=r"1 typed rows lie outside 2025-10-01\.\.2025-10-05"):
            load_night()
        assert query("select count(*) from ops.loaded_batches") == [(0,)]

    def test_a_column_landed_before_it_was_declared_is_null(
        self, landing, load_night, query
    ) -> None:
        batch = ads(landing, [ad_day(day(2), clicks=4)])
        with duckdb.connect() as connection:
            path = str(batch.path / TYPED)
            connection.execute(f"create table t as select * exclude (clicks) from '{path}'")
            connection.execute(f"copy t to '{path}' (format parquet)")
        load_night()
        assert query(ADS) == [("1", day(2), None)]


class TestChanges:
    def test_the_newest_says_what_a_row_is(self, landing, load_night, query) -> None:
        contacts(landing, [contact("1", "lead"), contact("2", "lead")])
        contacts(landing, [contact("1", "customer"), contact("3", "lead", archived=True)])
        load_night()
        sql = (
            "select contact_id, lifecycle_stage, _is_deleted from raw.hubspot__contacts order by 1"
        )
        assert query(sql) == [
            ("1", "customer", False),
            ("2", "lead", False),
            ("3", "lead", True),
        ]

    def test_an_older_batch_that_passes_late_does_not_overwrite(
        self, landing, load_night, query
    ) -> None:
        old = [contact("1", "lead"), contact("2", "lead")]
        late = contacts(landing, old, state="held")
        contacts(landing, [contact("1", "customer")])
        load_night()
        gate(late, old)
        load_night()
        sql = "select contact_id, lifecycle_stage from raw.hubspot__contacts order by 1"
        assert query(sql) == [("1", "customer"), ("2", "lead")]

    def test_the_same_id_in_two_accounts_is_two_rows(self, landing, load_night, query) -> None:
        contacts(landing, [contact("1", "lead")])
        land(
            landing,
            "hubspot",
            "301",
            "contacts",
            [contact("1", "customer")],
            as_of=NIGHT,
            window=OCTOBER,
        )
        load_night()
        assert query("select _account from raw.hubspot__contacts order by 1") == [
            ("300",),
            ("301",),
        ]


class TestSnapshot:
    SQL = "select campaign_id, _is_deleted from raw.google_ads__campaigns order by all"

    def test_what_is_absent_is_marked_and_comes_back(self, landing, load_night, query) -> None:
        campaigns(landing, ["1", "2"])
        campaigns(landing, ["2"])
        load_night()
        assert query(self.SQL) == [("1", True), ("2", False)]
        campaigns(landing, ["1", "2"])
        load_night()
        assert query(self.SQL) == [("1", False), ("2", False)]

    def test_a_row_set_aside_is_not_taken_for_absent(self, landing, load_night, query) -> None:
        campaigns(landing, ["1", "2", "3"])
        campaigns(landing, ["2"], quarantined=["1"])
        load_night()
        assert query(self.SQL) == [("1", False), ("2", False), ("3", True)]

    def test_another_account_is_left_alone(self, landing, load_night, query) -> None:
        campaigns(landing, ["1"], account="200")
        campaigns(landing, ["2"])
        load_night()
        assert query(self.SQL) == [("1", False), ("2", False)]

    def test_an_older_list_that_passes_late_changes_nothing(
        self, landing, load_night, query
    ) -> None:
        late = campaigns(landing, ["1"], state="held")
        campaigns(landing, ["2"])
        load_night()
        gate(late, [{"account_id": "100", "campaign_id": "1"}])
        load_night()
        assert query(self.SQL) == [("2", False)]


class TestNoted:
    SQL = "select batch_id[:6], line, rule, day from ops.noted order by all"

    def note(self, batch, *lines):
        with duckdb.connect() as connection:
            connection.execute("create table noted (_line bigint, rule varchar, day date)")
            for line in lines:
                connection.execute(
                    "insert into noted values (?, 'soft', '2025-10-02')", [line]
                ).fetchall()
            connection.execute(f"copy noted to '{batch.path / NOTED}' (format parquet)")

    def test_a_row_is_noted_until_it_comes_again(self, landing, load_night, query) -> None:
        self.note(contacts(landing, [contact("1", "lead"), contact("2", "lead")]), 1, 2)
        load_night()
        assert query(self.SQL) == [("000001", line, "soft", day(2)) for line in (1, 2)]
        contacts(landing, [contact("1", "customer")])
        load_night()
        assert query(self.SQL) == [("000001", 2, "soft", day(2))]
        self.note(contacts(landing, [contact("2", "customer")]), 1)
        load_night()
        assert query(self.SQL) == [("000003", 1, "soft", day(2))]

    def test_a_day_is_noted_until_it_is_replaced(self, landing, load_night, query) -> None:
        self.note(ads(landing, [ad_day(day(2)), ad_day(day(18))]), 1, 2)
        ads(landing, [ad_day(day(18))], first=18)
        load_night()
        assert query(self.SQL) == [("000001", 1, "soft", day(2))]


class TestSweep:
    SQL = (
        "select contact_id, is_archived, _is_deleted from raw.hubspot__contacts"
        " where _account = '300' order by all"
    )

    @pytest.fixture(autouse=True)
    def _contacts(self, landing):
        rows = [contact("1", "lead"), contact("2", "lead"), contact("3", "lead", archived=True)]
        contacts(landing, [row | {"created_at": "2025-10-02T08:00:00Z"} for row in rows])

    def sweep(self, landing, ids, *, aside=(), **more):
        rows, bad = ([{"contact_id": one} for one in each] for each in (ids, aside))
        more = {"as_of": NIGHT, **more}
        return land(landing, "hubspot", "300", "contact_ids", rows, quarantined=bad, **more)

    def test_a_record_that_is_in_no_list_was_deleted_for_good(
        self, landing, load_night, query
    ) -> None:
        self.sweep(landing, ["1"])
        load_night()
        assert query(self.SQL) == [("1", False, False), ("2", False, True), ("3", True, True)]

    def test_one_that_a_later_list_names_is_back_and_an_archived_one_is_not(
        self, landing, load_night, query
    ) -> None:
        self.sweep(landing, ["1"])
        load_night()
        self.sweep(landing, ["1", "2", "3"])
        load_night()
        assert query(self.SQL) == [("1", False, False), ("2", False, False), ("3", True, True)]

    def test_another_account_is_left_alone(self, landing, load_night, query) -> None:
        self.sweep(landing, ["1", "2"])
        land(landing, "hubspot", "301", "contact_ids", [], as_of=NIGHT)
        load_night()
        assert [row[2] for row in query(self.SQL)] == [False, False, True]

    @pytest.mark.parametrize("state", ["held", "blocked"])
    def test_a_held_list_marks_nobody(self, landing, load_night, query, state) -> None:
        self.sweep(landing, ["1"], state=state)
        load_night()
        assert [row[2] for row in query(self.SQL)] == [False, False, True]

    def test_one_whose_row_was_set_aside_is_still_there(self, landing, load_night, query) -> None:
        self.sweep(landing, ["1"])
        load_night()
        self.sweep(landing, ["1", "2"])
        load_night()
        self.sweep(landing, ["1"], aside=["2"])
        load_night()
        assert [row[2] for row in query(self.SQL)] == [False, False, True]

    def test_a_list_with_a_row_that_names_nobody_marks_nobody(
        self, landing, load_night, query
    ) -> None:
        self.sweep(landing, ["1"], aside=[None])
        load_night()
        assert [row[2] for row in query(self.SQL)] == [False, False, True]

    def test_one_made_on_the_day_of_the_list_waits_for_the_next(
        self, landing, load_night, query
    ) -> None:
        new = contact("4", "lead") | {"created_at": "2025-10-20T00:00:00Z"}
        contacts(landing, [new])
        self.sweep(landing, ["1", "2"])
        load_night()
        assert query(self.SQL)[-1] == ("4", False, False)
        self.sweep(landing, ["1", "2"], as_of=NIGHT + timedelta(days=1))
        load_night(NIGHT + timedelta(days=1))
        assert query(self.SQL)[-1] == ("4", False, True)


def test_replace_leaves_only_the_newest_list(landing, load_night, query) -> None:
    for deals in (["1", "2"], ["2"]):
        rows = [{"deal_id": deal, "associated": [{"toObjectId": 5}]} for deal in deals]
        land(landing, "hubspot", "300", "deal_contacts", rows, as_of=NIGHT)
    load_night()
    found = query("select deal_id, associated, _sequence from raw.hubspot__deal_contacts")
    assert found == [("2", '[{"toObjectId": 5}]', 2)]


def test_a_response_seen_twice_is_one_row(landing, load_night, query) -> None:
    row = {"form_id": "f", "response_token": "t", "submitted_at": "2025-10-03T10:00:00Z"}
    for start in (1, 2):
        window = (day(start), NIGHT)
        land(landing, "typeform", "400", "responses", [row], as_of=NIGHT, window=window)
    load_night()
    assert query("select response_token, _sequence from raw.typeform__responses") == [("t", 2)]


class TestOnce:
    def test_a_second_call_changes_nothing(self, landing, load_night, home) -> None:
        ads(landing, [ad_day(day(3), clicks=1)], results=[a_result()])
        campaigns(landing, ["1"], quarantined=["9"])
        first = load_night()
        before = everything(home)
        second = load_night()
        assert [len(first.loaded), len(second.loaded)] == [2, 0]
        assert everything(home) == before

    def test_killed_between_rows_and_record_it_loads_again(
        self, landing, load_night, query, monkeypatch
    ) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(load_module, "record_batch", die)
            with pytest.raises(KeyboardInterrupt):
                load_night()
        assert query(ADS) == []
        load_night()
        assert query(ADS) == [("1", day(3), 1)]

    @pytest.mark.parametrize("state", ["held", "blocked"])
    def test_a_stopped_batch_is_recorded_and_kept_out(
        self, landing, load_night, query, state
    ) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])
        ads(landing, [ad_day(day(3), clicks=5)], state=state)
        report = load_night()
        assert (len(report.loaded), len(report.held)) == (1, 1)
        assert query(ADS) == [("1", day(3), 1)]
        sql = "select sequence, state, rows_in, rows_loaded, rows_held from ops.loaded_batches"
        assert query(sql + " order by 1") == [(1, "passed", 1, 1, 0), (2, state, 1, 0, 1)]

    def test_what_no_gate_has_seen_waits(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3))], gated=False)
        report = load_night()
        assert len(report.ungated) == 1
        assert query(ADS) == []

    def test_a_file_cut_short_is_refused(self, landing, load_night) -> None:
        batch = ads(landing, [ad_day(day(3)), ad_day(day(4))])
        with duckdb.connect() as connection:
            path = str(batch.path / TYPED)
            connection.execute(f"create table t as select * from '{path}' limit 1")
            connection.execute(f"copy t to '{path}' (format parquet)")
        with pytest.raises(BatchBroken, match=r"typed\.parquet has 1 rows, the verdict says 2"):
            load_night()


class TestNights:
    def test_batches_of_a_later_night_wait_for_it(self, landing, load_night, query) -> None:
        ads(landing, [ad_day(day(3), clicks=1)])
        later = NIGHT + timedelta(days=1)
        ads(landing, [ad_day(day(3), clicks=2)], as_of=later)
        load_night()
        assert query(ADS) == [("1", day(3), 1)]
        load_night(later)
        assert query(ADS) == [("1", day(3), 2)]

    def test_an_older_night_is_refused(self, landing, load_night) -> None:
        load_night()
        with pytest.raises(
            NightRefused, match=r"2025-10-19 is older than what is loaded, 2025-10-20"
        ):
            load_night(NIGHT - timedelta(days=1))


class TestRecords:
    def test_the_verdict_becomes_rows(self, landing, load_night, query) -> None:
        ads(
            landing,
            [ad_day(day(3))],
            quarantined=[ad_day(day(5), campaign="8"), ad_day(day(5), campaign="9")],
            results=[a_result()],
        )
        load_night()
        assert query(
            "select * exclude (batch_id, source, account, stream) from ops.check_results"
        ) == [
            (
                *(NIGHT, day(1), NIGHT, "google_ads.campaign_daily.made_up", "made_up", "warning"),
                *("quarantine", "fail", "2", "none", 2, 3, "Two rows are wrong.", False),
            )
        ]
        assert query("select day, rows from ops.quarantined_days") == [(day(5), 2)]
        sql = "select line, day, reasons from ops.quarantine order by line"
        assert query(sql) == [(2, day(5), ["made.up.rule"]), (3, day(5), ["made.up.rule"])]

    def test_a_row_set_aside_is_sound_again_when_a_newer_batch_brings_its_key(
        self, landing, load_night, query
    ) -> None:
        wrong = [contact("1", "lead"), contact("2", "lead"), contact("3", "lead")]
        contacts(landing, [contact("4", "lead")], quarantined=wrong)
        load_night()
        again = contacts(
            landing, [contact("1", "lead"), contact("4", "customer")], quarantined=wrong[1:2]
        )
        load_night()
        load_night()
        sql = "select line, sound_in from ops.sound_again"
        assert query(sql) == [(2, again.manifest.batch_id)]

    def test_an_older_batch_let_through_late_is_sound_again_at_once(
        self, landing, load_night, query
    ) -> None:
        late = contacts(landing, [], quarantined=[contact("1", "lead")], gated=False)
        contacts(landing, [contact("1", "lead")])
        load_night()
        gate(late, [], quarantined=[contact("1", "lead")])
        load_night()
        assert query("select batch_id from ops.sound_again") == [(late.manifest.batch_id,)]

    def test_calls_cover_the_rows(self, landing, load_night, query) -> None:
        batch = ads(landing, [ad_day(day(3)), ad_day(day(4))])
        load_night()
        assert query("select call_id, batch_id, first_line, rows from ops.calls") == [
            ("google_ads.100.campaign_daily.000001.00001", batch.manifest.batch_id, 1, 2)
        ]

    def test_no_content_of_a_row_set_aside_enters_ops(self, landing, load_night, home) -> None:
        row = contact("1", "lead") | {"email": "ann@example.com"}
        contacts(landing, [], quarantined=[row])
        load_night()
        assert "ann@example.com" not in str(everything(home))


Batches = st.lists(
    st.tuples(st.integers(1, 10), st.integers(0, 5), st.booleans()), min_size=1, max_size=5
)


@hypothesis_settings(max_examples=8, deadline=None)
@given(batches=Batches)
def test_it_does_not_matter_when_a_batch_is_let_through(settings, batches) -> None:
    """Every day ends with what the newest batch over it says, whenever each was loaded."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        landing = Landing(home.landing)
        late = []
        expected: dict[date, int] = {}
        for number, (start, length, is_late) in enumerate(batches, start=1):
            days = [day(n) for n in range(start, start + length + 1)]
            rows = [ad_day(one, clicks=number) for one in days]
            state = "held" if is_late else "passed"
            batch = ads(landing, rows, first=start, last=start + length, state=state)
            if is_late:
                late.append((batch, rows))
            expected |= dict.fromkeys(days, number)
        load(home, settings, a_clock(NIGHT, settings), KEY)
        for batch, rows in reversed(late):
            gate(batch, rows)
            load(home, settings, a_clock(NIGHT, settings), KEY)
        with duckdb.connect(str(home.warehouse), read_only=True) as connection:
            found = {row[1]: row[2] for row in connection.execute(ADS).fetchall()}
        assert found == expected


def contact(contact_id: str, stage: str, *, archived: bool = False) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        "lifecycle_stage": stage,
        "is_archived": archived,
        "created_at": "2025-10-01T08:00:00Z",
        "updated_at": "2025-10-02T08:00:00Z",
    }


def a_result() -> Result:
    return Result(
        check_id="google_ads.campaign_daily.made_up",
        rule="made_up",
        severity="warning",
        action="quarantine",
        state="fail",
        observed="2",
        expected="none",
        n_failed=2,
        n_total=3,
        sample=("x",),
        sentence="Two rows are wrong.",
    )


def everything(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    """The content of every raw and ops table, save when a migration was applied."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where schema_name in ('raw', 'ops') order by 1"
        ).fetchall()
        return {
            table: connection.execute(f"select * from {table} order by all").fetchall()
            for (table,) in tables
        }
