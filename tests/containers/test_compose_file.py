"""What docker-compose.yml promises: no default secret, nothing open to the network, bounds."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from boscard.home import PROJECT

TEXT = (PROJECT / "docker-compose.yml").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
ENV = [service for service in SERVICES.values() if "AIRFLOW__CORE__EXECUTOR" in str(service)]
services = pytest.mark.parametrize("name", SERVICES)


def image_of(name: str) -> str:
    return str(SERVICES[name]["image"])


def locked(path: str) -> dict[str, set[str]]:
    """Hashes by pinned package."""
    blocks = re.split(r"\n(?=\S)", (PROJECT / path).read_text("utf-8"))
    return {block.split(" ")[0]: set(re.findall(r"sha256:\w+", block)) for block in blocks if block}


@services
def test_ports_are_on_loopback(name):
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@services
def test_every_service_is_bounded_and_its_log_rotated(name):
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}


@services
def test_every_service_that_stays_has_a_health_check(name):
    assert ("healthcheck" in SERVICES[name]) == (SERVICES[name]["restart"] == "unless-stopped")


@services
def test_our_image_runs_without_privileges(name):
    if "boscard" in image_of(name):
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def test_there_is_one_image_of_our_own():
    """It is built once: several builds of one name side by side can fail on each other."""
    ours = {name: one for name, one in SERVICES.items() if "boscard" in image_of(name)}
    assert len({one["image"] for one in ours.values()}) == 1
    assert [name for name, one in SERVICES.items() if "build" in one] == ["prepare"]
    assert {one["pull_policy"] for one in ours.values()} == {"never"}
    dockerfile = (PROJECT / "containers/Dockerfile").read_text("utf-8")
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert stages == ["python:3.12-slim-bookworm"] * 2
    assert "setup.sh" not in dockerfile.rpartition("FROM ")[2]
    assert "\nUSER boscard\n" in dockerfile


def test_no_secret_has_a_default():
    secrets = re.findall(r"\$\{(\w*(?:PASSWORD|SECRET|KEY)\w*)(:?[-?][^}]*)?\}", TEXT)
    wanted = {name for name, _ in secrets}
    required = {name for name, rest in secrets if rest.startswith(":?")}
    assert len(wanted) >= 8
    assert required == wanted
    assert not any("-" in rest[:2] for _, rest in secrets)


def test_all_of_airflow_shares_one_secret_and_one_execution_api():
    shared = ("AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL")
    assert len(ENV) == 6
    for name in shared:
        assert len({service["environment"][name] for service in ENV}) == 1


def test_only_what_runs_tasks_holds_connections_and_writes():
    tasks = {"scheduler", "worker"}
    assert {name for name, one in SERVICES.items() if "env_file" in one} == tasks
    writing = {
        name
        for name, service in SERVICES.items()
        if any(
            re.match(r"(home|site|logs):[^:]*$", str(each)) for each in service.get("volumes", [])
        )
    }
    assert writing == tasks
    homes = {
        name: volume
        for name, service in SERVICES.items()
        for volume in map(str, service.get("volumes", []))
        if re.search(r"home:", volume)
    }
    assert homes == {
        "scheduler": "${EXECUTOR:+scheduler_}home:/var/lib/boscard",
        "worker": "home:/var/lib/boscard",
    }
    assert "AIRFLOW_CONN_KPI" not in SERVICES["api-server"]["environment"]


def test_the_page_is_given_the_site_folder_alone():
    assert SERVICES["page"]["volumes"] == ["site:/var/lib/boscard/site:ro"]
    assert "environment" not in SERVICES["page"]


@pytest.mark.parametrize(
    ("profile", "names"),
    [
        (None, {"postgres", "prepare", "api-server", "scheduler", "dag-processor", "triggerer"}),
        ("celery", {"redis", "worker"}),
        ("demo", {"sandbox"}),
        ("bi", {"page"}),
    ],
)
def test_profiles(profile, names):
    wanted = [profile] if profile else None
    assert {name for name, one in SERVICES.items() if one.get("profiles") == wanted} == names


def test_the_lock_of_the_image_is_cut_from_the_one_lock():
    whole, cut = locked("requirements.lock"), locked("production.lock")
    assert cut.items() <= whole.items()
    assert len(cut) > 200
    packages = {package.partition("==")[0] for package in cut}
    assert {"apache-airflow", "celery", "duckdb"} <= packages
    assert not {"pytest", "mypy", "moto"} & packages
