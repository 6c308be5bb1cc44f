"""The query language: what parses, and the vendor's code for what does not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.gaql import Condition, Ordering, Query, QueryError, parse
from sandbox.google_ads_fields import Days, camel, check

DATES = "SELECT segments.date FROM campaign WHERE segments.date "
DATED = "segments.date BETWEEN '2026-11-01' AND '2026-11-04'"


def test_a_whole_query():
    query = parse(
        "select campaign.id, segments.date\nFROM campaign\nWHERE campaign.name LIKE '%it\\'s%' "
        "AND segments.date BETWEEN '2026-11-01' AND \"2026-11-02\" "
        "and campaign.status not in (ENABLED, 'PAUSED') "
        "AND metrics.clicks >= -1.5 AND campaign.name IS NOT NULL "
        "ORDER BY segments.date, metrics.clicks DESC LIMIT 10 PARAMETERS include_drafts=true"
    )
    assert query == Query(
        select=("campaign.id", "segments.date"),
        resource="campaign",
        where=(
            Condition("campaign.name", "LIKE", "%it's%"),
            Condition("segments.date", "BETWEEN", ("2026-11-01", "2026-11-02")),
            Condition("campaign.status", "NOT IN", ("ENABLED", "PAUSED")),
            Condition("metrics.clicks", ">=", -1.5),
            Condition("campaign.name", "IS NOT NULL"),
        ),
        order_by=(Ordering("segments.date", False), Ordering("metrics.clicks", True)),
        limit=10,
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "EXPECTED_SELECT"),
        ("UPDATE campaign", "EXPECTED_SELECT"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
        ("SELECT campaign.id FROM", "UNEXPECTED_END_OF_QUERY"),
        ("SELECT 1 FROM campaign", "BAD_FIELD_NAME"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id ~ 1", "BAD_SYMBOL"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name = 'x", "STRING_NOT_TERMINATED"),
        ("SELECT campaign.id FROM campaign WHERE campaign.name foo 'x'", "BAD_OPERATOR"),
        (
            "SELECT campaign.id FROM campaign WHERE campaign.id IN ()",
            "PROHIBITED_EMPTY_LIST_IN_CONDITION",
        ),
        ("SELECT campaign.id FROM campaign WHERE campaign.id IN 1", "EXPECTED_LIST"),
        (
            "SELECT campaign.id FROM campaign WHERE campaign.id BETWEEN 1 OR 2",
            "EXPECTED_VALUE_WITH_BETWEEN_OPERATOR",
        ),
        ("SELECT campaign.id FROM campaign ORDER campaign.id", "EXPECTED_BY"),
        ("SELECT campaign.id FROM campaign LIMIT ten", "BAD_LIMIT_VALUE"),
        ("SELECT campaign.id FROM campaign LIMIT 0", "LIMIT_VALUE_TOO_LOW"),
        ("SELECT campaign.id FROM campaign extra", "UNEXPECTED_INPUT"),
        ("SELECT campaign.id FROM campaign PARAMETERS foo=true", "BAD_PARAMETER_NAME"),
        (
            "SELECT campaign.id FROM campaign PARAMETERS include_drafts=maybe",
            "BAD_PARAMETER_VALUE",
        ),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = )", "BAD_VALUE"),
    ],
)
def test_what_does_not_parse(text, code):
    with pytest.raises(QueryError) as error:
        parse(text)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT campaign.id FROM campaigns", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT campaign.nam FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.start_date FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT metrics.video_views FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        (
            "SELECT campaign.id FROM campaign WHERE ad_group.id = 1",
            "PROHIBITED_RESOURCE_TYPE_IN_WHERE_CLAUSE",
        ),
        (
            "SELECT metrics.clicks FROM customer_client",
            "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
        ),
        ("SELECT segments.date, metrics.clicks FROM campaign", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        (DATES + ">= '2026-11-01'", "EXPECTED_FILTERS_ON_DATE_RANGE"),
        (DATES + "= '01.11.2026'", "INVALID_DATE_FORMAT"),
        (DATES + "= '2026-02-30'", "INVALID_DATE_FORMAT"),
        (DATES + "DURING LAST_9_DAYS", "INVALID_VALUE_WITH_DURING_OPERATOR"),
        (DATES + "BETWEEN '2026-11-02' AND '2026-11-01'", "INVALID_VALUE_WITH_BETWEEN_OPERATOR"),
        (DATES + "LIKE '2026%'", "OPERATOR_FIELD_MISMATCH"),
        (
            "SELECT campaign.id FROM campaign ORDER BY metrics.clicks",
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
        ),
    ],
)
def test_what_google_refuses(text, code):
    with pytest.raises(QueryError) as error:
        check(parse(text), is_manager=False, today=date(2026, 11, 5))
    assert error.value.code == code


def test_metrics_of_a_manager_are_refused():
    query = parse(f"SELECT segments.date, metrics.clicks FROM campaign WHERE {DATED}")
    with pytest.raises(QueryError) as error:
        check(query, is_manager=True, today=date(2026, 11, 5))
    assert error.value.code == "REQUESTED_METRICS_FOR_MANAGER"


@pytest.mark.parametrize(
    ("condition", "first", "last"),
    [
        (DATED, date(2026, 11, 1), date(2026, 11, 4)),
        ("segments.date = '2026-11-03'", date(2026, 11, 3), date(2026, 11, 3)),
        (
            "segments.date > '2026-11-01' AND segments.date < '20261104'",
            date(2026, 11, 2),
            date(2026, 11, 3),
        ),
        ("segments.date DURING YESTERDAY", date(2026, 11, 4), date(2026, 11, 4)),
        ("segments.date DURING LAST_7_DAYS", date(2026, 10, 29), date(2026, 11, 4)),
        ("segments.date DURING THIS_MONTH", date(2026, 11, 1), date(2026, 11, 5)),
        ("segments.date DURING LAST_MONTH", date(2026, 10, 1), date(2026, 10, 31)),
    ],
)
def test_the_days_a_query_asks_for(condition, first, last):
    query = parse(f"SELECT segments.date FROM campaign WHERE {condition}")
    assert check(query, is_manager=False, today=date(2026, 11, 5)) == Days(first, last)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cost_micros", "costMicros"),
        ("id", "id"),
        ("advertising_channel_type", "advertisingChannelType"),
    ],
)
def test_camel(name, expected):
    assert camel(name) == expected


@given(st.text(max_size=60))
def test_any_text_parses_or_is_refused_by_name(text):
    try:
        parse("SELECT campaign.id FROM campaign WHERE " + text)
    except QueryError as error:
        assert error.code.isupper()  # noqa: PT017


@given(
    st.text(
        alphabet=st.characters(blacklist_characters="\n", blacklist_categories=["Cs"]), max_size=20
    )
)
def test_a_quoted_string_comes_back_as_it_was(value):
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    query = parse(f"SELECT campaign.id FROM campaign WHERE campaign.name = '{quoted}'")
    assert query.where == (Condition("campaign.name", "=", value),)
