"""The sandbox imports nothing of the pipeline that is held against it."""

from __future__ import annotations

import ast
from pathlib import Path

import sandbox


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def test_the_sandbox_knows_nothing_of_the_pipeline() -> None:
    forbidden = {"ingest", "expectations", "warehouse", "dbt_project", "publish", "dags"}
    allowed = {"boscard.clock", "boscard.settings", "boscard.home"}
    files = sorted(Path(sandbox.__file__).parent.glob("*.py"))
    assert len(files) > 15
    for path in files:
        for name in _imported(path):
            assert name.split(".")[0] not in forbidden, f"{path.name} imports {name}"
            if name.split(".")[0] == "boscard" and name != "boscard":
                assert ".".join(name.split(".")[:2]) in allowed, f"{path.name} imports {name}"
