"""Lists, changes and records: what becomes of their batches in the warehouse."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from ingest.batch import NOTED
from tests.warehouse.landed import ad_day, gate, land
from tests.warehouse.loads import (
    NIGHT,
    OCTOBER,
    a_result,
    ads,
    campaigns,
    contact,
    contacts,
    day,
    everything,
)


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
