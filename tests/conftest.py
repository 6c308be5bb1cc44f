"""What all tests share: hypothesis without deadlines (a busy machine is no defect), and an Airflow
home of their own; and an S3 server for those who ask for one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    from tests.s3 import serving

    with serving() as server:
        yield server
