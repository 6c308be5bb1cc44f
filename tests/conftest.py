"""What all tests share: hypothesis without deadlines (a busy machine is no defect), and an Airflow
home of their own."""

from __future__ import annotations

import os
import tempfile

from hypothesis import settings

settings.register_profile("boscard", deadline=None, print_blob=True)
settings.load_profile("boscard")

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="boscard-airflow-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
for name in ("BOSCARD_HOME", "BOSCARD_SETTINGS"):
    os.environ.pop(name, None)
