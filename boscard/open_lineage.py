"""The lineage of a task, told to OpenLineage where it listens; otherwise nothing happens at all.

Each part is a job of its own, `<dag>.<task>.<part>`, whose parent is the task's run: one job for a
whole task would say that every view came from every stream. Nothing here can fail a night.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from airflow.sdk import get_current_context

from boscard.home import PROJECT, Home
from boscard.lineage import Part, Place

LOG = logging.getLogger(__name__)
PRODUCER: Final = "urn:boscard"  # the standard wants a URI
# A collector that does not answer may hold up a task for so long, and no longer.
SECONDS: Final = 60


def tell(parts: Callable[..., Iterable[Part]], *of: Any) -> None:
    """Tell `parts(*of)` of the task that runs."""
    _emit(lambda: [_event(part) for part in parts(*of)])


def tell_dbt(home: Home) -> None:
    """Tell what dbt has just built, from its own record: models, columns, and tests."""
    _emit(lambda: _dbt_events(home))


def _emit(events: Callable[[], list[Any]]) -> None:
    try:
        from airflow.providers.openlineage.api import emit, is_openlineage_active

        if not is_openlineage_active():
            return
        until = time.monotonic() + SECONDS
        wanted = events()
        for number, event in enumerate(wanted):
            if time.monotonic() > until:
                LOG.warning("lineage: told %d of %d in %d s", number, len(wanted), SECONDS)
                return
            emit(event)
    except Exception:
        LOG.warning("lineage: not told", exc_info=True)


def _event(part: Part) -> Any:
    from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
    from openlineage.client.uuid import generate_new_uuid

    parent = _parent()
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=datetime.now(UTC).isoformat(),
        run=Run(runId=str(generate_new_uuid()), facets={"parent": parent.to_openlineage()}),
        job=Job(namespace=parent.job_namespace, name=f"{parent.job_name}.{part.name}"),
        inputs=[_dataset(place) for place in part.inputs],
        outputs=[_dataset(place) for place in part.outputs],
        producer=PRODUCER,
    )


def _dataset(place: Place) -> Any:
    from openlineage.client.event_v2 import Dataset
    from openlineage.client.facet_v2 import data_quality_assertions_dataset as quality

    facets: dict[str, Any] = {}
    if place.checks:
        judged = [quality.Assertion(name, success=held) for name, held in place.checks.items()]
        facet = quality.DataQualityAssertionsDatasetFacet(assertions=judged)
        facets = {"dataQualityAssertions": facet}
    return Dataset(namespace=place.namespace, name=place.name, facets=facets)


def _dbt_events(home: Home) -> list[Any]:
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor

    from warehouse.transform import dbt_environment

    class Processor(DbtLocalArtifactProcessor):  # type: ignore[misc]
        def get_dbt_metadata(self) -> Any:
            """OpenLineage takes a source's name for that of its table, which is `identifier`."""
            manifest, *others = super().get_dbt_metadata()
            for source in manifest["sources"].values():
                source["name"] = source["identifier"]
            return manifest, *others

    parent = _parent()
    processor = Processor(
        producer=PRODUCER,
        job_namespace=parent.job_namespace,
        project_dir=str(PROJECT / "dbt_project"),
        target_path=str(home.dbt_target),
    )
    processor.dbt_run_metadata = parent
    with dbt_environment(home):
        told = processor.parse()
    return [*told.completes, *told.fails]


def _parent() -> Any:
    """The run of the task that this is called in."""
    from airflow.providers.openlineage.plugins import macros
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

    instance = get_current_context()["ti"]
    return ParentRunMetadata(
        run_id=macros.lineage_run_id(instance),
        job_name=macros.lineage_job_name(instance),
        job_namespace=macros.lineage_job_namespace(),
        root_parent_run_id=macros.lineage_root_run_id(instance),
        root_parent_job_name=macros.lineage_root_job_name(instance),
        root_parent_job_namespace=macros.lineage_root_job_namespace(instance),
    )
