# `make help` lists the targets. Everything a run writes lies under var/ (BOSCARD_HOME moves it).
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
SDK_READY := .venv-sdk/ready
BENCH_READY := .venv-bench/ready
DATE ?=
COMPOSE ?=
COMPILE := .uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header
# Airflow, dbt and Great Expectations take three times as long to start without their .pyc files.
unexport PYTHONDONTWRITEBYTECODE
export AIRFLOW__CORE__LOAD_EXAMPLES := False

.PHONY: help setup nightly test coverage test-slow test-fuzz test-sdk bench lint format lock up down check compose-test env clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## create .venv from requirements.lock (quick when nothing changed)

$(READY): requirements.lock pyproject.toml boscard/setup.sh
	@PYTHON="$(PYTHON)" sh boscard/setup.sh .venv requirements.lock .
	@touch $(READY)

nightly: $(READY) ## one night on the sandbox company: pull, gate, load, transform, publish (DATE=YYYY-MM-DD)
	@$(BIN)/boscard nightly $(if $(DATE),--date $(DATE))

test: $(READY) ## the test suite, without what takes minutes
	@$(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not scheduler"

coverage: $(READY) ## what `make test` does not reach (child processes included), held against the reasons in tests/uncovered.toml
	@core=$$($(BIN)/python -c 'import sys; print("sysmon" if sys.version_info >= (3, 12) else "ctrace")'); \
	COVERAGE_CORE=$$core $(BIN)/python -m pytest -n 2 --dist loadscope -m "not slow and not scheduler" \
		--cov --cov-report=json:var/coverage.json
	@$(BIN)/python -m tests.uncovered var/coverage.json

test-slow: $(READY) ## the tests that take minutes: whole nights through Airflow's DAGs
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m slow --ignore=tests/kills

.PHONY: test-kills
test-kills: $(READY) ## a night killed at each point and on full disks, then run again: the same hash (a quarter of an hour)
	@$(BIN)/python -m pytest -n 2 --dist loadfile -m slow tests/kills

.PHONY: test-airflow
test-airflow: $(READY) ## a night under Airflow's scheduler, which is killed on the way; a backfill
	@$(BIN)/python -m pytest -m scheduler tests/airflow

.PHONY: drill
drill: $(READY) ## a small company is backed up, lost and restored in a scratch home: the same hash, and on it goes
	@$(BIN)/python -m pytest -m slow tests/end_to_end/test_drill.py

test-fuzz: $(READY) ## the fuzz for longer, with other rows each time (ROUNDS=50, SEED=… for the same again)
	@seed="$(or $(SEED),$$(od -An -N3 -tu4 /dev/urandom | tr -d ' '))"; echo "SEED=$$seed"; \
	BOSCARD_FUZZ_ROUNDS=$(or $(ROUNDS),50) $(BIN)/python -m pytest tests/fuzz --hypothesis-seed=$$seed

test-sdk: $(READY) $(SDK_READY) ## the vendors' own SDKs against the sandbox, in an environment of their own
	@.venv-sdk/bin/python -m pytest -c tests/sdk/pytest.ini tests/sdk

$(SDK_READY): tests/sdk/requirements.lock boscard/setup.sh
	@PYTHON="$(PYTHON)" sh boscard/setup.sh .venv-sdk tests/sdk/requirements.lock
	@touch $(SDK_READY)

bench: $(READY) $(BENCH_READY) ## what a night costs, beside its peers: a table and bench/results (an hour; QUICK=1 NAMES=…)
	@$(BIN)/python -m bench $(if $(QUICK),--quick) $(NAMES)

$(BENCH_READY): bench/requirements.lock boscard/setup.sh
	@PYTHON="$(PYTHON)" sh boscard/setup.sh .venv-bench bench/requirements.lock
	@touch $(BENCH_READY)

lint: $(READY) ## ruff, mypy and sqlfmt
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy ingest expectations boscard warehouse publish sandbox containers
	@$(BIN)/sqlfmt --check dbt_project

format: $(READY) ## format Python and SQL in place
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfmt dbt_project

lock: $(READY) ## resolve the lock files again: pyproject.toml, and requirements.in of tests/sdk and bench
	@$(COMPILE) --extra dev --extra production pyproject.toml --output-file requirements.lock
	@$(COMPILE) --extra production --constraints requirements.lock pyproject.toml --output-file production.lock
	@$(COMPILE) tests/sdk/requirements.in --output-file tests/sdk/requirements.lock
	@$(COMPILE) bench/requirements.in --output-file bench/requirements.lock

check: $(READY) ## try each configured account and say what is wrong
	@$(BIN)/boscard check

up: $(READY) ## Airflow's UI and scheduler, and Postgres for BI, on loopback
	@$(BIN)/boscard up

down: $(READY) ## stop what `make up` started
	@$(BIN)/boscard down

compose-test: $(READY) ## docker-compose.yml brought up, disturbed and taken down (COMPOSE="docker compose")
	@COMPOSE="$(COMPOSE)" $(BIN)/python -m pytest -c tests/compose/pytest.ini tests/compose

env: ## the secrets of docker-compose.yml, made once: .env and connections.env
	@$(PYTHON) -m containers.write_env .

clean: ## remove var/ (all landed data and publications) and the environments
	rm -rf var .venv .venv-sdk .venv-bench .uv
