"""Errors speak for themselves, also in another process."""

from __future__ import annotations

import pickle

import pytest

from ingest.errors import Refused, Skipped, Throttled, Transient


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (Transient("cut off"), "cut off"),
        (Refused("revoked", "authorise again"), "revoked. Next step: authorise again"),
        (Throttled("too fast", 40), "too fast (the vendor asks for 40 s)"),
        (Skipped("closed", "remove it", "google_ads 1 ads"), "google_ads 1 ads: closed. Next"),
    ],
    ids=["transient", "refused", "throttled", "skipped"],
)
def test_what_it_says_survives_a_process_boundary(error, text):
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert str(error).startswith(text)
    assert vars(again) == vars(error)
