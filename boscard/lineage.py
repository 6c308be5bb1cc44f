"""What each task of a night reads and writes, in the parts whose data keep apart.

A part is as small as lineage is true: one stream of one account, one raw table, one published view.
dbt's own parts, a model each, are read from what dbt wrote (boscard.open_lineage). Places are named
as OpenLineage names them: the system they are in, and the name there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingest.stream import raw_table

if TYPE_CHECKING:
    from boscard.night import Night
    from warehouse.load import LoadReport


@dataclass(frozen=True, slots=True)
class Place:
    """One dataset. `checks` are those that judged it: whether each held."""

    namespace: str
    name: str
    checks: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of a task read and wrote."""

    name: str
    inputs: tuple[Place, ...]
    outputs: tuple[Place, ...]


def pulled(night: Night, source: str, account: str, stream: str) -> Iterator[Part]:
    """From the vendor to landing."""
    vendor = Place(f"{source}://{account}", stream)
    yield Part(f"{account}.{stream}", (vendor,), (_landed(night, source, account, stream),))


def gated(night: Night, source: str) -> Iterator[Part]:
    """Tonight's landed rows, and whether each check of them held."""
    from expectations.verdict import read_verdict

    checks: dict[tuple[str, str], dict[str, bool]] = {}
    for name in night.landing.names(source, as_of=night.clock.as_of_date):
        verdict = read_verdict(name)
        judged = checks.setdefault(name.place[1:], {})
        for result in verdict.results if verdict else ():
            if result.state in ("pass", "fail", "error"):
                held = result.state == "pass"
                judged[result.check_id] = judged.get(result.check_id, True) and held
    for (account, stream), judged in checks.items():
        landed = _landed(night, source, account, stream, judged)
        yield Part(f"{account}.{stream}", (landed,), ())


def loaded(night: Night, report: LoadReport) -> Iterator[Part]:
    """From landing to a raw table."""
    accounts: dict[tuple[str, str], set[str]] = {}
    for batch in report.loaded:
        manifest = batch.manifest
        accounts.setdefault((manifest.source, manifest.stream), set()).add(manifest.account)
    for (source, stream), those in accounts.items():
        table = raw_table(source, stream)
        landed = tuple(_landed(night, source, account, stream) for account in sorted(those))
        yield Part(table, landed, (in_warehouse(night.home.warehouse, f"raw.{table}"),))


def published(night: Night) -> Iterator[Part]:
    """From a mart to its view in Postgres."""
    from publish.contract import SCHEMA, published_views
    from publish.login import Login
    from publish.url import reader_url

    server = Login.parse(reader_url(night.home, night.settings, night.postgres_url()))
    for view in published_views(night.home.dbt_target / "manifest.json"):
        mart = in_warehouse(night.home.warehouse, view.relation.replace('"', ""))
        name = f"{server.database}.{SCHEMA}.{view.name}"
        yield Part(view.name, (mart,), (Place(f"postgres://{server.host}:{server.port}", name),))


def in_warehouse(warehouse: Path, relation: str) -> Place:
    """A table of the warehouse, as dbt's own events name it; `relation` is `schema.table`."""
    return Place(f"duckdb://{warehouse}", f"{warehouse.stem}.{relation}")


def _landed(
    night: Night, source: str, account: str, stream: str, checks: dict[str, bool] | None = None
) -> Place:
    root = urlsplit(str(night.landing.root))
    namespace = f"{root.scheme}://{root.netloc}" if root.scheme else "file"
    path = root.path.lstrip("/") if root.scheme else root.path
    return Place(namespace, f"{path}/{source}/{account}/{stream}", checks or {})
