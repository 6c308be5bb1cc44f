"""Great Expectations on the marts: unique grain, keys present, scores between 0 and 1."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from expectations import dialect
from publish.contract import View, quoted
from publish.parts import Slice

UNIT_INTERVAL = ("score", "coverage", "rows_coverage")
BANDS = ("green", "amber", "red", "no data", "not scored")


def failed_expectations(views: Sequence[View], slices: Mapping[str, Slice]) -> list[str]:
    """What does not hold, a line each naming view, rule and number of rows.

    Looked at are the months of each view's slice: the others are rows that are published, and no
    key reaches over a month.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx  # imported late: it takes seconds
    from duckdb_sqlalchemy import ConnectionWrapper

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    dialect.register()
    failed = []
    with duckdb.connect(":memory:") as connection:
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = context.data_sources.add_sql(
            name="marts",
            connection_string=dialect.URL,
            kwargs={"creator": lambda: ConnectionWrapper(connection.cursor())},
        )
        for view in views:
            if slices[view.name].is_empty:
                continue
            connection.register("rows_to_publish", slices[view.name].rows)
            connection.execute(f"create table {quoted(view.name)} as from rows_to_publish")
            connection.unregister("rows_to_publish")
            asset = source.add_table_asset(name=view.name, table_name=view.name)
            suite = gx.ExpectationSuite(name=view.name, expectations=list(_expectations(view)))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                validated = (
                    asset.add_batch_definition_whole_table("whole").get_batch().validate(suite)
                )
            failed += [_line(view, result) for result in validated.results if not result.success]
    return failed


def _expectations(view: View) -> Iterator[Any]:
    import great_expectations.expectations as gxe

    if len(view.key) == 1:
        yield gxe.ExpectColumnValuesToBeUnique(column=view.key[0])
    else:
        yield gxe.ExpectCompoundColumnsToBeUnique(column_list=list(view.key))
    for column in view.key:
        yield gxe.ExpectColumnValuesToNotBeNull(column=column)
    for column in UNIT_INTERVAL:
        if column in view.column_names:
            yield gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=1)
    if "band" in view.column_names:
        yield gxe.ExpectColumnValuesToBeInSet(column="band", value_set=list(BANDS))


def _line(view: View, result: Any) -> str:
    config = result.expectation_config
    columns = config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", ()))
    count = result.result.get("unexpected_count")
    found = "could not be checked" if count is None else f"{count} rows"
    return f"{view.name}: {config.type.removeprefix('expect_')} ({columns}): {found}"
