"""What all tests share: hypothesis without deadlines (a busy machine is no defect), and an Airflow
home of their own; and an S3 server for those who ask for one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from tests.s3 import S3Server

settings.register_profile("boscard", deadline=None, print_blob=True)
settings.load_profile("boscard")

AIRFLOW_HOME = tempfile.mkdtemp(prefix="boscard-airflow-")
os.environ["AIRFLOW_HOME"] = AIRFLOW_HOME
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
for name in ("BOSCARD_HOME", "BOSCARD_SETTINGS"):
    os.environ.pop(name, None)

# Folders whose tests share nights or builds that cost more than the tests: one process makes them.
TOGETHER = {"end_to_end", "dbt_project/core", "dbt_project/scorecard", "personal", "publish"}


class ByFolder(LoadFileScheduling):
    """With several processes the tests of a file stay together, and those of these folders."""

    def _split_scope(self, nodeid: str) -> str:
        file = str(super()._split_scope(nodeid))
        folder = file.removeprefix("tests/").rpartition("/")[0]
        return folder if folder in TOGETHER else file


def pytest_unconfigure() -> None:
    shutil.rmtree(AIRFLOW_HOME, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    return ByFolder(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    from tests.s3 import serving

    with serving() as server:
        yield server
