"""Places are named as OpenLineage names them, whichever the landing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from boscard.lineage import Part, Place, in_warehouse, pulled


@pytest.mark.parametrize(
    ("root", "landed"),
    [
        pytest.param(
            Path("/srv/landing"), Place("file", "/srv/landing/hubspot/24/deals"), id="folder"
        ),
        pytest.param(
            "s3://bucket/nightly", Place("s3://bucket", "nightly/hubspot/24/deals"), id="bucket"
        ),
    ],
)
def test_a_pull_reads_a_vendors_stream_and_writes_its_place_in_landing(root, landed):
    night = SimpleNamespace(landing=SimpleNamespace(root=root))
    assert list(pulled(night, "hubspot", "24", "deals")) == [
        Part("24.deals", (Place("hubspot://24", "deals"),), (landed,))
    ]


def test_a_table_is_named_as_dbts_own_events_name_it():
    place = in_warehouse(Path("/srv/warehouse/warehouse.duckdb"), "raw.hubspot__deals")
    assert place == Place(
        "duckdb:///srv/warehouse/warehouse.duckdb", "warehouse.raw.hubspot__deals"
    )
