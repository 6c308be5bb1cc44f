"""What a value rests on, in words: days, accounts, rows, and sums that are the vendors' or not."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from publish.figures import listing

LEAST_DIFFERENCE = 0.000_005


@dataclass(frozen=True, slots=True)
class Grounds:
    """Days and rows as shares of those expected so far; the difference as a share of what the
    vendors sent, below 0 where less is counted. None where there is nothing to tell.
    """

    days: float | None
    rows: float | None
    accounts_present: int | None
    accounts_expected: int | None
    reconciliation_difference: float | None

    @property
    def words(self) -> str:
        parts = [_part(self.days, "days so far")]
        if self.accounts_expected:
            noun = "account" if self.accounts_expected == 1 else "accounts"
            parts.append(f"{self.accounts_present} of {self.accounts_expected} {noun}")
        parts.append(_part(self.rows, "rows"))
        told = [part for part in parts if part]
        rests = f"{listing(told)}." if told else ""
        return " ".join(sentence for sentence in (_capital(rests), self._reconciled) if sentence)

    @property
    def _reconciled(self) -> str:
        difference = self.reconciliation_difference
        if difference is None:
            return ""
        if abs(difference) < LEAST_DIFFERENCE:
            return "Its sums are those that the vendors sent."
        side = "below" if difference < 0 else "above"
        share = f"{100 * abs(difference):.1f}"
        size = "less than 0.1" if share == "0.0" else share
        return f"Its sums are {size} % {side} those that the vendors sent."


def _part(share: float | None, noun: str) -> str:
    """Never rounded up to all of it."""
    if share is None:
        return ""
    return f"all {noun}" if share >= 1 else f"{floor(1000 * share) / 10:.1f} % of the {noun}"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
