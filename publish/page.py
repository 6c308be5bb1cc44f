"""The scorecard page: one static file."""

from __future__ import annotations

from pathlib import Path

from boscard.home import Home
from boscard.settings import Settings


def write_page(home: Home, settings: Settings) -> Path:
    """Write `home.site/index.html` from the current publication."""
    home.site.mkdir(parents=True, exist_ok=True)
    page = home.site / "index.html"
    page.write_text(settings.company.name, encoding="utf-8")
    return page
