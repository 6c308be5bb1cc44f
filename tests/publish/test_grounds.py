from __future__ import annotations

import pytest

from publish.grounds import Grounds


@pytest.mark.parametrize(
    ("grounds", "words"),
    [
        (
            Grounds(1.0, 1.0, 2, 2, 0.0),
            "All days so far, 2 of 2 accounts and all rows."
            " Its sums are those that the vendors sent.",
        ),
        (
            Grounds(20 / 31, 0.99999, 0, 1, -0.0125),
            "64.5 % of the days so far, 0 of 1 account and 99.9 % of the rows."
            " Its sums are 1.2 % below those that the vendors sent.",
        ),
        (
            Grounds(1.0, None, 3, 3, 0.0004),
            "All days so far and 3 of 3 accounts."
            " Its sums are less than 0.1 % above those that the vendors sent.",
        ),
        (Grounds(1.0, 1.0, None, None, None), "All days so far and all rows."),
        (Grounds(0.0, None, 1, 2, None), "0.0 % of the days so far and 1 of 2 accounts."),
        (Grounds(None, None, None, None, None), ""),
    ],
    ids=["whole", "in part", "small", "own runs", "nothing loaded", "unknown"],
)
def test_what_a_value_rests_on_is_said(grounds: Grounds, words: str) -> None:
    assert grounds.words == words
