"""What OpenLineage was told in a file, as a graph of datasets."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def events_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def reached(events: Iterable[dict[str, Any]], start: str) -> set[str]:
    """All datasets that `start` flows into, by way of any job; `namespace name` each."""
    onward: dict[str, set[str]] = defaultdict(set)
    for event in events:
        for source in event.get("inputs", []):
            onward[named(source)] |= {named(target) for target in event.get("outputs", [])}
    found: set[str] = set()
    frontier = {start}
    while frontier:
        found |= frontier
        frontier = set().union(*(onward[each] for each in frontier)) - found
    return found - {start}


def named(dataset: dict[str, Any]) -> str:
    return f"{dataset['namespace']} {dataset['name']}"
