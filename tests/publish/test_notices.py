from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from publish.notices import Notice, lateness, notices
from publish.page_data import PageData

NIGHT = date(2026, 5, 20)
KPIS = {
    "F01": ("Ad spend", "google_ads", "suspect", 0),
    "F07": ("Cost per lead", "google_ads, hubspot", "suspect", 2),
    "C06": ("New customers", "hubspot", "held", 2),
    "C01": ("Net promoter score", "typeform", "verified", 0),
}


def failure(source: str, account: str, action: str, rule: str = "rule") -> dict[str, Any]:
    check = f"{source}.stream.{rule}"
    return {
        "source": source,
        "account_name": account,
        "action": action,
        "check_id": check,
        "sentence": f"{rule} of {account}.",
    }


def stream(source: str, account: str, state: str, behind: int) -> dict[str, Any]:
    return {
        "source": source,
        "account_name": account,
        "stream_state": state,
        "days_behind": behind,
        "data_through": NIGHT - timedelta(behind),
    }


def found(*failures: dict[str, Any], streams: list[dict[str, Any]] | None = None) -> list[Notice]:
    rows = {
        "failures": list(failures),
        "streams": streams or [],
        "nodes": [
            {
                "node_type": "kpi",
                "node_id": kpi,
                "dq_state": state,
                "data_through": NIGHT - timedelta(behind),
            }
            for kpi, (_, _, state, behind) in KPIS.items()
        ],
        "definitions": [
            {"kpi_id": kpi, "name": name, "sources": sources}
            for kpi, (name, sources, _, _) in KPIS.items()
        ],
    }
    return notices(PageData(NIGHT, rows), ["The night says so."])


def test_a_vendors_failed_checks_are_one_notice_with_the_checks_for_the_engineer() -> None:
    notice, *_ = found(
        failure("google_ads", "US", "quarantine", "a"),
        failure("google_ads", "DE", "quarantine", "b"),
    )
    assert notice.title == "DE and US (Google Ads): wrong rows left out"
    assert notice.touches == "Ad spend and Cost per lead"
    assert notice.checks == (
        "US, google_ads.stream.a: a of US.",
        "DE, google_ads.stream.b: b of DE.",
    )


def test_what_weighs_more_stands_first() -> None:
    titles = [
        notice.title
        for notice in found(
            failure("google_ads", "DE", "observe"),
            failure("typeform", "T", "quarantine"),
            failure("hubspot", "H", "block"),
            streams=[stream("hubspot", "H", "late", 1)],
        )
    ]
    assert titles == [
        "H (HubSpot): 1 day behind",
        "H (HubSpot): wrong data stop the publication",
        "T (Typeform): wrong rows left out",
        "DE (Google Ads): something looks unusual",
        "Not all of the night went well",
    ]


def test_what_the_run_itself_says_is_for_the_engineer() -> None:
    *_, last = found()
    assert "The night says so." not in last.title + last.sentence
    assert last.checks == ("The night says so.",)


def test_held_data_are_told_once_with_why() -> None:
    notice, *_ = found(
        failure("hubspot", "H", "hold", "too_few"),
        streams=[stream("hubspot", "H", "held", 2), stream("typeform", "T", "fresh", 0)],
    )
    assert notice.title == "H (HubSpot): new data held back"
    assert notice.checks == ("H, hubspot.stream.too_few: too_few of H.",)


def test_late_data_touch_every_kpi_that_ends_early_whatever_else_is_wrong_with_it() -> None:
    notice, *_ = found(streams=[stream("hubspot", "H", "late", 2)])
    assert notice.touches == "Cost per lead and New customers"


def test_a_night_without_a_failed_check_still_tells_what_earlier_nights_left_in_doubt() -> None:
    notice, _ = found()
    assert notice.title == "Some numbers are still doubtful"
    assert notice.touches == "Ad spend and Cost per lead"


def test_a_doubt_that_tonights_checks_tell_of_is_told_once() -> None:
    notice, still, _ = found(failure("hubspot", "H", "quarantine"))
    assert notice.touches == "Cost per lead"
    assert still.touches == "Ad spend"


def test_a_source_that_never_came_has_no_last_day() -> None:
    never = {**stream("hubspot", "Main", "missing", 0), "data_through": None}
    told = found(streams=[never])
    assert "Nothing has been loaded yet" in str(told)
    assert lateness(never) == "never loaded"
    assert lateness(stream("hubspot", "Main", "late", 1)) == "1 day behind"
