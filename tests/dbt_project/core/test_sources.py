"""The sources that dbt declares are the tables that the load makes."""

from __future__ import annotations

import pytest
import yaml

from warehouse.tables import ORIGIN, declared_tables
from warehouse.transform import DBT_PROJECT

FILES = sorted((DBT_PROJECT / "models" / "staging").rglob("_*__sources.yml"))
SAME = {"TIMESTAMP WITH TIME ZONE": "timestamptz"}


def declared_to_dbt():
    tables = {}
    for file in FILES:
        for source in yaml.safe_load(file.read_text())["sources"]:
            for table in source["tables"]:
                columns = {column["name"]: column["data_type"] for column in table["columns"]}
                tables[source["schema"], table.get("identifier", table["name"])] = columns
    return tables


@pytest.mark.parametrize(
    "table", [pytest.param(name, id=".".join(name)) for name in declared_tables()]
)
def test_a_table_is_declared_as_it_is_made(table) -> None:
    made = {
        name: SAME.get(kind, kind).lower()
        for name, kind in declared_tables()[table].items()
        if name not in ORIGIN
    }
    assert declared_to_dbt()[table] == made


def test_nothing_else_is_declared() -> None:
    assert set(declared_to_dbt()) == set(declared_tables())
