"""The suite of every stream of every source."""

from __future__ import annotations

from expectations.rules import Suite
from expectations.suites import google_ads, hubspot, typeform

SUITES: dict[str, dict[str, Suite]] = {
    "google_ads": google_ads.SUITES,
    "hubspot": hubspot.SUITES,
    "typeform": typeform.SUITES,
}
