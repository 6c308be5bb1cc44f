"""The candidate: what the warehouse would publish for this night, with its identity.

Read are the months in which its rows differ from the publication that stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from boscard.clock import Clock
from boscard.home import Home
from publish.base import Base, attach, changed_months, read_base
from publish.content_hash import canonical, content_hash
from publish.contract import View, published_views, quoted
from publish.parts import Parts, Slice, merged, parts_hash, rows_in, within
from publish.places import Places

PROJECT_NAME = "boscard"
UNLIKE_DECLARED = (duckdb.CatalogException, duckdb.BinderException, duckdb.ConversionException)


class NotTransformedError(Exception):
    """The warehouse does not hold this night's marts; the message says which night it holds."""


@dataclass(frozen=True)
class Candidate:
    """What every published view would hold: `slices` of what differs from `base`, all without one.

    `parts` are of all rows. `definitions_hash` covers seeds, models, macros and dbt's variables
    save the night itself; `batches_hash` the list of gated batches.
    """

    as_of_date: date
    definitions_hash: str
    batches_hash: str
    views: tuple[View, ...]
    slices: Mapping[str, Slice]
    parts: Mapping[str, Parts]
    base: Base | None

    @cached_property
    def publication_id(self) -> str:
        """The night and twelve digits of a digest: the same inputs, the same id, on any machine."""
        whole = f"{self.as_of_date}\n{self.definitions_hash}\n{self.batches_hash}\n"
        return f"{self.as_of_date:%Y%m%d}_{_digest(whole)[:12]}"

    @cached_property
    def content_hash(self) -> str:
        return content_hash({name: parts_hash(parts) for name, parts in self.parts.items()})

    @cached_property
    def rows(self) -> dict[str, int]:
        """The number of all rows by view."""
        return {name: rows_in(parts) for name, parts in self.parts.items()}


def read_candidate(home: Home, clock: Clock, *, whole: bool = False) -> Candidate:
    """Read the night's marts; `whole`: all rows, whatever is published.

    Raises NotTransformedError when dbt last ran for another night or did not build them all.
    """
    variables = _variables(home.dbt_target / "run_results.json")
    if variables.get("as_of_date") != clock.as_of_date.isoformat():
        raise NotTransformedError(
            f"the marts hold night {variables.get('as_of_date')}, not of {clock.as_of_date}: "
            "transform that night first"
        )
    manifest = home.dbt_target / "manifest.json"
    views = published_views(manifest)
    base = None if whole else read_base(Places(home.publications), views)
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        warehouse.execute("set TimeZone = 'UTC'")
        if base is not None:
            attach(warehouse, base)
        try:
            slices = {view.name: _slice(warehouse, base, view) for view in views}
        except UNLIKE_DECLARED as error:
            first = str(error).splitlines()[0]
            raise NotTransformedError(f"the marts are not whole: {first}") from None
        batches = _batches(warehouse)
    parts = {
        view.name: merged(base.parts[view.name] if base else {}, view, slices[view.name])
        for view in views
    }
    definitions = _definitions(manifest, variables)
    return Candidate(clock.as_of_date, definitions, batches, views, slices, parts, base)


def _slice(warehouse: duckdb.DuckDBPyConnection, base: Base | None, view: View) -> Slice:
    months = None if base is None else changed_months(warehouse, view)
    columns = ", ".join(map(quoted, view.column_names))
    result = warehouse.execute(
        f"select {columns} from {view.relation} where {within(view, months)}"  # noqa: S608
    )
    return Slice(months, canonical(result.to_arrow_table(), view))


def _batches(warehouse: duckdb.DuckDBPyConnection) -> str:
    [(digest,)] = warehouse.execute(
        """
        select sha256(coalesce(string_agg(line, chr(10) order by line), ''))
        from (
            select cast(to_json(batches) as varchar) as line
            from (
                select source, account, stream, sequence, batch_id, state, rows_in, rows_loaded,
                    rows_superseded, rows_quarantined, rows_held
                from ops.loaded_batches
            ) as batches
        )
        """
    ).fetchall()
    return str(digest)


def _definitions(manifest: Path, variables: Mapping[str, Any]) -> str:
    content = json.loads(manifest.read_text(encoding="utf-8"))
    lines = [
        f"{name} {node['checksum']['checksum']}"
        for name, node in content["nodes"].items()
        if node["resource_type"] in ("seed", "model")
    ]
    lines += [
        f"{name} {_digest(macro['macro_sql'])}"
        for name, macro in content["macros"].items()
        if macro["package_name"] == PROJECT_NAME
    ]
    lines += [
        f"{name}={value}" for name, value in variables.items() if name not in ("as_of_date", "now")
    ]
    return _digest("\n".join(sorted(lines)))


def _variables(run_results: Path) -> dict[str, Any]:
    try:
        arguments = json.loads(run_results.read_text(encoding="utf-8"))["args"]
    except FileNotFoundError:
        raise NotTransformedError(f"{run_results}: not there; transform the night first") from None
    except ValueError:
        raise NotTransformedError(f"{run_results}: torn; transform the night again") from None
    variables: dict[str, Any] = arguments.get("vars") or {}
    return variables


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
