"""The night that an Airflow task works for. Light to import: DAG files do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from airflow.sdk import get_current_context

from boscard.backfill import asked_window

if TYPE_CHECKING:
    from boscard.night import Night

# No Airflow backfill: vendors keep no past state, so a past night cannot be had by running it now.
RUN_TYPES: Final = ("scheduled", "manual", "operator_triggered", "asset_materialization")


def tonight() -> Night:
    """By the end of the run's data interval; a run triggered without one by its moment."""
    from boscard.night import Night  # heavy: it must not be imported while a DAG is parsed

    context = get_current_context()
    end = context.get("data_interval_end") or context["dag_run"].run_after
    return Night.ending(end, asked_window(context["params"]))
