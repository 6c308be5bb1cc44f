"""What is behind one value, as `boscard explain` tells it: days, streams, batches, API calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingest.batch import Rewrite
from publish.grounds import Grounds
from publish.period import Period


@dataclass(frozen=True, slots=True)
class Value:
    """The row of kpi_values. `publication_id` is None where the warehouse alone has it.

    `may_move_by` is the share of itself by which a provisional value may still move.
    """

    publication_id: str | None
    value: float | None
    numerator: Decimal | None
    denominator: Decimal | None
    no_data_reason: str | None
    data_through: date | None
    dq_state: str
    dq_reason: str
    may_move_by: float | None
    grounds: Grounds


@dataclass(frozen=True, slots=True)
class Definition:
    """What the KPI means in this period. `above` and `below` the line, and `parameters` (numbers
    inside the formula), in words.
    """

    version: int
    name: str
    unit: str
    formula: str
    above: str
    below: str | None
    parameters: list[str]


@dataclass(frozen=True, slots=True)
class DayParts:
    """What one day adds to the numerator and the denominator."""

    day: date
    numerator: Decimal | None
    denominator: Decimal | None
    observations: int


@dataclass(frozen=True, slots=True)
class CallRows:
    """An API call and how many of its `rows` are among the rows in question."""

    call_id: str
    method: str
    url: str
    status: int
    bytes: int
    sha256: str
    rows: int
    rows_here: int


@dataclass(frozen=True, slots=True)
class BatchRows:
    """A batch's rows, with sums over its measures. `set_aside` are rows of these days that it
    brought too and the gate kept back. `rewritten`: how the batch was changed since it landed.
    """

    batch_id: str
    as_of_date: date
    state: str
    rows: int
    sums: dict[str, Decimal]
    set_aside: int
    calls: list[CallRows]
    rewritten: list[Rewrite]


@dataclass(frozen=True, slots=True)
class StreamRows:
    """The raw rows of one stream of one account that may count; without days, any of them."""

    source: str
    stream: str
    account: str
    dated_by: str | None
    first_day: date | None
    last_day: date | None
    is_of_segment: bool
    rows: int
    sums: dict[str, Decimal]
    batches: list[BatchRows]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything behind one value. `days` is empty where a KPI does not add up over days, and
    where single days would give people's answers away.
    """

    kpi_id: str
    definition: Definition
    currency: str
    period: Period
    segment_type: str
    segment: str
    value: Value
    note: str | None
    days: list[DayParts]
    streams: list[StreamRows]
