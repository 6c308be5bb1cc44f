from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from publish.contract import ContractError, published_views


def manifest(tmp_path: Path, **changes: Any) -> Path:
    node = {
        "resource_type": "model",
        "name": "fct_x",
        "alias": "fct_x",
        "schema": "marts",
        "description": "What\n  it is.",
        "config": {"meta": {"publish_as": "x", "key": ["id"]}},
        "columns": {"id": {"name": "id", "data_type": "varchar", "description": "Which one."}},
    }
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps({"nodes": {"model.boscard.fct_x": {**node, **changes}}}))
    return path


def column(data_type: str | None, description: str = "It.") -> dict[str, Any]:
    return {"id": {"name": "id", "data_type": data_type, "description": description}}


def test_a_published_model_is_a_view(tmp_path: Path) -> None:
    (view,) = published_views(manifest(tmp_path))
    assert (view.name, view.relation, view.key) == ("x", '"marts"."fct_x"', ("id",))
    assert view.description == "What it is."


def test_other_models_are_not_published(tmp_path: Path) -> None:
    assert published_views(manifest(tmp_path, config={"meta": {}})) == ()


@pytest.mark.parametrize(
    ("spelling", "expected"),
    [
        ("BIGINT", "bigint"),
        ("decimal(18, 6)", "decimal"),
        ("NUMERIC(18,6)", "decimal"),
        ("double", "double"),
        ("date", "date"),
        ("TIMESTAMP WITH TIME ZONE", "timestamptz"),
        ("text", "varchar"),
        ("boolean", "boolean"),
    ],
)
def test_types_are_known_by_their_usual_names(tmp_path: Path, spelling: str, expected: str) -> None:
    (view,) = published_views(manifest(tmp_path, columns=column(spelling)))
    assert view.columns[0].type == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": column("hugeint")}, "fct_x.id: type 'hugeint'"),
        ({"columns": column("decimal(38,6)")}, "decimal"),
        ({"columns": column(None)}, "fct_x.id: type ''"),
        ({"columns": column("bigint", " ")}, "fct_x.id: describe it"),
        ({"config": {"meta": {"publish_as": "x"}}}, "meta.key"),
        ({"config": {"meta": {"publish_as": "x", "key": ["nope"]}}}, "nope"),
        ({"config": {"meta": {"publish_as": "X; drop", "key": ["id"]}}}, "plain"),
    ],
    ids=["hugeint", "wide decimal", "no type", "no description", "no key", "unknown key", "name"],
)
def test_what_cannot_be_published_is_named(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        published_views(manifest(tmp_path, **changes))


def test_no_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="transform"):
        published_views(tmp_path / "manifest.json")
