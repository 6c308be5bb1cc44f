"""Deals: created when a person becomes an opportunity, moved on, won, lost or forgotten.

A deal's whole future is drawn at once, as rows of (deal, stage, instant, close date); a look at an
instant sees the stages entered by then.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sandbox.draws import DAY, HOUR, MINUTE, NEVER, Columns, joined, later, office
from sandbox.people import OWNER_COUNT
from sandbox.snapshot import LOST, WON

NEW_BUSINESS, EXISTING_BUSINESS = 0, 1
DEAL_TYPES: Final = ("newbusiness", "existingbusiness")
_WIN_RATE, _LOSS_RATE = 0.33, 0.47


def draw_deals(
    rng: np.random.Generator,
    contact: NDArray[np.int64],
    created: NDArray[np.int64],
    is_american: NDArray[np.bool_],
    deal_type: int,
) -> tuple[Columns, Columns]:
    """Deals of `contact` (numbers) created at `created`, and their stage events.

    Events have the columns deal (position in these deals), stage, at and close (the close date
    that entering a closed stage sets; NEVER for an open one).
    """
    count = len(contact)
    fate = rng.random(count)
    won = fate < _WIN_RATE
    lost = ~won & (fate < _WIN_RATE + _LOSS_RATE)
    days = rng.lognormal(np.where(won, 3.3, 3.5), 0.65, count)
    days = np.where(rng.random(count) < 0.06, rng.random(count) * 3, days)
    days = np.where(rng.random(count) < 0.04, days + 75 + 60 * rng.random(count), days)
    amount = np.round(rng.lognormal(8.25, 0.7, count) / 5) * 500
    amount += np.where(rng.random(count) < 0.1, rng.integers(1, 100, count), 0)
    amount = np.maximum(amount, 9_500).astype(np.int64)
    edited = rng.random(count) < 0.16
    corrected = np.maximum(5_000, amount * rng.integers(70, 125, count) // 100)
    shares = rng.random(count)
    colleague = np.maximum(0, contact - rng.integers(1, 40, count))
    deals = {
        "contact": np.where(rng.random(count) < 0.015, -1, contact),
        "second_contact": np.where(rng.random(count) < 0.22, colleague, -1),
        "created": created,
        "planned": created + ((20 + 50 * rng.random(count)) * DAY).astype(np.int64),
        "has_plan": rng.random(count) > 0.03,
        "cents": amount,
        "corrected": corrected,
        "edit": office(later(created, rng.exponential(45, count), edited), shares),
        "amount_known": won | (rng.random(count) > 0.06),
        "archived": office(
            later(created, 2 + rng.exponential(40, count), rng.random(count) < 0.018), shares
        ),
        "is_american": is_american,
        "type": np.full(count, deal_type),
        "has_company": rng.random(count) > 0.02,
        "second_company": rng.random(count) < 0.03,
        "company_contact": contact,
        "owner": rng.integers(0, OWNER_COUNT, count),
    }
    return deals, _stages(rng, created.astype(np.int64), won, lost, days)


def _stages(
    rng: np.random.Generator,
    created: NDArray[np.int64],
    won: NDArray[np.bool_],
    lost: NDArray[np.bool_],
    days: NDArray[np.float64],
) -> Columns:
    count = len(created)
    deal = np.arange(count)
    never = np.full(count, NEVER)
    reached = np.where(won, 3, rng.integers(0, 4, count))
    hour = rng.random((count, 5))
    share = np.sort(rng.random((count, 3)), axis=1)
    at = created
    events = [_event(deal, 0, created, never)]
    for stage in (1, 2, 3):
        moved = created + (share[:, stage - 1] * days * DAY).astype(np.int64)
        moved = np.where(days < 3, moved, office(moved, hour[:, stage - 1]))
        at = np.maximum(moved, at + MINUTE)
        entered = (reached >= stage) & ((rng.random(count) > 0.06) | ~won)
        events.append(_event(deal, stage, np.where(entered, at, NEVER), never))
    closes = created + (days * DAY).astype(np.int64)
    closes = np.where(days < 3, closes, office(closes, hour[:, 3]))
    closes = np.maximum(closes, at + MINUTE)
    late = rng.random(count) < 0.012
    back = (closes - (5 + 35 * hour[:, 4]) * DAY).astype(np.int64)
    dated = np.where(late, np.maximum(created, back), closes)
    final = np.where(won, WON, LOST)
    events.append(_event(deal, final, np.where(won | lost, closes, NEVER), dated))

    reopened = lost & (rng.random(count) < 0.03)
    again = office(later(closes, 4 + 30 * rng.random(count), reopened), hour[:, 0])
    events.append(_event(deal, 1, again, never))
    second = reopened & (rng.random(count) < 0.6)
    ends = office(later(again, 5 + 25 * rng.random(count), second), hour[:, 1])
    events.append(_event(deal, np.where(rng.random(count) < 0.5, WON, LOST), ends, ends))
    everything = joined(events)
    happens = everything["at"] < NEVER
    return {name: column[happens] for name, column in everything.items()}


def _event(
    deal: NDArray[np.int64],
    stage: NDArray[np.int64] | int,
    at: NDArray[np.int64],
    close: NDArray[np.int64],
) -> Columns:
    return {"deal": deal, "stage": np.broadcast_to(stage, deal.shape), "at": at, "close": close}


def opening_book(
    rng: np.random.Generator, begin: int, is_american: NDArray[np.bool_], count: int
) -> tuple[Columns, Columns]:
    """The deals in hand on the first day, with customers of old, all closed within three weeks.

    So the smallest company has deals won, lost, archived (numbers 5 and 7) and one whose close
    was entered late and dated back (number 3).
    """
    number = np.arange(count)
    created = begin + 11 * HOUR + number * 7 * MINUTE
    deals, _ = draw_deals(rng, number, created, is_american[:count], EXISTING_BUSINESS)
    deals["contact"] = number
    deals["archived"] = np.full(count, NEVER)
    deals["archived"][[5, 7]] = begin + np.array([9, 13]) * DAY + 10 * HOUR
    deals["amount_known"] = np.ones(count, dtype=bool)
    first = created + (1 + number % 3) * DAY
    closes = created + (4 + number % 14) * DAY
    closes[7] = created[7] + 5 * DAY
    dated = closes.copy()
    dated[3] -= 2 * DAY
    never = np.full(count, NEVER)
    final = np.where(number % 2 == 1, WON, LOST)
    events = [
        _event(number, 0, created, never),
        _event(number, 1, first, never),
        _event(number, final, closes, dated),
    ]
    return deals, joined(events)
