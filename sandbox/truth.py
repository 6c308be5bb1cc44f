"""What the numbers really are: every component of every KPI, from the company's own frames.

The meaning of each KPI is implemented here a second time, with pandas and whole numbers, so that
a pipeline's figures can be held against it. It shares no code with the pipeline.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import date
from typing import Literal, TextIO
from zoneinfo import ZoneInfo

import pandas as pd

from boscard.clock import Clock
from boscard.settings import Settings
from sandbox.company import Company
from sandbox.snapshot import Snapshot
from sandbox.truth_ads import ad_components
from sandbox.truth_crm import deal_components, lead_components
from sandbox.truth_rows import COLUMNS, stacked
from sandbox.truth_surveys import survey_components

SOURCES = ("google_ads", "hubspot", "typeform")


def truth(
    known: Company | Snapshot,
    clock: Clock,
    cuts: Mapping[str, date] | None = None,
    swept: date | None = None,
) -> pd.DataFrame:
    """Every component per day and account, before exchange rates, for the night of `clock`.

    `cuts` names the last good night of a source that could not be reached since; with a Company
    the source is then seen as it was that night, with a Snapshot its later days are left out.
    `swept` is the last night on which all ids of the CRM were listed: a contact deleted for good
    later than that counts as a lead until the next list. Without it nobody counts once gone.
    Columns are those of truth_rows.COLUMNS. A day without anything to count has no row.
    Ratios, medians, exchange rates and periods are the reader's: components of KPIs that do not
    add up over days (`won_deal_days`, `won_deal_amount`) have a row for each deal.
    """
    through = dict.fromkeys(SOURCES, clock.as_of_date) | dict(cuts or {})
    seen = {source: _seen(known, through[source], clock) for source in SOURCES}
    campaigns = _campaign_channels(seen["google_ads"])
    parts: list[pd.DataFrame] = []
    if (ads := seen["google_ads"]) is not None:
        parts.append(ad_components(ads, through["google_ads"]))
    if (crm := seen["hubspot"]) is not None:
        noticed = Clock(swept, clock.time_zone, clock.publication_hour).now if swept else None
        parts.append(lead_components(crm, campaigns, through["hubspot"], noticed))
        parts.append(deal_components(crm, campaigns, through["hubspot"]))
    if (surveys := seen["typeform"]) is not None:
        parts.append(survey_components(surveys, through["typeform"]))
    return stacked(parts)


def _seen(known: Company | Snapshot, through: date, clock: Clock) -> Snapshot | None:
    if isinstance(known, Snapshot):
        return known
    if through < known.start:
        return None
    night = Clock(through, clock.time_zone, clock.publication_hour)
    return known.at(night.now)


def _campaign_channels(ads: Snapshot | None) -> dict[str, str]:
    if ads is None:
        return {}
    channels = ads.campaigns["channel_type"].str.lower()
    return dict(zip(ads.campaigns["campaign_id"], channels, strict=True))


def company_of(settings: Settings) -> Company:
    """The company that these settings ask for."""
    return Company(
        seed=settings.sandbox.seed,
        start=settings.company.history_start,
        scale=settings.sandbox.scale,
        time_zone=settings.company.time_zone,
    )


def print_truth(
    settings: Settings,
    as_of: date,
    component: str | None = None,
    swept: date | None = None,
    format: Literal["csv", "json"] = "csv",  # noqa: A002  the word a person types
    out: TextIO | None = None,
) -> None:
    """Print the truth of the night `as_of`, one row a line; `component` limits it to one.

    `swept` as in `truth`.

    Raises ValueError naming the components there are when `component` is none of them.
    """
    zone = ZoneInfo(settings.company.time_zone)
    clock = Clock(as_of, zone, settings.company.publication_hour)
    rows = truth(company_of(settings), clock, swept=swept)
    if component is not None:
        names = sorted(rows["kpi_component"].unique())
        if component not in names:
            raise ValueError(f"no component {component!r}; there are {', '.join(names)}")
        rows = rows[rows["kpi_component"] == component]
    rows = rows.assign(date=rows["date"].dt.strftime("%Y-%m-%d"), value=rows["value"].map(str))
    out = out or sys.stdout
    if format == "csv":
        rows.to_csv(out, index=False, columns=list(COLUMNS))
    else:
        rows.to_json(out, orient="records", lines=True, force_ascii=False)
