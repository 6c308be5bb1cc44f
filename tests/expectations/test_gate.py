"""The gate: what goes on, what is set aside, what is held or blocked."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pyarrow.parquet as pq
import pytest

from expectations.examiner import Answer
from ingest.batch import NOTED, QUARANTINE, ROWS, TYPED

ADS = ("google_ads", "campaign_daily")


def result(verdict, rule):
    return next(result for result in verdict.results if result.rule == rule)


def states(verdict):
    return {result.rule: result.state for result in verdict.results}


def typed_rows(batch):
    return pq.read_table(batch.path / TYPED).to_pylist()


def quarantined(batch):
    return pq.read_table(batch.path / QUARANTINE).to_pylist()


def test_a_sound_batch_goes_on_with_the_types_of_its_stream(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 2))
    verdict = gatehouse.gate(batch)
    assert (verdict.state, verdict.rows_loaded) == ("passed", 2)
    schema = pq.read_schema(batch.path / TYPED)
    assert {field.name: str(field.type) for field in schema} == {
        "account_id": "string",
        "currency_code": "string",
        "time_zone": "string",
        "campaign_id": "string",
        "campaign_name": "string",
        "campaign_status": "string",
        "channel_type": "string",
        "report_date": "date32[day]",
        "impressions": "int64",
        "clicks": "int64",
        "cost_micros": "int64",
        "conversions": "decimal128(18, 6)",
        "conversions_value": "decimal128(18, 6)",
        "_line": "int64",
        "_call_id": "string",
    }
    assert [row["_line"] for row in typed_rows(batch)] == [1, 2]
    assert verdict.profile.rows_per_day == {"2026-03-10": 2}


def test_each_row_that_goes_on_names_its_call(gatehouse):
    """Calls of any length, without rows too, and longer than a block of lines."""
    calls = [(1, {}), (0, {}), (1022, {}), (2, {}), (2500, {}), (1, {})]
    rows = gatehouse.clean(*ADS, sum(count for count, _ in calls))
    batch = gatehouse.land(*ADS, rows, contexts=calls)
    assert gatehouse.gate(batch).rows_loaded == len(rows)
    found = {row["_line"]: row["_call_id"] for row in typed_rows(batch)}
    expected = [
        f"google_ads.101.campaign_daily.000001.{number:05d}"
        for number, (count, _) in enumerate(calls, start=1)
        for _ in range(count)
    ]
    assert [found[line] for line in range(1, len(rows) + 1)] == expected


def test_moments_are_written_in_utc(gatehouse):
    batch = gatehouse.land("hubspot", "deals", gatehouse.clean("hubspot", "deals", 1))
    gatehouse.gate(batch)
    schema = pq.read_schema(batch.path / TYPED)
    assert str(schema.field("created_at").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("is_archived").type) == "bool"


def test_a_wrong_row_is_set_aside_with_its_bytes_and_the_others_go_on(gatehouse):
    rows = gatehouse.clean(*ADS, 3)
    rows[1]["metrics"] |= {"clicks": "2000", "costMicros": "-1"}
    batch = gatehouse.land(*ADS, rows)
    verdict = gatehouse.gate(batch)
    (row,) = quarantined(batch)
    assert row["_line"] == 2
    assert msgspec.json.decode(row["row"]) == rows[1]
    assert sorted(row["reasons"]) == [
        "google_ads.campaign_daily.clicks_within_impressions",
        "google_ads.campaign_daily.cost_micros_not_negative",
    ]
    assert row["day"] == date(2026, 3, 10)
    key = {"account_id": "101", "campaign_id": "2", "report_date": "2026-03-10"}
    assert msgspec.json.decode(row["key"]) == key
    assert verdict.quarantined_days == {"2026-03-10": 1}
    assert (verdict.rows_in, verdict.rows_loaded, verdict.rows_quarantined) == (3, 2, 1)
    failed = result(verdict, "clicks_within_impressions")
    assert (failed.n_failed, failed.n_total) == (1, 3)
    assert failed.sentence == (
        "More clicks than impressions were reported. That is 1 of 3, on 2026-03-10."
    )


@pytest.mark.parametrize(
    ("stream", "wrong", "day"),
    [
        pytest.param("contacts", {"createdAt": "2026-02-29T25:00:00Z"}, None, id="unreadable"),
        pytest.param("contacts", {"createdAt": "1970-01-01T00:00:00Z"}, None, id="impossible"),
        pytest.param(
            "contacts",
            {"createdAt": "2026-02-11T23:30:00Z", "updatedAt": "2026-02-01T00:00:00Z"},
            date(2026, 2, 12),
            id="night of the business time zone",
        ),
        pytest.param(
            "deals",
            {"closedate": "2026-03-02T10:00:00Z", "amount": "-1"},
            date(2026, 3, 2),
            id="closed",
        ),
        pytest.param(
            "deals",
            {"closedate": "2033-08-02T10:00:00Z", "createdate": "2026-03-01T10:00:00Z"}
            | {"amount": "-1"},
            date(2026, 3, 1),
            id="to be closed",
        ),
    ],
)
def test_a_record_set_aside_is_of_the_day_in_which_kpis_count_it(gatehouse, stream, wrong, day):
    (row,) = gatehouse.clean("hubspot", stream, 1)
    properties = {name: value for name, value in wrong.items() if name not in row}
    row |= {name: value for name, value in wrong.items() if name in row}
    row["properties"] |= properties
    batch = gatehouse.land("hubspot", stream, [row])
    gatehouse.gate(batch)
    assert [one["day"] for one in quarantined(batch)] == [day]


def test_a_mistyped_value_names_row_and_column(gatehouse):
    rows = gatehouse.clean(*ADS, 3)
    rows[2]["metrics"]["clicks"] = 42.7
    batch = gatehouse.land(*ADS, rows)
    (sample,) = result(gatehouse.gate(batch), "typed").sample
    assert sample.startswith("line 3, clicks: ")
    assert quarantined(batch)[0]["columns"] == ["clicks"]


def test_an_unreadable_line_is_kept_as_text(gatehouse):
    batch = gatehouse.land(*ADS, [*gatehouse.clean(*ADS, 1), b'{"broken": "\xff'])
    verdict = gatehouse.gate(batch)
    (row,) = quarantined(batch)
    assert row["row"] == '{"broken": "\\xff'
    assert (row["day"], row["key"], row["columns"]) == (None, None, [])
    assert (verdict.rows_loaded, verdict.rows_quarantined) == (1, 1)


def test_the_same_row_twice_is_superseded_by_the_later(gatehouse):
    (row,) = gatehouse.clean(*ADS, 1)
    batch = gatehouse.land(*ADS, [row, row, row])
    verdict = gatehouse.gate(batch)
    assert (verdict.rows_loaded, verdict.rows_superseded) == (1, 2)
    assert [row["_line"] for row in typed_rows(batch)] == [3]
    assert result(verdict, "one_row_a_key").state == "pass"


def test_a_renamed_campaign_on_the_next_page_is_no_conflict(gatehouse):
    rows = gatehouse.clean(*ADS, 1) + gatehouse.clean(*ADS, 1)
    rows[1]["campaign"]["name"] = "Renamed"
    batch = gatehouse.land(*ADS, rows)
    gatehouse.gate(batch)
    assert [row["campaign_name"] for row in typed_rows(batch)] == ["Renamed"]


def test_two_different_numbers_for_one_day_are_both_set_aside(gatehouse):
    rows = gatehouse.clean(*ADS, 2) + gatehouse.clean(*ADS, 1)
    rows[2]["metrics"]["impressions"] = "1211"
    batch = gatehouse.land(*ADS, rows)
    verdict = gatehouse.gate(batch)
    assert [row["_line"] for row in quarantined(batch)] == [1, 3]
    assert (verdict.rows_loaded, verdict.rows_superseded) == (1, 0)


def test_of_two_versions_of_a_record_the_newest_goes_on_wherever_it_stands(gatehouse):
    rows = gatehouse.clean("hubspot", "contacts", 1) * 2
    newer = {**rows[0], "updatedAt": "2026-03-10T04:30:00Z"}
    batch = gatehouse.land("hubspot", "contacts", [newer, *rows])
    verdict = gatehouse.gate(batch)
    assert [row["_line"] for row in typed_rows(batch)] == [1]
    assert verdict.rows_superseded == 2
    assert result(verdict, "one_row_a_key").state == "pass"


def test_a_wrong_newer_version_does_not_take_the_sound_older_one_with_it(gatehouse):
    (older,) = gatehouse.clean("hubspot", "deals", 1)
    newer = {**older, "updatedAt": "2026-03-10T04:30:00Z"}
    newer["properties"] = {**older["properties"], "amount": "n/a"}
    batch = gatehouse.land("hubspot", "deals", [older, newer])
    verdict = gatehouse.gate(batch)
    assert [row["_line"] for row in typed_rows(batch)] == [1]
    assert (verdict.rows_superseded, verdict.rows_quarantined) == (0, 1)


def test_links_of_one_deal_on_two_pages_are_both_kept(gatehouse):
    rows = [{"from": {"id": "77"}, "to": [{"toObjectId": number}]} for number in (1, 2, 2)]
    batch = gatehouse.land("hubspot", "deal_contacts", rows)
    verdict = gatehouse.gate(batch)
    assert (verdict.rows_loaded, verdict.rows_superseded) == (2, 1)


def test_held_writes_nothing_typed_and_counts_all_rows(gatehouse):
    rows = gatehouse.clean(*ADS, 3)
    rows[0]["customer"]["currencyCode"] = "USD"
    rows[1]["metrics"]["costMicros"] = "-1"
    batch = gatehouse.land(*ADS, rows)
    (batch.path / TYPED).write_bytes(b"of an earlier verdict")
    verdict = gatehouse.gate(batch)
    assert verdict.state == "held"
    assert (verdict.rows_in, verdict.rows_held, verdict.rows_quarantined) == (3, 3, 0)
    assert not (batch.path / TYPED).exists()
    assert quarantined(batch) == []
    assert [stopping.rule for stopping in verdict.stopping] == ["own_currency"]


def test_blocked(gatehouse):
    rows = gatehouse.clean("google_ads", "customers", 1)
    rows[0]["customerClient"]["currencyCode"] = "USD"
    verdict = gatehouse.verdict("google_ads", "customers", rows, account="google_ads")
    assert (verdict.state, verdict.rows_held) == ("blocked", 1)


def test_an_empty_batch_is_empty_not_sound(gatehouse):
    verdict = gatehouse.verdict(*ADS, [])
    assert verdict.state == "passed"
    assert states(verdict)["clicks_not_negative"] == "empty"
    assert states(verdict)["report_date_present"] == "empty"
    assert states(verdict)["nothing_missing"] == "skipped"
    assert states(verdict)["no_new_field"] == "skipped"
    assert verdict.rows_in == 0


def test_an_empty_list_where_there_was_one_is_held(gatehouse):
    stream = ("google_ads", "campaigns")
    night = gatehouse.night
    gatehouse.verdict(*stream, gatehouse.clean(*stream, 3), night=night - timedelta(days=1))
    verdict = gatehouse.verdict(*stream, [])
    assert verdict.state == "held"
    assert states(verdict)["nothing_missing"] == "fail"
    assert states(verdict)["account_id_present"] == "empty"


@pytest.mark.parametrize(
    ("rows", "told", "state"),
    [
        *[(20, None, "skipped"), (20, 20, "pass"), (20, 18, "pass"), (3, 5, "pass")],
        *[(3, 6, "fail"), (196, 200, "pass"), (195, 200, "fail"), (0, 3, "fail"), (0, 0, "pass")],
    ],
)
def test_as_many_rows_as_the_vendor_says_there_are(gatehouse, rows, told, state):
    stream = ("hubspot", "contact_ids")
    verdict = gatehouse.verdict(*stream, gatehouse.clean(*stream, rows), told=told)
    assert states(verdict)["as_many_as_told"] == state
    assert verdict.state == ("held" if state == "fail" else "passed")
    if state == "fail":
        assert result(verdict, "as_many_as_told").sample == (f"{rows} of {told}",)


def noted(batch):
    path = batch.path / NOTED
    return pq.read_table(path).to_pylist() if path.exists() else []


def test_rows_in_use_that_a_soft_check_speaks_against_are_noted_with_their_day(gatehouse):
    rows = gatehouse.clean("hubspot", "deals", 4)
    for row in rows[1:]:
        row["propertiesWithHistory"]["dealstage"] = []
    rows[2]["properties"]["amount"] = "-1"
    batch = gatehouse.land("hubspot", "deals", rows)
    verdict = gatehouse.gate(batch)
    day = date(2026, 2, 1)
    assert noted(batch) == [
        {"_line": line, "rule": "stage_history_present", "day": day} for line in (2, 4)
    ]
    of_rows = {one.rule for one in verdict.results if one.of_rows}
    assert of_rows == {"stage_history_present", "amount_not_negative"}
    batch = gatehouse.land("hubspot", "deals", rows[:1])
    gatehouse.gate(batch)
    assert noted(batch) == []


def test_an_unfinished_survey_set_aside_is_of_the_day_it_was_opened(gatehouse):
    (row,) = gatehouse.clean("typeform", "partial_responses", 1)
    row |= {"landed_at": "2026-03-08T23:30:00Z", "response_type": "a\0b"}
    batch = gatehouse.land("typeform", "partial_responses", [row])
    gatehouse.gate(batch)
    assert [one["day"] for one in quarantined(batch)] == [date(2026, 3, 9)]


def test_what_great_expectations_could_not_evaluate_is_an_error_and_holds(gatehouse, monkeypatch):
    from expectations.rules import AtLeast

    def broken(self, facts):
        import great_expectations.expectations as gxe

        query = "select nowhere from {batch}"
        return gxe.UnexpectedRowsExpectation(unexpected_rows_query=query)

    monkeypatch.setattr(AtLeast, "expectation", broken)
    verdict = gatehouse.verdict(*ADS, gatehouse.clean(*ADS, 2))
    assert states(verdict)["clicks_not_negative"] == "error"
    assert "nowhere" in result(verdict, "clicks_not_negative").observed
    assert states(verdict)["clicks_within_impressions"] == "pass"
    assert verdict.state == "held"


@pytest.mark.parametrize("answer", [Answer(True, 0), Answer(False, 2)], ids=["less", "more"])
def test_counts_that_differ_are_an_error(gatehouse, monkeypatch, answer):
    ask = gatehouse.examiner.ask
    monkeypatch.setattr(
        gatehouse.examiner,
        "ask",
        lambda rules, facts: {**ask(rules, facts), "clicks_not_negative": answer},
    )
    rows = gatehouse.clean(*ADS, 3)
    rows[0]["metrics"]["clicks"] = "-1"
    verdict = gatehouse.verdict(*ADS, rows)
    assert states(verdict)["clicks_not_negative"] == "error"
    assert verdict.state == "held"


def test_great_expectations_decides(gatehouse, monkeypatch):
    asked = []
    ask = gatehouse.examiner.ask

    def spy(rules, facts):
        asked.extend(rule.name for rule in rules)
        return ask(rules, facts)

    monkeypatch.setattr(gatehouse.examiner, "ask", spy)
    verdict = gatehouse.verdict(*ADS, gatehouse.clean(*ADS, 1))
    assert set(asked) == {r.rule for r in verdict.results if r.state in ("pass", "fail", "error")}


def test_rows_that_are_not_those_that_were_landed_are_an_error(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 2))
    other = gatehouse.land(*ADS, gatehouse.clean(*ADS, 2, days=[date(2026, 3, 9)]))
    (batch.path / ROWS).write_bytes((other.path / ROWS).read_bytes())
    verdict = gatehouse.gate(batch)
    assert verdict.state == "held"
    assert states(verdict)["readable"] == "error"
    assert set(states(verdict).values()) == {"error", "skipped"}


def test_a_file_that_cannot_be_read_is_an_error(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 2))
    (batch.path / ROWS).write_bytes(b"not zstd")
    verdict = gatehouse.gate(batch)
    assert (verdict.state, verdict.rows_held) == ("held", 2)
    assert states(verdict)["readable"] == "error"


def test_a_machine_at_fault_is_no_verdict(gatehouse):
    batch = gatehouse.land(*ADS, gatehouse.clean(*ADS, 2))
    (batch.path / ROWS).unlink()
    with pytest.raises(FileNotFoundError):
        gatehouse.gate(batch)
    assert not batch.is_gated
