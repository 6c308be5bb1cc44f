"""One DuckDB in memory and one Great Expectations context, for all batches of a process."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb

from expectations import typed
from expectations.facts import Facts
from expectations.rules import STAGED, Rule
from ingest.store import working_folder

MEMORY_LIMIT = "1GB"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Great Expectations says of one rule; `count` of failing items, None where it raised."""

    success: bool
    count: int | None
    error: str = ""


class Examiner:
    """Where batches are staged and asked about. Close it, or use it in `with`.

    What of a batch exceeds MEMORY_LIMIT spills into a folder of its own in `spilled`.
    """

    def __init__(self, spilled: Path) -> None:
        self._open_here = ExitStack()
        folder = self._open_here.enter_context(working_folder(spilled))
        self.connection = self._open_here.enter_context(
            duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(folder)})
        )
        typed.prepare(self.connection)
        self._whole: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._whole = None
        self._open_here.close()

    def ask(self, rules: Sequence[Rule], facts: Facts) -> dict[str, Answer]:
        """Validate the staged batch against the rules' expectations, by name of the rule."""
        if not rules:
            return {}
        if self._whole is None:
            self._whole = self._open()
        import great_expectations as gx

        suite = gx.ExpectationSuite(name=facts.stream.name)
        for rule in rules:
            expectation = rule.expectation(facts)
            expectation.meta = {"rule": rule.name}
            suite.expectations.append(expectation)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            validated = self._whole.get_batch().validate(
                suite,
                result_format={"result_format": "BASIC", "partial_unexpected_count": 0},
            )
        return {
            result.expectation_config.meta["rule"]: _answer(result) for result in validated.results
        }

    def _open(self) -> Any:
        """The staged batch as Great Expectations sees it: whatever the table holds when asked."""
        os.environ["GX_ANALYTICS_ENABLED"] = "false"
        import great_expectations as gx
        from duckdb_sqlalchemy import ConnectionWrapper

        from expectations import dialect

        logging.getLogger("great_expectations").setLevel(logging.ERROR)
        dialect.register()
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = context.data_sources.add_sql(
            name="gate",
            connection_string=dialect.URL,
            kwargs={"creator": lambda: ConnectionWrapper(self.connection.cursor())},
        )
        asset = source.add_table_asset(name=STAGED, table_name=STAGED)
        return asset.add_batch_definition_whole_table("whole")


def _answer(result: Any) -> Answer:
    """A check that raised comes back as plain failure, without a count: told apart here."""
    found: Mapping[str, Any] = result.result
    count = found.get("unexpected_count", found.get("observed_value"))
    error = _raised(result.exception_info)
    if error or not isinstance(count, int):
        return Answer(False, None, error or "it came without a count")
    return Answer(bool(result.success), count)


def _raised(info: Mapping[str, Any] | None) -> str:
    if not info:
        return ""
    for one in (info, *(value for value in info.values() if isinstance(value, dict))):
        if one.get("raised_exception"):
            message = str(one.get("exception_message") or "it raised")
            return message.strip().splitlines()[0][:200]
    return ""
