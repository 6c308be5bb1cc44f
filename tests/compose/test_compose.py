"""docker-compose.yml for real: up, a night disturbed on the way, read from outside, and down.

Each deployment is brought up once for all tests here, which build on each other in this order.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from boscard.settings import Settings
from tests.compose.airflow_api import Airflow
from tests.compose.conftest import Site
from tests.compose.deployment import until
from tests.end_to_end.nights import installed

NIGHT_SECONDS = 1800
VENDORS = ("google_ads", "hubspot", "typeform")


@pytest.fixture(scope="module")
def people(site: Site) -> dict[str, Airflow]:
    """An operator and a viewer, made by the administrator's command."""
    found = {}
    for role in ("Op", "Viewer"):
        name, password = role.lower(), secrets.token_urlsafe(12)
        site.deployment.execute(
            *["api-server", "airflow", "users", "create", "--role", role, "--username", name],
            *["--firstname", name, "--lastname", name, "--email", f"{name}@example.com"],
            *["--password", password],
        )
        found[name] = site.airflow(name, password)
    return found


def plain_hash(site: Site, settings: Settings, night: date, folder: Path) -> str:
    """The content hash of this night without containers, Airflow or a kill."""
    key = "AIRFLOW_CONN_BOSCARD_HASH_KEY"
    with pytest.MonkeyPatch.context() as patched, installed(folder, settings) as installation:
        patched.setenv("AIRFLOW_HOME", str(folder / "airflow"))
        patched.setenv(key, site.connections[key])
        return installation.run(night).content_hash


@contextmanager
def slow_vendors(site: Site) -> Iterator[None]:
    """Every answer of HubSpot takes seconds, so that a pull can be caught at work."""
    url = site.url("SANDBOX_PORT") + "/_sandbox/faults"
    fault = {"vendor": "hubspot", "fault": "slow", "ms": 8000}
    assert requests.post(url, json=fault, timeout=30).status_code == 201
    yield
    requests.delete(url, timeout=30).raise_for_status()


def test_nobody_gets_in_without_a_password(site):
    assert requests.get(site.url("AIRFLOW_PORT") + "/api/v2/dags", timeout=60).status_code == 401
    assert site.airflow("admin", "airflow").token().status_code == 401


def test_roles_of_airflow(site, people):
    for person in people.values():
        assert person.call("GET", "dags").status_code == 200
    run = {"logical_date": None}
    assert people["viewer"].call("POST", "dags/scorecard/dagRuns", **run).status_code == 403
    assert people["viewer"].call("GET", "variables").status_code == 403
    assert people["op"].call("GET", "variables").status_code == 200
    dags = site.airflow().call("GET", "dags").json()["dags"]
    assert {dag["dag_id"] for dag in dags} >= {"scorecard", *(f"ingest_{one}" for one in VENDORS)}
    assert site.airflow().call("GET", "importErrors").json()["total_entries"] == 0


def test_a_night_is_published_though_what_runs_its_tasks_is_killed(
    site, people, settings, tmp_path
):
    """The scheduler is restarted mid-pull. With CeleryExecutor the worker is killed, too."""
    operator = people["op"]
    shown = requests.get(site.url("SANDBOX_PORT") + "/_sandbox/health", timeout=30).json()
    night, moment = date.fromisoformat(shown["as_of_date"]), datetime.fromisoformat(shown["now"])
    with slow_vendors(site):
        runs = {
            name: operator.trigger(name, moment) for name in (f"ingest_{one}" for one in VENDORS)
        }
        pulls = until(
            300,
            "a pull of HubSpot runs",
            lambda: [
                (task["task_id"], task["map_index"])
                for task in operator.tasks("ingest_hubspot", runs["ingest_hubspot"])
                if task["task_id"] == "pull" and task["state"] == "running"
            ],
            pause=0.5,
        )
        disturbed_at = datetime.now(UTC)
        if site.executor == "CeleryExecutor":
            site.deployment.kill_and_start("worker")
        site.deployment.restart("scheduler")
    site.deployment.wait_healthy("scheduler")
    runs["scorecard"] = operator.trigger("scorecard", moment)
    for dag_id, run_id in runs.items():
        operator.wait(dag_id, run_id, NIGHT_SECONDS)
    begun_again = [
        task
        for task in operator.tasks("ingest_hubspot", runs["ingest_hubspot"])
        if (task["task_id"], task["map_index"]) in pulls
        and datetime.fromisoformat(task["start_date"]) > disturbed_at
    ]
    assert begun_again
    [(_, of, content_hash)] = published(site)
    assert (of, content_hash) == (night, plain_hash(site, settings, night, tmp_path))


def reader(site: Site, database: str = "kpi") -> str:
    return site.postgres("kpi_reader", site.variables["KPI_READER_PASSWORD"], database)


def published(site: Site) -> list[tuple[Any, ...]]:
    """Id, night and content hash of each publication, as the reader sees them from outside."""
    with psycopg.connect(reader(site)) as connection:
        return connection.execute(
            "select publication_id, as_of_date, content_hash from kpi.publications"
        ).fetchall()


def test_the_reader_reads_from_outside_and_no_more(site):
    with psycopg.connect(reader(site), autocommit=True) as connection:
        assert connection.execute("show transaction_isolation").fetchone() == ("repeatable read",)
        [count] = connection.execute("select count(*) from kpi.scorecard").fetchone()
        assert count > 50
        for statement in (
            "select * from published.scorecard",
            "delete from kpi.scorecard",
            "create table kpi.mine (id int)",
            "create table public.mine (id int)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    writer = site.postgres("boscard_writer", site.variables["KPI_WRITER_PASSWORD"], "airflow")
    airflow = site.postgres("airflow", site.variables["AIRFLOW_DB_PASSWORD"])
    for url in (reader(site, "airflow"), reader(site, "postgres"), writer, airflow):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(url)


def test_the_page_is_served_and_nothing_beside_it(site, settings):
    page = requests.get(site.url("PAGE_PORT"), timeout=30)
    assert settings.company.name in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    listed = site.deployment.execute("page", "find", "/var/lib/boscard", "-type", "f")
    assert listed.split() == ["/var/lib/boscard/site/index.html"]
    for path in ("/landing/", "/%2e%2e/landing/", "/.index.html.part"):
        assert requests.get(site.url("PAGE_PORT") + path, timeout=30).status_code == 404


def status(site: Site) -> dict[str, Any]:
    """What is told where tasks run. It exits by the hour: before that of publication the sandbox's
    night is still to come."""
    asked = "boscard status --json; [ $? -le 3 ]"
    told: dict[str, Any] = json.loads(site.deployment.execute(site.tasks, "sh", "-c", asked))
    return told


def test_status_is_told_inside(site):
    [(publication_id, *_)] = published(site)
    assert status(site)["publication"]["publication_id"] == publication_id


def test_the_warehouse_is_mounted_where_tasks_run_and_nowhere_else(site):
    files = ["find", "/var/lib/boscard", "-type", "f", "-name", "*.duckdb"]
    holders = {
        service
        for service in site.deployment.services
        if service not in ("postgres", "redis", "prepare")
        and site.deployment.execute(service, *files).strip()
    }
    assert holders == {site.tasks}


def test_upkeep_cleans_airflows_own_database_too(people):
    operator = people["op"]
    run = operator.trigger("upkeep", datetime.now(UTC))
    operator.wait("upkeep", run, NIGHT_SECONDS)
    told = f"dags/upkeep/dagRuns/{run}/taskInstances/clean_airflow/xcomEntries/return_value"
    assert operator.call("GET", told).json()["value"] == "Airflow's database: cleaned"


def test_no_secret_is_in_a_log(site):
    secrets_used = [
        value
        for name, value in site.variables.items()
        if any(word in name for word in ("PASSWORD", "SECRET", "KEY"))
    ]
    for name, value in site.connections.items():
        if name.startswith("AIRFLOW_CONN_"):
            connection = json.loads(value)
            secrets_used += [connection["password"]]
            secrets_used += [connection.get("extra", {}).get("refresh_token", "")]
    secrets_used = [value for value in secrets_used if value]
    assert len(secrets_used) > 12
    for service in site.deployment.services:
        log = site.deployment.logs(service)
        assert [value for value in secrets_used if value in log] == [], service


STALE = """
import importlib.util, pathlib, struct, airflow.sdk, boscard
for package in (airflow.sdk, boscard):
    for source in pathlib.Path(package.__file__).parent.rglob("*.py"):
        compiled = pathlib.Path(importlib.util.cache_from_source(source))
        told = compiled.read_bytes()[8:12] if compiled.exists() else b"none"
        if told != struct.pack("<L", int(source.stat().st_mtime)):
            print(source)
"""


def test_what_starts_need_not_be_compiled(site):
    assert site.deployment.execute("api-server", "python", "-c", STALE).split() == []


def test_nothing_runs_as_root(site):
    for service in site.deployment.services:
        if service not in ("postgres", "redis", "prepare"):
            assert site.deployment.execute(service, "id", "-u").strip() == "10001", service


def test_a_lost_machine_comes_back_from_its_backup(site):
    """All volumes are gone; the two files of secrets and the backup are there."""
    wanted = published(site)
    site.deployment.execute(site.tasks, "boscard", "backup", "--to", "/backups")
    [backup] = site.backups.iterdir()
    site.deployment.down()
    site.deployment.up("api-server")
    site.deployment.run(site.tasks, "boscard", "restore", "--from", f"/backups/{backup.name}")
    site.deployment.up()
    site.deployment.wait_healthy()
    assert published(site) == wanted
    assert status(site)["publication"]["publication_id"] == wanted[0][0]
    assert requests.get(site.url("PAGE_PORT"), timeout=30).ok
