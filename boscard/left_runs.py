"""Ends Airflow's record of nights that were killed: `python -m boscard.left_runs`.

A night without a scheduler is, for Airflow's database, a run that is running. A scheduler
that is started later would go on with it, and its DAG's next run would wait for it.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Mark as failed what such runs have not finished. No night runs meanwhile."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState, State, TaskInstanceState
    from airflow.utils.types import DagRunTriggeredByType
    from sqlalchemy import select

    with create_session() as session:
        left = session.scalars(
            select(DagRun).where(
                DagRun.triggered_by == DagRunTriggeredByType.TEST,
                DagRun.state.in_((DagRunState.RUNNING, DagRunState.QUEUED)),
            )
        ).all()
        for run in left:
            for task in run.get_task_instances(session=session):
                if task.state not in State.finished:
                    task.state = TaskInstanceState.FAILED
            run.state = DagRunState.FAILED
            print(f"{run.dag_id} {run.run_id}: ended")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
