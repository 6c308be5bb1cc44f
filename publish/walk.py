"""The way back from a period's days to the raw rows, their batches and the API calls."""

# ruff: noqa: S608 - tables and columns in the statements are named by the source registry

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import duckdb

from ingest.landing import Landing
from publish.contract import quoted
from publish.explanation import BatchRows, CallRows, DayParts, StreamRows
from publish.lineage import Link

# Raw columns that hold a segment as the scorecard names it, but for capital letters.
SEGMENT_COLUMNS: Final = {"channel": "channel_type", "campaign": "campaign_id"}


@dataclass(frozen=True, slots=True)
class Walk:
    """The way back from the days `first` to `last`; no day at all where nothing is loaded."""

    connection: duckdb.DuckDBPyConnection
    landing: Landing
    time_zone: str
    first: date
    last: date | None

    def days(self, kpi_id: str, segment_type: str, segment: str) -> list[DayParts]:
        rows = self.connection.execute(
            """
            select component_date, numerator, denominator, observations
            from intermediate.int_scorecard__components
            where kpi_id = ? and segment_type = ? and segment = ?
                and component_date between ? and ?
                and kpi_id not in (
                    select kpi_id from seeds.kpi_parameters where parameter = 'suppress_below'
                )
            order by component_date
            """,
            [kpi_id, segment_type, segment, self.first, self.last],
        ).fetchall()
        return [DayParts(*row) for row in rows]

    def rows_of(self, link: Link, segment_type: str, segment: str) -> list[StreamRows]:
        """The rows that stand in a raw table tonight, by account."""
        if self.last is None:
            return []
        stream = link.description
        conditions, parameters = ["not _is_deleted"], list[Any]()
        first = last = None
        if link.dated_by is not None:
            lag = timedelta(days=link.lag_days)
            first, last = self.first - lag, self.last - lag
            conditions.append(f"{link.day(self.time_zone)} between ? and ?")
            parameters += [first, last]
        column = SEGMENT_COLUMNS.get(segment_type)
        is_of_segment = any(column == each.name for each in stream.columns)
        if column is not None and is_of_segment:
            conditions.append(f"lower({quoted(column)}) = lower(?)")
            parameters.append(segment)
        measures = [
            each.name
            for each in stream.columns
            if each.type in ("bigint", "decimal", "double") and each.name not in stream.key
        ]
        sums = "".join(
            f", cast(coalesce(sum({quoted(name)}), 0) as decimal(38, 6))" for name in measures
        )
        rows = self.connection.execute(
            f"select _account, _batch_id, _call_id, count(*){sums} from {link.table}"
            f" where {' and '.join(conditions)} group by all order by all",
            parameters,
        ).fetchall()
        accounts: dict[str, dict[str, list[tuple[Any, ...]]]] = {}
        for account, batch_id, *rest in rows:
            accounts.setdefault(account, {}).setdefault(batch_id, []).append(tuple(rest))
        found = []
        for account, by_batch in accounts.items():
            batches = [
                self._batch(link, account, batch_id, calls, measures, first, last)
                for batch_id, calls in by_batch.items()
            ]
            found.append(
                StreamRows(
                    source=link.source,
                    stream=link.stream,
                    account=account,
                    dated_by=link.dated_by,
                    first_day=first,
                    last_day=last,
                    is_of_segment=segment_type == "company" or is_of_segment,
                    rows=sum(batch.rows for batch in batches),
                    sums={name: _sum_of(name, batches) for name in measures},
                    batches=batches,
                )
            )
        return found

    def checks(self) -> list[StreamRows]:
        """For a KPI about our own runs: the checks of the batches of these nights."""
        rows = self.connection.execute(
            """
            select source, stream, account, batch_id, count(*),
                count(*) filter (where state = 'pass')
            from ops.check_results
            where as_of_date between ? and ? and state in ('pass', 'fail', 'error')
            group by all
            order by all
            """,
            [self.first, self.last],
        ).fetchall()
        found = []
        for source, stream, account, batch_id, count, passed in rows:
            sums = {"checks_passed": Decimal(passed), "checks_evaluated": Decimal(count)}
            as_of, state = self._loaded((source, stream, account, batch_id))
            calls = self._calls((source, stream, account, batch_id))
            rewritten = self.landing.rewrites(source, account, stream, batch_id)
            batch = BatchRows(batch_id, as_of, state, count, sums, 0, calls, rewritten)
            found.append(
                StreamRows(
                    source=source,
                    stream=stream,
                    account=account,
                    dated_by="as_of_date",
                    first_day=self.first,
                    last_day=self.last,
                    is_of_segment=True,
                    rows=count,
                    sums=sums,
                    batches=[batch],
                )
            )
        return found

    def _batch(
        self,
        link: Link,
        account: str,
        batch_id: str,
        grouped: list[tuple[Any, ...]],
        measures: list[str],
        first: date | None,
        last: date | None,
    ) -> BatchRows:
        place = (link.source, link.stream, account, batch_id)
        as_of, state = self._loaded(place)
        here = {call_id: rows for call_id, rows, *_ in grouped}
        set_aside = self.connection.execute(
            "select coalesce(sum(rows), 0) from ops.quarantined_days where source = ?"
            " and stream = ? and account = ? and batch_id = ? and day between ? and ?",
            [*place, first, last],
        ).fetchall()[0][0]
        return BatchRows(
            batch_id=batch_id,
            as_of_date=as_of,
            state=state,
            rows=sum(here.values()),
            sums={
                name: sum((row[2 + number] for row in grouped), Decimal(0))
                for number, name in enumerate(measures)
            },
            set_aside=int(set_aside),
            calls=self._calls(place, here),
            rewritten=self.landing.rewrites(link.source, account, link.stream, batch_id),
        )

    def _loaded(self, place: tuple[str, str, str, str]) -> tuple[date, str]:
        rows = self.connection.execute(
            "select as_of_date, state from ops.loaded_batches"
            " where source = ? and stream = ? and account = ? and batch_id = ?",
            list(place),
        ).fetchall()
        return rows[0][0], rows[0][1]

    def _calls(
        self, place: tuple[str, str, str, str], here: Mapping[str, int] | None = None
    ) -> list[CallRows]:
        """The batch's calls: those that rows are `here` from, or all with all of their rows."""
        found = []
        for call_id, method, url, status, size, sha256, rows in self.connection.execute(
            "select call_id, method, url, status, bytes, sha256, rows from ops.calls"
            " where source = ? and stream = ? and account = ? and batch_id = ? order by call_id",
            list(place),
        ).fetchall():
            among = rows if here is None else here.get(call_id, 0)
            if here is None or among:
                found.append(CallRows(call_id, method, url, status, size, sha256, rows, among))
        return found


def _sum_of(name: str, batches: list[BatchRows]) -> Decimal:
    """The sum of one measure over batches."""
    return sum((batch.sums[name] for batch in batches), Decimal(0))
