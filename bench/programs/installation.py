"""What the measured programs share: settings with one ad account, a home, and its clock."""

from __future__ import annotations

from datetime import date

from bench.ad_rows import ACCOUNT, LAST_DAY
from boscard.clock import Clock
from boscard.settings import Settings


def settings(history_start: date) -> Settings:
    return Settings.model_validate(
        {
            "company": {
                "name": "Measured",
                "reporting_currency": "EUR",
                "time_zone": "Europe/Berlin",
                "history_start": history_start,
                "publication_hour": 7,
            },
            "accounts": [
                {
                    "source": "google_ads",
                    "account": ACCOUNT,
                    "name": "Measured DE",
                    "connection": "google_ads",
                    "time_zone": "Europe/Berlin",
                    "currency": "EUR",
                }
            ],
        }
    )


def clock(chosen: Settings) -> Clock:
    company = chosen.company
    return Clock(LAST_DAY, company.zone, company.publication_hour)
