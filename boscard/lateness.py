"""What happens when the scorecard is late: people are told once a night."""

from __future__ import annotations

from typing import Any


def tell_late(context: Any | None = None, **_: Any) -> None:
    """Callback of the scorecard's deadline; it reports lateness, it stops nothing."""
    from boscard.night import Night

    run = (context or {}).get("dag_run") or {}
    end = run.get("data_interval_end") if isinstance(run, dict) else run.data_interval_end
    if end is not None:
        Night.ending(end).tell_late()
