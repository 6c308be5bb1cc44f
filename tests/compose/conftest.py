"""A small company, the image, and one deployment an executor."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from boscard.home import PROJECT
from boscard.settings import Publication, Settings, read_settings
from tests.compose.airflow_api import Airflow
from tests.compose.deployment import Deployment, compose_command

for name in ("BOSCARD_HOME", "BOSCARD_SETTINGS"):
    os.environ.pop(name, None)

IMAGE = "boscard-compose-test"
PORTS = ("AIRFLOW_PORT", "POSTGRES_PORT", "SANDBOX_PORT", "PAGE_PORT")
# What makes a test of minutes out of a night: a shorter wait before a task is tried again, and no
# run but those that the test starts.
HASTE = "BOSCARD_RETRY_SECONDS=5\nAIRFLOW__SCHEDULER__USE_JOB_SCHEDULE=False\n"


@dataclass(frozen=True)
class Site:
    """A deployment that is up, and how to reach it."""

    deployment: Deployment
    executor: str
    variables: dict[str, str]
    connections: dict[str, str]
    backups: Path

    @property
    def tasks(self) -> str:
        """The service that runs tasks, and so has the home."""
        return "worker" if self.executor == "CeleryExecutor" else "scheduler"

    def url(self, port: str) -> str:
        return f"http://127.0.0.1:{self.variables[port]}"

    def airflow(self, user: str = "admin", password: str | None = None) -> Airflow:
        wanted = password or self.variables["AIRFLOW_ADMIN_PASSWORD"]
        return Airflow(self.url("AIRFLOW_PORT"), user, wanted)

    def postgres(self, user: str, password: str, database: str = "kpi") -> str:
        port = self.variables["POSTGRES_PORT"]
        return f"postgresql://{user}:{password}@127.0.0.1:{port}/{database}"


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The containers' own settings with twenty-five days of a tenth of the company."""
    text = (PROJECT / "containers/boscard.toml").read_text("utf-8")
    start = datetime.now(UTC).date() - timedelta(days=25)
    history = f"history_start = {read_settings().company.history_start}"
    assert history in text
    text = text.replace(history, f"history_start = {start}")
    path = tmp_path_factory.mktemp("settings") / "boscard.toml"
    path.write_text(text.replace("seed = 7", "seed = 7\nscale = 0.1"), encoding="utf-8")
    path.chmod(0o644)  # the container's user reads it
    path.parent.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The image, built from the compose file; afterwards neither it nor a stage of it is left."""
    folder = tmp_path_factory.mktemp("build")
    subprocess.run(["python3", "-m", "containers.write_env", str(folder)], cwd=PROJECT, check=True)
    (folder / "override.yml").write_text("services: {}\n")
    with (folder / ".env").open("a") as file:
        file.write(f"BOSCARD_IMAGE={IMAGE}\nBOSCARD_CONNECTIONS={folder / 'connections.env'}\n")
    deployment = Deployment(compose_command(), IMAGE, folder, ())
    before = deployment.built(IMAGE)
    deployment.compose("build")
    yield IMAGE
    deployment.remove_images(deployment.built(IMAGE) - before)
    assert deployment.built(IMAGE) <= before


@pytest.fixture(scope="module", params=["LocalExecutor", "CeleryExecutor"])
def site(
    request: pytest.FixtureRequest,
    image: str,
    settings_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """Everything up under one executor, in a project of its own; taken down whatever happens."""
    folder = tmp_path_factory.mktemp("env")
    subprocess.run(["python3", "-m", "containers.write_env", str(folder)], cwd=PROJECT, check=True)
    with (folder / "connections.env").open("a") as file:
        file.write(HASTE)
    ours = {
        "BOSCARD_IMAGE": image,
        "BOSCARD_SETTINGS": str(settings_file),
        "BOSCARD_CONNECTIONS": str(folder / "connections.env"),
        **_free_ports(),
    }
    if request.param != "LocalExecutor":  # the default
        ours["EXECUTOR"] = request.param
    with (folder / ".env").open("a") as file:
        file.writelines(f"{name}={value}\n" for name, value in ours.items())
    backups = folder / "backups"
    backups.mkdir()
    backups.chmod(0o777)
    mount = {"volumes": [f"{backups}:/backups"]}
    services = dict.fromkeys(("scheduler", "worker"), mount)
    (folder / "override.yml").write_text(json.dumps({"services": services}))
    profiles = ("demo", "bi") + ("celery",) * (request.param == "CeleryExecutor")
    project = f"boscard-test-{os.getpid()}-{request.param[:5].lower()}"
    deployment = Deployment(compose_command(), project, folder, profiles)
    variables, connections = _read(folder / ".env"), _read(folder / "connections.env")
    try:
        deployment.up()
        deployment.wait_healthy()
        yield Site(deployment, request.param, variables, connections, backups)
    finally:
        deployment.down()
        assert deployment.remains() == []


@pytest.fixture(scope="session")
def settings(settings_file: Path) -> Settings:
    """The same company for a night without containers, published to the embedded Postgres."""
    settings = read_settings(settings_file)
    return settings.model_copy(update={"publication": Publication()})


def _free_ports() -> dict[str, str]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in PORTS]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return {
            name: str(probe.getsockname()[1]) for name, probe in zip(PORTS, probes, strict=True)
        }


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text("utf-8").splitlines()
    return {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}
