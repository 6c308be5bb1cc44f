"""What happens when the scorecard is late: people are told once a night."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def tell_late(context: Mapping[str, Any], **_: Any) -> None:
    """Callback of the scorecard's deadline; it reports lateness, it stops nothing.

    `context`: what Airflow's scheduler hands over, the run as its REST API shows it.
    """
    from boscard.night import Night

    run = context["dag_run"]
    end = run["data_interval_end"] or run["run_after"]
    Night.ending(datetime.fromisoformat(end)).tell_late()
