"""Every source Boscard knows.

A new source is one line here, its description, its suite and its staging models.
"""

from __future__ import annotations

from ingest.sources.ads import google_ads
from ingest.sources.crm import hubspot
from ingest.sources.survey import typeform
from ingest.stream import Source

SOURCES: dict[str, Source] = {
    source.name: source for source in (google_ads.SOURCE, hubspot.SOURCE, typeform.SOURCE)
}
