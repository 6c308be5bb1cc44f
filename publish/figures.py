"""Numbers, dates and states as people read them on the page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "CHF": "CHF ", "JPY": "¥"}
NO_VALUE = "–"
MINUS = "−"

NO_DATA = {
    "not loaded": "not loaded yet",
    "suppressed": "hidden, so that nobody's answer can be told from it",
    "nothing to count": "nothing to count in this period",
}

TRUST = {
    "verified": "Verified",
    "provisional": "Provisional",
    "stale": "Out of date",
    "suspect": "Doubtful",
    "held": "Held back",
}

UNITS = {"money": "money", "money_per_day": "money a day", "percent": "percent", "ratio": "times"}

BANDS = {
    "green": "Green",
    "amber": "Amber",
    "red": "Red",
    "no data": "No data",
    "not scored": "Not scored",
}


def figure(value: float | None, unit: str | None, currency: str) -> str:
    """A value with its unit, at a precision that fits its size; an en dash without a value."""
    if value is None:
        return NO_VALUE
    symbol = SYMBOLS.get(currency, currency + " ")
    match unit:
        case "money":
            return _signed(value, f"{symbol}{_amount(abs(value))}")
        case "money_per_day":
            return _signed(value, f"{symbol}{_amount(abs(value))} a day")
        case "percent":
            return _signed(value, f"{abs(value):.{2 if abs(value) < 10 else 1}f} %")
        case "ratio":
            return _signed(value, f"{abs(value):,.2f} ×")
        case "points":
            return ("+" if round(value, 1) > 0 else "") + _signed(value, f"{abs(value):.1f}")
        case "days":
            text = f"{abs(value):.1f}".removesuffix(".0")
            return _signed(value, f"{text} {'day' if text == '1' else 'days'}")
        case "count":
            return _signed(value, f"{abs(value):,.0f}")
        case _:
            return _signed(value, f"{abs(value):,.2f}")


def change(now: float | None, before: float | None, unit: str | None) -> str | None:
    """How a value moved: shares and scores in points, others relatively; None if unknown."""
    if now is None or before is None:
        return None
    if unit in ("percent", "points"):
        moved, words = now - before, "points"
        text = f"{abs(moved):.{1 if unit == 'points' or abs(moved) >= 10 else 2}f} {words}"
    elif before == 0:
        return None
    else:
        moved = 100 * (now / before - 1)
        text = f"{abs(moved):.1f} %"
    if float(text.split()[0]) == 0:
        return "unchanged"
    return f"{'up' if moved > 0 else 'down'} {text}"


def score(value: float | None) -> str:
    """A score between 0 and 1 as points of a hundred."""
    return NO_VALUE if value is None else f"{100 * value:.0f}"


def share(value: float | None) -> str:
    return NO_VALUE if value is None else f"{100 * value:.0f} %"


def day(value: date | None) -> str:
    return "no day yet" if value is None else f"{value.day} {value:%B %Y}"


def period(start: date, kind: str) -> str:
    """A period's name: `May 2026`, `2nd quarter of 2026`, else its first day."""
    if kind == "month":
        return f"{start:%B %Y}"
    if kind == "quarter":
        number = (start.month + 2) // 3
        return f"{('1st', '2nd', '3rd', '4th')[number - 1]} quarter of {start.year}"
    return day(start)


def listing(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return (
        names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""
    )


def _amount(value: float) -> str:
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"


def _signed(value: float, text: str) -> str:
    is_zero = not any(digit in text for digit in "123456789")
    return MINUS + text if value < 0 and not is_zero else text
