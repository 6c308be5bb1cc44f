"""`boscard.read(view)`: a published view as a pandas DataFrame, from the current DuckDB file."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from boscard.home import Home
from publish.contract import SCHEMA, quoted
from publish.files import read_duckdb
from publish.history import PUBLICATIONS, Record, newest
from publish.places import Places

if TYPE_CHECKING:
    import pandas as pd


class NothingPublishedError(Exception):
    """There is no publication yet, or no view of that name; the message says what there is."""


def read(view: str, home: Home | None = None) -> pd.DataFrame:
    """All rows of `kpi.<view>` of the current publication, ordered by its columns from the left.

    Decimals come as floats, whole numbers and truth values as pandas' nullable types.
    It needs no server, waits for no run, and sees one whole publication.
    """
    home = home or Home.default()
    # Resolved once, so that a publication in between does not change which file is opened.
    path = Places(home.publications).current_duckdb.resolve()
    if not path.exists():
        raise NothingPublishedError(f"{path}: nothing is published yet; run a night first")
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        names = [
            row[0]
            for row in connection.execute(
                "select table_name from duckdb_tables() where schema_name = ? order by 1", [SCHEMA]
            ).fetchall()
        ]
        if view not in names:
            raise NothingPublishedError(f"no view {view!r}; there are: {', '.join(names)}")
        rows = connection.execute(f"select * from {SCHEMA}.{quoted(view)} order by all")  # noqa: S608
        return _frame(rows.to_arrow_table())


def current_record(home: Home | None = None) -> Record | None:
    """The current publication's row of `kpi.publications`; None before the first one."""
    records = _publications(home)
    return None if records is None else newest(records)


def record_of_night(night: date, home: Home | None = None) -> Record | None:
    """A night's newest row of `kpi.publications`; None where that night was never published."""
    records = _publications(home)
    if records is None:
        return None
    return newest(records.filter(pc.equal(records["as_of_date"], pa.scalar(night))))


def _publications(home: Home | None) -> pa.Table | None:
    path = Places((home or Home.default()).publications).current_duckdb
    return read_duckdb(path, [PUBLICATIONS])[PUBLICATIONS.name] if path.exists() else None


def _frame(rows: pa.Table) -> pd.DataFrame:
    import pandas as pd  # imported late: the nightly run has no need of it

    floats = [
        field.with_type(pa.float64()) if pa.types.is_decimal(field.type) else field
        for field in rows.schema
    ]
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    plain = rows.cast(pa.schema(floats))
    frame: pd.DataFrame = plain.to_pandas(date_as_object=False, types_mapper=nullable.get)
    return frame
