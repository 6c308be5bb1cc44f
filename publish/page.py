"""The scorecard as one static page: no script, nothing fetched, readable on paper and by ear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from boscard.home import Home
from boscard.settings import Settings
from publish import figures
from publish.charts import Trend, draw
from publish.grounds import Grounds
from publish.notices import lateness, notices, source_title
from publish.page_data import CAMPAIGN_DAYS, DAYS, MONTHS, QUARTERS, PageData, Row, read_page_data

TEMPLATES = Path(__file__).parent / "templates"
SHOWN_CAMPAIGNS = 10


def write_page(home: Home, settings: Settings, complaints: Sequence[str] = ()) -> Path:
    """Write `home.site/index.html` from the current publication, in one step.

    `complaints` are sentences about the night that the published data cannot know, such as why a
    later night was not published; they come first on the page.
    """
    data = read_page_data(home)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    html = environment.get_template("index.html").render(
        _content(data, settings, complaints), style=(TEMPLATES / "style.css").read_text("utf-8")
    )
    home.site.mkdir(parents=True, exist_ok=True)
    page = home.site / "index.html"
    part = page.with_name(".index.html.part")
    part.write_text(html, encoding="utf-8")
    part.replace(page)
    return page


def _content(data: PageData, settings: Settings, complaints: Sequence[str]) -> dict[str, Any]:
    currency = settings.company.reporting_currency
    company = data.node("company")[0]
    publication = data["publication"][0]
    return {
        "company_name": settings.company.name,
        "company": _node(company, data),
        "period": figures.period(company["period_start"], "month"),
        "is_running": company["is_running"],
        "as_of": figures.day(data.as_of_date),
        "publication": publication,
        "published_at": f"{publication['published_at']:%d %B %Y, %H:%M} UTC".lstrip("0"),
        "notices": notices(data, complaints),
        "perspectives": [_perspective(row, data, currency) for row in _perspectives(data)],
        "feeds": _feeds(data, settings),
        "restated": [_restated(row, currency) for row in data["restated"]],
        "campaigns": [_campaign(row, currency) for row in data["campaigns"]],
        "shown_campaigns": SHOWN_CAMPAIGNS,
        "campaign_days": CAMPAIGN_DAYS,
        "bands": figures.BANDS,
    }


def _perspectives(data: PageData) -> list[Row]:
    order = [row["perspective_id"] for row in data["objectives"]]
    return sorted(data.node("perspective"), key=lambda row: order.index(row["node_id"]))


def _perspective(row: Row, data: PageData, currency: str) -> dict[str, Any]:
    objectives = [child for child in data.node("objective") if child["parent_id"] == row["node_id"]]
    texts = {objective["objective_id"]: objective for objective in data["objectives"]}
    return {
        **_node(row, data),
        "objectives": [
            {
                **_node(objective, data),
                "description": texts[objective["node_id"]]["description"],
                "leads_to": texts[objective["node_id"]]["leads_to"],
                "kpis": [
                    _kpi(kpi, data, currency)
                    for kpi in sorted(data.node("kpi"), key=lambda kpi: kpi["node_id"])
                    if kpi["parent_id"] == objective["node_id"]
                ],
            }
            for objective in objectives
        ],
    }


def _node(row: Row, data: PageData) -> dict[str, Any]:
    """What company, perspectives, objectives and KPIs have in common."""
    past = [
        (score["period_start"], score["score"])
        for score in data["scores"]
        if score["node_type"] == row["node_type"] and score["node_id"] == row["node_id"]
    ][-MONTHS:]
    return {
        "id": row["node_id"],
        "name": row["name"],
        "owner": row["owner_name"],
        "score": figures.score(row["score"]),
        "has_score": row["score"] is not None,
        "band": row["band"],
        "is_band_shown": row["is_band_shown"],
        "coverage": figures.share(row["coverage"]),
        "worst_status": row["worst_status"],
        "red_count": row["red_count"],
        "trust": row["dq_state"],
        "trust_words": figures.TRUST[row["dq_state"]],
        "reason": row["dq_reason"],
        "trend": _trend(
            f"{row['name']}: score", past, "months", bounds=(0, 1), is_running=row["is_running"]
        ),
    }


def _newest(row: Row, data: PageData) -> Row:
    """A KPI's newest month; its newest quarter where months are hidden."""
    if row["no_data_reason"] != "suppressed":
        return row
    return next((one for one in data["quarters"] if one["node_id"] == row["node_id"]), row)


def _kpi(month: Row, data: PageData, currency: str) -> dict[str, Any]:
    row = _newest(month, data)
    period: str = row["period_type"]
    definition = next(one for one in data["definitions"] if one["kpi_id"] == row["node_id"])
    shown = next(
        one
        for one in data["shown"]
        if (one["kpi_id"], one["period_type"]) == (row["node_id"], period)
    )
    is_earlier = row["value_period_start"] != row["period_start"]
    is_running = row["is_running"] and not is_earlier
    series = {
        kind: [
            (value["period_start"], value["value"])
            for value in data["values"]
            if value["kpi_id"] == row["node_id"] and value["period_type"] == kind
        ][-length:]
        for kind, length in (("month", MONTHS), ("quarter", QUARTERS), ("day", DAYS))
    }
    unit = row["unit"]
    label = f"{row['name']} in {figures.UNITS.get(unit, unit)}"
    before = series[period][-2][1] if len(series[period]) > 1 else None
    return {
        **_node(row, data),
        "value": figures.figure(row["value"], unit, currency),
        "has_value": row["value"] is not None,
        "no_data": figures.NO_DATA.get(row["no_data_reason"], row["no_data_reason"]),
        "target": figures.figure(row["target"], unit, currency),
        "period": period,
        "quarter": _quarter(row) if period == "quarter" else "",
        "cohort": figures.period(row["value_period_start"], period) if is_earlier else "",
        "young": _young(row, data, currency) if is_earlier else "",
        "parameters": _parameters(row, data),
        "before": None if before is None else figures.figure(before, unit, currency),
        "change": None if is_running else figures.change(row["value"], before, unit),
        "data_through": _if_behind(row["data_through"], data.as_of_date),
        "pace": None if shown["pace"] is None else figures.share(shown["pace"]),
        "doubt": _doubt(shown),
        "grounds": _grounds(row),
        "decision": definition["decision"],
        "formula": definition["formula"],
        "numerator": definition["numerator"],
        "denominator": definition["denominator"],
        "grain": definition["grain"],
        "source_systems": definition["source_systems"],
        "steward": definition["steward_name"],
        "periods": _trend(
            label, series[period], f"{period}s", row["target"], is_running=is_running
        ),
        "days": _trend(label, series["day"], "days"),
    }


def _quarter(row: Row) -> str:
    name = figures.period(row["period_start"], "quarter")
    return f"{name} to date" if row["is_running"] else name


def _young(row: Row, data: PageData, currency: str) -> str:
    """The newest cohort, which is too young for a score; empty where it has nobody yet."""
    for one in data["young"]:
        if (one["kpi_id"], one["period_type"]) == (row["node_id"], row["period_type"]):
            name = figures.period(one["period_start"], one["period_type"])
            to_date = " to date" if one["is_running"] else ""
            value = figures.figure(one["value"], row["unit"], currency)
            return f"{name}{to_date} {value}, not scored before {figures.day(one['matures_on'])}"
    return ""


def _parameters(row: Row, data: PageData) -> list[str]:
    """The numbers inside the formula as they hold for the period of the value, in words."""
    start = row["value_period_start"]
    return [
        f"{one['description'].removesuffix('.')}: {one['value']:g}"
        for one in data["parameters"]
        if one["kpi_id"] == row["node_id"]
        and one["valid_from"] <= start
        and (one["valid_to"] is None or start <= one["valid_to"])
    ]


def _doubt(shown: Row) -> str:
    """How far a value that rests on few answers may be off; empty when it may be taken as it is."""
    margin = "" if shown["margin"] is None else f"± {shown['margin']:.0f} points"
    cases = "case" if shown["n"] == 1 else "cases"
    few = f"rests on only {shown['n']} {cases}" if shown["is_low_confidence"] else ""
    return ", ".join(part for part in (margin, few) if part)


def _grounds(row: Row) -> str:
    return Grounds(
        row["days_coverage"],
        row["rows_coverage"],
        row["accounts_present"],
        row["accounts_expected"],
        row["reconciliation_difference"],
    ).words


def _if_behind(through: date | None, as_of_date: date) -> str | None:
    return None if through in (None, as_of_date) else figures.day(through)


def _trend(
    label: str,
    series: Sequence[tuple[date, float | None]],
    kind: str,
    target: float | None = None,
    bounds: tuple[float, float] | None = None,
    is_running: bool = False,
) -> dict[str, Any]:
    """A trend with its axis in words; one value alone is no trend and is not drawn."""
    values = [value for _, value in series]
    known = [value for value in values if value is not None]
    is_running = is_running and values[-1:] != [None]
    label = f"{label}, last {len(series)} {kind}"
    if known:
        label += f": from {min(known):,.2f} to {max(known):,.2f}, at last {known[-1]:,.2f}"
    if is_running:
        label += " to date"
    trend = Trend(label, values, target, bounds, kind != "days", is_running)
    form = "%-d %b" if kind == "days" else "%b %Y"
    return {
        "svg": draw(trend) if len(known) > 1 else Markup(""),
        "first": series[0][0].strftime(form) if series else "",
        "last": series[-1][0].strftime(form) if series else "",
        "words": f"{len(series)} {kind}",
    }


def _feeds(data: PageData, settings: Settings) -> list[dict[str, Any]]:
    """One row an account: how far its data go, by its stream that is furthest behind."""
    feeds = []
    names = {account.name for account in settings.accounts}
    by_account = groupby(data["streams"], lambda row: (row["source"], row["account_name"]))
    for (source, account), rows in by_account:
        streams = list(rows)
        worst = max(
            streams, key=lambda row: (row["days_behind"] or 0, row["stream_state"] != "fresh")
        )
        is_fresh = all(row["stream_state"] == "fresh" for row in streams)
        feeds.append(
            {
                "account": account if account in names else "List of accounts",
                "source": source_title(source),
                "through": figures.day(worst["data_through"]),
                "is_fresh": is_fresh,
                "state": "complete" if is_fresh else lateness(worst),
            }
        )
    return feeds


def _restated(row: Row, currency: str) -> dict[str, Any]:
    return {
        "name": row["name"],
        "period": figures.period(row["period_start"], row["period_type"]),
        "old": figures.figure(row["old_value"], row["unit"], currency),
        "new": figures.figure(row["new_value"], row["unit"], currency),
        "reason": row["reason"],
    }


def _campaign(row: Row, currency: str) -> dict[str, Any]:
    return {
        "name": row["campaign_name"],
        "channel": row["channel"].replace("_", " "),
        "spend": figures.figure(row["spend"], "money", currency),
        "clicks": figures.figure(row["clicks"], "count", currency),
        "conversions": figures.figure(row["conversions"], "count", currency),
        "return": figures.figure(row["return"], "ratio", currency),
    }
