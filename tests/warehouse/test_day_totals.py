from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.warehouse.landed import ad_day, land

FIRST, SECOND = date(2025, 10, 19), date(2025, 10, 20)
START = date(2025, 10, 1)
TOTALS = """
    select as_of_date, day, measure, amount from ops.day_totals
    where source = 'google_ads' and account = '100' and stream = 'campaign_daily'
        and measure in ('clicks', 'conversions')
    order by all
"""


def ads(landing, rows, *, as_of, window, **more):
    land(landing, "google_ads", "100", "campaign_daily", rows, as_of=as_of, window=window, **more)


def test_each_night_keeps_the_totals_it_saw(landing, load_night, query) -> None:
    """What is not said is zero, rows set aside are in no total, and a held batch has none."""
    ads(
        landing,
        [
            ad_day(FIRST, "1", clicks=3, conversions="0.1"),
            ad_day(FIRST, "2", clicks=4, conversions="0.2"),
            ad_day(START, "1", clicks=9),
        ],
        as_of=FIRST,
        window=(START, FIRST),
        quarantined=[ad_day(FIRST, "3", clicks=1000)],
    )
    load_night(FIRST)
    ads(
        landing,
        [ad_day(FIRST, "1", clicks=5, conversions="1")],
        as_of=SECOND,
        window=(FIRST, SECOND),
    )
    ads(landing, [ad_day(SECOND)], as_of=SECOND, window=(SECOND, SECOND), state="held")
    load_night(SECOND)
    load_night(SECOND)
    assert query(TOTALS) == [
        (FIRST, START, "clicks", Decimal(9)),
        (FIRST, START, "conversions", Decimal(0)),
        (FIRST, FIRST, "clicks", Decimal(7)),
        (FIRST, FIRST, "conversions", Decimal("0.3")),
        (SECOND, FIRST, "clicks", Decimal(5)),
        (SECOND, FIRST, "conversions", Decimal(1)),
    ]


def test_only_streams_of_days_have_totals(landing, load_night, query) -> None:
    contact = {"contact_id": "1", "created_at": f"{FIRST}T10:00:00Z", "is_archived": False}
    land(
        landing, "hubspot", "300", "contacts", [contact], as_of=FIRST, window=(START, FIRST)
    )  # fmt: skip
    ads(landing, [], as_of=FIRST, window=(START, FIRST))
    load_night(FIRST)
    assert query("select count(*) from ops.day_totals") == [(0,)]
