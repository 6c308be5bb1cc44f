"""Where the files of publications lie, and which publication is the current one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of publications lie."""

    folder: Path

    def duckdb(self, publication_id: str) -> Path:
        return self.folder / f"marts_{publication_id}.duckdb"

    def parquet(self, publication_id: str) -> Path:
        return self.folder / f"marts_{publication_id}.parquet"

    @property
    def current_duckdb(self) -> Path:
        return self.folder / "current.duckdb"

    @property
    def current_parquet(self) -> Path:
        return self.folder / "current.parquet"


def point_current(places: Places, publication_id: str) -> None:
    """Re-point both links, each in one step."""
    for link, target in (
        (places.current_parquet, places.parquet(publication_id)),
        (places.current_duckdb, places.duckdb(publication_id)),
    ):
        aside = link.with_name(f".{link.name}.new")
        aside.unlink(missing_ok=True)
        aside.symlink_to(target.name)
        aside.replace(link)


def current_id(places: Places) -> str | None:
    """The publication that `current.duckdb` points at."""
    try:
        return places.current_duckdb.readlink().name.removeprefix("marts_").removesuffix(".duckdb")
    except FileNotFoundError:
        return None


def prune(places: Places, newest_first: Sequence[str], keep: int) -> list[str]:
    """Remove the files of all but the `keep` newest publications, never the current ones."""
    kept = {*list(dict.fromkeys(newest_first))[:keep], current_id(places)}
    removed = []
    for path in sorted(places.folder.glob("marts_*")):
        publication_id = path.name.removeprefix("marts_").partition(".")[0]
        if publication_id in kept and path.suffix != ".part":
            continue
        removed.append(path.name)
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return removed
