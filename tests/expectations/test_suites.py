"""Every suite passes on sound rows."""

from __future__ import annotations

import pytest

from expectations.suites import SUITES
from ingest.registry import SOURCES

STREAMS = [(source, stream) for source in SOURCES for stream in SOURCES[source].streams]


@pytest.mark.parametrize(("source", "stream"), STREAMS, ids=[".".join(names) for names in STREAMS])
def test_sound_rows_pass(gatehouse, source, stream):
    if source == "typeform":
        gatehouse.land(source, "forms", gatehouse.clean(source, "forms", 2))
    verdict = gatehouse.verdict(source, stream, gatehouse.clean(source, stream, 3))
    states = {result.rule: (result.state, result.observed) for result in verdict.results}
    assert {state for state, _ in states.values()} <= {"pass", "skipped"}, states
    assert verdict.state == "passed"
    assert (verdict.rows_in, verdict.rows_loaded) == (3, 3)
