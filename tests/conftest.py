"""What all tests share: hypothesis without deadlines (a busy machine is no defect), and an Airflow
home of their own; and an S3 server for those who ask for one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.s3 import S3Server

settings.register_profile("boscard", deadline=None, print_blob=True)
settings.load_profile("boscard")

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="boscard-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
for name in ("BOSCARD_HOME", "BOSCARD_SETTINGS"):
    os.environ.pop(name, None)

# Folders whose tests share nights or builds that cost more than the tests: one process makes them.
TOGETHER = {"end_to_end", "dbt_project/core", "dbt_project/scorecard", "personal", "publish"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several processes the tests of a file stay together, and those of these folders."""
    root = Path(__file__).parent
    for item in items:
        folder = item.path.parent.relative_to(root).as_posix()
        shared = folder in TOGETHER and not item.get_closest_marker("slow")
        item.add_marker(pytest.mark.xdist_group(folder if shared else item.nodeid.split("::")[0]))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    from tests.s3 import serving

    with serving() as server:
        yield server
