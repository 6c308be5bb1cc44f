"""Every suite passes on sound rows, and every rule of every suite is tripped."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from expectations.rules import BatchRule
from expectations.suites import SUITES
from expectations.suites.typeform import scale, scales
from ingest.batch import QUARANTINE
from ingest.landing import Landing
from ingest.registry import SOURCES

STREAMS = [(source, stream) for source in SOURCES for stream in SOURCES[source].streams]
RULES = [
    (source, stream, rule.name)
    for source, stream in STREAMS
    for rule in SUITES[source][stream].rules
]
GONE = object()
CLICKS = "metrics.clicks"

# (stream or "*", rule) -> the path in the vendor's row, and the value that trips the rule
ROWS = {
    ("*", "own_account"): ("customer.id", "999"),
    ("*", "own_currency"): ("customer.currencyCode", "USD"),
    ("*", "own_time_zone"): ("customer.timeZone", "America/New_York"),
    ("*", "measures_present"): (CLICKS, GONE),
    ("*", "impressions_not_negative"): ("metrics.impressions", "-1"),
    ("*", "clicks_not_negative"): (CLICKS, "-1"),
    ("*", "cost_micros_not_negative"): ("metrics.costMicros", "-18340000"),
    ("*", "conversions_not_negative"): ("metrics.conversions", -0.5),
    ("*", "conversions_value_not_negative"): ("metrics.conversionsValue", -0.01),
    ("*", "clicks_within_impressions"): (CLICKS, "1211"),
    ("*", "within_window"): ("segments.date", "2026-03-11"),
    ("*", "known_channel"): ("campaign.advertisingChannelType", "BILLBOARD"),
    ("customers", "agreed_currency"): ("customerClient.currencyCode", "USD"),
    ("customers", "agreed_time_zone"): ("customerClient.timeZone", "America/New_York"),
    ("customers", "level_not_negative"): ("customerClient.level", "-1"),
    ("*", "created_before_updated"): ("createdAt", "2026-03-10T04:00:02Z"),
    ("*", "possible_dates"): ("createdAt", "1970-01-01T00:00:00Z"),
    ("contacts", "possible_lifecycle_dates"): (
        "properties.hs_lifecyclestage_lead_date",
        "2040-01-01",
    ),
    ("deals", "amount_not_negative"): ("properties.amount", "-5"),
    ("deals", "known_currency"): ("properties.deal_currency_code", "CHF"),
    ("deals", "possible_deal_dates"): ("properties.closedate", "1899-12-31"),
    ("deals", "stage_history_present"): ("propertiesWithHistory.dealstage", []),
    ("pipelines", "stages_listed"): ("stages", []),
    ("*", "associated_list"): ("to", {"toObjectId": 512}),
    ("responses", "answers_listed"): ("answers", "none"),
    ("responses", "score_on_scale"): (
        "answers",
        [{"field": {"id": "score", "type": "nps"}, "type": "number", "number": 14}],
    ),
    ("responses", "possible_submission_date"): ("submitted_at", "0001-01-01T00:00:00Z"),
    ("responses", "within_window"): ("submitted_at", "2026-02-01T00:00:00Z"),
    ("responses", "landed_before_submitted"): ("landed_at", "2026-03-10T08:18:03Z"),
    ("responses", "only_completed"): ("response_type", "partial"),
    ("*", "possible_landing_date"): ("landed_at", "1999-12-31T23:59:59Z"),
}


def changed(row, path, value):
    row = deepcopy(row)
    *parents, leaf = path.split(".")
    node = row
    for parent in parents:
        node = node[parent]
    if value is GONE:
        node.pop(leaf, None)
    else:
        node[leaf] = value
    return row


def spoiled(source, stream, rule, row):
    """The row or rows that trip a row rule, made from a sound one."""
    described = SOURCES[source].streams[stream]
    if rule == "readable":
        return [b'{"id": "cut off']
    if rule == "typed":
        leaf = next(c.path for c in described.columns if c.type == "text" and c.path[0] != "@")
        return [changed(row, leaf, "a\0b")]
    if rule == "one_row_a_key":
        if described.load == "window":
            return [row, changed(row, CLICKS, "41")]
        other = next(
            column.path
            for column in described.columns
            if column.type == "text" and not column.required and column.name != "response_type"
        )
        return [row, changed(row, other, "other")]
    if rule.endswith("_present") and (stream, rule) not in ROWS and ("*", rule) not in ROWS:
        return [changed(row, described.column(rule.removesuffix("_present")).path, GONE)]
    path, value = ROWS.get((stream, rule)) or ROWS[("*", rule)]
    return [changed(row, path, value)]


def is_of_rows(source, stream, rule):
    """Whether a spoiled row trips it, among many sound ones, without keeping the batch back."""
    found = SUITES[source][stream].rule(rule)
    is_from_context = rule == "form_id_present" and stream != "forms"
    of_rows = not isinstance(found, BatchRule) or found.sets_aside
    return of_rows and found.action in ("quarantine", "observe") and not is_from_context


@pytest.fixture
def land_forms(gatehouse):
    gatehouse.land("typeform", "forms", gatehouse.clean("typeform", "forms", 2))


_spoiled_batches = {}


@pytest.fixture
def spoiled_batch(gatehouse, land_forms):
    """A batch a stream with a row for each row rule: verdict, reasons by line, lines by rule."""

    def gated(source, stream):
        if (source, stream) not in _spoiled_batches:
            rules = [rule for s, t, rule in RULES if (s, t) == (source, stream)]
            rows, lines = gatehouse.clean(source, stream, 200), {}
            for rule in (rule for rule in rules if is_of_rows(source, stream, rule)):
                sound = gatehouse.clean(source, stream, 300)[200 + len(lines)]
                new = spoiled(source, stream, rule, sound)
                lines[rule] = list(range(len(rows) + 1, len(rows) + 1 + len(new)))
                rows += new
            batch = gatehouse.land(source, stream, rows)
            verdict = gatehouse.gate(batch)
            table = pq.read_table(batch.path / QUARANTINE).to_pylist()
            _spoiled_batches[source, stream] = (
                verdict,
                {row["_line"]: row["reasons"] for row in table},
                lines,
            )
        return _spoiled_batches[source, stream]

    return gated


def volume_verdicts(gatehouse, source, stream):
    """Verdicts after nights (for reports: days) of 20 rows: on 0 rows, on 2, on 0 a third time."""
    described = SOURCES[source].streams[stream]
    last = gatehouse.night

    def short(few, night):
        if described.load != "window":
            rows = gatehouse.clean(source, stream, few)
            return gatehouse.verdict(source, stream, rows, night=night)
        days = [last - timedelta(days=shift) for shift in range(11, 1, -1)]
        rows = gatehouse.clean(source, stream, 20, days=days[:-1])
        rows += gatehouse.clean(source, stream, few, days=days[-1:])
        return gatehouse.verdict(source, stream, rows, night=night, window=(days[0], days[-1]))

    if described.load != "window":
        for shift in range(7, 2 if described.is_windowed else 6, -1):
            night = last - timedelta(days=shift)
            rows = gatehouse.clean(source, stream, 20, days=[night])
            assert gatehouse.verdict(source, stream, rows, night=night).state == "passed"
    verdicts = {
        "enough_rows": short(2, last - timedelta(days=2)),
        "nothing_missing": short(0, last - timedelta(days=2)),
    }
    if not described.is_windowed or described.load == "window":
        short(0, last - timedelta(days=1))
        verdicts["nothing_told_thrice"] = short(0, last)
    return verdicts


def wrong_verdict(gatehouse, source, stream):
    """A batch all of whose rows lack a field and carry a new one, after one that was sound."""
    described = SOURCES[source].streams[stream]
    before = gatehouse.night - timedelta(days=20)
    rows = gatehouse.clean(source, stream, 1, days=[before])
    gatehouse.verdict(source, stream, rows, night=before)
    path = next(c.path for c in described.columns if c.required and c.path[0] != "@")
    rows = [changed(row, path, GONE) for row in gatehouse.clean(source, stream, 20)]
    return gatehouse.verdict(source, stream, [{**row, "brandNew": 1} for row in rows])


_batch_verdicts = {}


@pytest.fixture
def batch_verdict(tmp_path, examiner, gatehouse, land_forms):
    """The verdict on a batch that trips a rule about whole batches, or one that keeps it back."""

    def gated(source, stream, rule):
        found = _batch_verdicts.setdefault((source, stream), {})
        if not found:
            apart = replace(gatehouse, landing=Landing(tmp_path / "volumes"))
            found.update(volume_verdicts(apart, source, stream))
            wrong = wrong_verdict(
                replace(apart, landing=Landing(tmp_path / "wrong")), source, stream
            )
            for name in ("no_field_vanished", "no_new_field", "mostly_sound"):
                found[name] = wrong
            back = [r for r in SUITES[source][stream].rules if r.action in ("hold", "block")]
            back = [r.name for r in back if not isinstance(r, BatchRule)]
            rows = gatehouse.clean(source, stream, len(back) + 1)
            for place, name in enumerate(back):
                rows[place : place + 1] = spoiled(source, stream, name, rows[place])
            context = [(1, {}), (len(rows) - 1, {"form_id": "form1"})]
            named = {"contexts": context} if source == "typeform" and stream != "forms" else {}
            if stream == "customers":
                # One row trips both rules of the only configured account.
                rows = [changed(rows[0], *ROWS[stream, "agreed_time_zone"])]
            verdict = gatehouse.verdict(source, stream, rows, **named)
            for name in [*back, "form_id_present"]:
                found[name] = verdict
            named = {"night": gatehouse.night + timedelta(days=1), "told": 3}
            found["as_many_as_told"] = gatehouse.verdict(source, stream, [], **named)
        return found[rule]

    return gated


@pytest.mark.parametrize(("source", "stream"), STREAMS, ids=[".".join(s) for s in STREAMS])
def test_sound_rows_pass(gatehouse, land_forms, source, stream):
    verdict = gatehouse.verdict(source, stream, gatehouse.clean(source, stream, 3))
    states = {result.rule: (result.state, result.observed) for result in verdict.results}
    assert {state for state, _ in states.values()} <= {"pass", "skipped"}, states
    assert verdict.state == "passed"
    assert (verdict.rows_in, verdict.rows_loaded) == (3, 3)


@pytest.mark.parametrize(("source", "stream", "rule"), RULES, ids=[".".join(r) for r in RULES])
def test_every_rule_is_tripped(spoiled_batch, batch_verdict, source, stream, rule):
    action = SUITES[source][stream].rule(rule).action
    if is_of_rows(source, stream, rule):
        verdict, reasons, lines = spoiled_batch(source, stream)
        for line in lines[rule]:
            said = f"{source}.{stream}.{rule}" in reasons.get(line, [])
            assert said == (action == "quarantine")
        assert set(reasons) <= {line for some in lines.values() for line in some}
        expected = "passed"
    else:
        verdict = batch_verdict(source, stream, rule)
        result = next(result for result in verdict.results if result.rule == rule)
        assert result.stops == (action in ("hold", "block"))
        assert verdict.state != "passed" or not result.stops
        assert verdict.state == "blocked" or action != "block"
        expected = verdict.state
    result = next(result for result in verdict.results if result.rule == rule)
    assert (result.state, result.check_id) == ("fail", f"{source}.{stream}.{rule}")
    assert verdict.state == expected
    assert result.n_failed > 0
    assert result.sample
    assert result.sentence.endswith(".")


@pytest.mark.parametrize(("source", "stream"), STREAMS, ids=[".".join(s) for s in STREAMS])
def test_sentences_are_in_plain_words(source, stream):
    for rule in SUITES[source][stream].rules:
        assert not re.search(r"[a-z]_[a-z]|null|SQL|column|table", rule.sentence), rule.sentence
        assert rule.sentence[0].isupper()
        assert rule.sentence.endswith(".")


@pytest.mark.parametrize(("source", "stream"), STREAMS, ids=[".".join(s) for s in STREAMS])
def test_names_are_unique_and_all_streams_have_a_suite(source, stream):
    names = [rule.name for rule in SUITES[source][stream].rules]
    assert len(names) == len(set(names))
    assert {"typed", "readable", "nothing_missing", "no_field_vanished"} <= set(names)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ({"type": "nps"}, (0, 10)),
        ({"type": "rating"}, (1, 5)),
        ({"type": "rating", "properties": {"steps": 7}}, (1, 7)),
        ({"type": "opinion_scale"}, (0, 10)),
        ({"type": "opinion_scale", "properties": {"steps": 5, "start_at_one": True}}, (1, 5)),
        ({"type": "opinion_scale", "properties": {"steps": 5}}, (0, 4)),
        ({"type": "short_text", "properties": {}}, None),
    ],
    ids=["nps", "stars", "seven stars", "scale", "scale from 1", "scale of 5", "text"],
)
def test_scale_of_a_field(field, expected):
    assert scale(field) == expected


def test_scales_reach_into_groups():
    group = {"id": "g", "type": "group", "properties": {"fields": [{"id": "n", "type": "nps"}]}}
    assert scales(iter([{"id": "f", "fields": [group]}])) == {"f/n": (0, 10)}


@pytest.mark.parametrize(
    ("field", "number", "state"),
    [
        ("stars", 5, "pass"),
        ("stars", 6, "fail"),
        ("stars", 0, "fail"),
        ("score", 0, "pass"),
        ("score", 10, "pass"),
        ("score", 10.5, "fail"),
        ("score", 7.5, "fail"),
        ("score", "ten", "fail"),
        ("score", None, "fail"),
        ("removed", 10, "pass"),
        ("removed", 11, "fail"),
    ],
)
def test_score_is_held_against_its_own_form(gatehouse, land_forms, field, number, state):
    kind = "rating" if field == "stars" else "nps"
    (row,) = gatehouse.clean("typeform", "responses", 1)
    row["answers"] = [
        {"field": {"id": field, "type": kind}, "type": "number", "number": number},
        {"field": {"id": "why", "type": "short_text"}, "type": "text", "text": "14"},
    ]
    verdict = gatehouse.verdict("typeform", "responses", [row])
    assert next(r for r in verdict.results if r.rule == "score_on_scale").state == state


def test_what_hubspot_adds_to_a_search_is_not_new(gatehouse):
    contacts = ("hubspot", "contacts")
    night = gatehouse.night
    gatehouse.verdict(*contacts, gatehouse.clean(*contacts, 1), night=night - timedelta(days=1))
    (row,) = gatehouse.clean(*contacts, 1)
    row["properties"] |= {"hs_object_id": "1", "lastmodifieddate": "2026-03-10T04:00:01.002Z"}
    verdict = gatehouse.verdict(*contacts, [row])
    assert next(r for r in verdict.results if r.rule == "no_new_field").state == "pass"
